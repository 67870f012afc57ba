"""The tables of inpainting and denoising: errors over seeds, skill, what iteration and fills change, other baselines.

Skill is the log of a method's error over the linear optimum's on the same images of the same seed: below 0, better than
any linear map. A cell's primary number is its mean skill over the conditions, and all cells of a data set are one
family: their intervals hold together. All else is told condition by condition, since a mean over conditions may hide
opposite signs, each with an interval for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import own_seeds
from analysis.applications import baselines_of, cells_of
from analysis.draws import DRAW, images_of
from analysis.restoration_sizes import best_sizes
from analysis.statistics import LEVEL, mean_and_se, t_interval, t_margin
from study import regularizers
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Results

REFERENCE = "linear optimum"
ONCE, ITERATED, FILLED = "one pass", "iterated", "filled with "  # modes
TRAINED_WITH_NOISE = "-denoising"  # in a cell's name
TRAINING_NOISE = f"Gaussian noise, σ = {regularizers.NOISE:g}"  # what these were trained with
METRICS = ("mse", "mae", "psnr", "ssim")
KEYS = [*DRAW, "seed", "condition", "n_images"]  # with these, two methods saw the same images


@dataclass(frozen=True)
class Estimates:
    """All the numbers of one task on one study.

    Attributes:
        conditions: A row a cell (or baseline method, for each draw), condition, mode and number of images: mean metrics
            over seeds; `mse` with its t interval on the log scale; `skill`, `skill_low`, `skill_high`, its paired t
            interval; `n` seeds.
        skill: A row a cell: mean skill over the conditions in one pass, simultaneous interval, adjusted p, verdict.
        baselines: A row a cell, condition and other baseline: `ratio` is the cell's error over the baseline's,
            `ratio_low` and `ratio_high` its paired t interval, for itself.
        iterated: A row a cell and condition: the error after iteration over that in one pass; the same columns.
        fills: A row a cell, condition and fill value: the error over that with the mean pixel; the same columns.
        sizes: A row a `curve` (cells that differ in latent size alone) and condition: the size with the least error;
            `low` and `high`, the least and the greatest size not told from it; `tried`, all of them; `chosen_on`.
        crossings: A row a cell and baseline: the Gaussian level from which the cell has less error.
    """

    conditions: pd.DataFrame
    skill: pd.DataFrame
    baselines: pd.DataFrame
    iterated: pd.DataFrame
    fills: pd.DataFrame
    sizes: pd.DataFrame
    crossings: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table, the empty ones left out."""
        return {name: table for name, table in vars(self).items() if len(table)}


def estimate(
    results: Results, levels: Sequence[str] = (), split: str = "test", validated: Results | None = None
) -> Estimates:
    """All the numbers.

    Args:
        results: Of inpainting or denoising.
        levels: The conditions, in ascending order, between which crossings are looked for; none: not asked for.
        split: Whose images. Those of the test split are the same for every seed, so that a costly baseline, which only
            the lowest seed has, stands against the models of all seeds.
        validated: Of the same trials on validation images, which choose a size then.

    Raises:
        InputError: The linear optimum is missing for some draw.
    """
    import pandas as pd

    both, baselines, same_images = paired(results), _plain(results.baselines), split == "test"
    once, images = both[both["mode"] == ONCE], images_of([split])
    crossings = list(_crossings(once, baselines, levels, same_images, images)) if levels else []
    return Estimates(
        _conditions(both, results.baselines, images),
        _family(all_images(once), images),
        _baselines(once, baselines, same_images, images),
        _each(_against_one_pass(both, ITERATED), "mode", images),
        _each(_against_one_pass(both, FILLED), "mode", images),
        pd.DataFrame(best_sizes(all_images(once), split, None if validated is None else _of_one_pass(validated))),
        pd.DataFrame(crossings),
    )


def _of_one_pass(results: Results) -> pd.DataFrame:
    """The models' rows on the most images, after one pass."""
    models = _plain(results.models).assign(cell=cells_of(results.models["trial"]))
    return all_images(models[models["mode"] == ONCE])


