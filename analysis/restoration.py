"""What inpainting and denoising share: an image is damaged by rule, restored, and compared with the image it was."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import applications, citable, command, figures, task_work
from analysis.application_elbow_errors import VALIDATION
from analysis.applications import Results, Rows, Task
from analysis.draws import DRAW
from analysis.restoration_estimates import REFERENCE, TRAINING_NOISE, Estimates, all_images, estimate
from analysis.similarity import structural_similarity
from study import autoencoders, corruptions, metrics, records

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset

__all__ = ["DENOISING", "FEW", "INPAINTING", "REFERENCE", "Kind", "answer", "reconstructor", "rows"]
FEW = 1_000  # images that costly methods are tried on: the first of a draw, themselves a fixed draw
BATCH = 250


@dataclass(frozen=True)
class Kind:
    """What differs between the two tasks.

    Attributes:
        name: The module, and the assignment's question.
        error: The primary metric in words.
        input: What the network is given.
        conditions: All of them.
        many: What several conditions are called.
        levels: Panel title → conditions in the order of difficulty.
        axis: Panel title → x label.
        crossings: The conditions between which models begin to beat baselines; none: not asked for.
        unseen: What plain networks do not see in training.
        fitted: What is done for the linear optimum in each condition.
        trained: Whether the regularizer `denoising` trains for this task.
    """

    name: str
    error: str
    input: str
    conditions: tuple[str, ...]
    many: str
    levels: dict[str, list[str]]
    axis: dict[str, str]
    unseen: str
    fitted: str
    crossings: tuple[str, ...] = ()
    trained: bool = False


INPAINTING = Kind(
    "inpainting",
    "MSE over removed pixels",
    "the image, its removed pixels (all channels) replaced by the mean pixel of the trial's training images",
    corruptions.MASKS,
    "masks",
    {
        "square in the middle": [f"centre_{p}" for p in corruptions.SQUARES],
        "square at a random place": [f"square_{p}" for p in corruptions.SQUARES],
        "random pixels": [f"pixels_{p}" for p in (25, 50, 75)],
    },
    {
        "square in the middle": "side, %",
        "square at a random place": "side, %",
        "random pixels": "share removed, %",
    },
    unseen="removed pixels",
    fitted="is solved anew for each mask",
)
DENOISING = Kind(
    "denoising",
    "MSE against the clean image",
    "the image with noise, clipped to [0, 1]",
    corruptions.NOISES,
    "kinds and levels of noise",
    {
        "Gaussian noise": [f"gaussian_{s}" for s in (0.1, 0.25, 0.5, 0.75, 1.0)],
        "salt and pepper": [f"salt_pepper_{s}" for s in (0.1, 0.25, 0.5)],
    },
    {"Gaussian noise": "standard deviation σ", "salt and pepper": "share of pixels"},
    unseen="noise",
    fitted="is fitted anew to each kind and level of noise",
    crossings=tuple(f"gaussian_{s}" for s in (0.1, 0.25, 0.5, 0.75, 1.0)),
    trained=True,
)


def reconstructor(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Images (n, H, W, C) → reconstructions, clipped to [0, 1]; many times over, so that the model is traced."""
    outputs = autoencoders.without_xla(model).predict_on_batch

    def reconstruct(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), BATCH)
        batches = (np.asarray(images[i : i + BATCH], np.float32) for i in starts)
        return np.concatenate([np.clip(outputs(batch), 0, 1) for batch in batches])

    return reconstruct


def rows(condition: str, mode: str, images: np.ndarray, restored: np.ndarray, share: Any = 1.0) -> Rows:
    """The errors of restored images, on all of them and on the first `FEW`, which costly methods are compared on.

    Args:
        condition: What was done to the images.
        mode: How they were restored.
        images: (n, H, W, C), the originals.
        restored: The same shape; clipped to [0, 1].
        share: (n,) The share of each image's pixels that the errors are taken over, the others being right.
    """
    squared = metrics.squared_error(images, restored) / share
    by_image = {
        "mse": squared,
        "mae": metrics.absolute_error(images, restored) / share,
        "psnr": metrics.peak_signal_to_noise(squared),
        "ssim": structural_similarity(images, restored),
    }
    counts = sorted({len(images), min(FEW, len(images))}, reverse=True)
    return [
        {"condition": condition, "mode": mode, "n_images": n, **{k: float(v[:n].mean()) for k, v in by_image.items()}}
        for n in counts
    ]


