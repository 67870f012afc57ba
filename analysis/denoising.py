"""Denoising: how well does a trained autoencoder remove noise that it may never have seen?

Gaussian noise at five levels, salt-and-pepper noise at three and Poisson noise are added to test images, which are then
clipped to [0, 1] as a camera would. The autoencoder's reconstruction of the noisy image is compared with the clean one.
Beside it stand methods that need no autoencoder: the noisy image itself, total variation and non-local means (their
settings chosen on validation images), PCA (its size chosen there too), and the linear optimum, the regression of clean
on noisy training images. All outputs are clipped to [0, 1].

Primary metric: MSE against the clean image, as skill, the log of its ratio to the linear optimum's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from analysis import applications, command, linear, linear_optimum, restoration
from analysis.applications import Bench, Found, Pictures, Rows
from analysis.draws import Draw
from study import corruptions, metrics

SHOWN = ("gaussian_0.25", "gaussian_0.5", "salt_pepper_0.25", "poisson_10")
COSTLY_IMAGES, SETTING_IMAGES = 200, 40  # of total variation and non-local means, on the lowest seed's draw only
WEIGHTS = (0.03, 0.1, 0.2, 0.4, 0.8)  # of total variation
STRENGTHS = (0.4, 0.8, 1.2, 2.0)  # of non-local means, times the noise's standard deviation
COMPONENTS = (2, 4, 8, 16, 32, 64, 128)
Restore = Callable[[np.ndarray], np.ndarray]


def open_bench(draw: Draw) -> Bench:
    """Makes the inputs of a draw."""
    noisy = {c: corruptions.noisy(draw.images, c, draw.index) for c in corruptions.NOISES}
    shown = {c: corruptions.noisy(draw.shown, c, draw.shown_index) for c in SHOWN}
    return Bench(lambda: _baselines(draw, noisy, shown), lambda model, _: _model(draw, model, noisy, shown))


TASK = applications.Task("denoising", version=1, images=2000, open=open_bench)


def _model(draw: Draw, model: Any, noisy: Pictures, shown: Pictures) -> Found:
    reconstruct = restoration.reconstructor(model)
    rows = [_row(draw, condition, reconstruct(images)) for condition, images in noisy.items()]
    return Found(rows, {condition: reconstruct(images) for condition, images in shown.items()})


def _row(draw: Draw, condition: str, restored: np.ndarray) -> dict[str, Any]:
    images = draw.images[: len(restored)]
    squared = metrics.squared_error(images, restored)
    return {
        "condition": condition,
        "mode": "one pass",
        "n_images": len(restored),
        "mse": float(squared.mean()),
        "mae": float(metrics.absolute_error(images, restored).mean()),
        "psnr": float(metrics.peak_signal_to_noise(squared).mean()),
        "ssim": float(metrics.structural_similarity(images, restored).mean()),
    }


def _baselines(draw: Draw, noisy: Pictures, shown: Pictures) -> Found:
    rows: Rows = []
    pictures: Pictures = {f"input/{condition}": images for condition, images in shown.items()}
    pictures["original"] = draw.shown
    basis = linear.fit(draw.train, min(max(COMPONENTS), int(np.prod(draw.data.shape)), len(draw.train) - 1))
    for condition, images in noisy.items():
        held = corruptions.noisy(draw.validation, condition, draw.validation_index)
        optimum = _optimum(draw, condition, held)
        methods: dict[str, Restore] = {
            "noisy image": lambda x: x,
            "linear optimum": optimum,
            "PCA": _best([_projection(basis, k) for k in COMPONENTS if k <= len(basis.components)], draw, held),
        }
        rows += [{"method": name, **_row(draw, condition, restore(images))} for name, restore in methods.items()]
        if draw.first:
            few = images[:COSTLY_IMAGES]
            for name, candidates in (
                ("total variation", _total_variation()),
                ("non-local means", _non_local(draw, held)),
            ):
                best = _best(candidates, draw, held[:SETTING_IMAGES])
                rows.append({"method": name, **_row(draw, condition, best(few))})
        if condition in SHOWN:
            pictures[f"linear optimum/{condition}"] = optimum(shown[condition])
    return Found(rows, pictures)


def _optimum(draw: Draw, condition: str, held: np.ndarray) -> Restore:
    """The linear optimum; noise on training images by their own rule, the ridge chosen on validation images."""
    train = corruptions.noisy(draw.train, condition, draw.splits.train_index[: len(draw.train)])
    fitted: list[Restore] = [linear_optimum.denoiser(draw.train, train, ridge) for ridge in linear_optimum.RIDGES]
    return _best(fitted, draw, held)


def _best(candidates: Sequence[Restore], draw: Draw, held: np.ndarray) -> Restore:
    """The candidate with the least squared error on noisy validation images."""
    clean = draw.validation[: len(held)]
    errors = [float(metrics.squared_error(clean, restore(held)).mean()) for restore in candidates]
    return candidates[int(np.argmin(errors))]


def _projection(basis: linear.PCA, k: int) -> Restore:
    return lambda images: basis.reconstruct(images, k)


def _total_variation() -> list[Restore]:
    """Chambolle's total variation (scikit-image) at each weight."""
    from skimage.restoration import denoise_tv_chambolle

    def with_weight(weight: float) -> Restore:
        return lambda images: np.stack([denoise_tv_chambolle(x, weight=weight, channel_axis=-1) for x in images])

    return [with_weight(weight) for weight in WEIGHTS]


def _non_local(draw: Draw, held: np.ndarray) -> list[Restore]:
    """Non-local means (scikit-image) at each strength, for the deviation that the noise has on validation images."""
    from skimage.restoration import denoise_nl_means

    sigma = float(np.std(held - draw.validation))
    side = min(held.shape[1:3])
    patch, distance = (3, 3) if side < 16 else (5, 6)

    def with_strength(strength: float) -> Restore:
        return lambda images: np.stack(
            [
                denoise_nl_means(x, patch, distance, h=max(strength * sigma, 1e-3), sigma=sigma, channel_axis=-1)
                for x in images
            ]
        )

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
