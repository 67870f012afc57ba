"""What generation comes to over seeds: every distance with its interval, and the family against the PCA mixture."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis import citable, own_seeds
from analysis.draws import DRAW, images_of
from analysis.generation_bench import HELD_OUT, PCA_MIXTURE, PRIMARY, TRAINING, main_sampler
from analysis.statistics import Contrasts, clopper_pearson, t_interval
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Results

MEMORY = "nearest_is_training"
METRICS = {
    PRIMARY: "kernel distance (lower is better)",
    "frechet_distance": "Fréchet distance (lower is better)",
    "precision": "precision (higher is better)",
    "recall": "recall (higher is better)",
    "density": "density (higher is better)",
    "coverage": "coverage (higher is better)",
    "told_apart": "accuracy of a classifier telling generated from real images (0.5: guessing; lower is better)",
    "nearest": "median distance to the nearest training image (root mean squared pixel)",
    "nearest_of_heldout": "median distance of held-out images to the nearest training image",
    "nearer_than_heldout": "chance that an image is nearer to a training image than a held-out image is (0.5: as near)",
    MEMORY: "share of images nearer to a training image than to any of as many held-out ones (0.5: images that owe "
    "nothing to the training images; the PCA mixture's, which is fitted on them and copies none, is the reference)",
}
OF_TRAINING = ("nearest", "nearest_of_heldout", "nearer_than_heldout", MEMORY)  # no other images in them
KEYS = [*DRAW, "seed"]
FEATURES = ["features", "feature_size", "weights", "accuracy", "accuracy_low", "accuracy_high", "accuracy_n"]


@dataclass(frozen=True)
class Estimates:
    """All the numbers of generation on one study.

    Attributes:
        metrics: A row a cell and sampler (of the baselines: a draw of images and method) and metric: mean over seeds,
            t interval.
        contrast: A row a cell at its main sampler: kernel distance less the PCA mixture's, simultaneous interval,
            adjusted p, verdict; the distances themselves and that of real training images beside it; in how many seeds
            it is farther than the PCA mixture and in how many nearer. The columns `training_` say the same, as a family
            of their own, of the share of images that lie nearer to a training image than to any held-out one.
        features: A row a data set and kind of features.
    """

    metrics: pd.DataFrame
    contrast: pd.DataFrame
    features: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        return {"metrics": self.metrics, "contrast": self.contrast, "features": self.features}


def estimate(results: Results, split: str = "test") -> Estimates:
    """All the numbers.

    Args:
        results: Of generation.
        split: Whose real images the generated ones were compared with. Those of the test split are the same for every
            seed, so that intervals over seeds hold for these images.

    Raises:
        InputError: The baselines of a draw are not there.
    """
    import pandas as pd

    models = _plain(results.models)
    models["cell"] = models["trial"].str.replace(r"-s\d+$", "", regex=True)
    models["main"] = models["sampler"] == models["regularizer"].map(main_sampler)
    baselines = _plain(results.baselines).assign(sampler=results.baselines["method"], main=True)
    baselines["cell"] = baselines["file"].str.replace(r"-s\d+$", "", regex=True)  # a draw of images stands for a cell
    rows = [*_metrics(models, "model", split), *_metrics(baselines, "baseline", split)]
    contrast = pd.DataFrame([row for part in _by_data(models) for row in _contrasts(part, baselines)])
    contrast["method"] += f", {images_of([split])}"
    contrast["training_method"] += f", {images_of([])}"
    known = baselines[["dataset", *FEATURES]].drop_duplicates(ignore_index=True)
    return Estimates(pd.DataFrame(rows), contrast, known)


def check_features(results: Results, study: str) -> None:
    """Refuses results in different features: their distances are different quantities.

    Raises:
        InputError: A trial was measured by another classifier than its baselines.
    """
    models, baselines = (_plain(table)[[*KEYS, "weights"]] for table in (results.models, results.baselines))
    both = models.assign(trial=results.models["trial"]).merge(baselines.drop_duplicates(), on=KEYS)
    for first in both[both["weights_x"] != both["weights_y"]].itertuples():
        raise InputError(
            f"{first.trial} was measured by the features of another classifier ({first.weights_x}) than its baselines "
            f"({first.weights_y}). To measure all anew, all models are needed: first python -m study.search {study} "
            "--rebuild '*', then delete the study's folder tasks/generation and run this again."
        )


def _by_data(table: pd.DataFrame) -> list[pd.DataFrame]:
    return [part for _, part in table.groupby("dataset", sort=False)]


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """None and NaN of the factors as one word, so that tables can be merged on them."""
    return table.assign(**{factor: table[factor].map(_word) for factor in DRAW})


def _word(level: Any) -> str:
    return "–" if level is None or level != level else str(int(level)) if isinstance(level, float) else str(level)


def _metrics(table: pd.DataFrame, kind: str, split: str) -> Iterator[dict[str, Any]]:
    """A row a metric; where some seeds have none of it, over the others."""
    for (dataset, cell, sampler), part in table.groupby(["dataset", "cell", "sampler"], sort=False):
        same = {
            **{"dataset": dataset, "kind": kind, "cell": cell, "sampler": sampler, "main": bool(part["main"].iloc[0])},
            "n_images": int(part["n_images"].min()),
        }
        for metric in METRICS:
            found = t_interval(part[metric].dropna())
            yield {
                **same,
                **{"metric": metric, "value": found.value, "low": found.low, "high": found.high, "n": found.n},
                "method": f"{found.method} over seeds, {images_of([] if metric in OF_TRAINING else [split])}",
            }
        shown = clopper_pearson(int((part["told_apart_low"] > 0.5).sum()), len(part))
        yield {
            **same,
            **{"metric": "told_apart_shown", "value": shown.value, "low": shown.low, "high": shown.high, "n": shown.n},
            "method": f"{shown.method} of seeds whose exact binomial interval lies above 0.5",
        }


def _contrasts(models: pd.DataFrame, baselines: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The cells of a data set at their main samplers, as one family, each over the seeds that it has."""
    main = models[models["main"]]
    pairs = main.merge(_of(baselines, PCA_MIXTURE, "baseline"), on=KEYS, how="left")
    if pairs["baseline"].isna().any():
        raise InputError("baselines are missing for some draws; run the same command without --cells.")
    pairs = pairs.merge(_of(baselines, floor_of(baselines["method"]), "floor"), on=KEYS, how="left")
    pairs = pairs.merge(_of(baselines, PCA_MIXTURE, "training_baseline", MEMORY), on=KEYS, how="left")
    pairs["difference"] = pairs[PRIMARY] - pairs["baseline"]
    pairs["training_difference"] = pairs[MEMORY] - pairs["training_baseline"]
    families = [_family(pairs, column) for column in ("difference", "training_difference")]
    for cell, (distance, found), (memory, of_training) in zip(pairs["cell"].unique(), *families, strict=True):
        part = pairs[pairs["cell"] == cell]
        first = part.iloc[0]
        yield {
            **{"dataset": first["dataset"], "cell": cell, "latent_dim": int(first["latent_dim"])},
            **{"sampler": first["sampler"], PRIMARY: part[PRIMARY].mean(), "baseline": part["baseline"].mean()},
            **{"floor": part["floor"].mean(), **found, "n": distance.n, "n_images": int(part["n_images"].min())},
            **{"method": distance.method, "seeds_farther": int((part["difference"] > 0).sum())},
            **{"seeds_nearer": int((part["difference"] < 0).sum()), "training_share": part[MEMORY].mean()},
            **{"training_baseline": part["training_baseline"].mean(), "training_method": memory.method},
            **{f"training_{name}": number for name, number in of_training.items()},
        }


