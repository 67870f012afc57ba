"""The sentences, captions and the answer of `analysis.residual`, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis.citable import Answer, slug
from analysis.residual_estimates import IMPUTED, INTERACTION
from analysis.residual_latent_use import EVERYTHING, LEAKS
from analysis.residual_training import TREND
from analysis.residual_twins import PLAIN, SKIPS
from analysis.statistics import smallest_p

if TYPE_CHECKING:
    import pandas as pd

    from analysis.residual_estimates import Estimates

FEW_SEEDS = 5
LEVEL = 0.05


def sentences(estimates: Estimates, use: pd.DataFrame, leak: pd.DataFrame, study: str) -> list[str]:
    """What may be cited."""
    return [
        *_demonstration(estimates.depths),
        *(f"{row['dataset']}, {row['of']}: {_interaction(row)}" for row in _interactions(estimates)),
        *_trends(estimates.interaction),
        *_depths(estimates.depths),
        *_convergence(estimates.convergence),
        *_gradients(estimates.gradients),
        *_failures(estimates.failures),
        *_cost(estimates, study),
        *_use(use),
        *_leak(leak),
    ]


def answers(estimates: Estimates, use: pd.DataFrame) -> list[Answer]:
    """The answer to the third discussion question: of the study's first twins, or of its U-Net alone."""
    found = _interactions(estimates)
    if not found:
        return _answer_of_unet(use)
    row = found[0]
    failures = estimates.failures
    mine = failures[(failures["dataset"] == row["dataset"]) & (failures["of"] == row["of"])]
    ours = mine[mine["architecture"] == SKIPS].groupby("what")["count"].sum()
    tried = int(mine.loc[(mine["architecture"] == SKIPS) & (mine["what"] == "failed"), "n"].sum())
    lost = int(ours.sum())
    lead = "Yes, they train" if not lost else "They do not always train" if lost < tried else "Not as tried here"
    sentence = (
        f"{lead} ({ours['failed']} of {tried} residual trials failed and {ours['collapsed']} ended no better than the "
        f"mean image; depths {row['depths']}, {row['dataset']}, {row['of']}), and {_interaction(row)}"
    )
    statistic = "-".join(slug(part) for part in ("interaction", row["dataset"], row["of"], INTERACTION))
    return [Answer("residual", sentence, statistic, stem(row["dataset"], row["of"]))]


def _answer_of_unet(use: pd.DataFrame) -> list[Answer]:
    leaks = use[use["architecture"] == LEAKS] if len(use) else use
    if not len(leaks):
        return []
    row = leaks.iloc[0].to_dict()
    sentence = (
        "Within encoder and decoder this study does not say. Skips that pass the code by are another matter: of "
        f"{row['cell']}, {_latent_use(row)}"
    )
    return [Answer("residual", sentence, slug(f"latent_use-{row['cell']}"), "latent-use")]


def stem(dataset: str, of: str) -> str:
    """The file of a group's figure, without its kind."""
    return slug(f"depth-{dataset}-{of}")


def caption_depth(estimates: Estimates, dataset: str, of: str) -> str:
    """Under the figure of one group of twins."""
    depths = _of(estimates.depths, dataset, of)
    row = next((r for r in _interactions(estimates) if r["dataset"] == dataset and r["of"] == of), None)
    slope = ""
    if row is not None:
        slope = f" Line: the mean slope over log2 depth, a factor of {_factor(row)} per doubling (t over seeds)."
    seeds = f"n = {depths['n'].max()} seeds; {depths['method'].iloc[0]}" if len(depths) else "no depth is complete"
    return (
        f"{dataset}, {of}: residual against plain networks of the same depth and parameters. Top left: ratio of test "
        f"MSE, {seeds}; small points: seeds.{slope} Others: geometric mean and 95 % t interval over seeds; gradient "
        "scale: root of the mean of Adam's second moment over the first kernel; below left its ratio, mean over "
        "epochs. By epoch: the shallowest and the deepest networks."
    )


