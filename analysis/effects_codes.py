"""What the codes of trained networks hold: how many directions, which classes, and whether the decoder uses them.

Measured with the models on test images (a task like the four applications: its results are kept and continued), or,
where models are gone, on the codes of the 32 example images that every trial stores.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.effects_errors import cell_of
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Bench
    from analysis.draws import Draw
    from study.datasets import Dataset

IMAGES = 2000
NEIGHBOURS = 5
BATCH = 500  # images at a time
TEST_IMAGES, EXAMPLES = "test images", "stored example images"  # what was measured on
ONE_IMAGE, BLACK = "one", "black"  # what the decoder makes of all codes
COLUMNS = ("trial", "source", "effective_rank", "neighbour_accuracy", "latent_use", "images", "output")


def measure(
    study: str, cells: Iterable[str], artifacts: str, load: Callable[[str], Dataset]
) -> tuple[pd.DataFrame, list[str]]:
    """What the codes of some cells hold, by their models on test images.

    Args:
        study: Its name.
        cells: Whose trials are evaluated.
        artifacts: Where studies lie.
        load: Gives a data set by its name.

    Returns:
        A row a trial: `effective_rank` and `neighbour_accuracy` of its codes, `latent_use`, on how many `images`, and
        of which `source` (`output` is known of examples alone); and in words which trials could not be evaluated.
    """
    import pandas as pd

    from analysis import applications

    task = applications.Task("codes", 1, IMAGES, _open)
    found, missing = [], []
    for cell in cells:
        options = argparse.Namespace(artifacts=artifacts, split="test", images=IMAGES, cells=f"{cell}-s[0-9]*")
        try:
            results = applications.evaluate(task, options, study, load)
        except InputError as error:
            missing.append(f"codes of {cell} were not measured: {error}")
            continue
        found.append(results.models.assign(source=TEST_IMAGES).reindex(columns=list(COLUMNS)))
        missing += results.missing
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS)), missing


def of_examples(
    study: str, trials: pd.DataFrame, cells: Sequence[str], artifacts: str, load: Callable[[str], Dataset]
) -> tuple[pd.DataFrame, list[str]]:
    """The same from the stored codes of the example images, without any model; `latent_use` is not known then.

    They are 32, and half of them were chosen as hard ones: too few, and too special, for more than a direction.

    Args:
        study: Its name.
        trials: The trials table.
        cells: Whose.
        artifacts: Where studies lie.
        load: Gives a data set, for the labels.

    Returns:
        As `measure`; `output`: `ONE_IMAGE`, or `BLACK`, where all reconstructions are one image in 8 bits, else empty.
    """
    import pandas as pd

    from analysis import task_work

    chosen = trials[cell_of(trials).isin(cells) & (trials["status"] == "completed")]
    rows: list[dict[str, Any]] = []
    missing: list[str] = []
    gone: dict[str, str] = {}
    for dataset, part in chosen.groupby("dataset", sort=False):
        labels = _labels(str(dataset), load, missing)
        for trial in part["trial"]:
            try:
                stored = records.examples(study, trial, artifacts)
            except InputError as error:
                gone[trial] = str(error)
                continue
            of = None if labels is None else labels[stored["index"]]
            output = _output(stored["reconstructions"])
            rows.append({"trial": trial, "source": EXAMPLES, **_of_codes(stored["codes"], of), "output": output})
    missing += [f"what codes hold: {said}" for said in task_work.left_out(gone)]
    return pd.DataFrame(rows, columns=list(COLUMNS)), missing


def _labels(dataset: str, load: Callable[[str], Dataset], missing: list[str]) -> NDArray | None:
    """The labels of the test images; None where there are none, or where the data set cannot be had."""
    try:
        return load(dataset).y_test
    except InputError as error:
        missing.append(f"classes are not compared: {error}")
        return None


def effective_rank(codes: NDArray) -> float:
    """How many directions the codes use: exp of the entropy of their covariance's normalised eigenvalues.

    Between 1 and min(k, n - 1); k where all directions vary alike (Roy & Vetterli 2007, EUSIPCO, definition 2, here of
    the covariance). 0 where nothing varies.

    Args:
        codes: (n, k), at least 2.
    """
    centred = np.asarray(codes, np.float64) - np.mean(codes, axis=0, dtype=np.float64)
    spread = np.square(np.linalg.svd(centred, compute_uv=False))
    if spread.sum() == 0:
        return 0.0
    shares = spread[spread > 0] / spread.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def neighbour_accuracy(codes: NDArray, labels: NDArray, neighbours: int = NEIGHBOURS) -> float:
    """How often an image's class is the commonest among its nearest codes, 0 to 1: 1 where classes do not overlap.

    Leave-one-out: neighbours are sought among the same images, and an image is not its own. `analysis.latent_space`
    seeks them among training images, and more of them: its shares are others. Ties go to the class with the lowest
    number. Chance is near the share of the largest class.

    Args:
        codes: (n, k), n above `neighbours`.
        labels: (n,) whole numbers from 0.
        neighbours: How many vote.
    """
    from scipy.spatial import cKDTree

    _, near = cKDTree(codes).query(codes, k=neighbours + 1)
    others = np.where(near[:, :-1] == np.arange(len(codes))[:, None], near[:, -1:], near[:, :-1])
    votes = [np.bincount(labels[row]).argmax() for row in others]
    return float(np.mean(np.array(votes) == labels))


def _of_codes(codes: NDArray, labels: NDArray | None) -> dict[str, Any]:
    accuracy = None if labels is None else neighbour_accuracy(codes, np.unique(labels, return_inverse=True)[1])
    return {"effective_rank": effective_rank(codes), "neighbour_accuracy": accuracy, "images": len(codes)}


def _output(reconstructions: NDArray) -> str:
    """In a word, the one image that all codes are decoded to; empty where reconstructions (n, H, W, C) differ."""
    if (reconstructions != reconstructions[0]).any():
        return ""
    return ONE_IMAGE if reconstructions.any() else BLACK


def _open(draw: Draw) -> Bench:
    from analysis.applications import Bench, Found

    def model(network: Any, row: Any) -> Found:
        code, skips = _encode(network, draw.images)
        found = {**_of_codes(code, draw.labels), "latent_use": _latent_use(network, draw.images, code, skips)}
        return Found([found], {})

    return Bench(lambda: Found(_pca(draw), {}), model)


def _pca(draw: Draw) -> list[dict[str, Any]]:
    """The codes of PCA at the same sizes: what needs no network."""
    from analysis import linear

    basis = linear.fit(draw.train, max(draw.sizes))
    sizes = [k for k in draw.sizes if k <= len(basis.components)]
    return [{"method": "PCA", "latent_dim": k, **_of_codes(basis.codes(draw.images, k), draw.labels)} for k in sizes]


def _encode(network: Any, images: NDArray) -> tuple[NDArray, list[NDArray]]:
    """The codes, and what skips past them."""
    code, *skips = _called(network.get_layer("encoder"), [images])
    return code, skips


def _latent_use(network: Any, images: NDArray, code: NDArray, skips: list[NDArray]) -> float:
    """MSE with every code replaced by the next image's ÷ MSE with its own: 1 where the decoder ignores the code."""
    errors = []
    for codes in (np.roll(code, 1, axis=0), code):
        (found,) = _called(network.get_layer("decoder"), [codes, *skips])
        errors.append(np.mean(np.square(np.clip(found, 0, 1) - images), dtype=np.float64))
    return float(errors[0] / errors[1])


def _called(model: Any, inputs: Sequence[NDArray]) -> list[NDArray]:
    """The outputs of a model. Called, not predict(): for so few images most of the time would go into tracing."""
    parts = []
    for start in range(0, len(inputs[0]), BATCH):
        batch = [array[start : start + BATCH] for array in inputs]
        found = model(batch if len(batch) > 1 else batch[0], training=False)
        parts.append([np.asarray(one) for one in (found if isinstance(found, (list, tuple)) else [found])])
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]