def _family(pairs: pd.DataFrame, column: str) -> Iterator[tuple[Contrasts, dict[str, Any]]]:
    """Of each cell, in their order, the contrasts that it is among, and its columns of the table."""
    table = pairs.pivot(index="seed", columns="cell", values=column)[pairs["cell"].unique()]
    for found, place in own_seeds.contrasts(table.to_numpy()):
        numbers = {"difference": found.value, "low": found.low, "high": found.high, "p": found.p}
        yield found, {**{name: of[place] for name, of in numbers.items()}, "verdict": found.verdicts()[place]}


def floor_of(methods: Collection[str]) -> str:
    """Which real images stand for the least distance: training images, unless they are the ones that are evaluated."""
    return TRAINING if TRAINING in set(methods) else HELD_OUT


def _of(baselines: pd.DataFrame, method: str, name: str, metric: str = PRIMARY) -> pd.DataFrame:
    rows = baselines[baselines["method"] == method]
    return rows[[*KEYS, metric]].rename(columns={metric: name})


def citable_statistics(estimates: Estimates) -> list[pd.DataFrame]:
    """The family, and every metric of every cell, sampler and baseline."""
    contrast = citable.statistics(
        estimates.contrast,
        "contrast",
        key=["cell"],
        what="kernel distance of {cell} ({sampler}) less that of the PCA mixture on the same images",
        value="difference",
        p="p",
        prefix="contrast",
    )
    metrics = citable.statistics(
        estimates.metrics,
        "metrics",
        key=["cell", "sampler", "metric"],
        what="{metric} of {cell} {sampler}",
        value="value",
    )
    return [contrast, metrics]
