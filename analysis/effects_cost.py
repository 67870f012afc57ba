"""What a modification costs: seconds an epoch and memory, measured by `study.cost` alone on a quiet machine.

The seconds in trial records are those of a search, whose trials share a machine. They are compared nowhere; `in_search`
only describes them, for studies whose cost was not measured.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.command import span
from analysis.effects_families import Family
from analysis.statistics import paired_t
from study import files

if TYPE_CHECKING:
    import pandas as pd

BUSY = 0.9  # a share of one core below which something else was running, as `study.cost` has it
COLUMNS = (
    *("family", "label", "cell", "reference", "dataset", "n", "ratio", "low", "high", "seconds"),
    *("reference_seconds", "image_ratio", "first_epoch_ratio", "memory_mb", "reference_memory_mb"),
    *("cpu_share", "p", "method"),
)
IN_SEARCH = (
    *("family", "label", "cell", "reference", "dataset", "n", "seconds", "least", "greatest"),
    *("reference_seconds", "reference_least", "reference_greatest", "method"),
)


def rounds(folder: Path) -> pd.DataFrame | None:
    """The measurements of `study.cost`, if it has finished: a row a cell and round.

    Args:
        folder: The study's.

    Returns:
        `cell`, `round`, `seconds` (median of the epochs after the first), `first_epoch_seconds`, `images` an epoch,
        `peak_memory_mb`, `cpu_share`, `environment`; None without `cost.csv`, or without the
        measurements in `cost/` that it is the summary of.
    """
    import pandas as pd

    if folder / "cost.csv" not in files.tables(folder):
        return None
    with files.open_table(folder / "cost.csv") as file:
        cells = pd.read_csv(file)["cell"]
    found = [
        {"cell": cell, "round": int(path.stem.rsplit("-round", 1)[1]), **json.loads(path.read_text(encoding="utf-8"))}
        for cell in cells
        for path in sorted((folder / "cost").glob(f"{cell}-round*.json"))
    ]
    if not found:
        return None
    table = pd.DataFrame(found)
    return table.assign(seconds=[float(np.median(seconds)) for seconds in table["epoch_seconds"]])


def ratios(measured: pd.DataFrame | None, families: Sequence[Family]) -> pd.DataFrame:
    """Seconds an epoch of every contrast: the cell's ÷ its reference's.

    Rounds are pairs: the cells are measured in turn, so that a slow minute falls on both. Only rounds of one
    environment are compared.

    Args:
        measured: From `rounds`; None: an empty table.
        families: Of the study.

    Returns:
        A row a contrast that was measured: `ratio` of seconds an epoch, geometric mean over `n` rounds, with its paired
        t interval `low`, `high` of logarithms (single, not adjusted); `p`; `seconds` and `reference_seconds` (medians);
        `image_ratio`: the same ratio a training image; `first_epoch_ratio`: of the first epoch, which pays for tracing;
        `memory_mb` and `reference_memory_mb`: peaks of the process; `cpu_share`: the least share of a core that a
        measurement had; `method`.
    """
    import pandas as pd

    if measured is None:
        return pd.DataFrame(columns=list(COLUMNS))
    by_cell = by_rounds(measured)
    found = [
        {
            "family": family.name,
            "label": c.label,
            "dataset": c.levels["dataset"],
            **ratio(c.cell, c.reference, by_cell),
        }
        for family in families
        for c in family.contrasts
        if set(c.names) <= set(by_cell)
    ]
    return pd.DataFrame([row for row in found if row["n"]], columns=list(COLUMNS))


def at_speed(reach: pd.DataFrame, cost: pd.DataFrame) -> pd.DataFrame:
    """How long the epochs to the reference's end take at the measured speed.

    Args:
        reach: A row a contrast, from `effects_training.reach`.
        cost: From `ratios`.

    Returns:
        `reach` with `seconds` and `reference_seconds` of training; NaN where not measured, or not reached.
    """
    key = ["family", "cell", "reference"]
    speed = reach[key].merge(cost[[*key, "seconds", "reference_seconds"]], on=key, how="left")
    names = {"seconds": "epochs", "reference_seconds": "reference_epochs"}
    spent = {name: speed[name].to_numpy(float) * reach[epochs].to_numpy(float) for name, epochs in names.items()}
    return reach.assign(**{name: np.where(np.isfinite(values), values, np.nan) for name, values in spent.items()})


def unmeasured(measured: pd.DataFrame | None, families: Sequence[Family]) -> list[str]:
    """The cells of the families that `study.cost` has not measured."""
    cells = dict.fromkeys(name for family in families for c in family.contrasts for name in c.names)
    done = set() if measured is None else set(measured["cell"])
    return [cell for cell in cells if cell not in done]


def in_search(trials: pd.DataFrame, families: Sequence[Family]) -> pd.DataFrame:
    """Seconds an epoch as the records note them, while other trials ran beside: a description, not a comparison.

    Args:
        trials: The trials table, with `cell`.
        families: Of the study.

    Returns:
        A row a contrast: over the `n` seeds whose two trials completed on one kind of machine, `seconds` (median over
        seeds of the epochs after the first), `least` and `greatest`; the reference's likewise; `method`. No interval
        and no ratio: which trials ran beside is not known.
    """
    import pandas as pd

    timed = trials[(trials["status"] == "completed") & trials["epoch_seconds"].notna()]
    timed = timed.assign(environment=timed.get("environment", ""))
    by_cell = {str(cell): rows.set_index(["seed", "environment"]) for cell, rows in timed.groupby("cell")}
    found = [
        {"family": family.name, "label": c.label, "cell": c.cell, "reference": c.reference}
        | {"dataset": c.levels["dataset"], **_beside(by_cell[c.cell], by_cell[c.reference])}
        for family in families
        for c in family.contrasts
        if set(c.names) <= set(by_cell)
    ]
    return pd.DataFrame([row for row in found if row["n"]], columns=list(IN_SEARCH))


def _beside(cell: pd.DataFrame, reference: pd.DataFrame) -> dict[str, Any]:
    seeds = cell.index.intersection(reference.index)
    found: dict[str, Any] = {"n": len(seeds)}
    for prefix, rows in (("", cell), ("reference_", reference)):
        seconds = rows.loc[seeds, "epoch_seconds"].astype(float)
        found[f"{prefix}seconds"] = seconds.median()
        found |= {f"{prefix}least": seconds.min(), f"{prefix}greatest": seconds.max()}
    return {**found, "method": "median over seeds, least and greatest; while other trials ran beside it"}


def way(row: Mapping[str, Any]) -> str:
    """What the interval of a row of `ratios` says of an epoch: "longer", "shorter" or "not resolved"."""
    return "longer" if row["low"] > 1 else "shorter" if row["high"] < 1 else "not resolved"


def of_rounds(counts: Collection[int]) -> str:
    """What stands with rows of `ratios`, from their n: that and the interval method."""
    many = "" if max(counts) == 1 else "s"
    return f"n = {span(counts)} round{many}, each cell alone on the machine; single 95 % t interval{many} of log ratios"


def by_rounds(measured: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Cell → its measurements, by environment and round."""
    return {str(cell): rows.set_index(["environment", "round"]) for cell, rows in measured.groupby("cell")}


