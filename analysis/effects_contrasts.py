"""The declared contrasts of a study: a cell against its reference, seed by seed, on log error.

Pure: the trials table in, tables out. Every other question about differences between cells goes through `contrasts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis import figures, statistics
from analysis.effects_errors import LEFT_OUT, cell_of, log_errors, mean_error
from analysis.effects_families import Contrast, Family
from analysis.statistics import LEVEL, Floats

if TYPE_CHECKING:
    import pandas as pd

ACROSS_IMAGES = ("fvu", "over_pca")


def contrasts(
    trials: pd.DataFrame,
    families: Sequence[Family],
    metric: str | None = None,
    *,
    failures: str = LEFT_OUT,
    level: float = LEVEL,
) -> pd.DataFrame:
    """The paired contrasts of log error of every family, with simultaneous intervals within each.

    Pairs are the seeds that both cells completed. Where all contrasts of a family have the same seeds, they are judged
    together by `statistics.family`: joint sign flips from 10 seeds on, below paired t, p and intervals by
    Bonferroni. Where failures or a search that goes on leave them different seeds, each has its own, and it is
    Bonferroni at any n. Nothing here depends on what the differences are. To ask of fewer seeds or trials, pass fewer
    rows.

    Args:
        trials: The trials table.
        families: Of the study, from `families_of`.
        metric: SPLIT_METRIC for all families, such as "test_mae"; None: each family's own. Of ssim, the error is
            1 - ssim; of psnr, the geometric mean over images of MSE.
        failures: "left out", or "mean image": a failed trial counts with the error of its training mean image (fvu = 1;
            of mse and fvu alone).
        level: Of the intervals, for all contrasts of a family together.

    Returns:
        A row a contrast, in the order declared:
            `family`, `label`, `factors`, `cell`, `reference`, `dataset` (the cell's), `metric`, `primary` (whether it
            is the family's own), `failures`;
            `n` pairs, `n_family` contrasts judged together, `seeds` in words, `mixed` (pairs trained in two
            environments), `failed` and `reference_failed` trials of the two cells;
            `value`, `low`, `high`: mean difference of log error, cell less reference (below 0: the cell has less
            error), and `ratio`, `ratio_low`, `ratio_high`, their exponentials; `p` adjusted within the family,
            `smallest_p` that sign flips of n seeds can give, `verdict`, `method`;
            `correlation` of the pairs; `welch`, `welch_low`, `welch_high`, `welch_p`: the ratio by an unpaired t, not
            adjusted; `error`, `reference_error`: geometric means over the pairs, as `metric` has them.
        NaN and a reason in `verdict` where there is no pair, or where the errors are of different images and the metric
        is not one that compares those.

    Raises:
        InputError: A metric that the table does not have; an error of 0 or less, which has no logarithm; `failures`
            with a metric of which the mean image's error is not known.
    """
    import pandas as pd

    tables = _by_metric(trials, families, metric, failures)
    rows: list[dict[str, Any]] = []
    for family in families:
        name = metric or family.metric
        rows += _family(family, name, tables[name], level)
    found = pd.DataFrame(rows, columns=list(COLUMNS)).assign(failures=failures)
    return found.astype(dict.fromkeys(["n", "n_family", "mixed", "failed", "reference_failed"], int))


def pairs(
    trials: pd.DataFrame, families: Sequence[Family], metric: str | None = None, *, failures: str = LEFT_OUT
) -> pd.DataFrame:
    """The differences behind `contrasts`, a row a contrast and seed.

    Returns:
        `family`, `label`, `cell`, `reference`, `metric`, `seed`, `error`, `reference_error` (as the metric has them),
        `difference` of their logarithms, `ratio`.
    """
    import pandas as pd

    tables = _by_metric(trials, families, metric, failures)
    found = []
    for family in families:
        name = metric or family.metric
        logs = tables[name].logs
        for contrast in family.contrasts:
            both = _both(logs, contrast, name)
            same = {"family": family.name, "label": contrast.label, "cell": contrast.cell}
            found.append(
                pd.DataFrame(
                    {
                        **{**same, "reference": contrast.reference, "metric": name, "seed": both.seeds},
                        **{"error": np.exp(both.cell), "reference_error": np.exp(both.reference)},
                        **{"difference": both.difference, "ratio": np.exp(both.difference)},
                    }
                )
            )
    return pd.concat(found, ignore_index=True)


COLUMNS = (
    *("family", "label", "factors", "cell", "reference", "dataset", "metric", "primary", "failures"),
    *(
        "n",
        "n_family",
        "seeds",
        "mixed",
        "failed",
        "reference_failed",
        "value",
        "low",
        "high",
        "ratio",
        "ratio_low",
        "ratio_high",
    ),
    *("p", "smallest_p", "verdict", "method", "correlation"),
    *("welch", "welch_low", "welch_high", "welch_p", "error", "reference_error"),
)


@dataclass(frozen=True)
class _Tables:
    """Seeds × cells: log errors, NaN where there is none; environments, empty where there is but one.

    Beside them each cell's count of trials by status.
    """

    logs: pd.DataFrame
    environments: pd.DataFrame
    counts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, eq=False)
class _Pair:
    """The log errors of a contrast's two sides, (n,) each, at their common seeds."""

    seeds: NDArray
    cell: Floats
    reference: Floats

    @property
    def difference(self) -> Floats:
        return self.cell - self.reference


def _by_metric(
    trials: pd.DataFrame, families: Sequence[Family], metric: str | None, failures: str
) -> dict[str, _Tables]:
    """The tables of every metric that is asked for, of the families' cells alone."""
    named = trials.assign(cell=cell_of(trials))
    own = named[named["cell"].isin({name for family in families for c in family.contrasts for name, _ in c.sides})]
    return {name: _tables(own, name, failures) for name in {metric or family.metric for family in families}}


def _tables(trials: pd.DataFrame, metric: str, failures: str) -> _Tables:
    table = trials.assign(log=log_errors(trials, metric, failures))
    mixed = "environment" in table and table["environment"].nunique() > 1
    environments = table.pivot(index="seed", columns="cell", values="environment") if mixed else table.iloc[:0, :0]
    counts: dict[str, dict[str, int]] = {}
    for (cell, status), count in Counter(zip(table["cell"], table["status"], strict=True)).items():
        counts.setdefault(cell, {})[status] = count
    return _Tables(table.pivot(index="seed", columns="cell", values="log"), environments, counts)


def _both(logs: pd.DataFrame, contrast: Contrast, metric: str) -> _Pair:
    """The log errors of both sides at the seeds that both have; empty where they may not be compared."""
    if not _comparable(contrast, metric) or not set(contrast.names) <= set(logs.columns):
        return _Pair(np.array([], int), np.array([]), np.array([]))
    cell, reference = (logs[name].to_numpy() for name in contrast.names)
    known = np.isfinite(cell) & np.isfinite(reference)
    return _Pair(logs.index.to_numpy()[known], cell[known], reference[known])


def _comparable(contrast: Contrast, metric: str) -> bool:
    return contrast.same_images or figures.split_of(metric)[1] in ACROSS_IMAGES


def _family(family: Family, metric: str, tables: _Tables, level: float) -> list[dict[str, Any]]:
    both = [_both(tables.logs, contrast, metric) for contrast in family.contrasts]
    judged = [place for place, pair in enumerate(both) if len(pair.seeds)]
    results = dict(zip(judged, _judge([both[place] for place in judged], level), strict=True))
    rows = []
    for place, (contrast, pair) in enumerate(zip(family.contrasts, both, strict=True)):
        same = {
            **{"family": family.name, "label": contrast.label, "factors": " ".join(contrast.factors)},
            **{"cell": contrast.cell, "reference": contrast.reference, "dataset": contrast.levels["dataset"]},
            **{"metric": metric, "primary": metric == family.metric},
            **{"n": len(pair.seeds), "n_family": len(judged), "seeds": " ".join(map(str, pair.seeds))},
            "mixed": _mixed(tables.environments, contrast, pair.seeds),
            **{"failed": _failed(tables, contrast.cell), "reference_failed": _failed(tables, contrast.reference)},
        }
        if place in results:
            rows.append(same | _numbers(results[place], pair, metric, level))
        else:
            rows.append(same | {"verdict": _why_none(contrast, metric, tables.counts), "method": ""})
    return rows


def _judge(pairs: Sequence[_Pair], level: float) -> list[statistics.Contrasts]:
    """Each contrast's part of the joint judgement: arrays of length 1."""
    if not pairs:
        return []
    if all(np.array_equal(pairs[0].seeds, other.seeds) for other in pairs):
        whole = statistics.family(np.stack([one.difference for one in pairs], axis=1), level)
        return [_part(whole, place) for place in range(len(pairs))]
    return _judge_apart(pairs, level)


def _part(whole: statistics.Contrasts, place: int) -> statistics.Contrasts:
    one = slice(place, place + 1)
    arrays = {name: getattr(whole, name)[one] for name in ("value", "low", "high", "p")}
    return replace(whole, **arrays)


def _judge_apart(pairs: Sequence[_Pair], level: float) -> list[statistics.Contrasts]:
    """Paired t by Bonferroni, each contrast at its own seeds: valid whatever they share."""
    count = len(pairs)
    found = [statistics.bonferroni_t(one.difference[:, None], 1 - statistics.alpha(level) / count) for one in pairs]
    method = (
        f"Bonferroni on paired t, {statistics.percent(level)} simultaneous t intervals, each contrast at its own "
        "seeds: assumes normality"
    )
    return [replace(one, p=np.minimum(1, count * one.p), level=level, method=method) for one in found]


def _numbers(found: statistics.Contrasts, pair: _Pair, metric: str, level: float) -> dict[str, Any]:
    value, low, high = float(found.value[0]), float(found.low[0]), float(found.high[0])
    unpaired = statistics.welch(pair.cell, pair.reference, level)
    return {
        **{"value": value, "low": low, "high": high},
        **{"ratio": np.exp(value), "ratio_low": np.exp(low), "ratio_high": np.exp(high)},
        **{"p": float(found.p[0]), "smallest_p": found.smallest_p},
        **{"verdict": found.verdicts()[0], "method": found.method},
        "correlation": statistics.pair_correlation(pair.cell, pair.reference),
        **{"welch": np.exp(unpaired.value), "welch_low": np.exp(unpaired.low), "welch_high": np.exp(unpaired.high)},
        **{"welch_p": unpaired.p, "error": mean_error(pair.cell, metric)},
        "reference_error": mean_error(pair.reference, metric),
    }


def _failed(tables: _Tables, cell: str) -> int:
    return sum(count for status, count in tables.counts.get(cell, {}).items() if status != "completed")


def _mixed(environments: pd.DataFrame, contrast: Contrast, seeds: NDArray) -> int:
    if not len(seeds) or not {contrast.cell, contrast.reference} <= set(environments.columns):
        return 0
    rows = environments.loc[seeds]
    return int((rows[contrast.cell] != rows[contrast.reference]).sum())


def _why_none(contrast: Contrast, metric: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    if not _comparable(contrast, metric):
        return f"refused: {metric} of other images; across data sets errors are compared as fvu alone"
    for name in (contrast.cell, contrast.reference):
        if name not in counts:
            return f"no pair: {name} has not been trained yet"
        if "completed" not in counts[name]:
            return f"no pair: all {sum(counts[name].values())} trials of {name} failed"
    return "no pair: the two have no seed that both completed"
