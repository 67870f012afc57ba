"""What inpainting and denoising share: an image is damaged by rule, restored, and compared with the image it was.

Skill is the log of a method's error over the linear optimum's on the same images of the same seed: below 0, better than
any linear map. A cell's primary number is its mean skill over the conditions, and all cells of a data set are one
family: their intervals hold together.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import applications, command, figures
from analysis.applications import Task
from analysis.draws import DRAW
from analysis.statistics import family, t_interval
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Results

REFERENCE = "linear optimum"
KEYS = [*DRAW, "seed", "condition", "mode"]
METRICS = ("mse", "mae", "psnr", "ssim")


@dataclass(frozen=True)
class Kind:
    """What differs between the two tasks.

    Attributes:
        name: The module.
        verb: What was done to the images, for sentences.
        error: The primary metric in words.
        levels: Panel title → conditions in the order of difficulty.
        axis: Panel title → x label.
        crossings: Whether the level from which a model beats a baseline is asked for.
    """

    name: str
    verb: str
    error: str
    levels: dict[str, list[str]]
    axis: dict[str, str]
    crossings: bool


INPAINTING = Kind(
    "inpainting",
    "inpainting",
    "MSE over removed pixels",
    {
        "square in the middle": [f"centre_{p}" for p in (12, 25, 38, 50)],
        "random pixels": [f"pixels_{p}" for p in (25, 50, 75)],
    },
    {"square in the middle": "side, % of the image's", "random pixels": "removed pixels, %"},
    crossings=False,
)
DENOISING = Kind(
    "denoising",
    "denoising",
    "MSE against the clean image",
    {
        "Gaussian noise": [f"gaussian_{s}" for s in (0.1, 0.25, 0.5, 0.75, 1.0)],
        "salt and pepper": [f"salt_pepper_{s}" for s in (0.1, 0.25, 0.5)],
    },
    {"Gaussian noise": "standard deviation σ", "salt and pepper": "share of pixels"},
    crossings=True,
)


@dataclass(frozen=True)
class Estimates:
    """All the numbers of one task on one study.

    Attributes:
        conditions: A row a cell (or baseline method), condition and mode: mean metrics over seeds; `mse` with its t
            interval on the log scale; `skill`, `skill_low`, `skill_high`, its paired t interval; `n` seeds.
        skill: A row a cell: mean skill over the conditions in one pass, simultaneous interval, adjusted p, verdict.
        iterated: A row a cell: log of the error after iteration over that in one pass; the same columns.
        crossings: A row a cell and baseline: the Gaussian level from which the cell has less error.
    """

    conditions: pd.DataFrame
    skill: pd.DataFrame
    iterated: pd.DataFrame
    crossings: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        tables = {"conditions": self.conditions, "skill": self.skill}
        others = {"iterated": self.iterated, "crossings": self.crossings}
        return tables | {name: table for name, table in others.items() if len(table)}


def reconstructor(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Images (n, H, W, C) → reconstructions, clipped to [0, 1]."""
    return lambda images: np.clip(model.predict(np.asarray(images, np.float32), batch_size=500, verbose=0), 0, 1)


def estimate(results: Results, kind: Kind) -> Estimates:
    """All the numbers.

    Raises:
        InputError: The baselines of no draw are there.
    """
    import pandas as pd

    both = paired(results)
    skill, iterated = _family(both[both["mode"] == "one pass"]), pd.DataFrame()
    if (both["mode"] == "iterated").any():
        iterated = _family(_iteration(both))
    crossings = pd.DataFrame(list(_crossings(both, results.baselines, kind)) if kind.crossings else [])
    return Estimates(_conditions(both, results.baselines), skill, iterated, crossings)