def ratio(cell: str, reference: str, by_cell: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """One row of `ratios`, without its family; `n` is 0 where no round of one environment has both."""
    ends = ("", "_reference")
    both = by_cell[cell].merge(by_cell[reference], left_index=True, right_index=True, suffixes=ends)
    logs = np.log(both["seconds"] / both["seconds_reference"])
    found = paired_t(logs)
    images = both["images_reference"] / both["images"]
    first = both["first_epoch_seconds"] / both["first_epoch_seconds_reference"]
    return {
        **{"cell": cell, "reference": reference, "n": found.n, "ratio": np.exp(found.value)},
        **{"low": np.exp(found.low), "high": np.exp(found.high), "p": found.p},
        **{"seconds": both["seconds"].median(), "reference_seconds": both["seconds_reference"].median()},
        "image_ratio": float(np.exp((logs + np.log(images)).mean())) if found.n else None,
        "first_epoch_ratio": float(np.exp(np.log(first).mean())) if found.n else None,
        **{"memory_mb": both["peak_memory_mb"].median()},
        **{"reference_memory_mb": both["peak_memory_mb_reference"].median()},
        "cpu_share": both[["cpu_share", "cpu_share_reference"]].min().min(),
        "method": f"log ratio of seconds an epoch, {found.method} over rounds",
    }