def paired(results: Results) -> pd.DataFrame:
    """A row a trial, condition, mode and number of images, with `cell` and `skill`.

    Raises:
        InputError: The linear optimum is missing for some draw.
    """
    models = _plain(results.models).assign(cell=cells_of(results.models["trial"]))
    reference = _plain(results.baselines)
    reference = reference[reference["method"] == REFERENCE][[*KEYS, "mse"]].rename(columns={"mse": "reference"})
    both = models.merge(reference, on=KEYS, how="left")
    if both["reference"].isna().any():
        trial = both.loc[both["reference"].isna(), "trial"].iloc[0]
        raise InputError(
            f"the linear optimum is missing for {trial}: remove {baselines_of(results.models)[trial]}.csv, or .csv.gz, "
            "of this task and split from tasks/ in the study's folder, and run the same command again. No model is "
            "needed for it."
        )
    return both.assign(skill=np.log(both["mse"] / both["reference"]))


def all_images(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each cell, condition and mode the rows on the most images; the others are for comparing with costly ones."""
    most = rows.groupby(["dataset", *DRAW[1:], "cell", "condition", "mode"])["n_images"].transform("max")
    return rows[rows["n_images"] == most]


def crossing(levels: np.ndarray, logs: np.ndarray) -> float:
    """The level from which a curve of log ratios stays below 0, by linear interpolation on the log scale of levels.

    Args:
        levels: Ascending, (n,).
        logs: (n,).

    Returns:
        The first level where it is below 0 from the first on; infinity where it is not below 0 at the last; NaN where
        a log is.
    """
    if np.isnan(logs).any():
        return float("nan")
    above = np.flatnonzero(np.asarray(logs) >= 0)
    if len(above) == 0:
        return float(levels[0])
    last = above[-1]
    if last == len(levels) - 1:
        return float("inf")
    share = logs[last] / (logs[last] - logs[last + 1])
    return float(np.exp(np.log(levels[last]) + share * np.log(levels[last + 1] / levels[last])))


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Factors as words, None and NaN empty, so that tables can be merged on them."""
    return table.assign(**{factor: table[factor].map(_word) for factor in DRAW})


def _word(level: Any) -> str:
    return "" if level is None or level != level else str(int(level)) if isinstance(level, float) else str(level)


def _conditions(both: pd.DataFrame, baselines: pd.DataFrame, images: str) -> pd.DataFrame:
    import pandas as pd

    methods = _plain(baselines)
    reference = methods[methods["method"] == REFERENCE][[*KEYS, "mse"]].rename(columns={"mse": "reference"})
    methods = methods.merge(reference, on=KEYS).rename(columns={"method": "cell"})
    methods["skill"] = np.log(methods["mse"] / methods["reference"])
    parts = [
        (what, levels, part)
        for table, what in ((both, "model"), (methods, "baseline"))
        for levels, part in table.groupby([*DRAW, "cell", "condition", "mode", "n_images"], sort=False)
    ]
    return pd.DataFrame([_condition(what, levels, part, images) for what, levels, part in parts])


def _condition(what: str, levels: tuple, part: pd.DataFrame, images: str) -> dict[str, Any]:
    log, skill = t_interval(np.log(part["mse"])), t_interval(part["skill"])
    named = dict(zip([*DRAW, "cell", "condition", "mode", "n_images"], levels, strict=True))
    return {
        **{"dataset": named.pop("dataset"), "kind": what, **named},
        **{"mse": np.exp(log.value), "mse_low": np.exp(log.low), "mse_high": np.exp(log.high)},
        **{"skill": skill.value, "skill_low": skill.low, "skill_high": skill.high},
        **{"ratio": np.exp(skill.value), "ratio_low": np.exp(skill.low), "ratio_high": np.exp(skill.high)},
        **{name: part[name].mean() for name in METRICS[1:]},
        **{"n": log.n, "method": f"geometric {log.method}; skill paired with the {REFERENCE}; {images}"},
    }


def _against_one_pass(both: pd.DataFrame, mode: str) -> pd.DataFrame:
    """The rows of a mode, their `skill` over that of the same model in one pass on the same images."""
    same = ["trial", "condition", "n_images"]
    once = both[both["mode"] == ONCE][[*same, "skill"]]
    rows = both[both["mode"].str.startswith(mode)].merge(once, on=same, suffixes=("", "_once"))
    return rows.assign(skill=rows["skill"] - rows["skill_once"])


def _each(rows: pd.DataFrame, key: str, images: str) -> pd.DataFrame:
    """A row a cell, condition and level of `key`: the ratio over seeds whose log is `skill`, its own interval."""
    import pandas as pd

    found, names = [], ["dataset", "cell", key, "condition"]
    for levels, part in rows.groupby(names, sort=False):
        log = t_interval(part["skill"])
        ends = {"ratio": np.exp(log.value), "ratio_low": np.exp(log.low), "ratio_high": np.exp(log.high)}
        counts = {"n": log.n, "n_images": int(part["n_images"].max())}
        method = f"paired {log.method} of log ratio, {images}"
        found.append({**dict(zip(names, levels, strict=True)), **ends, **counts, "method": method})
    return pd.DataFrame(found)


def _family(rows: pd.DataFrame, images: str) -> pd.DataFrame:
    """Each cell's mean over conditions; each data set is a family of its own."""
    import pandas as pd

    found = []
    for dataset, part in rows.groupby("dataset", sort=False):
        table = part.pivot_table(index="seed", columns="cell", values="skill", sort=False)
        same = {"conditions": part["condition"].nunique(), "n_images": int(part["n_images"].max())}
        for name, (contrasts, place) in zip(table.columns, own_seeds.contrasts(table.to_numpy()), strict=True):
            value, low, high = contrasts.value[place], contrasts.low[place], contrasts.high[place]
            found.append(
                {
                    **{"dataset": dataset, "cell": name, "skill": value, "low": low, "high": high},
                    **{"ratio": np.exp(value), "ratio_low": np.exp(low), "ratio_high": np.exp(high)},
                    **{"p": contrasts.p[place], "n": contrasts.n, "verdict": contrasts.verdicts()[place], **same},
                    "method": f"{contrasts.method}, {images}",
                }
            )
    return pd.DataFrame(found)


def _over(models: pd.DataFrame, baseline: pd.DataFrame, same_images: bool) -> pd.DataFrame:
    """The rows of models, their `skill` over one baseline instead, on the most images that both were tried on.

    Paired by seed; where all seeds have the same images, a baseline of a single seed of a draw stands against all of
    them.
    """
    import pandas as pd

    seeds, parts = baseline.groupby(list(DRAW))["seed"].transform("nunique"), []
    for single, part in baseline.groupby(same_images & (seeds == 1)):
        keys = [key for key in KEYS if key != "seed" or not single]
        parts.append(models.merge(part[[*keys, "mse"]], on=keys, suffixes=("", "_baseline")))
    rows = all_images(pd.concat(parts, ignore_index=True))
    return rows.assign(skill=np.log(rows["mse"] / rows["mse_baseline"]))


def _baselines(once: pd.DataFrame, baselines: pd.DataFrame, same_images: bool, images: str) -> pd.DataFrame:
    """Each cell against each baseline but the linear optimum, in each condition that both were tried in."""
    import pandas as pd

    others = baselines[baselines["method"] != REFERENCE].groupby("method", sort=False)
    parts = [_over(once, theirs, same_images).assign(baseline=method) for method, theirs in others]
    return _each(pd.concat(parts), "baseline", images) if parts else pd.DataFrame()


def _crossings(
    once: pd.DataFrame, baselines: pd.DataFrame, conditions: Sequence[str], same_images: bool, images: str
) -> Iterator[dict[str, Any]]:
    """From which level on each cell has less error than each baseline on the same images.

    The interval inverts t tests: its lower end is where a curve at the lower ends of pointwise intervals would cross,
    its upper end where one at the upper ends would.
    """
    levels = np.array([float(c.rsplit("_", 1)[1]) for c in conditions])
    once = once[once["condition"].isin(conditions)]
    for (dataset, cell), mine in once.groupby(["dataset", "cell"], sort=False):
        for method, theirs in _of_draw(baselines, mine).groupby("method", sort=False):
            rows = _over(mine, theirs, same_images)
            table = rows.pivot_table(index="seed", columns="condition", values="skill").reindex(columns=conditions)
            mean, se = mean_and_se(table.dropna().to_numpy())
            n = len(table.dropna())
            margin = t_margin(se, n - 1, LEVEL)
            ends = [crossing(levels, curve) for curve in (mean, mean - margin, mean + margin)]
            yield {
                **{"dataset": dataset, "cell": cell, "baseline": method, "n": n},
                **dict(zip(("from", "low", "high"), ends, strict=True)),
                **{"first": levels[0], "last": levels[-1]},
                "n_images": int(rows["n_images"].max()) if len(rows) else 0,
                "method": "mean log ratio over seeds, interpolated; interval inverts pointwise 95 % t intervals, "
                f"{images}",
            }


def _of_draw(baselines: pd.DataFrame, mine: pd.DataFrame) -> pd.DataFrame:
    """The baselines on the same data as a cell."""
    first = mine.iloc[0]
    return baselines[np.all([baselines[factor] == first[factor] for factor in DRAW], axis=0)]
