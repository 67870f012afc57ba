"""Anomaly detection: does a trained autoencoder tell images of its own kind from others?

Test images of the training data set, or of the one class held as normal, are ranked with images that are none of them:
other classes, other data sets (`--against`), noise, and the same images inverted. Scores are kept apart from the loss
that a model was trained on: squared and absolute error, BCE, 1 - SSIM, and in the latent space the Mahalanobis distance
and the distance to the fifth nearest training code. Beside them stand baselines that need no autoencoder: PCA's error
at the same latent size, an isolation forest, the nearest training image, the mean image, and three that expose what
a task can be solved by without looking: brightness, pixels that are not zero, the size as a PNG.

Primary metric: area under the ROC curve of the squared error. The anomaly is the positive class; an area below 0.5 is
reported as it is. On test images, the same for every seed, intervals hold for new seeds and new images at once. Where
classes are held as normal in turn, the mean over them stands beside published ones, and the mean difference from PCA at
the same latent size, paired by seed, with a t interval over seeds.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import anomaly_sets, applications, citable, command, linear, roc
from analysis.applications import Bench, Found, Pictures
from analysis.draws import Draw
from analysis.similarity import structural_similarity
from study import autoencoders, metrics, preprocessing, records

if TYPE_CHECKING:
    import pandas as pd

    from analysis.anomaly_estimates import Estimates
    from analysis.applications import Results
    from study.datasets import Dataset

NORMAL = "normal"
PRIMARY = "squared error"
LATENT = ("Mahalanobis", "latent kNN")  # scores of the code; the others are of the reconstruction
SCORES = (PRIMARY, "absolute error", "BCE", "1 - SSIM", *LATENT)
NEIGHBOURS, CODES = 5, 2_000  # of kNN; training codes and images that distances are taken to
FEW = 2_000  # training images of a second PCA where one class is normal: the protocol that references quote
BATCH = 250
FOOLED = 4  # pictures of each kind of mistake
Sets = Mapping[str, np.ndarray]


def open_bench(draw: Draw) -> Bench:
    """Brings all images before the network's eyes."""
    plain = {NORMAL: draw.plain, **anomaly_sets.sets(draw)}
    seen = {name: draw.seen(images) for name, images in plain.items()}
    return Bench(lambda: _baselines(draw, plain, seen), lambda model, _: _model(draw, model, seen))


TASK = applications.Task("anomaly", version=3, images=10_000, open=open_bench, per_image=True)


def _model(draw: Draw, model: Any, seen: Sets) -> Found:
    distances = _distances(_codes(model, draw.train[:CODES])[1])
    scores: dict[str, dict[str, np.ndarray]] = {}
    pictures: Pictures = {}
    for name, images in seen.items():
        reconstructions, codes = _codes(model, images)
        clipped = np.clip(reconstructions, 0, 1)
        scores[name] = {
            PRIMARY: metrics.squared_error(images, reconstructions),
            "absolute error": metrics.absolute_error(images, reconstructions),
            "BCE": metrics.binary_cross_entropy(np.clip(images, 0, 1), clipped),
            "1 - SSIM": 1 - structural_similarity(images, reconstructions),
            **{score: distance(codes) for score, distance in distances.items()},
        }
        order = np.argsort(scores[name][PRIMARY])
        worst = order[::-1][:FOOLED] if name == NORMAL else order[:FOOLED]
        pictures |= {f"{name}/image": images[worst], f"{name}/reconstruction": clipped[worst]}
    return _found(scores, "score", pictures)


