"""What the tables of `analysis.latent_elbow` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis import figures
from analysis.citable import Answer, slug
from analysis.command import span, with_ends
from analysis.pictures import RULE

if TYPE_CHECKING:
    import pandas as pd

    from analysis.latent_elbow_estimates import Estimates

FEW_SEEDS = 5
LEAD = (
    "By what the application may lose, on validation images: the smallest size from which the error stays within that "
    "share of the mean image's, with an interval. "
)
MAIN = 0.10  # the threshold that the answer gives; the others stand beside it
BEYOND = float("inf")  # a size past the end of the grid


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval."""
    said = [*_demonstration(estimates.curve)]
    sizes = estimates.points[["curve", "excluded", "narrowest_width", "latent_dim"]]
    tables = (sizes, estimates.counts, estimates.curve)
    of_curve = [dict(list(table.groupby("curve", sort=False))) for table in tables]
    for curve, elbow in estimates.elbow.groupby("curve", sort=False):
        points, counts, means = (parts[curve] for parts in of_curve)
        full, shorter = (elbow[elbow["shortened"] == part] for part in (False, True))
        end = _grid_end_errors(means)
        rows = [row for row in _rows(full) if row["threshold"] == row["threshold"]]
        said += [f"{curve}: {_choice(row, estimates.kind, end)}" for row in rows]
        said += [f"{curve}: {_shortened(full, shorter)}", *(f"{curve}: {text}" for text in _left_out(points))]
        said.append(f"{curve}: {_count(counts)}")
    said += [_dimension(row) for row in _rows(estimates.dimension.drop_duplicates(["dataset", "estimator", "value"]))]
    if estimates.skipped:
        said.append(f"No curve, for want of 3 usable sizes (sizes in brackets): {'; '.join(estimates.skipped)}.")
    return said


def answers(estimates: Estimates) -> list[Answer]:
    """To "how does one choose a latent size": the middle threshold on the first curve of each data set.

    The first begins with the rule, which is the same for all.
    """
    rows = estimates.elbow[~estimates.elbow["shortened"] & (estimates.elbow["threshold"] == MAIN)]
    first_of_each = _rows(rows.drop_duplicates("dataset"))
    return [_main_answer(estimates, row, "" if place else LEAD) for place, row in enumerate(first_of_each)]


def _main_answer(estimates: Estimates, row: dict[str, Any], lead: str) -> Answer:
    curve = row["curve"]
    means, points = (table[table["curve"] == curve] for table in (estimates.curve, estimates.points))
    chosen = _size(row["value"]) != BEYOND
    identity = f"{slug(curve)}-{slug(row['rule'])}" if chosen else ""
    out = [f"{text[:1].upper()}{text[1:]}" for text in _left_out(points)]
    sentence = " ".join([f"{lead}{curve}: {_choice(row, estimates.kind, _grid_end_errors(means))}", *out])
    return Answer("latent_elbow", sentence, identity, f"curve-{row['dataset']}")


def caption(estimates: Estimates, dataset: str) -> str:
    """What stands under the figure of a data set: what is drawn, its n and its interval methods."""
    tables = {name: table[table["dataset"] == dataset] for name, table in estimates.tables().items()}
    curve, points = (tables[name][tables[name]["split"] == "val"] for name in ("curve", "points"))
    out = [f"{name}: {text}" for name, part in points.groupby("panel", sort=False) for text in _left_out(part)]
    failed = tables["counts"][tables["counts"]["what"] == "failed"]
    missing = " and are missing" if failed["count"].any() else ""
    dimension = tables["dimension"].drop_duplicates(["estimator", "value"])
    return " ".join(
        [
            f"{dataset}: {error_name('val', estimates.kind)} ÷ the training mean image's on the same split.",
            f"Lines: mean and 95 % t interval over seeds (n = {span(curve['n'])}); small points: seeds, to the left of",
            "their size;",
            f"{int(failed['count'].sum()) or 'none'} of {int(failed['n'].sum())} trials failed{missing}.",
            "On the dotted lines at 20, 10 and 5 %: the size chosen (diamond) and its 95 % interval by inversion of t",
            "tests (bar; an arrow where the grid ends first).",
            f"Grey dashes: PCA fitted on each seed's training images, clipped to [0, 1] (n = {span(curve['pca_n'])}),",
            "to the right of its size.",
            "Vertical (dash-dotted: Levina-Bickel; dotted: TwoNN): intrinsic dimension of the training images, mean",
            f"over seeds: {'; '.join(_dimension_numbers(row) for row in _rows(dimension))}.",
            *(f"Crossed: {text}" for text in out),
            f"Pictures: {RULE}; then PCA's. A dash: no such size, or that network failed.",
        ]
    )


