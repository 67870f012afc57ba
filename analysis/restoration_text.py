"""The sentences and captions of inpainting and denoising, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from analysis import citable, command, figures
from analysis.draws import images_of
from analysis.restoration_estimates import FILLED, ONCE, REFERENCE, TRAINED_WITH_NOISE, TRAINING_NOISE, all_images
from study import corruptions

if TYPE_CHECKING:
    import pandas as pd

    from analysis.restoration import Kind
    from analysis.restoration_estimates import Estimates

NAMED = 4  # cells that a sentence names with their numbers
WORDS = {"lower": f"less error than the {REFERENCE}", "higher": f"more error than the {REFERENCE}"}
METHODS = {
    REFERENCE: f"the {REFERENCE}",
    "mean image": "the mean training image",
    "nearest image": "the nearest training image",
    "biharmonic": "biharmonic interpolation",
    "noisy image": "the noisy image itself",
}  # methods in words; the others are called what they are
UNTRAINED = ("noisy image", "biharmonic", "total variation", "non-local means")  # the plainest first


def sentences(estimates: Estimates, kind: Kind, split: str) -> list[str]:
    """What may be cited."""
    return [
        *_skill(estimates.skill, kind, split),
        *_handicap(estimates.skill, kind),
        *_compared(_against(estimates), kind, split),
        *_sizes(estimates.sizes, kind, split),
        *_iterated(estimates.iterated, split),
        *_fills(estimates.fills, split),
    ]


def answers(estimates: Estimates, kind: Kind, split: str) -> Iterator[citable.Answer]:
    """One for each data set: in which conditions cells have less error than the linear optimum and a plain method.

    The mean over conditions comes last, since conditions may go opposite ways. The least of all cells' mean ratios is
    named; the intervals are simultaneous, so that they cover it too.
    """
    against = _against(estimates)
    for dataset, rows in estimates.skill.groupby("dataset", sort=False):
        here = {str(name): part for name, part in against[against["dataset"] == dataset].groupby("baseline")}
        plain = next((name for name in UNTRAINED if name in here), None)
        named = {REFERENCE: here[REFERENCE]} | ({plain: here[plain]} if plain else {})
        found = "; ".join(_where(part, name, kind) for name, part in named.items())
        curves = estimates.sizes.groupby(["dataset", "curve"], sort=False) if len(estimates.sizes) else ()
        panel = list(kind.levels)[:1]
        sizes = "".join(f" {_best_sizes(part, kind, panel, split)}." for of, part in curves if of[0] == dataset)
        lower, higher, rest = _counts(rows)
        row = rows.loc[rows["ratio"].idxmin()]
        least = f"the least of the {len(rows)} ratios, " if len(rows) > 1 else "a ratio of "
        sentence = (
            f"{dataset}, {kind.name}: {found} ({kind.error}, {figures.SPLITS[split]} images, "
            f"n = {command.span(set(rows['n']))} seeds, {_each(split)}).{sizes} In the geometric mean over "
            f"{row['conditions']} {kind.many}, less error than the {REFERENCE} in {lower} of {len(rows)} cells, more "
            f"in {higher}{f', not resolved in {rest}' if rest else ''}; {row['cell']} has {least}{_ratio(row)} "
            f"(n = {row['n']} seeds; {row['method']})."
        )
        yield citable.Answer(kind.name, sentence, f"skill-{citable.slug(row['cell'])}", str(dataset))


def _counts(rows: pd.DataFrame) -> tuple[int, int, int]:
    """How many ratios are resolved below 1, above 1, and neither."""
    lower, higher = int((rows["ratio_high"] < 1).sum()), int((rows["ratio_low"] > 1).sum())
    return lower, higher, len(rows) - lower - higher


def _against(estimates: Estimates) -> pd.DataFrame:
    """A row a cell, condition and method without a network, the linear optimum first: the ratio of errors."""
    import pandas as pd

    rows = estimates.conditions
    rows = all_images(rows[(rows["kind"] == "model") & (rows["mode"] == ONCE)]).assign(baseline=REFERENCE)
    return pd.concat([rows, estimates.baselines], ignore_index=True)


def _where(rows: pd.DataFrame, method: str, kind: Kind) -> str:
    """In how many cells the error is less than a method's, and in which conditions; the most cells first."""
    cells, tried, name = rows["cell"].nunique(), rows["condition"].nunique(), METHODS.get(method, method)
    if (rows["ratio_low"] > 1).all():
        have = "have" if cells > 1 else "has"
        return f"{_cells(cells, cells)} {have} more error than {name} with each of {tried} {kind.many}"
    found: dict[str, list[str]] = {}  # which cells → where
    by_condition = rows[rows["ratio_high"] < 1].groupby("condition", sort=False)["cell"].agg(list)
    for condition, who in sorted(by_condition.items(), key=lambda item: -len(item[1])):
        noisy = " trained with noise" if kind.trained and all(TRAINED_WITH_NOISE in cell for cell in who) else ""
        found.setdefault(_cells(len(who), cells) + noisy, []).append(str(condition))
    if not found:
        return f"no cell has less error than {name} with any of {tried} {kind.many}"
    parts = [f"{who} ({_places(conditions, kind)})" for who, conditions in found.items()]
    elsewhere = "; no cell elsewhere" if len(by_condition) < tried else ""
    return f"less error than {name}: {'; '.join(parts)}{elsewhere}"