def caption_use(use: pd.DataFrame, leak: pd.DataFrame) -> str:
    """Under the figure of latent use."""
    reads = "; ".join(dict.fromkeys(leak["measure"])) if len(leak) else ""
    return (
        f"Latent use: change of the output when its code is replaced by another image's, ÷ the change between the two "
        f"outputs; 1: all that differs goes through the code. {int(use['n_images'].max()):,} test images, n = "
        f"{use['n'].max()} seeds, 95 % t interval over seeds."
        + (f" Right: {reads}; paired t over seeds." if reads else "")
    )


def _demonstration(depths: pd.DataFrame) -> Iterator[str]:
    if len(depths) and depths["n"].max() < FEW_SEEDS:
        yield (
            f"A demonstration: {depths['n'].max()} seeds resolve little, and the intervals rest on errors that are "
            "normal over seeds."
        )


def _interactions(estimates: Estimates) -> list[dict[str, Any]]:
    table = estimates.interaction
    return _rows(table[table["what"] == INTERACTION]) if len(table) else []


def _interaction(row: dict[str, Any]) -> str:
    """The estimand in words; the interval decides."""
    said = "whether skips matter more in deeper networks is not resolved"
    if row["low"] != row["low"]:
        said = "whether skips matter more in deeper networks cannot be said from one seed"
    elif row["high"] < 1:
        said = "the deeper the network, the more the skips lower its error"
    elif row["low"] > 1:
        said = "the deeper the network, the less the skips help it"
    return (
        f"{said}: with each doubling of depth the test MSE of residual ÷ plain networks changes by a factor of "
        f"{_factor(row)} (skip × log2 depth, {row['method']}, n = {row['n']} seeds{_p(row)}{_coarse(row)})."
    )


def _p(row: dict[str, Any]) -> str:
    return f", p = {row['p']:.2g}" if row["p"] == row["p"] else ""


def _coarse(row: dict[str, Any]) -> str:
    """What few seeds allow without normality."""
    least = smallest_p(int(row["n"]))
    return f"; assumes normality: sign flips of {row['n']} seeds give no p below {least:.2g}" if least > LEVEL else ""


def _factor(row: dict[str, Any]) -> str:
    return f"{row['factor']:.3g}{_ends(row)}"


def _ends(row: dict[str, Any]) -> str:
    return f" [{row['low']:.3g}, {row['high']:.3g}]" if row["low"] == row["low"] else " (no interval: one seed)"


