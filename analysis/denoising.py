"""Denoising: how well does a trained autoencoder remove noise that it may never have seen?

Gaussian noise at five levels, salt-and-pepper noise at three and Poisson noise are added to test images, which are then
clipped to [0, 1] as a camera would. The autoencoder's reconstruction of the noisy image is compared with the clean one.
Beside it stand methods that need no autoencoder: the noisy image itself, total variation and non-local means (their
settings chosen on validation images), PCA (its size chosen there too), and the linear optimum, the regression of clean
on noisy training images. All outputs are clipped to [0, 1].

Primary metric: MSE against the clean image, as skill, the log of its ratio to the linear optimum's, on 5,000 images, a
fixed draw (nine kinds of noise on 10,000 would take too long); total variation and non-local means on the first 1,000
of them, with the settings of the lowest seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from analysis import applications, command, linear, linear_optimum, restoration
from analysis.applications import Bench, Found, Pictures, Rows
from analysis.draws import Draw
from study import corruptions, metrics

SHOWN = ("gaussian_0.25", "gaussian_0.5", "salt_pepper_0.25", "poisson_10")
SETTING_IMAGES = 40  # of total variation and non-local means
WEIGHTS = (0.03, 0.1, 0.2, 0.4, 0.8)  # of total variation
STRENGTHS = (0.4, 0.8, 1.2, 2.0)  # of non-local means, times the noise's standard deviation
COMPONENTS = (2, 4, 8, 16, 32, 64, 128)
KEPT_BYTES = 400_000_000  # of noisy images that are kept for the next model; beyond, they are made again
Restore = Callable[[np.ndarray], np.ndarray]
Noisy = Callable[[str], np.ndarray]


def open_bench(draw: Draw) -> Bench:
    """What models and baselines are tried with; noisy images are made when they are needed."""
    noisy = lru_cache(KEPT_BYTES // draw.images.nbytes)(lambda c: corruptions.noisy(draw.images, c, draw.index))
    return Bench(lambda: _baselines(draw, noisy), lambda model, _: _model(draw, model, noisy))


TASK = applications.Task("denoising", version=2, images=5_000, open=open_bench)


def _model(draw: Draw, model: Any, noisy: Noisy) -> Found:
    reconstruct = restoration.reconstructor(model)
    rows: Rows = []
    for condition in corruptions.NOISES:
        rows += _rows(draw, condition, reconstruct(noisy(condition)))
    return Found(rows, {c: reconstruct(_shown(draw, c)) for c in SHOWN} if draw.first else {})


def _shown(draw: Draw, condition: str) -> np.ndarray:
    return corruptions.noisy(draw.shown, condition, draw.shown_index)


def _rows(draw: Draw, condition: str, restored: np.ndarray) -> Rows:
    return restoration.rows(condition, "one pass", draw.images[: len(restored)], restored)


def _baselines(draw: Draw, noisy: Noisy) -> Found:
    rows: Rows = []
    pictures: Pictures = {"original": draw.shown} if draw.first else {}
    basis = linear.fit(draw.train, min(max(COMPONENTS), int(np.prod(draw.data.shape)), len(draw.train) - 1))
    for condition in corruptions.NOISES:
        held = corruptions.noisy(draw.validation, condition, draw.validation_index)
        optimum = _best(linear_optimum.denoisers(linear_optimum.noisy_moments(draw.train, condition)), draw, held)
        methods: dict[str, Restore] = {
            "noisy image": lambda x: x,
            restoration.REFERENCE: optimum,
            "PCA": _best((_projection(basis, k) for k in COMPONENTS if k <= len(basis.components)), draw, held),
        }
        for name, restore in methods.items():
            rows += [{"method": name, **row} for row in _rows(draw, condition, restore(noisy(condition)))]
        if draw.first:
            rows += _costly(draw, condition, noisy(condition)[: restoration.FEW], held)
        if draw.first and condition in SHOWN:
            shown = _shown(draw, condition)
            pictures |= {f"input/{condition}": shown, f"{restoration.REFERENCE}/{condition}": optimum(shown)}
    return Found(rows, pictures)


def _costly(draw: Draw, condition: str, images: np.ndarray, held: np.ndarray) -> Rows:
    """Total variation and non-local means."""
    rows: Rows = []
    for name, candidates in (("total variation", total_variation()), ("non-local means", non_local_means(draw, held))):
        best = _best(candidates, draw, held[:SETTING_IMAGES])
        rows += [{"method": name, **row} for row in _rows(draw, condition, best(images))]
    return rows


def _best(candidates: Iterable[Any], draw: Draw, held: np.ndarray) -> Any:
    """The candidate with the least squared error on noisy validation images."""
    clean = draw.validation[: len(held)]
    return min(candidates, key=lambda restore: float(metrics.squared_error(clean, restore(held)).mean()))


def _projection(basis: linear.PCA, k: int) -> Restore:
    """PCA's reconstruction, a block at a time."""
    return lambda images: np.concatenate(
        [basis.reconstruct(block, k).astype(np.float32) for block in linear.blocks(images)]
    )


def total_variation() -> list[Restore]:
    """Chambolle's total variation (scikit-image; doi:10.1023/B:JMIV.0000011325.36760.1e) at each weight."""
    from skimage.restoration import denoise_tv_chambolle

    def with_weight(weight: float) -> Restore:
        return lambda images: np.stack([denoise_tv_chambolle(x, weight=weight, channel_axis=-1) for x in images])

    return [with_weight(weight) for weight in WEIGHTS]


def non_local_means(draw: Draw, held: np.ndarray) -> list[Restore]:
    """Non-local means (scikit-image; Buades et al. 2005, doi:10.1109/CVPR.2005.38) at each strength.

    Times the deviation that the noise has on validation images; patches of 5×5 within 13×13, of 3×3 within 7×7 where
    an image has fewer than 16 pixels a side.
    """
    from skimage.restoration import denoise_nl_means

    sigma = float(np.std(held - draw.validation))
    patch, distance = (3, 3) if min(held.shape[1:3]) < 16 else (5, 6)

    def with_strength(strength: float) -> Restore:
        h = max(strength * sigma, 1e-3)
        return lambda images: np.stack(
            [denoise_nl_means(x, patch, distance, h=h, sigma=sigma, channel_axis=-1).reshape(x.shape) for x in images]
        )  # a single channel comes back without its axis

    return [with_strength(strength) for strength in STRENGTHS]


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Evaluates, estimates, draws and writes."""
    return restoration.answer(TASK, restoration.DENOISING, arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("denoising", __doc__)
    applications.add_options(parser, TASK)
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