def _codes(model: Any, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reconstructions and codes."""
    encoder, decoder = (
        autoencoders.without_xla(model.get_layer(part)).predict_on_batch for part in ("encoder", "decoder")
    )
    reconstructions, codes = [], []
    for start in range(0, len(images), BATCH):
        encoded = encoder(np.asarray(images[start : start + BATCH], np.float32))
        reconstructions.append(decoder(encoded))
        codes.append(np.asarray(autoencoders.code_of(encoded), np.float64))
    return np.concatenate(reconstructions), np.concatenate(codes)


def _distances(codes: np.ndarray) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """The latent scores, from training codes (n, k): codes (m, k) → (m,).

    A direction in which the training codes do not vary has no Mahalanobis length; the pseudo-inverse leaves it out.
    """
    mean = codes.mean(axis=0)
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(codes, rowvar=False)), hermitian=True)
    return {
        "Mahalanobis": lambda z: np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", z - mean, inverse, z - mean), 0)),
        "latent kNN": lambda z: _neighbours(codes, z),
    }


def _neighbours(fitted: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Distance to the `NEIGHBOURS`-th nearest: (n, d), (m, d) → (m,)."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(fitted)), algorithm="brute").fit(fitted)
    return neighbours.kneighbors(asked)[0][:, -1]


def _baselines(draw: Draw, plain: Sets, seen: Sets) -> Found:
    train = draw.train
    bases = {"": train} | ({f", {FEW:,} images": train[:FEW]} if draw.cell["normal_class"] is not None else {})
    fitted = {name: linear.fit(images, max(draw.sizes)) for name, images in bases.items()}
    forest, gallery = isolation_forest(train, draw.seed), train[:CODES].reshape(min(CODES, len(train)), -1)
    mean = train.mean(axis=0)
    scores: dict[str, dict[str, np.ndarray]] = {}
    for name, images in seen.items():
        scores[name] = {
            **_pca(fitted, images, draw.sizes),
            "isolation forest": forest(images),
            "nearest images": _neighbours(gallery, images.reshape(len(images), -1)),
            "mean image": metrics.squared_error(images, np.broadcast_to(mean, images.shape)),
            "brightness": plain[name].mean(axis=(1, 2, 3), dtype=np.float64),
            "pixels not zero": (plain[name] > 0).mean(axis=(1, 2, 3)),
            "PNG size": np.array([_png_bytes(image) for image in plain[name]], np.float64),
        }
    return _found(scores, "method", {})


def _pca(fitted: Mapping[str, linear.PCA], images: np.ndarray, sizes: Sequence[int]) -> dict[str, np.ndarray]:
    """The error of each basis at each size that it has components for."""
    found: dict[str, np.ndarray] = {}
    for name, basis in fitted.items():
        there = [size for size in sizes if size <= len(basis.components)]
        found |= (
            {f"PCA {k}{name}": v for k, v in zip(there, basis.errors(images, there).T, strict=True)} if there else {}
        )
    return found


def isolation_forest(train: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Anomaly score of an isolation forest (scikit-learn's defaults) as Ruff et al. (2018) fed it.

    Every image's contrast is normalised (L1), then PCA keeps 95 % of the variance of the training images.

    Args:
        train: (n, H, W, C).
        seed: Of the forest.

    Returns:
        Images (m, H, W, C) → (m,), higher where fewer splits isolate the image.
    """
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest

    def prepared(images: np.ndarray) -> np.ndarray:
        return preprocessing.contrast(images).reshape(len(images), -1)

    basis = PCA(n_components=0.95, svd_solver="full").fit(prepared(train))
    forest = IsolationForest(random_state=seed).fit(basis.transform(prepared(train)))
    return lambda images: -forest.score_samples(basis.transform(prepared(images)))


def _png_bytes(image: np.ndarray) -> int:
    """Length of the image as a PNG of 8 bits; any number of channels but 3, side by side in grey."""
    from PIL import Image

    pixels = applications.to_bytes(image)
    flat = pixels if pixels.shape[-1] == 3 else np.concatenate(list(np.moveaxis(pixels, -1, 0)), axis=1)
    buffer = io.BytesIO()
    Image.fromarray(flat).save(buffer, format="PNG", optimize=False)
    return buffer.tell()


def _found(scores: Mapping[str, Mapping[str, np.ndarray]], what: str, pictures: Pictures) -> Found:
    """Areas and the values an image, both of scores rounded to float32: what differs by rounding alone is a tie."""
    kept = {f"{name}/{score}": v.astype(np.float32) for name, by in scores.items() for score, v in by.items()}
    sets = [name for name in scores if name != NORMAL]
    pairs = [
        (name, score, kept[f"{NORMAL}/{score}"], kept[f"{name}/{score}"]) for name in sets for score in scores[name]
    ]
    return Found([_row(*pair, what) for pair in pairs], pictures, kept)


def _row(name: str, score: str, normal: np.ndarray, anomalous: np.ndarray, what: str) -> dict[str, Any]:
    """Area, average precision, false positives, images of each class."""
    return {
        "set": name,
        what: score,
        "auc": roc.area(normal, anomalous),
        "average_precision": roc.average_precision(normal, anomalous),
        "fpr95": roc.false_positives(normal, anomalous),
        "n_normal": len(normal),
        "n_anomalous": len(anomalous),
    }


def evaluate(options: argparse.Namespace, study: str, load: Callable[[str], Dataset]) -> Results:
    """Computes what is missing of the task and returns all results; raises as `applications.evaluate`."""
    data = list(records.manifest(study, options.artifacts)["data"])
    against = anomaly_sets.names(data, getattr(options, "against", None), load)
    results = applications.evaluate(TASK, options, study, load, against)
    return replace(results, missing=[*results.missing, *anomaly_sets.left_out(results.models, against)])


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Evaluates, estimates, draws and writes."""
    from analysis import anomaly_estimates, anomaly_figures, anomaly_text, restoration_figures

    study = arguments.study or records.latest(arguments.artifacts)
    load = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir, others=True)
    results = evaluate(arguments, study, load)
    trials = records.load(study, arguments.artifacts)
    estimates = anomaly_estimates.estimate(results, arguments.split, trials)
    folder = records.folder(study, arguments.artifacts) / "analysis" / TASK.name
    folder = folder if arguments.split == "test" else folder / arguments.split
    paths = command.write({**estimates.tables(), "inputs": _inputs(results.models, arguments.split)}, folder)
    shown = restoration_figures.chosen(trials, estimates.auc.drop_duplicates("cell"))
    paths += anomaly_figures.draw_all(results, estimates, shown, arguments.split, folder)
    notices = [*records.notices(study, arguments.artifacts), *applications.unfinished(study, arguments.artifacts)]
    said = [*notices, *results.missing, *anomaly_text.sentences(estimates)]
    primary = estimates.auc[estimates.auc["score"] == PRIMARY].reset_index(drop=True)
    columns = ["cell", "set", "auc", "auc_low", "auc_high", "n", "n_normal", "n_anomalous"]
    note = f"auc: area under the ROC curve of the {PRIMARY}, higher is better; {anomaly_text.methods(primary)}"
    answers = list(anomaly_text.answers(estimates, shown))
    return command.Outcome(study, primary, said, paths, columns, note, folder, _citable(estimates), answers)


def _inputs(models: pd.DataFrame, split: str) -> pd.DataFrame:
    """How the sets were made: a row a set."""
    import pandas as pd

    names = list(models["set"].unique())
    made = anomaly_sets.descriptions(names, bool(models["normal_class"].notna().any()), split)
    return pd.DataFrame([{"set": name, "what": made[name]} for name in names])


def _citable(estimates: Estimates) -> list[pd.DataFrame]:
    """Areas of every score and baseline, what is left of them beside PCA, and the means of both over classes."""
    ends = {"value": "auc", "low": "auc_low", "high": "auc_high"}
    what = "ROC-AUC of {score}, {cell} against {set}"
    found = [
        citable.statistics(estimates.auc, "auc", key=["cell", "set", "score"], what=what, prefix="auc", **ends),
        citable.statistics(
            estimates.baselines, "baselines", key=["cell", "set", "baseline"], prefix="auc",
            what="ROC-AUC of {baseline}, {cell} against {set}", **ends,
        ),
    ]  # fmt: skip
    if len(estimates.contrast):
        what = "ROC-AUC of {cell} less that of PCA at the same latent size, against {set}"
        key = ["cell", "set"]
        found.append(
            citable.statistics(
                estimates.contrast, "contrast", key=key, what=what, value="difference", p="p", prefix="over-pca"
            )
        )
    if len(estimates.classes):
        what = "mean ROC-AUC over {classes} normal classes, {what}"
        found.append(
            citable.statistics(
                estimates.classes, "classes", key=["dataset", "what"], what=what, prefix="classes", **ends
            )
        )
    if "difference" in estimates.classes:
        names = {name: f"difference_{name}" for name in ("low", "high", "n", "method", "p")}
        found.append(
            citable.statistics(
                estimates.classes,
                "classes",
                key=["dataset", "what"],
                value="difference",
                **names,
                what="mean over {classes} normal classes of ROC-AUC of {what} less that of PCA at the same latent size",
                prefix="classes-over-pca",
            )
        )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("anomaly", __doc__)
    applications.add_options(parser, TASK)
    parser.add_argument(
        "--against", nargs="+", metavar="NAME", help="data sets held up as anomalies (default: the study's own, the "
        "embedded ones); other classes, noise and inverted images always are"
    )  # fmt: skip
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
