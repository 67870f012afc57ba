"""Areas under ROC curves over seeds, their intervals, and what is left of them beside PCA at the same latent size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import roc
from analysis.anomaly import NORMAL, PRIMARY
from analysis.anomaly_sets import INVERTED, MADE, OTHER_CLASSES
from analysis.applications import Pictures, Results, baselines_name, baselines_of, cells_of
from analysis.draws import images_of
from analysis.statistics import paired_t, t_interval
from study import records

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "Ruff et al. 2018 (PMLR 80), Table 1"
NETWORK = {"architecture": "ruff2018", "latent_dim": 32, "loss": "mse", "regularizer": "none",
           "preprocessing": "l1_contrast"}  # fmt: skip
PUBLISHED = (  # mean AUC of MNIST's ten digits, and the network that has it
    {"what": "deep convolutional autoencoder", "auc": 0.897, **NETWORK},
    {"what": "isolation forest", "auc": 0.923},
)
CLASSES_PUBLISHED = ("mnist", 10)
KIND = tuple(factor for factor in records.FACTORS if factor not in ("dataset", "normal_class"))  # of cell
BOTH_AT_1, ONE_SEED = "both at 1", "not resolved: one seed"


@dataclass(frozen=True)
class Estimates:
    """All the numbers of anomaly detection on one study.

    Attributes:
        auc: A row a cell, set and score: `auc` with its interval, its two standard errors, average precision, FPR;
            `draw` is the `cell` of `baselines` that was given the same images.
        baselines: The same for methods that need no autoencoder, a row a draw, set and method.
        contrast: A row a cell and set: AUC of the primary score less that of PCA's error at the same latent size;
            `verdict` "higher", "lower", "not resolved", `ONE_SEED` where there are no others, or `BOTH_AT_1` where
            neither misorders a single pair of images.
        classes: A row a kind of cell (or method) and score whose normal class was varied: the mean over the classes.
            Of the primary score also the mean over the classes of AUC less that of PCA's error at the same latent size
            on the same images, `difference` with `difference_low`, `_high`, `_p`, `_n`, `_method`, paired by seed; and
            of the networks `fvu`, the mean on the split's images, and in how many of `trials` training ended with
            the best epoch, `best_is_last`. Published rows have the factors of the network that they are of.
    """

    auc: pd.DataFrame
    baselines: pd.DataFrame
    contrast: pd.DataFrame
    classes: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        tables = {"auc": self.auc, "baselines": self.baselines, "contrast": self.contrast, "classes": self.classes}
        return {name: table for name, table in tables.items() if len(table)}


def estimate(results: Results, split: str, trials: pd.DataFrame) -> Estimates:
    """All the numbers; intervals are crossed with the images that are the same for every seed.

    Those are all images of the test split, and of the others the anomalies, where they are not made of normal images.

    Args:
        results: What was computed.
        split: Whose images.
        trials: The trials table: how well the networks reconstruct, and whether training had come to its end.
    """
    import pandas as pd

    models = results.models.assign(cell=cells_of(results.models["trial"]))
    models["draw"] = cells_of(models["trial"].map(baselines_of(models)))
    baselines = results.baselines.rename(columns={"method": "score"}).assign(trial=results.baselines["file"])
    baselines["cell"] = cells_of(baselines["file"])
    kept = {trial: results.per_image(trial) for trial in pd.concat([models["trial"], baselines["trial"]]).unique()}
    contrast = list(_contrasts(models, kept)) if split == "test" else []
    areas = _areas(models, kept, split)
    return Estimates(
        areas.assign(draw=areas["cell"].map(models.drop_duplicates("cell").set_index("cell")["draw"])),
        _areas(baselines, kept, split).rename(columns={"score": "baseline"}),
        pd.DataFrame(contrast),
        pd.DataFrame(_classes(models, results.baselines, trials, split)),
    )


def _areas(table: pd.DataFrame, kept: dict[str, Pictures], split: str) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for (dataset, cell, name, score), part in table.groupby(["dataset", "cell", "set", "score"], sort=False):
        over = [_placements(kept[trial], name, score) for trial in part["trial"]]
        area = roc.crossed(over, same_images=name == INVERTED, own=_own(str(name), split))
        number: dict[str, Any] = {"auc": area.value, "auc_low": area.low, "auc_high": area.high}
        number |= {"image_se": area.image_sd, "seed_se": area.seed_sd, "p": area.p, "method": area.method}
        rows.append(
            {
                **{"dataset": dataset, "cell": cell, "set": name, "score": score, **number},
                "average_precision": part["average_precision"].mean(),
                "fpr95": part["fpr95"].mean(),
                **{"n": part["trial"].nunique(), "n_normal": int(part["n_normal"].min())},
                "n_anomalous": int(part["n_anomalous"].min()),
            }
        )
    return pd.DataFrame(rows)


def _ends(estimate: Any) -> tuple[float, float, float]:
    """Value and interval, cut at what an area can be; NaN stays NaN."""
    value, low, high = (float(np.clip(end, 0, 1)) for end in (estimate.value, estimate.low, estimate.high))
    return value, low, high


def _own(name: str, split: str) -> roc.Own:
    """Which images of a set of anomalies and the normal ones each seed has of its own, see `anomaly_sets`."""
    if split == "test":
        return "none"
    return "all" if name in MADE else "normal"


def _placements(values: Pictures, name: str, score: str) -> tuple[np.ndarray, np.ndarray]:
    return roc.placements(values[f"{NORMAL}/{score}"], values[f"{name}/{score}"])


def _contrasts(models: pd.DataFrame, kept: dict[str, Pictures]) -> Iterator[dict[str, Any]]:
    """AUC of the model less AUC of PCA at its size, seed by seed on the same images; all of a data set one family."""
    primary = models[models["score"] == PRIMARY]
    for dataset, of_data in primary.groupby("dataset", sort=False):
        groups = of_data.groupby(["cell", "set"], sort=False)
        for (cell, name), part in groups:
            pairs, at_1 = [], []
            for row in part.to_dict("records"):
                other = kept.get(baselines_name(part[part["trial"] == row["trial"]]), {})
                method = f"PCA {row['latent_dim']}"
                if f"{NORMAL}/{method}" not in other:
                    continue
                mine, theirs = _placements(kept[row["trial"]], name, PRIMARY), _placements(other, name, method)
                pairs.append((mine[0] - theirs[0], mine[1] - theirs[1]))
                at_1.append(min(mine[0].min(), theirs[0].min()) == 1)
            if pairs:
                area = roc.crossed(pairs, True, comparisons=groups.ngroups, same_images=name == INVERTED)
                told = "higher" if area.low > 0 else "lower" if area.high < 0 else "not resolved"
                verdict = BOTH_AT_1 if all(at_1) else ONE_SEED if area.n == 1 else told
                yield {
                    **{"dataset": dataset, "cell": cell, "set": name, "latent_dim": int(part["latent_dim"].iloc[0])},
                    **{"difference": area.value, "low": area.low, "high": area.high, "p": area.p, "n": area.n},
                    **{"image_se": area.image_sd, "seed_se": area.seed_sd, "verdict": verdict, "method": area.method},
                }


def _classes(models: pd.DataFrame, baselines: pd.DataFrame, trials: pd.DataFrame, split: str) -> list[dict[str, Any]]:
    """Mean over the normal classes of each seed's AUC against the other classes, with its t interval over seeds."""
    mine = models[(models["set"] == OTHER_CLASSES) & models["normal_class"].notna()]
    theirs = baselines[(baselines["set"] == OTHER_CLASSES) & baselines["normal_class"].notna()]
    if mine["normal_class"].nunique() < 2:
        return []
    mine = _with_networks(_beside_pca(mine, theirs), trials, split)
    images = images_of([split], anomalies=True)
    rows = [
        *_means(mine, ["dataset", *KIND], images),
        *_means(theirs.rename(columns={"method": "score"}), ["dataset", "preprocessing", "train_size"], images),
    ]
    dataset, classes = CLASSES_PUBLISHED
    if {row["dataset"] for row in rows} == {dataset} and all(row["classes"] == classes for row in rows):
        rows += [
            {"dataset": dataset, "kind": "published", "classes": classes, "method": SOURCE, **row} for row in PUBLISHED
        ]
    return rows


