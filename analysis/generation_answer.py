"""The answer of generation to "do samples of the latent space decode to new images?", chosen by the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import command, figures
from analysis.citable import Answer, slug
from analysis.draws import images_of
from analysis.generalization_estimates import SHARE_MARGIN
from analysis.generation_bench import PRIMARY
from analysis.generation_text import guessing, told_apart, with_interval

if TYPE_CHECKING:
    import pandas as pd

    from analysis.generation_estimates import Estimates

MORE = {"higher": "more than these", "lower": "fewer than these"}


def answers(estimates: Estimates, split: str) -> list[Answer]:
    """An answer a data set."""
    return [
        Answer(
            "generation", _answer(str(dataset), contrast, estimates, split), _identity(contrast), f"distances-{dataset}"
        )
        for dataset, contrast in estimates.contrast.groupby("dataset", sort=False)
    ]


def _answer(dataset: str, contrast: pd.DataFrame, estimates: Estimates, split: str) -> str:
    first = contrast.iloc[0]
    counts = contrast["verdict"].value_counts()
    nearer, farther = (int(counts.get(verdict, 0)) for verdict in ("lower", "higher"))
    metrics = estimates.metrics[estimates.metrics["dataset"] == dataset]
    main, others = metrics[metrics["main"] & (metrics["kind"] == "model")], metrics[metrics["kind"] == "baseline"]
    of = {row["metric"]: row for row in main[main["cell"] == first["cell"]].to_dict("records")}
    told, trials = told_apart(main)
    return (
        f"On {dataset}: {_whether(contrast)}; a classifier tells samples from real images in {told} of {trials} trials."
        f" At their main sampler {nearer} of {len(contrast)} cells decode to images nearer to real ones than a "
        f"Gaussian mixture on PCA coordinates, {farther} farther, {len(contrast) - nearer - farther} not resolved "
        f"(kernel distance, simultaneous 95 % intervals, n = {command.span(set(contrast['n']))}). "
        f"The first, {first['cell']}: {with_interval(of[PRIMARY])} against {first['baseline']:.3g}, with real images "
        f"at {first['floor']:.3g} (kernel distance to {first['n_images']:,} {figures.SPLITS[split]} images, n = "
        f"{first['n']}, {images_of([split])}); a classifier sorts its images and as many real ones, taken together, "
        f"with an accuracy of {of['told_apart']['value']:.3g} ({guessing(others)}). Nearer to a training image than to "
        f"any held-out one lie {100 * first['training_share']:.3g} % of its images and "
        f"{100 * first['training_baseline']:.3g} % of the PCA mixture's, which copies none: "
        f"{MORE.get(first['training_verdict'], 'the difference is not resolved')}, "
        f"{command.with_ends(first['training_difference'], first['training_low'], first['training_high'], '+.3g')} "
        f"(shares, paired by seed, simultaneous 95 % intervals, n = {first['n']}, {images_of([])})."
    )


def _whether(contrast: pd.DataFrame) -> str:
    """Whether samples are new images: nearer to real ones than the PCA mixture's, and no copies more than these are.

    No more than would matter: the interval of the difference of the shares ends below `SHARE_MARGIN`. A difference that
    is not resolved shows nothing.
    """
    nearer, count = contrast["verdict"] == "lower", len(contrast)
    new = nearer & (contrast["training_high"] < SHARE_MARGIN)
    rest = int((nearer & ~new).sum())
    no_copies = f"at most {SHARE_MARGIN:g} more of them than of the mixture's lie nearest to a training image"
    if new.any():
        left = f"; the latter is open of {rest} more that are nearer" if rest else ""
        return f"yes, for {new.sum()} of {count} cells, whose images are nearer to real ones and {no_copies}{left}"
    if (nearer & (contrast["training_verdict"] == "higher")).sum() == rest > 0:
        return "not shown, for what is nearer to real images is nearer to training images as well"
    if rest:
        return f"not shown: the images of {rest} of {count} cells are nearer to real ones; open is whether {no_copies}"
    return "no" if (contrast["verdict"] == "higher").all() else "not resolved"


def _identity(contrast: pd.DataFrame) -> str:
    return f"contrast-{slug(str(contrast['cell'].iloc[0]))}"