def _cells(count: int, of: int) -> str:
    return f"{'all ' if count == of > 1 else ''}{count} cell{'' if count == 1 else 's'}"


def caption(estimates: Estimates, kind: Kind, dataset: str, split: str) -> str:
    """What stands under the figure of numbers."""
    rows = estimates.skill[estimates.skill["dataset"] == dataset]
    return (
        f"{dataset}, {kind.name}: {kind.error} ÷ the {REFERENCE}'s on the same {_span(rows['n_images'])} "
        f"{figures.SPLITS[split]} images. Left: geometric mean over {rows['conditions'].max()} {kind.many}, "
        f"n = {command.span(set(rows['n']))} seeds, {rows['method'].iloc[0]}. Right: mean and 95 % t interval over "
        f"seeds of log error in one pass, {images_of([split])}; costly baselines on at most 1,000 of the images."
    )


def _span(images: pd.Series) -> str:
    least, most = int(images.min()), int(images.max())
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _skill(table: pd.DataFrame, kind: Kind, split: str) -> Iterator[str]:
    for dataset, rows in table.groupby("dataset", sort=False):
        of = f"{dataset}, {kind.name}, geometric mean over {rows['conditions'].max()} {kind.many}"
        same = f"({kind.error}, {rows['n_images'].max():,} {figures.SPLITS[split]} images)"
        how = f"(n = {command.span(set(rows['n']))} seeds; {rows['method'].iloc[0]})"
        for verdict, words in WORDS.items():
            some = rows[rows["verdict"] == verdict].sort_values("ratio")
            if len(some):
                yield f"{of}: {words} in {len(some)} of {len(rows)} cells {same}: {_named(some)} {how}."
        for verdict, rest in rows[~rows["verdict"].isin(WORDS)].groupby("verdict", sort=False):
            yield f"{of}: {len(rest)} of {len(rows)} cells {verdict} {same}: {_named(rest)} {how}."


def _handicap(table: pd.DataFrame, kind: Kind) -> Iterator[str]:
    """What the networks were trained with, and what the linear optimum has before them."""
    for dataset, rows in table.groupby("dataset", sort=False):
        noisy = int(rows["cell"].str.contains(TRAINED_WITH_NOISE).sum())
        some = f"{noisy} of {len(rows)} cells {'was' if noisy == 1 else 'were'} trained with {TRAINING_NOISE}"
        if kind.trained and noisy:
            seen = (
                f"{some}, whatever the noise to be removed{', the others without noise' if noisy < len(rows) else ''}"
            )
        else:
            seen = f"no network was trained with {kind.unseen}{f' ({some})' if noisy else ''}"
        yield f"{dataset}, {kind.name}: {seen}; the {REFERENCE} has no bottleneck and {kind.fitted}."


def _compared(table: pd.DataFrame, kind: Kind, split: str) -> Iterator[str]:
    """Against each method: how many cells have less error where, how many comparisons are resolved, the least ratio."""
    for (dataset, method), rows in table.groupby(["dataset", "baseline"], sort=False):
        less, more, rest = _counts(rows)
        least = rows.loc[rows["ratio"].idxmin()]
        yield (
            f"{dataset}, {kind.name}: {_where(rows, str(method), kind)}. Of {len(rows)} ratios {less} are below 1, "
            f"{more} above, {rest} not resolved; the least is {_ratio(least)} ({least['cell']}, "
            f"{corruptions.describe(least['condition'])}; {kind.error}, {_span(rows['n_images'])} "
            f"{figures.SPLITS[split]} images, n = {command.span(set(rows['n']))} seeds, {_each(split)})."
        )


def _each(split: str) -> str:
    """What most intervals are, and for which images they hold."""
    return f"paired 95 % t intervals, each for itself, {images_of([split])}"


def _sizes(table: pd.DataFrame, kind: Kind, split: str) -> Iterator[str]:
    """The best latent sizes of each curve at the ends of all panels, and with what has no panel."""
    if not len(table):
        return
    for _, rows in table.groupby("curve", sort=False):
        yield (
            f"{_best_sizes(rows, kind, list(kind.levels), split)} ({kind.error}, n = "
            f"{command.span(set(rows['n']))} seeds; chosen and compared on the same seeds; see sizes.csv)."
        )