def _beside_pca(mine: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """With the column `difference`: AUC of the primary score less PCA's at the same size on the same images, or NaN."""
    files, methods = mine["trial"].map(baselines_of(mine)), "PCA " + mine["latent_dim"].astype(int).astype(str)
    areas = dict(zip(zip(theirs["file"], theirs["method"], strict=True), theirs["auc"], strict=True))
    pca = np.array([areas.get(key, np.nan) for key in zip(files, methods, strict=True)])
    return mine.assign(difference=np.where(mine["score"] == PRIMARY, mine["auc"] - pca, np.nan))


def _with_networks(mine: pd.DataFrame, trials: pd.DataFrame, split: str) -> pd.DataFrame:
    """With the columns `fvu` and `best_is_last` of each row's network."""
    of = trials.set_index("trial")
    best_is_last = (of["best_epoch"] == of["epochs"]).astype(float)
    return mine.assign(fvu=mine["trial"].map(of[f"{split}_fvu"]), best_is_last=mine["trial"].map(best_is_last))


def _means(table: pd.DataFrame, kinds: list[str], images: str) -> Iterator[dict[str, Any]]:
    """A row a kind of cell, or draw, and score. A seed that lacks a class is left out: its mean would be another's."""
    shown = [k for k in kinds if k in ("architecture", "preprocessing") or table[k].nunique(dropna=False) > 1]
    for levels, part in table.groupby([*kinds, "score"], sort=False, dropna=False):
        by_seed = part.pivot_table(index="seed", columns="normal_class", values="auc")
        whole = by_seed.dropna()
        found = t_interval(whole.mean(axis=1))
        named = dict(zip([*kinds, "score"], levels, strict=True))
        words = [_word(k, named[k]) for k in shown if named[k] == named[k] and named[k] is not None]
        yield {
            **{"dataset": named["dataset"], "kind": "model" if "architecture" in kinds else "baseline"},
            **{"what": f"{'-'.join(words)}, {named['score']}", **named},
            **dict(zip(("auc", "auc_low", "auc_high"), _ends(found), strict=True)),
            "n": found.n,
            **{"classes": by_seed.shape[1], **{f"class_{int(c)}": v for c, v in by_seed.mean().items()}},
            "method": f"{found.method} over seeds, {images}",
            **(_of_networks(part, by_seed.columns, images) if named["score"] == PRIMARY else {}),
        }


def _word(factor: str, level: Any) -> str:
    return level if isinstance(level, str) else f"{factor} {level:g}"


def _of_networks(part: pd.DataFrame, classes: pd.Index, images: str) -> dict[str, Any]:
    """What stands beside the mean area of one kind of cell; a seed that lacks a class's pair is left out."""
    pairs = part.pivot(index="seed", columns="normal_class", values="difference")[classes]
    networks = {"fvu": part["fvu"].mean(), "best_is_last": int(part["best_is_last"].sum()), "trials": len(part)}
    if (whole := pairs.dropna()).empty:
        return networks
    found = paired_t(whole.mean(axis=1))
    numbers = {"": found.value, "_low": found.low, "_high": found.high, "_p": found.p, "_n": found.n}
    method = f"{found.method} over seeds, {images}, not adjusted for the number of kinds of cell"
    return {**{f"difference{end}": v for end, v in numbers.items()}, "difference_method": method, **networks}
