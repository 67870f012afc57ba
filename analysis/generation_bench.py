"""One model, or one method without a model, at the task of generation: what it makes, and how far that is from real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import generation_distances as distances
from analysis import generation_features as features
from analysis import generation_samplers as samplers
from analysis import linear, roc
from analysis.applications import Bench, Found, Pictures
from study import autoencoders, datasets
from study.errors import InputError

if TYPE_CHECKING:
    from analysis.draws import Draw

PRIMARY = "kernel_distance"
PCA_MIXTURE, TRAINING, HELD_OUT = "PCA mixture", "training images", "held-out images"
FITTED = 4_000  # training codes that samplers are fitted on
NEAREST = 500  # generated images whose nearest training image is looked for
COMPONENTS = (2, 4, 8, 16, 32, 64)  # of the PCA mixture
SHOWN = 12  # draws of each sampler that are shown: the first ones
SIDE, STEPS = 15, 20  # of the manifold, of the line
BATCH = 250
LEAST = 10  # images of each kind: fewer say nothing of a distribution
PAIRS = ((0, 1), (2, 3))  # of the shown images, that are interpolated between
BETWEEN = np.linspace(0, 1, 9)
SEEN = 0.95  # the share of training codes along each unit that manifold and line show
PLOTTED = 500  # codes and draws of the lowest seed that are kept for the figure


def main_sampler(regularizer: str) -> str:
    """The sampler that a cell is judged by, fixed beforehand."""
    return samplers.STANDARD if regularizer == "variational" else samplers.MIXTURE


class Measure:
    """The evaluated images, and how generated ones are held against them."""

    def __init__(self, draw: Draw, folder: Path) -> None:
        held = datasets.to_unit(draw.splits.heldout, draw.data.value_range)
        if min(len(draw.images), len(draw.train), len(held)) < LEAST:
            raise InputError(
                f"generation compares sets of images and needs {LEAST} or more; here are {len(draw.images)} evaluated, "
                f"{len(draw.train)} training and {len(held)} held-out images. Raise --images, or leave out cells of "
                "smaller training sets with --cells."
            )
        self.draw, self.features = draw, features.of_draw(draw, folder)
        self._real = self.features.apply(draw.images)
        equal = min(len(draw.train), len(held))
        self._galleries = draw.train[:equal], held[:equal]

    def row(self, images: np.ndarray) -> dict[str, Any]:
        """Every number of one set of images; compared with as many real ones."""
        n = min(len(images), len(self._real))
        real, made = self._real[:n], self.features.apply(images[:n])
        told = distances.told_apart(real, made)
        return {
            "n_images": n,
            PRIMARY: distances.kernel_distance(real, made),
            "frechet_distance": distances.frechet_distance(real, made),
            **distances.coverage(real, made)._asdict(),
            **{"told_apart": told.value, "told_apart_low": told.low, "told_apart_high": told.high},
            "weights": self.features.digest or self.features.kind,
        }

    def memory(self, images: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
        """How near images are to training images: numbers, and the distances of the first `NEAREST`."""
        found = distances.nearest(images[:NEAREST], self.draw.train)
        train, held = self._galleries
        to_train = found if len(train) == len(self.draw.train) else distances.nearest(images[:NEAREST], train)
        to_held = distances.nearest(images[:NEAREST], held)
        nearer = (to_train < to_held) + 0.5 * (to_train == to_held)
        numbers = {
            "nearest": float(np.median(found)),
            "nearest_of_heldout": float(np.median(self._of_held_out)),
            "nearer_than_heldout": roc.area(found, self._of_held_out),
            "nearest_is_training": float(nearer.mean()),
        }
        return numbers, found.astype(np.float32)

    @cached_property
    def _of_held_out(self) -> np.ndarray:
        return distances.nearest(self._galleries[1][:NEAREST], self.draw.train)

    def described(self) -> dict[str, Any]:
        """What the features are, for the baselines' rows."""
        found = self.features
        accuracy = {f"accuracy{end}": v for end, v in (("", found.accuracy.value), ("_low", found.accuracy.low))}
        return {
            **{"features": found.kind, "feature_size": found.size},
            **accuracy,
            **{"accuracy_high": found.accuracy.high, "accuracy_n": found.accuracy.n},
        }


def open_bench(draw: Draw, folder: Path) -> Bench:
    """Measures the real images; `folder` keeps the classifier."""
    measure = Measure(draw, folder)
    return Bench(lambda: _baselines(measure), lambda model, row: _model(measure, model))


