"""What an explanation predicts, from what a contrast changes alone: which measurement moves which way.

Pure, and before any number is looked at; `effects_mechanism` then measures. A prediction comes from theory or from what
a level is made for. That of depth was once the opposite: `residual_depth` contradicted it, and the theory it now
follows was found afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from analysis import code_diff, figures
from analysis.effects_families import Contrast
from analysis.effects_pca import LINEAR
from study.levels import has

LOWER, HIGHER, UNDECIDED = "lower", "higher", "undecided"
BY_EFFECT, BY_SIZE, BY_THEOREM = "effect", "size", "theorem"  # what may leave a prediction no way to fail
TOGETHER = 0.05  # a change of test ÷ training error of no importance, as a share
MATCHED = {"bce": "excess_bce", "mse": "mse", "mae": "mae", "ssim": "ssim"}  # loss → the metric that it minimises
REGULARIZED = {  # what each is made for
    "sparse": {"active_units": LOWER, "fit": HIGHER},
    "variational": {"active_units": LOWER, "fit": HIGHER},
    "denoising": {"fit": HIGHER},
    "contractive": {"effective_rank": LOWER, "fit": HIGHER},
}


def predictions(
    contrast: Contrast,
    registries: Mapping[str, Mapping[str, Callable]],
    parameters: tuple[float, float] | None = None,
    narrowest: float = np.inf,
) -> dict[str, str]:
    """What the explanation of a contrast predicts, from what it changes alone: measurement → lower or higher.

    Args:
        contrast: The cell and its reference.
        registries: Factor → level → function.
        parameters: How many the reference and the cell have.
        narrowest: Units of the narrowest hidden layer of either; the code is none.
    """
    expected: dict[str, str] = {}
    for factor in contrast.factors:
        old, new = contrast.changed[factor]
        if factor == "latent_dim":
            expected |= _of_size(old, new, narrowest)
        elif factor == "architecture":
            expected |= _of_architecture(registries["architecture"], old, new, parameters)
        elif factor == "loss":
            expected |= {
                f"train_{MATCHED[loss]}": way for loss, way in ((old, HIGHER), (new, LOWER)) if loss in MATCHED
            }
        elif factor == "regularizer":
            expected |= _of_regularizer(old, new)
        elif factor == "train_size":
            expected |= {"gap": LOWER if (new or np.inf) > (old or np.inf) else HIGHER}
        elif factor == "depth" and None not in (old, new):
            functions = [registries["architecture"].get(levels["architecture"]) for _, levels in contrast.sides]
            if all(map(gradients_grow, functions)):
                expected |= {"gradient_scale": HIGHER if new > old else LOWER}
            elif all(map(_for_gradients, functions)):  # what skips are made for
                expected |= {"fit": LOWER if new > old else HIGHER}
    return expected


def _of_regularizer(old: str, new: str) -> dict[str, str]:
    """What the new one does, and the reverse of what the old one did; nothing where these are opposed."""
    undone = {name: LOWER if way == HIGHER else HIGHER for name, way in REGULARIZED.get(old, {}).items()}
    both = undone | REGULARIZED.get(new, {})
    return {name: way for name, way in both.items() if undone.get(name, way) == way}


def _of_size(old: int, new: int, narrowest: float) -> dict[str, str]:
    """More units hold more directions: they are used, training images fit better, classes come apart.

    Beyond the narrowest layer further units hold nothing more, though they vary.
    """
    if narrowest <= min(old, new):
        return {}
    more, less = (HIGHER, LOWER) if new > old else (LOWER, HIGHER)
    used = {"active_units": more} if max(old, new) <= narrowest else {}
    return {**used, "effective_rank": more, "fit": less, "neighbour_accuracy": more}


def _of_architecture(
    functions: Mapping[str, Callable], old: str, new: str, parameters: tuple[float, float] | None
) -> dict[str, str]:
    """Skips around the code relieve it; otherwise what counts is how many parameters there are to fit with.

    A linear network is no better than PCA, whatever their number; what is not linear may be. Where they are equally
    many and the new architecture's own reason names gradients, it keeps those small that grow without it.
    """
    skips = {name: has(functions.get(name), "skips") for name in (old, new)}
    if skips[new] != skips[old]:
        return {"latent_use": LOWER if skips[new] else HIGHER}
    if LINEAR in (old, new):
        above, below = ("over_pca", "reference_over_pca") if new == LINEAR else ("reference_over_pca", "over_pca")
        return {above: HIGHER, below: LOWER}
    if parameters is None:
        return {}
    if parameters[0] == parameters[1]:
        held_down = gradients_grow(functions.get(old)) and _for_gradients(functions.get(new))
        return {"gradient_scale": LOWER} if held_down else {}
    return {"fit": LOWER if parameters[1] > parameters[0] else HIGHER}


def gradients_grow(function: Callable | None) -> bool:
    """Whether an architecture is of those whose gradients grow with depth, on the way back to the first layer.

    Those normalised over batches and without skips (Yang et al. 2019, arXiv:1902.08129): the project's own that use
    batch normalisation, by their code, less those whose own reason names gradients. Of others it is not known.
    """
    if function is None or not function.__module__.startswith("study.") or _for_gradients(function):
        return False
    return any("BatchNormalization" in text for text in code_diff.source(function).values())


def _for_gradients(function: Callable | None) -> bool:
    """Whether an architecture's own reason (`why`) names gradients."""
    return "gradient" in getattr(function, "why", "")


def expected_effect(expected: Mapping[str, str], metric: str) -> str:
    """How the error moves if the reason is the right one; empty where its predictions leave that open.

    Test error is training error times their ratio; it falls where the code is passed by, and rises where gradients
    grow until a network can no longer be trained.

    Args:
        expected: From `predictions`.
        metric: Of the error.
    """
    same = ("fit", "gap", f"train_{figures.split_of(metric)[1]}", "latent_use", "pca", "over_pca", "gradient_scale")
    ways = {expected[name] for name in same if name in expected}
    return ways.pop() if len(ways) == 1 else ""


def bound_to_hold(
    found: Mapping[str, Mapping[str, Any]], contrast: Contrast, metric: str, effect: str
) -> dict[str, str]:
    """The measurements that cannot but move as predicted, each with what that follows from.

    Of the effect: training error moves as test error does unless test ÷ training error (`gap`) makes up for it. Of the
    size: the larger of two codes could leave units unused, the smaller cannot have more of them than it has. Of a
    theorem: no linear network fits images better than PCA does.

    Args:
        found: The measurements, by name.
        contrast: The cell and its reference.
        metric: Of the error.
        effect: Whether it is lower, higher or undecided.

    Returns:
        Measurement → `BY_EFFECT`, `BY_SIZE` or `BY_THEOREM`; that of a reason that is refuted may be among them.
    """
    linear = "over_pca" if contrast.levels["architecture"] == LINEAR else "reference_over_pca"
    known = {linear: BY_THEOREM}
    gap = found.get("gap")
    if gap and figures.split_of(metric)[1] in ("mse", "fvu"):
        kept = {HIGHER: gap["high"] <= 1 + TOGETHER, LOWER: gap["low"] >= 1 / (1 + TOGETHER)}
        known |= dict.fromkeys(("fit", "train_mse"), BY_EFFECT) if kept.get(effect) else {}
    old, new = contrast.changed.get("latent_dim", (0, 0))
    for name in ("active_units", "effective_rank"):
        if new < old and name in found and found[name]["reference_value"] > new:
            known[name] = BY_SIZE
    return known