def paired(results: Results) -> pd.DataFrame:
    """A row a trial, condition and mode with `cell` and `skill`, the log ratio to the linear optimum of its draw."""
    models = _plain(results.models).assign(cell=results.models["trial"].str.replace(r"-s\d+$", "", regex=True))
    reference = _plain(results.baselines)
    reference = reference[reference["method"] == REFERENCE][[*KEYS, "mse"]].rename(columns={"mse": "reference"})
    models["of"] = np.where(models["mode"] == "iterated", "iterated", "one pass")  # other fills: the same images
    both = models.merge(reference.rename(columns={"mode": "of"}), on=[*KEYS[:-1], "of"], how="left")
    if both["reference"].isna().any():
        raise InputError("baselines are missing for some draws; run the same command without --cells.")
    return both.assign(skill=np.log(both["mse"] / both["reference"]))


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """None and NaN of the factors as one word, so that tables can be merged on them."""
    return table.assign(**{factor: table[factor].map(_word) for factor in DRAW})


def _word(level: Any) -> str:
    return "–" if level is None or level != level else str(int(level)) if isinstance(level, float) else str(level)


def _conditions(both: pd.DataFrame, baselines: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    plain = _plain(baselines)
    reference = plain[plain["method"] == REFERENCE][[*KEYS, "mse"]].rename(columns={"mse": "reference"})
    methods = plain.merge(reference, on=KEYS).rename(columns={"method": "cell"})
    methods["skill"] = np.log(methods["mse"] / methods["reference"])
    rows = []
    for table, what in ((both, "model"), (methods, "baseline")):
        for (dataset, cell, condition, mode), part in table.groupby(
            ["dataset", "cell", "condition", "mode"], sort=False
        ):
            log, skill = t_interval(np.log(part["mse"])), t_interval(part["skill"])
            rows.append(
                {
                    **{"dataset": dataset, "kind": what, "cell": cell, "condition": condition, "mode": mode},
                    **{"mse": np.exp(log.value), "mse_low": np.exp(log.low), "mse_high": np.exp(log.high)},
                    **{"skill": skill.value, "skill_low": skill.low, "skill_high": skill.high},
                    **{name: part[name].mean() for name in METRICS[1:]},
                    **{"n": log.n, "n_images": int(part["n_images"].min()), "method": log.method},
                }
            )
    return pd.DataFrame(rows)


def _iteration(both: pd.DataFrame) -> pd.DataFrame:
    """The iterated rows, their `skill` over the same model's in one pass; as skill, since images differ in number."""
    once = both[both["mode"] == "one pass"][["trial", "condition", "skill"]]
    return both[both["mode"] == "iterated"].merge(once, on=["trial", "condition"], suffixes=("", "_once")).assign(
        skill=lambda table: table["skill"] - table["skill_once"]
    )  # fmt: skip


def _family(rows: pd.DataFrame) -> pd.DataFrame:
    """The mean over conditions of each cell, the cells of a data set as one family."""
    import pandas as pd

    found = []
    for dataset, part in rows.groupby("dataset", sort=False):
        means = part.groupby(["seed", "cell"], sort=False)["skill"].mean().unstack("cell")
        means = means[part["cell"].drop_duplicates()]
        whole = means.loc[:, means.notna().sum() == means.notna().sum().max()].dropna()
        contrasts = family(whole.to_numpy())
        columns = zip(whole.columns, contrasts.value, contrasts.low, contrasts.high, contrasts.p, strict=True)
        for (cell, value, low, high, p), verdict in zip(columns, contrasts.verdicts(), strict=True):
            found.append(
                {
                    **{"dataset": dataset, "cell": cell, "skill": value, "low": low, "high": high},
                    **{"ratio": np.exp(value), "ratio_low": np.exp(low), "ratio_high": np.exp(high)},
                    **{"p": p, "n": contrasts.n, "verdict": verdict, "conditions": part["condition"].nunique()},
                    "method": contrasts.method,
                }
            )
    return pd.DataFrame(found)


def _crossings(both: pd.DataFrame, baselines: pd.DataFrame, kind: Kind) -> Iterator[dict[str, Any]]:
    """From which level of Gaussian noise on each cell has less error than each baseline, seed by seed."""
    conditions = next(iter(kind.levels.values()))
    levels = np.array([float(c.rsplit("_", 1)[1]) for c in conditions])
    plain = _plain(baselines)
    for (dataset, cell), mine in both.groupby(["dataset", "cell"], sort=False):
        for method, theirs in plain[plain["dataset"] == dataset].groupby("method", sort=False):
            rows = mine.merge(theirs[[*KEYS, "mse"]], on=KEYS, suffixes=("", "_baseline"))
            rows = rows.assign(log=np.log(rows["mse"] / rows["mse_baseline"]))
            table = rows.pivot_table(index="seed", columns="condition", values="log").reindex(columns=conditions)
            found = np.array([crossing(levels, row) for row in table.dropna().to_numpy()])
            inside = found[(found > levels[0]) & np.isfinite(found)]
            interval = t_interval(np.log(inside)) if len(inside) == len(found) else t_interval([])
            yield {
                **{"dataset": dataset, "cell": cell, "baseline": method, "n": len(found)},
                **{"from": np.median(found) if len(found) else np.nan},
                **{"low": np.exp(interval.low), "high": np.exp(interval.high)},
                **{"from_the_first": int((found <= levels[0]).sum()), "never": int(np.isinf(found).sum())},
                "method": "median over seeds; " + (
                    f"{interval.method} of log σ" if interval.n else "no interval: some seeds cross outside the levels"
                ),
            }  # fmt: skip


def crossing(levels: np.ndarray, logs: np.ndarray) -> float:
    """The level from which a curve of log ratios stays below 0, by linear interpolation on the log scale of levels.

    Args:
        levels: Ascending, (n,).
        logs: (n,).

    Returns:
        The first level where it is below 0 from the first on; infinity where it is not below 0 at the last.
    """
    above = np.flatnonzero(np.asarray(logs) >= 0)
    if len(above) == 0:
        return float(levels[0])
    last = above[-1]
    if last == len(levels) - 1:
        return float("inf")
    share = logs[last] / (logs[last] - logs[last + 1])
    return float(np.exp(np.log(levels[last]) + share * np.log(levels[last + 1] / levels[last])))


def answer(task: Task, kind: Kind, arguments: argparse.Namespace) -> command.Outcome:
    """Evaluates what is missing, estimates, draws and writes; what the command prints."""
    from analysis import restoration_figures, restoration_text

    study = arguments.study or records.latest(arguments.artifacts)
    load = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir)
    results = applications.evaluate(task, arguments, study, load)
    estimates = estimate(results, kind)
    folder = records.folder(study, arguments.artifacts) / "analysis" / kind.name
    folder = folder if arguments.split == "test" else folder / arguments.split
    paths = command.write(estimates.tables(), folder)
    shown = restoration_figures.chosen(records.load(study, arguments.artifacts), estimates.skill)
    for dataset, cells in shown.items():
        caption = restoration_text.caption(estimates, kind, dataset, arguments.split)
        paths += figures.save(restoration_figures.plot(estimates, kind, dataset, cells, caption), folder / dataset)
        examples = restoration_figures.examples(results, dataset, cells)
        if examples is not None:
            paths += command.write({f"examples-{dataset}": examples.table}, folder)
            picture = restoration_figures.plot_examples(examples, kind)
            paths += figures.save(picture, folder / f"examples-{dataset}")
    said = [*records.notices(study, arguments.artifacts), *results.missing]
    said += restoration_text.sentences(estimates, kind, arguments.split)
    columns = ["dataset", "cell", "ratio", "ratio_low", "ratio_high", "p", "n", "verdict"]
    note = f"ratio: {kind.error} ÷ the linear optimum's, geometric mean over {{}} conditions; ".format(
        estimates.skill["conditions"].max()
    )
    return command.Outcome(study, estimates.skill, said, paths, columns, note + estimates.skill["method"].iloc[0])
