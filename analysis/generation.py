"""Generation: do samples of the latent space decode to new images?

Codes are drawn in six ways and decoded: from the standard normal distribution (the prior of a variational model), from
a uniform box, a Gaussian, a Gaussian mixture and a kernel density fitted on the codes of training images, and halfway
between the codes of two test images. What the samplers choose, validation codes decide. A U-Net's skips are set to
their means over training images, so that only the code speaks.

Real and generated images are compared in the features of a small classifier that is trained here on the same data (its
test accuracy and a hash are given), or of principal components where there are no labels: kernel distance, Fréchet
distance, precision, recall, density, coverage, and whether a classifier tells them apart. Whether images are copies is
asked of their nearest training image, beside that of held-out images. Beside it stand a Gaussian mixture on PCA
coordinates, which needs no autoencoder and copies nothing, and real training and held-out images in the place of
generated ones: the least distance that there is to reach.

Primary metric: kernel distance. Declared beforehand, one sampler a cell makes the comparison with the PCA mixture: the
Gaussian mixture, or for a variational model its prior; the other samplers are shown and described.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from analysis import applications, command
from analysis.generation_bench import open_bench
from study import records

if TYPE_CHECKING:
    from analysis.applications import Results
    from study.datasets import Dataset

NAME, IMAGES, VERSION = "generation", 2000, 1


def task(folder: Path) -> applications.Task:
    """The task; `folder` keeps what all its trials share, the classifier."""
    return applications.Task(NAME, VERSION, IMAGES, partial(open_bench, folder=folder), per_image=True)


def evaluate(options: argparse.Namespace, study: str, load: Callable[[str], Dataset]) -> Results:
    """Computes what is missing of the task and returns all results.

    Raises:
        InputError: As `applications.evaluate`; or some were measured by other features.
    """
    from analysis import generation_estimates

    folder = records.folder(study, options.artifacts) / "tasks" / NAME
    results = applications.evaluate(task(folder), options, study, load)
    generation_estimates.check_features(results, study)
    return results


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Evaluates, estimates, draws and writes."""
    from analysis import generation_answer, generation_estimates, generation_figures, generation_text

    study = arguments.study or records.latest(arguments.artifacts)
    load = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir)
    results = evaluate(arguments, study, load)
    estimates = generation_estimates.estimate(results, arguments.split)
    folder = records.folder(study, arguments.artifacts) / "analysis" / NAME
    folder = folder if arguments.split == "test" else folder / arguments.split
    paths = command.write(estimates.tables(), folder)
    trials = records.load(study, arguments.artifacts)
    paths += generation_figures.draw_all(results, estimates, trials, folder, arguments.split)
    said = [*records.notices(study, arguments.artifacts), *results.missing]
    said += generation_text.sentences(estimates, arguments.split)
    return command.Outcome(
        study, estimates.contrast, said, paths, generation_text.COLUMNS, generation_text.note(estimates), folder,
        generation_estimates.citable_statistics(estimates), generation_answer.answers(estimates, arguments.split),
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser(NAME, __doc__)
    applications.add_options(parser, task(Path()))
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