def error_name(split: str, kind: str) -> str:
    """The error in words, such as "validation MSE" or "validation 1 - SSIM"."""
    return figures.name(f"{split}_{kind}").replace("SSIM", "1 - SSIM")


def _demonstration(curve: pd.DataFrame) -> Iterator[str]:
    n = int(curve["n"].max())
    if n < FEW_SEEDS:
        yield (
            f"A demonstration: {n} seeds resolve little, and the intervals rest on errors that are normal over seeds. "
            f"Where an interval spans several sizes, the choice is not resolved with {n} seeds."
        )


def _choice(row: dict[str, Any], kind: str, end: dict[str, Any]) -> str:
    error, share = error_name("val", kind), f"{100 * row['threshold']:g} % of the mean image's"
    value, tried = _size(row["value"]), f"of the sizes tried ({row['tried']})"
    interval = f"95 % interval {_interval(row)}{_unresolved(row)}; t inversion, n = {row['seeds']} seeds"
    if value == BEYOND:
        none = f"none is one from which the {error} stays at or below {share}"
        return f"{tried}, {none}; {_reached(end)}; the size's {interval}. {_pca(row, end)}"
    found = f"{value} is the smallest from which the {error} stays at or below {share}"
    return f"{tried}, {found} ({interval}); {_test(row, kind)}. {_pca(row, end)}"


def _grid_end_errors(curve: pd.DataFrame) -> dict[str, Any]:
    """The row of a curve at the last size that the rules look at: how far from a threshold it ends."""
    kept = curve[(curve["split"] == "val") & ~curve["excluded"]].dropna(subset="relative")
    return _rows(kept.sort_values("latent_dim"))[-1]


def _reached(end: dict[str, Any]) -> str:
    """The network's share at the end of the grid."""
    return f"at {end['latent_dim']} it is {_share(end)} ({end['method']}, n = {end['n']})"


def _share(end: dict[str, Any], prefix: str = "") -> str:
    relative, low, high = (f"{100 * end[f'{prefix}{name}']:.3g}" for name in ("relative", "low", "high"))
    return f"{relative} %" + (f" [{low}, {high}]" if end[f"{prefix}low"] == end[f"{prefix}low"] else "")


def _interval(row: dict[str, Any], prefix: str = "") -> str:
    low, high = (_end(row, name, prefix) for name in ("low", "high"))
    if low != high:
        return f"{low} to {high}"
    return f"wholly {low}" if low.startswith(">") else f"{low} alone"


def _end(row: dict[str, Any], name: str, prefix: str = "") -> str:
    size = _size(row[f"{prefix}{name}"])
    first, last = (row[f"{prefix}{end}"] for end in ("first", "last"))
    return f"> {last}" if size == BEYOND else f"≤ {size}" if size == first else str(size)


def _unresolved(row: dict[str, Any]) -> str:
    """Said of an interval that is as wide as the grid, or wide for want of seeds."""
    low, high = _size(row["low"]), _size(row["high"])
    everything = low == row["first"] and high == BEYOND
    return f": not resolved with {row['n']} seeds" if low != high and (everything or row["n"] < FEW_SEEDS) else ""


def _test(row: dict[str, Any], kind: str) -> str:
    error = with_ends(row["test_error"], row["test_low"], row["test_high"])
    share = f"{100 * row['test_relative']:.3g} % of the mean image's"
    return f"{error_name('test', kind)} there {error}, {share} (t, n = {row['test_n']})"