def _trends(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        by = {row["what"]: row for row in _rows(rows)}
        if SKIPS in by and PLAIN in by:
            yield (
                f"{dataset}, {of}: a doubling of depth multiplies the test MSE of plain networks by "
                f"{_factor(by[PLAIN])} and of residual ones by {_factor(by[SKIPS])} ({by[PLAIN]['method']}, "
                f"n = {by[PLAIN]['n']} and {by[SKIPS]['n']} seeds; descriptive)."
            )
        if IMPUTED in by:
            yield (
                f"{dataset}, {of}: with failed trials at the mean image's error the interaction is "
                f"{_factor(by[IMPUTED])} (n = {by[IMPUTED]['n']} seeds)."
            )


def _depths(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        parts = [f"depth {row['depth']}: {row['ratio']:.3g}{_ends(row)}, {row['verdict']}" for row in _rows(rows)]
        first = rows.iloc[0]
        unequal = rows[rows["parameters"] != rows["parameters_plain"]]
        equal = "at equal parameters" if unequal.empty else f"with unequal parameters at {len(unequal)} depths"
        yield (
            f"{dataset}, {of}: test MSE, residual ÷ plain, {equal}: {'; '.join(parts)} (n = {first['n']} seeds, "
            f"{first['method']}{_left_out(first)})."
        )


def _left_out(row: pd.Series) -> str:
    return f"; {row['seeds_left_out']} seeds lack a depth and are left out" if row["seeds_left_out"] else ""


def _convergence(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        parts = [
            f"{row['architecture']} depth {row['depth']}: {row['reached']} of {row['n']}"
            + (
                f", median epoch {row['median']:g}"
                if row["median"] < float("inf")
                else ", median beyond the last epoch"
            )
            for row in _rows(rows)
        ]
        yield (
            f"{dataset}, {of}: trials that reach a validation MSE of {rows['level'].iloc[0]:.3g} (what the plain "
            f"networks of depth {rows['level_depth'].iloc[0]} end with, geometric mean): {'; '.join(parts)} (trials "
            "that never reach it count as later than the last epoch)."
        )


def _gradients(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        parts = [f"{row['what']} {row['ratio']:.3g}{_ends(row)}" for row in _rows(rows[rows["what"] != TREND])]
        trend = rows[rows["what"] == TREND]
        said = ""
        if len(trend):
            row = _rows(trend)[0]
            agrees = "is not resolved"
            if row["low"] > 1:
                agrees = "grows with depth, as it should if skips carry gradients past the blocks"
            elif row["high"] < 1:
                agrees = "shrinks with depth, which skips that carry gradients past the blocks would not do"
            said = f"; the ratio {agrees}: a factor of {row['ratio']:.3g}{_ends(row)} per doubling"
        yield (
            f"{dataset}, {of}: gradients at the first kernel over training, residual ÷ plain: {'; '.join(parts)}{said} "
            f"({rows['method'].iloc[0]}, n = {rows['n'].max()} seeds; descriptive)."
        )


def _failures(table: pd.DataFrame) -> Iterator[str]:
    said = {"failed": "failed to train", "collapsed": "ended no better than the mean image"}
    for (dataset, of, what), rows in table.groupby(["dataset", "of", "what"], sort=False) if len(table) else ():
        parts = [
            f"{row['architecture']} depth {row['depth']}: {row['count']} of {row['n']} "
            f"[{100 * row['low']:.0f}, {100 * row['high']:.0f}] %"
            for row in _rows(rows[rows["count"] > 0])
        ]
        if not parts:
            n, high = int(rows["n"].min()), 100 * rows["high"].max()
            parts = [f"none of {n} in any cell, which still allows up to {high:.2g} % of them"]
        yield f"{dataset}, {of}: trials that {said[what]}: {'; '.join(parts)} (95 % Clopper-Pearson intervals)."


def _cost(estimates: Estimates, study: str) -> Iterator[str]:
    table = estimates.cost
    if not len(table):
        if len(estimates.pairs):
            yield f"Seconds an epoch: not measured. Run: python -m study.cost {study}"
        return
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False):
        parts = [
            f"depth {row['depth']}: {row[SKIPS]:.3g} s against {row[PLAIN]:.3g} s, {row['ratio']:.3g} times"
            for row in _rows(rows)
        ]
        yield (
            f"{dataset}, {of}: seconds an epoch, residual against plain: {'; '.join(parts)} ({rows['method'].iloc[0]}; "
            f"{rows['n'].min()} rounds on one machine)."
        )


def _use(use: pd.DataFrame) -> Iterator[str]:
    if not len(use):
        return
    whole = use[use["use"] >= EVERYTHING]
    for row in _rows(use[~use.index.isin(whole.index)]):
        yield f"{row['cell']}: {_latent_use(row)}"
    if len(whole):
        yield (
            f"{len(whole)} cells send everything through the code (latent use {whole['use'].min():.3f} or more): "
            f"{', '.join(whole['cell'])}. Skips within encoder and decoder pass nothing by it."
        )


def _latent_use(row: dict[str, Any]) -> str:
    if row["use"] != row["use"]:
        return f"its outputs are the same for all {row['n_images']:,} test images: no latent use is known."
    known = f"[{row['low']:.3g}, {row['high']:.3g}]" if row["low"] == row["low"] else "(no interval: one seed)"
    return (
        f"another image's code changes the output by {100 * row['use']:.3g} % of what lies between the two outputs "
        f"(latent use {row['use']:.3g} {known}, {row['method']}, n = {row['n']}, {row['n_images']:,} test images); the "
        "rest passes the code by."
    )


def _leak(leak: pd.DataFrame) -> Iterator[str]:
    for row in _rows(leak):
        yield (
            f"{row['cell']} against {row['reference']}, {row['what']}: {row['unet']:.3g} against {row['without']:.3g}; "
            f"{row['measure']}: {row['value']:.3g}{_ends(row)} ({row['method']}, n = {row['n']} seeds{_p(row)}; "
            "descriptive)."
        )


def _of(table: pd.DataFrame, dataset: str, of: str) -> pd.DataFrame:
    return table[(table["dataset"] == dataset) & (table["of"] == of)] if len(table) else table


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
