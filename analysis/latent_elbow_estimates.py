"""The numbers of `analysis.latent_elbow`: curves of errors over the latent size, and what rules choose on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from analysis import command, figures
from analysis.latent_elbow_choice import CHOICES, RULES, by_rule, by_seed, choose, failed, rule_name
from analysis.statistics import Estimate, clopper_pearson, t_interval
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.linear import PCA
    from study.datasets import Dataset

LEAST_SIZES = 3
METRIC = "val_mse"
CELL = [factor for factor in records.FACTORS if factor != "latent_dim"]
DRAW = ["dataset", "train_size", "normal_class", "preprocessing"]  # with the seed: on which images a trial was trained
# Metrics of which a share of the mean image's means something: 0 where nothing is lost. Of ssim, 1 - ssim is taken.
KINDS = {"mse": "mse", "fvu": "mse", "mae": "mae", "excess_bce": "excess_bce", "ssim": "ssim"}
REFUSED = {
    "bce": "its floor, the entropy of the images, is no error, and may alone exceed 20 % of the mean image's (on MNIST "
    "it is 22 %). Take val_excess_bce",
    "psnr": "a share of a logarithm means nothing. Take val_mse, which orders all models alike",
}
TRIAL = ["latent_dim", "seed", "trial", "status", "collapsed", "excluded", "narrowest_width"]
NUMBERS = ["error", "mean_image", "relative", "pca", "pca_relative"]


@dataclass(frozen=True)
class Estimates:
    """All the numbers. Every table has the columns `curve`, `dataset` and `panel` (the curve within its data set).

    Attributes:
        kind: the metric without its split; of ssim, errors are 1 - ssim.
        points: a row a trial and split: `error`, `mean_image`, `pca` (the metric, lower is better), `relative` and
            `pca_relative` (÷ the mean image's), `excluded`, `status`.
        curve: a row a size and split: means over seeds with t intervals.
        elbow: a row a rule and grid: the size chosen, its interval, what failed there and what the rule chooses if
            failures count (`latent_elbow_choice.by_rule`), PCA's, and the test error at it.
        dimension: a row an estimator: the intrinsic dimension of the training images.
        counts: a row a kind of failure: how often, with Clopper-Pearson intervals.
        skipped: cells that make no curve, with the sizes that they have, in words.
        bases: curve -> PCA of the training images of its lowest seed, for the pictures.
    """

    kind: str
    points: pd.DataFrame
    curve: pd.DataFrame
    elbow: pd.DataFrame
    dimension: pd.DataFrame
    counts: pd.DataFrame
    skipped: list[str]
    bases: dict[str, PCA]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name."""
        names = ("points", "curve", "elbow", "dimension", "counts")
        return {name: getattr(self, name) for name in names}


def kind_of(metric: str) -> str:
    """The metric without its split, if it may choose a size.

    Raises:
        InputError: not a validation metric, or one of which a share of the mean image's means nothing.
    """
    split, kind = figures.split_of(metric)
    allowed = ", ".join(f"val_{name}" for name in KINDS)
    if split and split != "val":
        raise InputError(
            f"--metric {metric}: sizes are chosen on validation images alone. Test data chooses nothing, or its error "
            f"at the choice would flatter; the training error hardly ever stops falling. Allowed: {allowed}."
        )
    if not split or kind not in KINDS:
        raise InputError(f"--metric {metric}: {REFUSED.get(kind, 'there is no such metric')}. Allowed: {allowed}.")
    return KINDS[kind]


def column_of(split: str, kind: str) -> str:
    """What the errors of a kind are: a column of the trials table, or 1 - that column where higher is better."""
    return f"{'1 - ' * (kind == 'ssim')}{split}_{kind}"


def estimate(trials: pd.DataFrame, data: Callable[[str], Dataset], metric: str = METRIC) -> Estimates:
    """All the numbers of all curves of a study.

    Args:
        trials: the trials table.
        data: gives a data set by its name.
        metric: chooses; a validation metric.

    Raises:
        InputError: a metric that may not choose; no curve in the study.
    """
    import pandas as pd

    kind = kind_of(metric)
    trials = trials[trials["randomness"] == "all"]  # the others share their splits: replicates of another kind
    rows, skipped = curves(trials)
    draws = [_of_draw(draw, data, kind) for _, draw in rows.groupby(DRAW, dropna=False, sort=False)]
    points = pd.concat([draw[0] for draw in draws], ignore_index=True)
    by_curve = [part for _, part in points.groupby("curve", sort=False)]
    return Estimates(
        kind,
        points,
        pd.DataFrame([row for part in by_curve for row in _curve(part, kind)]),
        pd.DataFrame([row for part in by_curve for row in _elbow(part, kind)]).astype(dict.fromkeys(CHOICES, float)),
        pd.concat([draw[1] for draw in draws], ignore_index=True),
        pd.DataFrame([row for part in by_curve for row in _counts(part)]),
        skipped,
        {curve: basis for part, _, basis in draws for curve in part["curve"].unique()},
    )


def curves(trials: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The trials that make curves, with the columns `curve`, `panel`, `excluded`; and in words what makes none.

    A curve is all cells that differ in latent_dim alone, at `LEAST_SIZES` usable sizes or more.

    Raises:
        InputError: there is none.
    """
    import pandas as pd

    trials = trials.assign(excluded=trials["narrowest_width"].astype(float) < trials["latent_dim"])
    groups = [part for _, part in trials.groupby(CELL, dropna=False, sort=False)]
    usable = [part.loc[(part["status"] == "completed") & ~part["excluded"], "latent_dim"].nunique() for part in groups]
    whole = [part for part, sizes in zip(groups, usable, strict=True) if sizes >= LEAST_SIZES]
    short = [(part, sizes) for part, sizes in zip(groups, usable, strict=True) if sizes < LEAST_SIZES]
    shown = _telling(groups)
    skipped = [f"{_name(part, ['dataset', *shown])} ({sizes})" for part, sizes in short]
    if not whole:
        raise InputError(
            f"no curve in this study. It needs cells that differ in latent_dim alone, completed at {LEAST_SIZES} sizes "
            f"or more, as the block dict(latent_dim=[1, 2, 4, 8, 16]) of a search space makes them. Usable sizes: "
            f"{'; '.join(skipped)}."
        )
    named = [part.assign(curve=_name(part, ["dataset", *shown]), panel=_name(part, shown)) for part in whole]
    points = pd.concat(named)
    of_size = points.groupby(["curve", "latent_dim"])["excluded"]  # a trial that ended by an error knows no width
    return points.assign(excluded=of_size.transform("any")), skipped


def _telling(groups: Sequence[pd.DataFrame]) -> list[str]:
    """The factors that a curve's name has to give: architecture and loss, and what else differs between curves."""
    levels = {factor: {str(part[factor].iloc[0]) for part in groups} for factor in CELL if factor != "dataset"}
    return [factor for factor in levels if factor in ("architecture", "loss") or len(levels[factor]) > 1]


def _name(part: pd.DataFrame, shown: Sequence[str]) -> str:
    first = part.iloc[0]
    plain = ("dataset", "architecture", "loss")
    given = {factor: first[factor] for factor in shown if first[factor] is not None and first[factor] == first[factor]}
    words = {f: f"{level:g}" if isinstance(level, float) else str(level) for f, level in given.items()}
    return ", ".join(word if factor in plain else f"{factor} {word}" for factor, word in words.items())


def _of_draw(rows: pd.DataFrame, data: Callable[[str], Dataset], kind: str) -> tuple[pd.DataFrame, pd.DataFrame, PCA]:
    """Points, intrinsic dimension and a basis of the curves whose seeds drew the same images."""
    from analysis import references

    seeds, sizes = (sorted(set(rows[name])) for name in ("seed", "latent_dim"))
    first = rows.iloc[0]
    train_size, normal_class = (_level(first[factor]) for factor in DRAW[1:3])
    found = references.over_seeds(
        data(first["dataset"]), seeds, sizes, kind, train_size, normal_class, first["preprocessing"]
    )
    names = rows[["curve", "dataset", "panel"]].drop_duplicates()
    return _points(rows, found.errors, kind), names.merge(found.dimension, how="cross"), found.basis


def _level(value: Any) -> int | None:
    """A level out of a column: pandas turns None among numbers into NaN."""
    return None if value is None or value != value else int(value)


def _points(rows: pd.DataFrame, references: pd.DataFrame, kind: str) -> pd.DataFrame:
    """A row a trial and split, with the errors of mean image and PCA beside it."""
    import pandas as pd

    both = pd.concat([rows.assign(split=split, error=rows[f"{split}_{kind}"]) for split in ("val", "test")])
    points = both.merge(references, on=["seed", "split", "latent_dim"])
    if kind == "ssim":
        points["error"] = 1 - points["error"]
    for name, error in (("relative", "error"), ("pca_relative", "pca")):
        points[name] = points[error] / points["mean_image"]
    return points[["curve", "panel", *CELL, *TRIAL, "split", *NUMBERS]]


def _curve(points: pd.DataFrame, kind: str) -> Iterator[dict]:
    """Means over seeds at each size and split."""
    first = points.iloc[0]
    same = {name: first[name] for name in ("curve", "dataset", "panel", *CELL[1:])}
    numbers = points[["split", "latent_dim", "excluded", *NUMBERS]]
    for (split, size), rows in numbers.groupby(["split", "latent_dim"], sort=True):
        network, pca, error = (_mean(rows[name].dropna()) for name in ("relative", "pca_relative", "error"))
        yield {
            **same,
            **{"latent_dim": size, "split": split, "metric": column_of(split, kind)},
            "excluded": rows["excluded"].iloc[0],
            **{"n": network.n, "relative": network.value, "low": network.low, "high": network.high},
            **{"error": error.value, "error_low": error.low, "error_high": error.high},
            **{"pca_n": pca.n, "pca_relative": pca.value, "pca_low": pca.low, "pca_high": pca.high},
            **{"mean_image": rows["mean_image"].mean(), "pca": rows["pca"].mean(), "method": network.method},
        }


def _elbow(points: pd.DataFrame, kind: str) -> Iterator[dict]:
    """What each rule chooses on the whole grid, and on the grid without its last size."""
    first = points.iloc[0]
    val, test = (points.loc[points["split"] == split, ["curve", *TRIAL, *NUMBERS]] for split in ("val", "test"))
    at = cache(lambda size: _test_error(test, size, kind))  # rules often choose alike
    pca = by_seed(val, "pca_relative")  # has no narrow layer: keeps every size
    for shortened in (False, True):
        for rule, chosen in zip(RULES, by_rule(val[~val["excluded"]], shortened), strict=True):
            linear = choose(rule, *pca, shortened)
            yield {
                **{name: first[name] for name in ("curve", "dataset", "panel")},
                **{"rule": rule_name(rule), "threshold": rule if isinstance(rule, float) else None},
                **{"shortened": shortened, **chosen, **{f"pca_{name}": value for name, value in linear.items()}},
                **at(chosen["value"]),
            }


def _mean(errors: pd.Series) -> Estimate:
    """The mean of errors over seeds with its t interval, of which the part below 0 is cut off: no error lies there."""
    found = t_interval(errors)
    if not found.low < 0:
        return found
    return replace(found, low=0.0, method=f"{found.method}, cut off at 0")


def _test_error(test: pd.DataFrame, size: int | None, kind: str) -> dict:
    """The test error at a size, as it is and as a share; empty where no size was chosen."""
    at = test.loc[test["latent_dim"] == size, ["error", "relative"]].dropna()
    error, relative = (_mean(at[name]) for name in ("error", "relative"))
    words = command.with_ends(error.value, error.low, error.high, ".4f") if error.n else "–"
    return {
        **{"test": words, "test_metric": column_of("test", kind), "test_error": error.value},
        **{"test_low": error.low, "test_high": error.high},
        **{"test_relative": relative.value, "test_n": error.n, "test_method": error.method},
    }


def _counts(points: pd.DataFrame) -> Iterator[dict]:
    """How many trials failed, and how many of the others are no better than the mean image."""
    trials = points[points["split"] == "val"]
    done = trials[trials["status"] == "completed"]
    for what, happened in (("failed", failed(trials)), ("collapsed", done["collapsed"].eq(True))):
        found = clopper_pearson(int(happened.sum()), len(happened))
        same = {name: trials[name].iloc[0] for name in ("curve", "dataset", "panel")}
        numbers = {"share": found.value, "low": found.low, "high": found.high, "n": found.n}
        yield {**same, "what": what, "count": int(happened.sum()), **numbers, "method": found.method}