def _pca(row: dict[str, Any], end: dict[str, Any]) -> str:
    """PCA by the same rule, and whether the intervals tell the two apart; where both lie beyond the grid, its end."""
    ours, theirs = _bounds(row), _bounds(row, "pca_")
    verdict = "the two are not told apart"
    if _size(row["value"]) == BEYOND == _size(row["pca_value"]):
        verdict = f"both lie beyond the sizes tried, so that the rule compares nothing{_pca_at_end(end)}"
    elif ours[1] < theirs[0]:
        verdict = "the network needs fewer"
    elif theirs[1] < ours[0]:
        verdict = "the network needs more, so that training or architecture limits it rather than its latent size"
    return f"PCA by the same rule: {_end(row, 'value', 'pca_')} (95 % interval {_interval(row, 'pca_')}); {verdict}."


def _pca_at_end(end: dict[str, Any]) -> str:
    """PCA's share where the network's grid ends, beside the network's; "" where PCA has none, for want of images."""
    if end["pca_relative"] != end["pca_relative"]:
        return ""
    verdict = "not told apart from the network's"
    if end["pca_high"] < end["low"]:
        verdict = "less than the network's"
    elif end["high"] < end["pca_low"]:
        verdict = "more than the network's"
    error = f"{_share(end, 'pca_')} of the mean image's (n = {end['pca_n']})"
    return f"; at {end['latent_dim']} PCA's error is {error}, {verdict}"


def _bounds(row: dict[str, Any], prefix: str = "") -> tuple[float, float]:
    """The interval's ends for comparison: past the end of a grid is above its last size, and bounded by nothing."""
    low, high = (_size(row[f"{prefix}{end}"]) for end in ("low", "high"))
    return (row[f"{prefix}last"] + 0.5 if low == BEYOND else low), high


def _shortened(full: pd.DataFrame, shorter: pd.DataFrame) -> str:
    """What each rule answers once the last size is gone: an answer that stays is the one of the shorter grid."""
    moved: list[str] = []
    stays: list[str] = []
    for whole, cut in zip(_rows(full), _rows(shorter), strict=True):
        before, after = (_answer(row) for row in (whole, cut))
        same = _size(whole["value"]) == _size(cut["value"])
        (stays if same else moved).append(
            f"{whole['rule']}: {after}" if same else f"{whole['rule']}: {before} → {after}"
        )
    parts = [f"{word} {'; '.join(rules)}" for word, rules in (("moves", moved), ("leaves", stays)) if rules]
    return f"dropping the grid's last size ({full['last'].iloc[0]}) {', and '.join(parts)}."


def _answer(row: dict[str, Any]) -> str:
    if _size(row["value"]) != BEYOND:
        return str(_size(row["value"]))
    return "none" if row["threshold"] != row["threshold"] else f"> {row['last']}"


def _left_out(points: pd.DataFrame) -> Iterator[str]:
    for width, out in points[points["excluded"]].groupby("narrowest_width"):
        sizes = ", ".join(str(size) for size in sorted(set(out["latent_dim"])))
        yield (
            f"left out of the rules for the network: {sizes}, where a hidden layer of {width:.0f} units is narrower "
            "than the code."
        )


def _count(counts: pd.DataFrame) -> str:
    said = {"failed": "trials failed", "collapsed": "completed ones are no better than the mean image"}
    parts = [
        f"{row['count']} of {row['n']} {said[row['what']]} [{100 * row['low']:.2g}, {100 * row['high']:.2g}] %"
        for row in _rows(counts)
    ]
    return f"{'; '.join(parts)} (95 % Clopper-Pearson intervals)."


def _dimension(row: dict[str, Any]) -> str:
    return f"{row['dataset']}: intrinsic dimension of the training images, {_dimension_numbers(row)}; {row['method']}."


def _dimension_numbers(row: dict[str, Any]) -> str:
    numbers = with_ends(row["value"], row["low"], row["high"])
    return f"{row['estimator']} {numbers} (n = {row['n']} seeds of {row['images']:,} images)"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def _size(value: float | None) -> float:
    """A size for comparison: none within the grid counts as beyond it."""
    return BEYOND if value is None or value != value else int(value)
