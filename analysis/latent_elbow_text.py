"""What the tables of `analysis.latent_elbow` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis import figures
from analysis.command import span, with_ends
from analysis.latent_elbow_choice import lost, of_failures
from analysis.latent_elbow_estimates import CELL
from analysis.pictures import RULE

if TYPE_CHECKING:
    import pandas as pd

    from analysis.latent_elbow_estimates import Estimates

FEW_SEEDS = 5
LINEAR = "linear"  # the architecture whose optimum on squared error is PCA
BEYOND = float("inf")  # a size past the end of the grid


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval."""
    said = [*_demonstration(estimates.curve)]
    sizes = estimates.points[["curve", "excluded", "narrowest_width", "latent_dim", "status"]]
    tables = (sizes, estimates.counts, estimates.curve)
    of_curve = [dict(list(table.groupby("curve", sort=False))) for table in tables]
    trained: dict[str, None] = {}  # the same for curves beside one linear network
    for curve, elbow in estimates.elbow.groupby("curve", sort=False):
        points, counts, means = (parts[curve] for parts in of_curve)
        full, shorter = (elbow[elbow["shortened"] == part] for part in (False, True))
        end = grid_end(means)
        said += [f"{curve}: {text}" for text in _choices(full, estimates.kind, end)]
        said += [f"{curve}: {text}" for text in (_shortened(full, shorter), *left_out(points), *lost(points))]
        said.append(f"{curve}: {_count(counts)}")
        if text := how_far_trained(end, estimates.curve):
            trained[f"{end['dataset']}: {text}"] = None
    said += trained
    said += [_dimension(row) for row in _rows(estimates.dimension.drop_duplicates(["dataset", "estimator", "value"]))]
    if estimates.skipped:
        said.append(f"No curve, for want of 3 usable sizes (sizes in brackets): {'; '.join(estimates.skipped)}.")
    return said


def caption(estimates: Estimates, dataset: str, pictures: bool = True) -> str:
    """What stands under the figure of a data set: what is drawn, its n and its interval methods."""
    tables = {name: table[table["dataset"] == dataset] for name, table in estimates.tables().items()}
    curve, points = (tables[name][tables[name]["split"] == "val"] for name in ("curve", "points"))
    panels = list(points.groupby("panel", sort=False))
    out = [f"Crossed: {name}: {text}" for name, part in panels for text in left_out(part)]
    out += [f"{name}: {text}" for name, part in panels for text in lost(part)]
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
            *out,
            *([f"Pictures: {RULE}; then PCA's. A dash: no such size, or that network failed."] if pictures else []),
        ]
    )


def error_name(split: str, kind: str) -> str:
    """The error in words, such as "validation MSE" or "validation 1 - SSIM"."""
    return figures.name(f"{split}_{kind}").replace("SSIM", "1 - SSIM")


def _demonstration(curve: pd.DataFrame) -> Iterator[str]:
    n = int(curve["n"].max())
    if n < FEW_SEEDS:
        yield (
            f"A demonstration: {seeds(n)} resolve{'s' if n == 1 else ''} little, and the intervals rest on errors "
            "that are normal over seeds. Where an interval spans several sizes, the choice is not resolved with "
            f"{seeds(n)}."
        )


def _choices(elbow: pd.DataFrame, kind: str, end: dict[str, Any]) -> list[str]:
    """A sentence for each threshold that is reached, and one for those that no size reaches."""
    rows = [row for row in _rows(elbow) if row["threshold"] == row["threshold"]]
    reached = [row for row in rows if size_of(row["value"]) != BEYOND]
    beyond = [row for row in rows if size_of(row["value"]) == BEYOND]
    return [*(_choice(row, kind, end) for row in reached), *([none_reached(beyond, kind, end)] if beyond else [])]


def _choice(row: dict[str, Any], kind: str, end: dict[str, Any]) -> str:
    return (
        f"{size_of(row['value'])} is the smallest of {tried(row)} from which the {error_name('val', kind)} stays "
        f"within {percent([row])} of the mean image's (95 % interval {interval(row)}{_unresolved(row)}; t inversion, "
        f"n = {seeds(row['seeds'])}{of_failures(row)}); {_test(row, kind)}. {_pca(row, end)}"
    )