def _best_sizes(rows: pd.DataFrame, kind: Kind, titles: Sequence[str], split: str) -> str:
    """Of one curve, with the easiest and the hardest condition of the named panels; with all named, also the others."""
    best = {row["condition"]: _size(row) for row in _rows(rows)}
    drawn = {c for conditions in kind.levels.values() for c in conditions}
    asked = [c for title in titles for c in (kind.levels[title][0], kind.levels[title][-1])]
    asked += [c for c in best if c not in drawn] if len(titles) == len(kind.levels) else []
    found = "; ".join(f"{_places([c], kind)}: {best[c]}" for c in asked if c in best)
    first = rows.iloc[0]
    of = f"atent size of {first['curve']} with the least error"
    ends = "[the least, the greatest size that paired 95 % t intervals do not tell from it]"
    tried = f", of {first['tried'].replace(' ', ', ')} {ends}, and its error"
    if first["chosen_on"] == split:
        looked_for = f"Looked for on the {figures.SPLITS[split]} images: a description, no estimate"
        return f"{looked_for}. L{of}{tried}: {found}"
    return (
        f"L{of} on {figures.SPLITS[first['chosen_on']]} images{tried} on {figures.SPLITS[split]} images [95 % t "
        f"interval, {images_of([split])}]: {found}"
    )


def _size(row: dict[str, Any]) -> str:
    alike = "alone" if row["low"] == row["high"] else f"[{row['low']}, {row['high']}]"
    return f"{row['size']} {alike}, {command.with_ends(row['mse'], row['mse_low'], row['mse_high'])}"


def _places(found: Collection[str], kind: Kind) -> str:
    """Conditions in words, those of one panel together: "square in the middle, side 12 and 25 %"."""
    parts = []
    for title, conditions in kind.levels.items():
        if here := [c for c in conditions if c in found]:
            name, _, unit = kind.axis[title].partition(", ")
            levels = _levels([_level(c) for c in here], [_level(c) for c in conditions])
            parts.append(f"{title}, {name} {levels}{f' {unit}' if unit else ''}")
    drawn = {c for conditions in kind.levels.values() for c in conditions}
    return "; ".join([*parts, *(corruptions.describe(c) for c in found if c not in drawn)])


def _level(condition: str) -> str:
    return f"{float(condition.rsplit('_', 1)[1]):g}"


def _levels(found: Collection[str], tried: Sequence[str]) -> str:
    """Levels in words, three neighbours or more from the first to the last: "0.1 and 0.5 to 1"."""
    runs: list[list[str]] = [[]]
    for level in tried:
        if level in found:
            runs[-1].append(level)
        elif runs[-1]:
            runs.append([])
    words = [word for run in runs for word in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run)]
    return _listed(words)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _named(rows: pd.DataFrame) -> str:
    shown = [f"{row['cell']} {_ratio(row)} times" for row in _rows(rows)[:NAMED]]
    more = f" and {len(rows) - NAMED} more in skill.csv" if len(rows) > NAMED else ""
    return "; ".join(shown) + more


def _ratio(row: Any) -> str:
    known = row["ratio_low"] == row["ratio_low"]
    ends = f"[{row['ratio_low']:.3g}, {row['ratio_high']:.3g}]" if known else "(no interval)"
    return f"{row['ratio']:.3g} {ends}"


def _iterated(table: pd.DataFrame, split: str) -> Iterator[str]:
    if not len(table):
        return
    for dataset, rows in table.groupby("dataset", sort=False):
        yield (
            f"{dataset}, ten reconstructions, the known pixels put back before each, against one, by mask: "
            f"{_changes(rows, 'condition', split)}; see iterated.csv)."
        )


def _fills(table: pd.DataFrame, split: str) -> Iterator[str]:
    if not len(table):
        return
    for (dataset, condition), rows in table.groupby(["dataset", "condition"], sort=False):
        yield (
            f"{dataset}, removed pixels filled with another value than the mean pixel, tried only with "
            f"{corruptions.describe(condition)}: {_changes(rows, 'mode', split)}; see fills.csv)."
        )


def _changes(rows: pd.DataFrame, key: str, split: str) -> str:
    """Of each condition or fill in how many cells the error falls and rises, and from which ratio to which."""
    found = []
    for level, part in rows.groupby(key, sort=False):
        words = str(level).removeprefix(FILLED) if key == "mode" else corruptions.describe(str(level))
        lower, higher, rest = _counts(part)
        least, most = (part.loc[place] for place in (part["ratio"].idxmin(), part["ratio"].idxmax()))
        ends = f"ratios from {_ratio(least)} ({least['cell']}) to {_ratio(most)} ({most['cell']})"
        unresolved = f", not resolved in {rest}" if rest else ""
        found.append(f"{words}, less error in {lower} of {len(part)} cells, more in {higher}{unresolved}, {ends}")
    how = f"({rows['n_images'].max():,} images, n = {command.span(set(rows['n']))} seeds, {_each(split)}"
    return f"{'; '.join(found)} {how}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
