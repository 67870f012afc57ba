"""How the twins train, in sentences: convergence, gradients, failures and the time of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis.command import span
from analysis.effects_cost import BUSY
from analysis.effects_errors import UNLEARNT
from analysis.residual_training import TREND, TRENDS
from analysis.residual_twins import PLAIN, SKIPS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.residual_estimates import Estimates


ADAM = (
    "Adam divides its steps by the size of the gradients, so this does not show that their size decides how well a "
    "network trains"
)


def sentences(estimates: Estimates, study: str) -> Iterator[str]:
    """What may be cited of training; `study` for the command that measures its time."""
    yield from _convergence(estimates.convergence)
    yield from _catching_up(estimates.catching_up)
    yield from _gradients(estimates.gradients)
    yield from _failures(estimates.failures)
    yield from _cost(estimates, study)


def _convergence(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        parts = [
            f"{row['architecture']} depth {row['depth']}: {row['reached']} of {row['n']}"
            + (
                f", median epoch {row['median']:g}"
                if row["median"] < float("inf")
                else ", median beyond the last epoch"
            )
            for row in as_rows(rows)
        ]
        yield (
            f"{dataset}, {of}: trials that reach a validation MSE of {rows['level'].iloc[0]:.3g} (what the plain "
            f"networks of depth {rows['level_depth'].iloc[0]} end with, geometric mean): {'; '.join(parts)} (trials "
            "that never reach it count as later than the last epoch)."
        )


def _catching_up(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        parts = [
            f"depth {row['depth']}: {row['reached']} of {row['n']} [{100 * row['low']:.0f}, {100 * row['high']:.0f}] %"
            + (f", median epoch {row['median']:g}" if row["median"] < float("inf") else "")
            for row in as_rows(rows)
        ]
        yield (
            f"{dataset}, {of}: residual networks that get down to the validation MSE of their plain twin's best epoch "
            f"in the same seed: {'; '.join(parts)} (95 % Clopper-Pearson intervals; those that never do count as "
            "later than the last epoch)."
        )


def _gradients(table: pd.DataFrame) -> Iterator[str]:
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        at = rows[rows["depth"].notna()]
        parts = [f"{row['what']} {row['ratio']:.3g}{ends(row)}" for row in as_rows(at)]
        by = {row["what"]: row for row in as_rows(rows[rows["depth"].isna()])}
        said = ""
        if TREND in by:
            alone = "; ".join(f"{name} {_trend(by[TRENDS[name]])}" for name in (PLAIN, SKIPS) if TRENDS[name] in by)
            said = f". {_gradient_trend(by)}. With every further block a stage the ratio is multiplied by about "
            said += f"{_trend(by[TREND])}{f', the gradients themselves by: {alone}' if alone else ''}"
            said += f" (least-squares slope of the log over depth of each seed, {by[TREND]['method']}). {ADAM}"
        yield (
            f"{dataset}, {of}: size of the gradients at the first kernel, root mean square over the steps of the first "
            f"epoch, residual ÷ plain: {'; '.join(parts)} ({rows['method'].iloc[0]}, n = {span(at['n'])} seeds; "
            f"descriptive){said}."
        )


def _trend(row: dict[str, Any]) -> str:
    return f"{row['ratio']:.3g}{ends(row)}"


def _gradient_trend(by: dict[str, dict[str, Any]]) -> str:
    """What becomes of gradients as networks get deeper, with skips and without: they may vanish, or explode."""
    ratio = _direction(by[TREND])
    plain = _direction(by[TRENDS[PLAIN]]) if TRENDS[PLAIN] in by else 0
    if not ratio:
        return "Whether skips change what depth does to gradients is not resolved"
    if ratio > 0 and plain < 0:
        return "Gradients of plain networks vanish with depth and skips hold them up, as they are said to"
    if ratio < 0 and plain > 0:
        return (
            "Gradients of plain networks grow with depth, as theory has it of normalised networks without skips, by a "
            "factor a layer (Yang et al. 2019, arXiv:1902.08129), and skips hold them down: what they prevent is no "
            "vanishing"
        )
    return f"The ratio {'grows' if ratio > 0 else 'falls'} with depth"


def _direction(row: dict[str, Any]) -> int:
    """1 where the interval of a ratio lies above 1, -1 below, 0 where it holds it or there is none."""
    return int(row["low"] > 1) - int(row["high"] < 1)


def _failures(table: pd.DataFrame) -> Iterator[str]:
    unlearnt = (
        f"left {100 * UNLEARNT:.0f} % or more of the test variance unexplained, where the mean image leaves 100 %"
    )
    said = {"failed": "failed to train", "unlearnt": unlearnt}
    shown = table[table["what"].isin(said)] if len(table) else table
    for (dataset, of, what), rows in shown.groupby(["dataset", "of", "what"], sort=False) if len(shown) else ():
        parts = [
            f"{row['architecture']} depth {row['depth']}: {row['count']} of {row['n']} "
            f"[{100 * row['low']:.0f}, {100 * row['high']:.0f}] %"
            for row in as_rows(rows[rows["count"] > 0])
        ]
        if not parts:
            tried = rows[rows["n"] > 0]
            n, high = span(tried["n"]), 100 * tried["high"].max()
            parts = [f"none of {n} in any cell, which still allows up to {high:.0f} % of them"]
        yield f"{dataset}, {of}: trials that {said[what]}: {'; '.join(parts)} (95 % Clopper-Pearson intervals)."


def _cost(estimates: Estimates, study: str) -> Iterator[str]:
    table = estimates.cost
    if not len(table):
        if len(estimates.pairs):
            yield f"Seconds an epoch: not measured. Run: python -m study.cost {study}"
        return
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False):
        parts = [
            f"depth {row['depth']}: {row[SKIPS]:.3g} s against {row[PLAIN]:.3g} s, {row['ratio']:.3g}{ends(row)} times"
            for row in as_rows(rows)
        ]
        yield (
            f"{dataset}, {of}: seconds an epoch, residual against plain: {'; '.join(parts)} ({rows['method'].iloc[0]}, "
            f"n = {span(rows['n'])}, each cell alone)."
        )
        if busy := int((rows["cpu_share"] < BUSY).sum()):
            yield f"In {busy} of these something else was running during a measurement: those times are too long."


def ends(row: dict[str, Any]) -> str:
    """An interval behind its number, if there is one."""
    return f" [{row['low']:.3g}, {row['high']:.3g}]" if row["low"] == row["low"] else " (no interval)"


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as mappings."""
    return table.to_dict("records")