def answer(task: Task, kind: Kind, arguments: argparse.Namespace) -> command.Outcome:
    """Evaluates what is missing, estimates, draws and writes; what the command prints."""
    from analysis import restoration_figures, restoration_text

    study = arguments.study or records.latest(arguments.artifacts)
    load = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir)
    results = applications.evaluate(task, arguments, study, load)
    validated = _validated(task, arguments, study, load) if arguments.split == "test" else None
    estimates = estimate(results, kind.crossings, arguments.split, validated)
    folder = records.folder(study, arguments.artifacts) / "analysis" / kind.name
    folder = folder if arguments.split == "test" else folder / arguments.split
    paths = command.write({**estimates.tables(), "inputs": _inputs(kind)}, folder)
    shown = restoration_figures.chosen(records.load(study, arguments.artifacts), estimates.skill)
    for dataset, cells in shown.items():
        caption = restoration_text.caption(estimates, kind, dataset, arguments.split)
        paths += figures.save(restoration_figures.plot(estimates, kind, dataset, cells, caption), folder / dataset)
        examples = restoration_figures.examples(results, dataset, cells)
        if examples is not None:
            paths += command.write({f"examples-{dataset}": examples.table}, folder)
            picture = restoration_figures.plot_examples(examples, kind, arguments.split)
            paths += figures.save(picture, folder / f"examples-{dataset}")
    notices = [*records.notices(study, arguments.artifacts), *applications.unfinished(study, arguments.artifacts)]
    said = [*notices, *results.missing]
    said += restoration_text.sentences(estimates, kind, arguments.split)
    answers = list(restoration_text.answers(estimates, kind, arguments.split))
    columns = ["dataset", "cell", "ratio", "ratio_low", "ratio_high", "p", "n", "verdict"]
    note = (
        f"ratio: {kind.error} ÷ the {REFERENCE}'s on the same images, geometric mean over "
        f"{command.span(set(estimates.skill['conditions']))} {kind.many}; {estimates.skill['method'].iloc[0]}"
    )
    numbers = _citable(estimates)
    return command.Outcome(study, estimates.skill, said, paths, columns, note, folder, numbers, answers)


def _validated(task: Task, arguments: argparse.Namespace, study: str, load: Callable[[str], Dataset]) -> Results | None:
    """The same trials' results on validation images, where --split val or the elbow left them; nothing is computed."""
    for images in (task.images, min(VALIDATION, task.images)):
        asked = argparse.Namespace(**{**vars(arguments), "split": "val", "images": images})
        work = task_work.plan(task, asked, study, ())
        if all(map(work.store.has_table, work.names)):
            return applications.evaluate(task, asked, study, load)
    return None


def _inputs(kind: Kind) -> pd.DataFrame:
    """How the inputs were made: a row a condition."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                **{"condition": c, "what": corruptions.describe(c), "rule": corruptions.rule(c), "input": kind.input},
                "trained_on": f"clean images; cells of the regularizer denoising: images with {TRAINING_NOISE}",
            }
            for c in kind.conditions
        ]
    )


def _citable(estimates: Estimates) -> list[pd.DataFrame]:
    """Skill, every condition's error and ratio, and where they apply baselines, iteration, fills, sizes, crossings."""
    over = {"value": "ratio", "low": "ratio_low", "high": "ratio_high", "p": "p"}
    what = f"error of {{cell}} ÷ the {REFERENCE}'s, geometric mean over {{conditions}} conditions"
    found = [citable.statistics(estimates.skill, "skill", key=["cell"], what=what, prefix="skill", **over)]
    whole = all_images(estimates.conditions)
    for kind, key in (("model", []), ("baseline", [*DRAW])):
        part = whole[whole["kind"] == kind]
        ids: dict[str, Any] = {"key": [*key, "cell", "condition", "mode"]}
        what = "MSE of {cell}, {condition}, {mode}, {dataset}"
        ends = {"value": "mse", "low": "mse_low", "high": "mse_high"}
        found.append(citable.statistics(part, "conditions", what=what, prefix="mse", **ids, **ends))
        what = f"MSE of {{cell}} ÷ the {REFERENCE}'s, {{condition}}, {{mode}}, {{dataset}}"
        ends = {"value": "ratio", "low": "ratio_low", "high": "ratio_high"}
        found.append(citable.statistics(part, "conditions", what=what, prefix="ratio", **ids, **ends))
    changes = {
        "baselines": ("over", ["cell", "baseline", "condition"], "error of {cell} ÷ that of {baseline}, {condition}"),
        "iterated": ("iterated", ["cell", "condition"], "error of {cell} iterated ÷ that after one pass, {condition}"),
        "fills": ("fill", ["cell", "mode", "condition"], "error of {cell} {mode} ÷ with the mean pixel, {condition}"),
    }
    ends = {"value": "ratio", "low": "ratio_low", "high": "ratio_high"}
    for name, (prefix, key, what) in changes.items():
        if len(table := getattr(estimates, name)):
            found.append(citable.statistics(table, name, key=key, what=what, prefix=prefix, **ends))
    if len(estimates.sizes):
        what = "latent size with the least error of {curve}, {condition}; its ends are no interval"
        ids = {"key": ["curve", "condition"], "prefix": "size"}
        found.append(citable.statistics(estimates.sizes, "sizes", what=what, value="size", low=None, high=None, **ids))
    if len(estimates.crossings):
        inside = estimates.crossings.replace({"from": {np.inf: np.nan}})
        what = "level of Gaussian noise from which {cell} has less error than {baseline}"
        key = ["cell", "baseline"]
        found.append(citable.statistics(inside, "crossings", key=key, what=what, value="from", prefix="crossing"))
    return found