def none_reached(rows: list[dict[str, Any]], kind: str, end: dict[str, Any]) -> str:
    """The thresholds past the end of the grid: its last error beside PCA's says how far it ends from them."""
    sizes = [f"{percent([row])}: {interval(row)}{_unresolved(row)}" for row in rows if size_of(row["low"]) != BEYOND]
    may = f" (95 % interval of the size at {'; at '.join(sizes)}; t inversion)" if sizes else ""
    pca = [f" At {percent([row])} {_pca(row, end)}" for row in rows if size_of(row["pca_value"]) != BEYOND]
    return (
        f"from no size tried ({tried(rows[0])}) on does the {error_name('val', kind)} stay within {percent(rows)} of "
        f"the mean image's{may}: {_reached(end)}{_pca_at_end(end)}.{''.join(pca)}"
    )


def tried(row: dict[str, Any]) -> str:
    """The sizes of a grid."""
    return str(row["tried"]).replace(" ", ", ")


def percent(rows: list[dict[str, Any]]) -> str:
    """The thresholds of some rows, such as "20, 10 or 5 %"."""
    shares = [f"{100 * row['threshold']:g}" for row in rows]
    return f"{' or '.join(filter(None, [', '.join(shares[:-1]), shares[-1]]))} %"


def grid_end(curve: pd.DataFrame) -> dict[str, Any]:
    """The row of a curve at the last size that the rules look at: how far from a threshold it ends."""
    kept = curve[(curve["split"] == "val") & ~curve["excluded"]].dropna(subset="relative")
    return _rows(kept.sort_values("latent_dim"))[-1]


def _reached(end: dict[str, Any]) -> str:
    """The network's share at the end of the grid."""
    return f"at {end['latent_dim']} it is {_share(end)} ({end['method']}, n = {seeds(end['n'])})"


def _share(end: dict[str, Any], prefix: str = "") -> str:
    relative, low, high = (f"{100 * end[f'{prefix}{name}']:.3g}" for name in ("relative", "low", "high"))
    return f"{relative} %" + (f" [{low}, {high}]" if end[f"{prefix}low"] == end[f"{prefix}low"] else "")


def interval(row: dict[str, Any], prefix: str = "") -> str:
    """The interval of a size, such as "32 to 64"; with the prefix "pca_", of PCA's."""
    low, high = (_end(row, name, prefix) for name in ("low", "high"))
    if low != high:
        return f"{low} to {high}"
    return low if low.startswith(">") else f"{low} alone"


def _end(row: dict[str, Any], name: str, prefix: str = "") -> str:
    size = size_of(row[f"{prefix}{name}"])
    first, last = (row[f"{prefix}{end}"] for end in ("first", "last"))
    return f"> {last}" if size == BEYOND else f"≤ {size}" if size == first else str(size)


def _unresolved(row: dict[str, Any]) -> str:
    """Said of an interval that is as wide as the grid, or wide for want of seeds."""
    low, high = size_of(row["low"]), size_of(row["high"])
    everything = low == row["first"] and high == BEYOND
    return f": not resolved with {seeds(row['n'])}" if low != high and (everything or row["n"] < FEW_SEEDS) else ""


def _test(row: dict[str, Any], kind: str) -> str:
    error = with_ends(row["test_error"], row["test_low"], row["test_high"])
    share = f"{100 * row['test_relative']:.3g} % of the mean image's"
    return f"{error_name('test', kind)} there {error}, {share} (t, n = {row['test_n']})"


def _pca(row: dict[str, Any], end: dict[str, Any]) -> str:
    """PCA by the same rule, and whether the intervals tell the two apart."""
    ours, theirs = _bounds(row), _bounds(row, "pca_")
    verdict = "which of the two needs fewer is not resolved, as their intervals overlap"
    if ours[1] < theirs[0]:
        verdict = "the network needs fewer"
    elif theirs[1] < ours[0]:
        verdict = f"the network needs more, so that {_limit(end)} limits it rather than its latent size"
    return f"PCA needs {_end(row, 'value', 'pca_')} (95 % interval {interval(row, 'pca_')}): {verdict}."


def _limit(end: dict[str, Any]) -> str:
    """What keeps a network from PCA's error: the linear one could reach it."""
    if end["architecture"] != LINEAR:
        return "training or architecture"
    return "training" if end["loss"] == "mse" else "training or loss"


def _pca_at_end(end: dict[str, Any]) -> str:
    """PCA's share where the network's grid ends, beside the network's; "" where PCA has none, for want of images."""
    if end["pca_relative"] != end["pca_relative"]:
        return ""
    verdict = "not told apart from the network's"
    if end["pca_high"] < end["low"]:
        verdict = f"less, so that {_limit(end)} limits the network there"
    elif end["high"] < end["pca_low"]:
        verdict = "more than the network's"
    return f", PCA's {_share(end, 'pca_')} (n = {seeds(end['pca_n'])}), {verdict}"


