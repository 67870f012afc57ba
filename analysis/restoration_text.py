"""The sentences and captions of inpainting and denoising, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from analysis import citable, command, figures
from analysis.restoration_estimates import ONCE, REFERENCE, TRAINED_WITH_NOISE, TRAINING_NOISE, all_images
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
}  # other baselines in words; the others are called what they are
UNTRAINED = ("noisy image", "biharmonic", "total variation", "non-local means")  # the plainest first


def sentences(estimates: Estimates, kind: Kind, split: str) -> list[str]:
    """What may be cited."""
    return [
        *_skill(estimates.skill, kind, split),
        *_handicap(estimates.skill, kind),
        *_baselines(estimates.baselines, kind, split),
        *_told(estimates.conditions, kind),
        *_iterated(estimates.iterated),
        *_fills(estimates.fills),
        *_crossings(estimates.crossings, kind),
    ]


def answers(estimates: Estimates, kind: Kind, split: str) -> Iterator[citable.Answer]:
    """One for each data set: how many cells beat the linear optimum and the other methods, and by how much at best.

    The least of all cells' ratios on the evaluated images is named; the intervals are simultaneous, so that they cover
    it too.
    """
    for dataset, rows in estimates.skill.groupby("dataset", sort=False):
        beat, lost, rest = _counts(rows)
        untold = f", not told apart from it in {rest}" if rest else ""
        row = rows.loc[rows["ratio"].idxmin()]
        least = f"the least of the {len(rows)} ratios, " if len(rows) > 1 else ""
        refuted, beside = _against_others(estimates.baselines, kind, str(dataset), len(rows))
        sentence = (
            f"{dataset}, {kind.name}: {refuted}the error on {figures.SPLITS[split]} images is below the {REFERENCE}'s "
            f"in {beat} of {len(rows)} cells, above it in {lost}{untold}{beside}; {row['cell']} has {least}"
            f"{_ratio(row)} times the {REFERENCE}'s error ({kind.error}, geometric mean over {row['conditions']} "
            f"conditions, n = {row['n']} seeds; {row['method']})."
        )
        whole = sentence + _below(estimates.conditions, kind, str(dataset))
        yield citable.Answer(kind.name, whole, f"skill-{citable.slug(row['cell'])}", str(dataset))


def _counts(rows: pd.DataFrame) -> tuple[int, int, int]:
    """How many verdicts are lower, higher, and neither."""
    lower, higher = (int((rows["verdict"] == verdict).sum()) for verdict in ("lower", "higher"))
    return lower, higher, len(rows) - lower - higher


def _against_others(table: pd.DataFrame, kind: Kind, dataset: str, cells: int) -> tuple[str, str]:
    """What a method without training images refutes, or else in how many cells the error is below each other method's.

    Args:
        table: Of `Estimates.baselines`.
        kind: The task.
        dataset: Whose rows.
        cells: How many there are.
    """
    if not len(table):
        return "", ""
    methods = {str(name): rows for name, rows in table[table["dataset"] == dataset].groupby("baseline", sort=False)}
    for name in UNTRAINED:
        if name in methods and _counts(methods[name])[1] == cells:
            all_of_them = f"all {cells} cells" if cells > 1 else "the one cell"
            words = f"{METHODS.get(name, name)}, which needs no training images, has less error than {all_of_them}"
            return f"no, even {words}; ", ""
    alike: dict[str, list[str]] = {}  # how many cells → the methods with as many
    for name, rows in methods.items():
        lower, higher, rest = _counts(rows)
        noisy = _noisy(rows[rows["verdict"] == "lower"]) if kind.trained else 0
        some = f" ({noisy} of them trained with noise)" if noisy else ""
        untold = f", not resolved in {rest}" if rest else ""
        words = f"in {lower} of {len(rows)}{some}, above it in {higher}{untold}"
        alike.setdefault(words, []).append(METHODS.get(name, name))
    found = [f"that of {_listed(names)} {words}" for words, names in alike.items()]
    return "", f"; below {'; '.join(found)}" if found else ""


def _below(table: pd.DataFrame, kind: Kind, dataset: str) -> str:
    """In which conditions networks trained for the task have less error than the linear optimum; the best first."""
    cells = {
        cell: (part.loc[part["ratio_high"] < 1, "condition"].tolist(), len(part))
        for cell, part in _trained(table[table["dataset"] == dataset], kind)
    }
    if not cells:
        return ""
    found = [
        f"{cell} in {len(less)} of {count} conditions{f' ({_places(less, kind)})' if less else ''}"
        for cell, (less, count) in sorted(cells.items(), key=lambda item: -len(item[1][0]))
    ]
    more = f" and {len(found) - NAMED} more in conditions.csv" if len(found) > NAMED else ""
    return (
        f" Condition by condition, cells trained with noise ({TRAINING_NOISE}) have less error than the {REFERENCE}: "
        f"{'; '.join(found[:NAMED])}{more} (paired 95 % t intervals, each for itself)."
    )


def _noisy(rows: pd.DataFrame) -> int:
    """How many of the cells were trained with noise."""
    return int(rows["cell"].str.contains(TRAINED_WITH_NOISE).sum())


def caption(estimates: Estimates, kind: Kind, dataset: str, split: str) -> str:
    """What stands under the figure of numbers."""
    rows = estimates.skill[estimates.skill["dataset"] == dataset]
    return (
        f"{dataset}, {kind.name}: {kind.error} ÷ the {REFERENCE}'s on the same {_span(rows['n_images'])} "
        f"{figures.SPLITS[split]} images. Left: geometric mean over {rows['conditions'].max()} conditions, "
        f"n = {command.span(set(rows['n']))} seeds, {rows['method'].iloc[0]}. Right: mean and 95 % t interval over "
        "seeds of log error in one pass; costly baselines on at most 1,000 of the images."
    )


def _span(images: pd.Series) -> str:
    least, most = int(images.min()), int(images.max())
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _skill(table: pd.DataFrame, kind: Kind, split: str) -> Iterator[str]:
    for dataset, rows in table.groupby("dataset", sort=False):
        same = (
            f"({kind.error}, geometric mean over {rows['conditions'].max()} conditions, {rows['n_images'].max():,} "
            f"{figures.SPLITS[split]} images)"
        )
        how = f"(n = {command.span(set(rows['n']))} seeds; {rows['method'].iloc[0]})"
        for verdict, words in WORDS.items():
            some = rows[rows["verdict"] == verdict].sort_values("ratio")
            if len(some):
                counted = f"{words} in {len(some)} of {len(rows)} cells"
                yield f"{dataset}, {kind.name}: {counted} {same}: {_named(some)} {how}."
        for verdict, rest in rows[~rows["verdict"].isin(WORDS)].groupby("verdict", sort=False):
            yield f"{dataset}, {kind.name}: {len(rest)} of {len(rows)} cells {verdict} {same}: {_named(rest)} {how}."


def _handicap(table: pd.DataFrame, kind: Kind) -> Iterator[str]:
    """What the networks were trained with, and what the linear optimum has before them."""
    for dataset, rows in table.groupby("dataset", sort=False):
        noisy = _noisy(rows)
        some = f"{noisy} of {len(rows)} cells {'was' if noisy == 1 else 'were'} trained with {TRAINING_NOISE}"
        if kind.trained and noisy:
            seen = (
                f"{some}, whatever the noise to be removed{', the others without noise' if noisy < len(rows) else ''}"
            )
        else:
            seen = f"no network was trained with {kind.unseen}{f' ({some})' if noisy else ''}"
        yield f"{dataset}, {kind.name}: {seen}; the {REFERENCE} has no bottleneck and {kind.fitted}."


def _baselines(table: pd.DataFrame, kind: Kind, split: str) -> Iterator[str]:
    """In how many cells the mean error is less than that of each method beside the linear optimum."""
    if not len(table):
        return
    for dataset, rows in table.groupby("dataset", sort=False):
        found = []
        for name, part in rows.groupby("baseline", sort=False):
            lower, higher, rest = _counts(part)
            least = part.loc[part["ratio"].idxmin()]
            found.append(
                f"less than {METHODS.get(str(name), name)} in {lower} of {len(part)} cells, more in {higher}"
                f"{f', not resolved in {rest}' if rest else ''} (least: {least['cell']} {_ratio(least)} times)"
            )
        yield (
            f"{dataset}, {kind.name}, error against other methods: {'; '.join(found)} ({kind.error}, geometric mean "
            f"over {rows['conditions'].max()} conditions, {_span(rows['n_images'])} {figures.SPLITS[split]} images, "
            f"n = {command.span(set(rows['n']))} seeds; simultaneous over the cells against each method: "
            f"{rows['method'].iloc[0]}; see baselines.csv)."
        )


def _told(table: pd.DataFrame, kind: Kind) -> Iterator[str]:
    """Networks trained for the task against the linear optimum, condition by condition."""
    for cell, part in _trained(table, kind):
        less, more = part[part["ratio_high"] < 1], part[part["ratio_low"] > 1]
        open_ = part.drop(less.index).drop(more.index)
        ratios = "; ".join(f"{corruptions.describe(row['condition'])}: {_ratio(row)} times" for row in _rows(less))
        found = [f"less error in {len(less)} of {len(part)} conditions{f' ({ratios})' if ratios else ''}"]
        for words, some in (("more in", more), ("not resolved in", open_)):
            if len(some):
                found.append(f"{words} {len(some)} ({_places(some['condition'].tolist(), kind)})")
        yield (
            f"{cell}, trained with {TRAINING_NOISE}, against the {REFERENCE} on the same images: {', '.join(found)} "
            f"(n = {command.span(set(part['n']))} seeds, paired 95 % t intervals, each for itself; see conditions.csv)."
        )


def _trained(table: pd.DataFrame, kind: Kind) -> Iterator[tuple[str, pd.DataFrame]]:
    """The cells that were trained for the task, each with its rows of `conditions`."""
    if not kind.trained:
        return
    rows = all_images(table[(table["kind"] == "model") & (table["mode"] == ONCE)])
    for cell, part in rows[rows["cell"].str.contains(TRAINED_WITH_NOISE)].groupby("cell", sort=False):
        yield str(cell), part


def _places(found: Collection[str], kind: Kind) -> str:
    """Conditions in words, those of one panel together: "Gaussian noise, standard deviation σ 0.25 and 0.5"."""
    parts = [
        f"{title}, {kind.axis[title]} {_levels([_level(c) for c in here], [_level(c) for c in conditions])}"
        for title, conditions in kind.levels.items()
        if (here := [c for c in conditions if c in found])
    ]
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


def _iterated(table: pd.DataFrame) -> Iterator[str]:
    if not len(table):
        return
    for dataset, rows in table.groupby("dataset", sort=False):
        lower, higher, _ = _counts(rows)
        best, worst = (rows.sort_values("ratio").iloc[place] for place in (0, -1))
        yield (
            f"{dataset}: reconstructing ten times with the known pixels put back lowers the error of {lower} of "
            f"{len(rows)} cells and raises that of {higher}; the direction is not resolved for the others. From "
            f"{_ratio(best)} times the error of one pass ({best['cell']}) to {_ratio(worst)} ({worst['cell']}; "
            f"{rows['n_images'].max():,} images, n = {command.span(set(rows['n']))} seeds; {best['method']})."
        )


def _fills(table: pd.DataFrame) -> Iterator[str]:
    if not len(table):
        return
    for dataset, rows in table.groupby("dataset", sort=False):
        first = rows.iloc[0]
        found = "; ".join(f"{row['mode'].removeprefix('filled with ')} {_ratio(row)} times" for row in _rows(rows))
        out = f", {first['left_out']} that lack seeds left out" if first["left_out"] else ""
        yield (
            f"{dataset}: what removed pixels are filled with, against the mean pixel (mean over "
            f"{first['cells']} cell{'s' if first['cells'] > 1 else ''}{out}, one mask): "
            f"error with {found} ({first['n_images']:,} images, n = {first['n']} seeds; {first['method']})."
        )


def _crossings(table: pd.DataFrame, kind: Kind) -> Iterator[str]:
    """Of each baseline, which cells have less error at which levels of noise; the most levels first."""
    if not len(table):
        return
    tried = [_level(condition) for condition in kind.crossings]
    for (dataset, baseline), rows in table.groupby(["dataset", "baseline"], sort=False):
        alike = {str(at): part["cell"].tolist() for at, part in rows.groupby("less_error_at", sort=False)}
        never = len(alike.pop("", []))
        parts = [
            f"{_some(alike[at])} at σ = {_levels(at.split(), tried)}"
            for at in sorted(alike, key=lambda at: -len(at.split()))
        ]
        if never:
            others = f"the other {never}" if parts else f"all {never}" if never > 1 else "the one"
            parts.append(f"{others} cell{'s' if never > 1 else ''} at no level")
        yield (
            f"{dataset}, Gaussian noise, less error than {METHODS.get(str(baseline), baseline)}: {'; '.join(parts)} "
            f"(tried: {', '.join(tried)}; {rows['n_images'].max():,} images, n = {command.span(set(rows['n']))} "
            f"seeds; paired 95 % t intervals, each for itself; {rows['unresolved'].sum()} of the "
            f"{len(rows) * len(tried)} comparisons are not resolved; see crossings.csv)."
        )


def _some(cells: Sequence[str]) -> str:
    return ", ".join(cells[:NAMED]) + (f" and {len(cells) - NAMED} more" if len(cells) > NAMED else "")


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