def _model(measure: Measure, model: Any) -> Found:
    draw, n = measure.draw, len(measure.draw.images)
    asked = (draw.train[:FITTED], draw.validation, draw.images, draw.shown)
    train, val, evaluated, shown = _encoded(model, asked)
    known = samplers.Codes(train, val, evaluated)
    drawn = {name: samplers.draw(name, known, draw.seed, n) for name in samplers.SAMPLERS}
    wanted = {f"draws/{name}": codes for name, (codes, _) in drawn.items()}
    wanted |= _pictured(train, shown) if draw.first else {}
    made = _decoded(model, wanted, draw.train)
    rows, kept = [], {}
    for name, (_, setting) in drawn.items():
        numbers, kept[f"nearest/{name}"] = measure.memory(made[f"draws/{name}"])
        rows.append({"sampler": name, "setting": setting, **measure.row(made[f"draws/{name}"]), **numbers})
    if not draw.first:
        return Found(rows, {}, kept)
    pictures = {name: images[:SHOWN] if name.startswith("draws/") else images for name, images in made.items()}
    kept |= {f"codes/{name}": codes[:PLOTTED].astype(np.float32) for name, codes in wanted.items()}
    kept |= {"codes/evaluated": evaluated[:PLOTTED].astype(np.float32)}
    if draw.labels is not None:
        kept["labels"] = draw.labels[:PLOTTED]
    return Found(rows, pictures, kept)


def _encoded(model: Any, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The codes of several sets of images, encoded at once."""
    encoder = autoencoders.without_xla(model.get_layer("encoder"))
    encoded = encoder.predict(_whole(np.concatenate(parts)), batch_size=BATCH, verbose=0)
    return _split(np.asarray(autoencoders.code_of(encoded), np.float64), parts)


def _decoded(model: Any, codes: Mapping[str, np.ndarray], train: np.ndarray) -> Pictures:
    """All codes decoded at once, clipped to [0, 1]."""
    joined = _whole(np.concatenate(list(codes.values())).astype(np.float32))
    images = np.clip(autoencoders.decode(model, joined, train, BATCH), 0, 1)
    return dict(zip(codes, _split(images, list(codes.values())), strict=True))


def _whole(values: np.ndarray) -> np.ndarray:
    """Filled up to whole batches: a batch of another size would have the network traced anew, which costs more."""
    return np.concatenate([values, np.repeat(values[:1], -len(values) % BATCH, axis=0)])


def _split(values: np.ndarray, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The values of each part, without what filled up the last batch."""
    return np.split(values, np.cumsum([len(part) for part in parts]))[:-1]


def _pictured(train: np.ndarray, shown: np.ndarray) -> dict[str, np.ndarray]:
    """Codes that are decoded only to be looked at: between pairs of images, and all over a code of one or two units."""
    found = {
        f"between/{first}-{second}": np.stack([(1 - t) * shown[first] + t * shown[second] for t in BETWEEN])
        for first, second in PAIRS
    }
    ends = np.quantile(train, [(1 - SEEN) / 2, (1 + SEEN) / 2], axis=0)
    if train.shape[1] == 1:
        found["line"] = np.linspace(ends[0], ends[1], STEPS)
    if train.shape[1] == 2:
        across, up = (np.linspace(ends[0, unit], ends[1, unit], SIDE) for unit in (0, 1))
        found["manifold"] = np.stack([grid.ravel() for grid in np.meshgrid(across, up[::-1])], axis=1)
    return found


def _baselines(measure: Measure) -> Found:
    draw, n = measure.draw, len(measure.draw.images)
    mixture, setting = _pca_mixture(measure, n)
    held = datasets.to_unit(draw.splits.heldout[:n], draw.data.value_range)
    made = {PCA_MIXTURE: mixture, TRAINING: draw.train[:n], HELD_OUT: held}
    if draw.split in ("train", "heldout"):  # no floor from the images that are evaluated
        made.pop({"train": TRAINING, "heldout": HELD_OUT}[draw.split])
    rows, kept, pictures = [], {}, {"original": draw.shown}
    for name, images in made.items():
        numbers, kept[f"nearest/{name}"] = measure.memory(images)
        of = {"method": name, "setting": setting if name == PCA_MIXTURE else ""}
        rows.append({**of, **measure.row(images), **numbers, **measure.described()})
        pictures[f"draws/{name}"] = images[:SHOWN]
    pictures["draws/evaluated images"] = draw.images[:SHOWN]
    return Found(rows, pictures if draw.first else {}, kept)


def _pca_mixture(measure: Measure, n: int) -> tuple[np.ndarray, str]:
    """A Gaussian mixture on PCA coordinates; of `COMPONENTS`, those whose draws are nearest the validation images."""
    draw = measure.draw
    basis = linear.fit(draw.train, min(max(COMPONENTS), draw.images[0].size, len(draw.train) - 1))
    train, val = (basis.codes(images) for images in (draw.train[:FITTED], draw.validation))
    real = measure.features.apply(draw.validation)
    best, least, chosen = None, np.inf, ""
    for size in (size for size in COMPONENTS if size <= len(basis.components)):
        codes, setting = samplers.draw(
            samplers.MIXTURE, samplers.Codes(train[:, :size], val[:, :size], val[:, :size]), draw.seed, n, PCA_MIXTURE
        )
        flat = basis.mean + codes @ basis.components[:size]
        images = np.clip(flat, 0, 1).reshape(n, *draw.data.shape).astype(np.float32)
        distance = distances.kernel_distance(real, measure.features.apply(images))
        if best is None or distance < least:
            best, least, chosen = images, distance, f"{size} coordinates, {setting}"
    assert best is not None  # at least two coordinates always are there
    return best, chosen