def how_far_trained(end: dict[str, Any], curve: pd.DataFrame) -> str:
    """How far training had come, told by the linear network on the same data, size and loss; "" where there is none."""
    if end["architecture"] == LINEAR or end["loss"] != "mse":
        return ""
    same = [factor for factor in CELL if factor != "architecture"]
    kept = curve[(curve["split"] == "val") & (curve["architecture"] == LINEAR) & ~curve["excluded"]]
    alike = [row for row in _rows(kept) if all(_equal(row[name], end[name]) for name in [*same, "latent_dim"])]
    if not alike or alike[0]["pca_relative"] != alike[0]["pca_relative"]:
        return ""
    linear = alike[0]
    verdict = "as far as can be told it had come to its end"
    if linear["low"] > linear["pca_high"]:
        verdict = "it had not come to its end, nor need it have in the other networks, trained as long"
    return (
        f"how far training had come shows in linear ÷ PCA, its optimum: with {linear['latent_dim']} units the linear "
        f"network errs {_share(linear)}, PCA {_share(linear, 'pca_')} of the mean image's ({linear['method']}, n = "
        f"{seeds(linear['n'])}): {verdict}."
    )


def _bounds(row: dict[str, Any], prefix: str = "") -> tuple[float, float]:
    """The interval's ends for comparison: past the end of a grid is above its last size, and bounded by nothing."""
    low, high = (size_of(row[f"{prefix}{end}"]) for end in ("low", "high"))
    return (row[f"{prefix}last"] + 0.5 if low == BEYOND else low), high


def _shortened(full: pd.DataFrame, shorter: pd.DataFrame) -> str:
    """What each rule answers once the last size is gone: an answer that stays is the one of the shorter grid."""
    moved: list[str] = []
    stays: list[str] = []
    for whole, cut in zip(_rows(full), _rows(shorter), strict=True):
        before, after = (_answer(row) for row in (whole, cut))
        same = size_of(whole["value"]) == size_of(cut["value"])
        (stays if same else moved).append(
            f"{whole['rule']}: {after}" if same else f"{whole['rule']}: {before} → {after}"
        )
    parts = [f"{word} {'; '.join(rules)}" for word, rules in (("moves", moved), ("leaves", stays)) if rules]
    return f"dropping the grid's last size ({full['last'].iloc[0]}) {', and '.join(parts)}."


def _answer(row: dict[str, Any]) -> str:
    if size_of(row["value"]) != BEYOND:
        return str(size_of(row["value"]))
    return "none" if row["threshold"] != row["threshold"] else f"> {row['last']}"


def left_out(points: pd.DataFrame) -> Iterator[str]:
    """The sizes that a narrow layer keeps out of the rules."""
    for width, out in points[points["excluded"]].groupby("narrowest_width"):
        sizes = ", ".join(str(size) for size in sorted(set(out["latent_dim"])))
        yield (
            f"left out of the rules for the network: {sizes}, where a hidden layer of {width:.0f} units is narrower "
            "than the code."
        )


def _count(counts: pd.DataFrame) -> str:
    parts = [
        f"{row['count']} of {row['n']} {_happened(row)} [{100 * row['low']:.2g}, {100 * row['high']:.2g}] %"
        for row in _rows(counts)
    ]
    return f"{'; '.join(parts)} (95 % Clopper-Pearson intervals)."


def _happened(row: dict[str, Any]) -> str:
    if row["what"] == "failed":
        return "trials failed"
    return f"completed ones {'is' if row['count'] == 1 else 'are'} no better than the mean image"


def _dimension(row: dict[str, Any]) -> str:
    return f"{row['dataset']}: intrinsic dimension of the training images, {_dimension_numbers(row)}; {row['method']}."


def _dimension_numbers(row: dict[str, Any]) -> str:
    numbers = with_ends(row["value"], row["low"], row["high"])
    return f"{row['estimator']} {numbers} (n = {seeds(row['n'])} of {row['images']:,} images)"


def _equal(one: Any, other: Any) -> bool:
    """Whether two levels are the same; pandas turns None among numbers into NaN."""
    return one == other or all(level is None or level != level for level in (one, other))


def seeds(count: int | str) -> str:
    """A number of seeds, which may be a span such as "3 to 5"."""
    return f"{count} seed{'' if str(count) == '1' else 's'}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def size_of(value: float | None) -> float:
    """A size for comparison: none within the grid counts as beyond it."""
    return BEYOND if value is None or value != value else int(value)
