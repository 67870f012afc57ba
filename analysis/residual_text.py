"""The sentences, captions and the answer of `analysis.residual`, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from analysis import residual_modes, residual_training_text
from analysis.citable import Answer, slug
from analysis.effects_errors import UNLEARNT
from analysis.effects_words import seeds
from analysis.residual_estimates import IMPUTED, INTERACTION
from analysis.residual_latent_use import EVERYTHING, LEAKS
from analysis.residual_training_text import as_rows, ends
from analysis.residual_twins import PLAIN, SKIPS
from analysis.statistics import smallest_p

if TYPE_CHECKING:
    import pandas as pd

    from analysis.residual_estimates import Estimates

FEW_SEEDS = 5
LEVEL = 0.05
SLOPE = "; slopes over depth run into this ceiling"
KINDS = {PLAIN: "plain", SKIPS: "residual"}


def sentences(estimates: Estimates, use: pd.DataFrame, leak: pd.DataFrame, study: str) -> list[str]:
    """What may be cited."""
    return [
        *_demonstration(estimates.depths),
        *_slopes(estimates),
        *_depths(estimates.depths),
        *residual_modes.sentences(estimates.modes),
        *residual_training_text.sentences(estimates, study),
        *_use(use),
        *_leak(leak),
    ]


def answers(estimates: Estimates, use: pd.DataFrame) -> list[Answer]:
    """The answer to the third discussion question: of the study's first twins, or of its U-Net alone.

    Where trials failed, the interaction with failures at the mean image's error stands beside that of the pairs in
    which both trained: the latter alone would leave out what fails.
    """
    table = estimates.interaction
    found = as_rows(table[table["what"].isin([INTERACTION, IMPUTED])]) if len(table) else []
    if not found:
        return _answer_of_unet(use)
    dataset, of = found[0]["dataset"], found[0]["of"]
    by = {row["what"]: row for row in as_rows(_of(table, dataset, of))}
    main = by.get(INTERACTION) or by[IMPUTED]
    mine = _of(estimates.failures, dataset, of)
    failed, unlearnt, tried = _lost(mine, SKIPS)
    of_plain = _lost(mine, PLAIN)
    lead = "Yes, they train"
    if failed + unlearnt:
        lead = "They do not always train" if failed + unlearnt < tried else "Not as tried here"
    also = f" {_imputed(by[IMPUTED])}" if IMPUTED in by and main["what"] == INTERACTION else ""
    without = "" if main["what"] == INTERACTION else "with failed trials at the mean image's error "
    sentence = (
        f"{lead} ({failed} of {tried} residual trials failed and {unlearnt} left {100 * UNLEARNT:.0f} % or more of the "
        f"test variance unexplained, the mean image 100 %; {of_plain[0]} of {of_plain[2]} plain trials failed and "
        f"{of_plain[1]} left as much; depths {main['depths']}, {dataset}, {of}), and {without}"
        f"{_interaction(main)}{_own(by)}{_deepest(estimates.depths, dataset, of)}"
        f"{_ceiling(_of(estimates.depths, dataset, of), SLOPE)}{also}"
    )
    statistic = "-".join(slug(part) for part in ("interaction", dataset, of, main["what"]))
    return [Answer("residual", sentence, statistic, stem(dataset, of))]


def _lost(failures: pd.DataFrame, architecture: str) -> tuple[int, int, int]:
    """Trials of an architecture that failed, that learnt next to nothing, and all."""
    mine = failures[failures["architecture"] == architecture]
    count = mine.groupby("what")["count"].sum()
    return int(count["failed"]), int(count["unlearnt"]), int(mine.loc[mine["what"] == "failed", "n"].sum())


def _deepest(depths: pd.DataFrame, dataset: str, of: str) -> str:
    """What the skips do at the greatest depth: a slope alone does not say whether they help anywhere."""
    mine = _of(depths, dataset, of)
    if not len(mine):
        return ""
    row = as_rows(mine.sort_values("depth"))[-1]
    return f" At depth {row['depth']} the ratio is {row['ratio']:.3g}{ends(row)}: {row['verdict']} (n = {row['n']})."


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
    shown = f"n = {seeds(depths['n'])}; {depths['method'].iloc[0]}" if len(depths) else "no depth is complete"
    return (
        f"{dataset}, {of}: residual against plain networks of the same depth and parameters. Top left: ratio of test "
        f"MSE, {shown}; small points: seeds.{slope} Others: geometric mean and 95 % t interval over seeds; gradient "
        "scale: root of the mean of Adam's second moment over the first kernel, which remembers its largest steps, "
        "often the first; below left its ratio in the first epoch. By epoch: the shallowest and the deepest networks."
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
            f"A demonstration: {seeds([depths['n'].max()])} can resolve little, and the intervals rest on errors "
            "that are normal over seeds."
        )


def _interactions(estimates: Estimates) -> list[dict[str, Any]]:
    table = estimates.interaction
    return as_rows(table[table["what"] == INTERACTION]) if len(table) else []


def _interaction(row: dict[str, Any]) -> str:
    """The estimand in words; the interval decides. A slope says who gains, not who is ahead."""
    said = "whether residual networks gain on plain ones with depth is not resolved"
    if row["low"] != row["low"]:
        said = "whether residual networks gain on plain ones with depth cannot be said from one seed"
    elif row["high"] < 1:
        said = "residual networks gain on plain ones with depth"
    elif row["low"] > 1:
        said = "residual networks lose ground to plain ones with depth"
    return (
        f"{said}: with each doubling of depth the test MSE of residual ÷ plain networks changes by a factor of "
        f"{_factor(row)} (skip × log2 depth, {row['method']}, n = {seeds([row['n']])}{_p(row)}{_coarse(row)})."
    )


def _p(row: dict[str, Any]) -> str:
    return f", p = {row['p']:.2g}" if row["p"] == row["p"] else ""


def _coarse(row: dict[str, Any]) -> str:
    """What few seeds allow without normality."""
    least = Fraction(smallest_p(int(row["n"])))  # a power of 1/2; no table holds it as a decimal number
    return f"; assumes normality: sign flips of {seeds([row['n']])} give no p below {least}" if least > LEVEL else ""


def _factor(row: dict[str, Any]) -> str:
    return f"{row['factor']:.3g}{ends(row)}"


def _slopes(estimates: Estimates) -> Iterator[str]:
    """The interaction with the slopes that it is the difference of; with failures filled in, apart."""
    table = estimates.interaction
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        by = {row["what"]: row for row in as_rows(rows)}
        said = f" {_interaction(by[INTERACTION])}" if INTERACTION in by else ""
        if said := f"{said}{_own(by)}":
            yield f"{dataset}, {of}:{said}{_ceiling(_of(estimates.depths, dataset, of), SLOPE)}"
        if IMPUTED in by:
            yield f"{dataset}, {of}: {_imputed(by[IMPUTED])}"


def _own(by: dict[str, dict[str, Any]]) -> str:
    """What depth does to the error of residual networks themselves, and of plain ones: a gain may be relative alone."""
    if SKIPS not in by:
        return ""
    low, high = by[SKIPS]["low"], by[SKIPS]["high"]
    so = "whether deeper residual networks get better, as was expected, is not resolved"
    if low > 1:
        so = "deeper residual networks were expected to get better, and get worse"
    elif high < 1:
        so = "deeper residual networks get better, as was expected"
    both = [name for name in (PLAIN, SKIPS) if name in by]
    factors = " and ".join(f"of {KINDS[name]} networks by {_factor(by[name])}" for name in both)
    n = seeds([by[name]["n"] for name in both])
    return f" A doubling of depth multiplies the test MSE {factors} (n = {n}; descriptive): {so}."


def _ceiling(rows: pd.DataFrame, also: str = "") -> str:
    """At which depths all networks of a kind do hardly better than the mean image, and what the ratio then says.

    Args:
        rows: Of `Estimates.depths`, one group.
        also: What else follows, put behind.
    """
    if not len(rows):
        return ""
    plain, skips = (rows[f"{name}_fvu_least"] >= UNLEARNT for name in (PLAIN, SKIPS))
    differ = "says whether the {} ones train, not by how much they are better"
    said = ""
    for some, names, says in (
        (plain & ~skips, (PLAIN,), differ.format("residual")),
        (skips & ~plain, (SKIPS,), differ.format("plain")),
        (plain & skips, (PLAIN, SKIPS), "says nothing of skips"),
    ):
        mine = rows[some]
        if len(mine):
            low = min(mine[f"{name}_fvu_least"].min() for name in names)
            high = max(mine[f"{name}_fvu_most"].max() for name in names)
            said += (
                f" At depth {', '.join(map(str, mine['depth']))} every {' and '.join(KINDS[name] for name in names)} "
                f"network leaves {_range(100 * low, 100 * high, '.0f')} % of the test variance unexplained (the mean "
                f"image 100 %): they learnt next to nothing, so the ratio there {says}{also}."
            )
    return said


def _range(low: float, high: float, form: str) -> str:
    least, most = f"{low:{form}}", f"{high:{form}}"
    return least if least == most else f"{least} to {most}"


def _imputed(row: dict[str, Any]) -> str:
    return f"With failed trials at the mean image's error the interaction is {_factor(row)} (n = {seeds([row['n']])})."


def _depths(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        parts = [
            f"depth {row['depth']}: {row['ratio']:.3g}{ends(row)}, {row['verdict']} (FVU {_fvu(row, SKIPS)} against "
            f"{_fvu(row, PLAIN)})"
            for row in as_rows(rows)
        ]
        first = rows.iloc[0]
        unequal = rows[rows["parameters"] != rows["parameters_plain"]]
        equal = "at equal parameters" if unequal.empty else f"with unequal parameters at {len(unequal)} depths"
        yield (
            f"{dataset}, {of}: test MSE, residual ÷ plain, {equal}: {'; '.join(parts)} (n = {seeds(rows['n'])}, "
            f"{first['method']}{_left_out(rows)}; FVU: fraction of test variance unexplained, over seeds)."
            f"{_ceiling(rows)}"
        )


def _fvu(row: dict[str, Any], name: str) -> str:
    return _range(row[f"{name}_fvu_least"], row[f"{name}_fvu_most"], ".3g")


def _left_out(rows: pd.DataFrame) -> str:
    most = int(rows["seeds_left_out"].max())
    return f"; at most {most} seed{'s' if most > 1 else ''} left out for want of a pair" if most else ""


def _use(use: pd.DataFrame) -> Iterator[str]:
    if not len(use):
        return
    whole = use["architecture"] != LEAKS  # by what it connects, not by the measured value: that may be unknown
    for row in as_rows(use[~whole]):
        yield f"{row['cell']}: {_latent_use(row)}"
    if whole.any():
        yield (
            f"The latent use of {whole.sum()} cell{'s' if whole.sum() > 1 else ''} is 1 by construction, however well "
            "the networks train: no connection passes the code by; skips within encoder and decoder do not either."
        )


def _latent_use(row: dict[str, Any]) -> str:
    if row["use"] != row["use"]:
        return f"its outputs are the same for all {row['n_images']:,} test images: no latent use is known."
    known = f"[{row['low']:.3g}, {row['high']:.3g}]" if row["low"] == row["low"] else "(no interval: one seed)"
    return (
        f"another image's code changes the output by {100 * row['use']:.3g} % of what lies between the two outputs "
        f"(latent use {row['use']:.3g} {known}, {row['method']}, n = {row['n']}, {row['n_images']:,} test "
        f"images); {'the rest passes' if row['use'] < EVERYTHING else 'nothing measurable passes'} the code by."
    )


def _leak(leak: pd.DataFrame) -> Iterator[str]:
    for row in as_rows(leak):
        yield (
            f"{row['cell']} against {row['reference']}, {row['what']}: {row['unet']:.3g} against {row['without']:.3g}; "
            f"{row['measure']}: {row['value']:.3g}{ends(row)} ({row['method']}, n = {seeds([row['n']])}{_p(row)}; "
            "descriptive)."
        )


def _of(table: pd.DataFrame, dataset: str, of: str) -> pd.DataFrame:
    return table[(table["dataset"] == dataset) & (table["of"] == of)] if len(table) else table
