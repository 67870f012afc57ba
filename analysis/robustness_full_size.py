"""What a study that was cut to fewer images and epochs says, beside a pilot of some of its cells at full size.

Pure: two trials tables in, tables out. The pilot is the study `STUDY_full`. It has few seeds and resolves little; what
it can show is that an order turns, or by how much a ratio moves with the size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import effects, statistics
from analysis.effects_contrasts import cell_of, pairs
from analysis.effects_errors import log_errors
from analysis.effects_families import Contrast

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = "_full"
ORDERED_BY = "test_mse"


@dataclass(frozen=True)
class Size:
    """A study and how large its trainings are.

    Attributes:
        trials: The trials table; of `randomness` "all" alone.
        train_size: Training images of its baseline; None: all.
        epochs: Of each training.
    """

    trials: pd.DataFrame
    train_size: int | None
    epochs: int

    @property
    def words(self) -> str:
        """The size in words."""
        images = "all" if self.train_size is None else f"{self.train_size:,}"
        return f"{images} training images, {self.epochs} epochs"


@dataclass(frozen=True)
class FullSize:
    """All the numbers.

    Attributes:
        cut: The study itself.
        full: The pilot.
        contrasts: A row a declared contrast, but of the number of images itself, both of whose cells the pilot has:
            `family`, `conclusion`, `cell`, `reference`, `full_cell`, `full_reference`, `metric`; the ratio of errors in
            the study, `value`, `low`, `high`, `n`, and in the pilot, `full_value`, `full_low`, `full_high`, `full_n`,
            `full_least` and `full_greatest` of its seeds, each interval for itself (paired t; from 10 seeds on sign
            flips); `change`, the pilot's ratio ÷ the study's, with the interval and `change_p` of Welch's t on
            logarithms; `same` direction of both means.
        order: A row a cell of these: `dataset`, `cell`, geometric mean test MSE `error` with `n` and `rank` among the
            pilot's cells of the data set (1: least), and `full_error`, `full_n`, `full_rank`.
        points: A row a contrast, study ("cut" or "full") and seed: `family`, `conclusion`, `size`, `seed`, `ratio`.
    """

    cut: Size
    full: Size
    contrasts: pd.DataFrame
    order: pd.DataFrame
    points: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        return {"full_size": self.contrasts, "full_size_order": self.order, "full_size_seeds": self.points}


def compare(cut: Size, full: Size, families: Sequence[effects.Family]) -> FullSize | None:
    """The contrasts that both have, and the order of their cells; None where the pilot has no pair of cells yet.

    Args:
        cut: The study whose contrasts are asked about.
        full: The pilot; its cells differ from the study's in `train_size` alone.
        families: The study's.
    """
    import pandas as pd

    completed = full.trials[full.trials["status"] == "completed"]
    there = set(cell_of(completed))
    rows: list[dict[str, Any]] = []
    points: list[pd.DataFrame] = []
    sides: dict[str, tuple[str, str]] = {}
    for family in families:
        for contrast in family.contrasts:
            at_full = _at(contrast, full.train_size)
            if "train_size" in contrast.changed or not set(at_full.names) <= there:
                continue
            small, large = replace(family, contrasts=(contrast,)), replace(family, contrasts=(at_full,))
            seeds = {"cut": pairs(cut.trials, [small]), "full": pairs(full.trials, [large])}
            if any(part.empty for part in seeds.values()):
                continue
            rows.append(_row(family, contrast, at_full, cut.trials, full.trials, seeds))
            points += [part.assign(size=name, conclusion=contrast.label) for name, part in seeds.items()]
            for (name, levels), full_name in zip(contrast.sides, at_full.names, strict=True):
                sides[name] = (levels["dataset"], full_name)
    if not rows:
        return None
    columns = ["family", "conclusion", "size", "seed", "ratio"]
    order = pd.DataFrame(_order(sides, cut.trials, full.trials))
    return FullSize(cut, full, pd.DataFrame(rows), order, pd.concat(points, ignore_index=True)[columns])


def _at(contrast: Contrast, train_size: int | None) -> Contrast:
    """The contrast with another number of training images on both sides."""
    size = {"train_size": train_size}
    return replace(contrast, levels={**contrast.levels, **size}, reference_levels={**contrast.reference_levels, **size})


def _row(
    family: effects.Family,
    contrast: Contrast,
    at_full: Contrast,
    cut: pd.DataFrame,
    full: pd.DataFrame,
    seeds: dict[str, pd.DataFrame],
) -> dict[str, Any]:
    small = effects.contrasts(cut, [replace(family, contrasts=(contrast,))]).iloc[0]
    large = effects.contrasts(full, [replace(family, contrasts=(at_full,))]).iloc[0]
    ratios = seeds["full"]["ratio"]
    change = statistics.welch(seeds["full"]["difference"], seeds["cut"]["difference"])
    return {
        **{"family": family.name, "conclusion": contrast.label, "cell": contrast.cell, "reference": contrast.reference},
        **{"full_cell": at_full.cell, "full_reference": at_full.reference, "metric": family.metric},
        **{"value": small["ratio"], "low": small["ratio_low"], "high": small["ratio_high"], "n": small["n"]},
        **{"full_value": large["ratio"], "full_low": large["ratio_low"], "full_high": large["ratio_high"]},
        **{"full_n": large["n"], "full_least": ratios.min(), "full_greatest": ratios.max()},
        **{"change": np.exp(change.value), "change_low": np.exp(change.low), "change_high": np.exp(change.high)},
        **{"change_p": change.p, "method": small["method"], "full_method": large["method"]},
        "change_method": change.method,
        "same": bool(small["value"] * large["value"] > 0),
    }


def _order(sides: dict[str, tuple[str, str]], cut: pd.DataFrame, full: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Every cell's mean error at both sizes, and its place among those on the same images."""
    datasets = dict.fromkeys(dataset for dataset, _ in sides.values())
    for dataset in datasets:
        names = {cell: full_name for cell, (of, full_name) in sides.items() if of == dataset}
        small, large = _errors(cut, list(names)), _errors(full, list(names.values()))
        ranks = [_ranks([error for error, _ in errors]) for errors in (small, large)]
        for place, cell in enumerate(names):
            yield {
                **{"dataset": dataset, "cell": cell, "error": small[place][0], "n": small[place][1]},
                **{"rank": ranks[0][place], "full_error": large[place][0], "full_n": large[place][1]},
                "full_rank": ranks[1][place],
            }


def _errors(trials: pd.DataFrame, cells: Sequence[str]) -> list[tuple[float, int]]:
    logs, names = log_errors(trials, ORDERED_BY), cell_of(trials)
    each = [logs[names == cell].dropna() for cell in cells]
    return [(float(np.exp(mine.mean())), len(mine)) for mine in each]


def _ranks(errors: Sequence[float]) -> list[int]:
    return [1 + sum(other < error for other in errors) for error in errors]
