"""How to read the report: what the names of cells are made of, and the words that it uses without saying what they are.

Both speak of what is there alone: the factors that the studies vary, the words that occur.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.report.bibliography import cite
from analysis.report.blocks import Block, Span, Table, Text, paragraph, plain, spans
from analysis.report.evidence import Evidence
from study.space import DEFAULTS, FACTORS, NAME_PARTS

PARTS = {**NAME_PARTS, "latent_dim": "k{}", "learning_rate": "lr{:g}"}  # how a level reads in a name, if not as it is
MEANS = {
    "dataset": "data set",
    "architecture": "network: encoder and decoder",
    "latent_dim": "latent size: numbers in the code of an image",
    "loss": "loss: what training makes small",
    "regularizer": "regularizer: what is added in training, to the loss or to the images",
    "depth": "blocks a stage of the network",
    "train_size": "training images",
    "normal_class": "class, the only one trained on",
    "preprocessing": "preprocessing of the pixels",
    "learning_rate": "learning rate",
    "batch_size": "images a batch",
    "randomness": "randomness: what alone differs between seeds",
}
LISTED = 8  # numbers of a factor; of more the first and the last
ABSENT = {"train_size": "all images", "normal_class": "all classes", "depth": "the network's own"}


@dataclass(frozen=True)
class Word:
    """A word that the report uses.

    Attributes:
        name: As it is explained.
        pattern: Where it occurs; "" everywhere.
        means: In one line.
        source: A key of `references.bib`, or "".
    """

    name: str
    pattern: str
    means: str
    source: str = ""


WORDS = (
    Word(
        "a [b, c] (n = d)", "",
        "an estimate, its 95 % interval, and on how many seeds it rests. A seed is one training: its initial weights, "
        "batch order and draw of images.",
    ),
    Word(
        "times the reference's", r"÷|times the",
        "a ratio of errors: below 1 is less. A reference is the cell that another is compared with, seed by seed.",
    ),
    Word(
        "not resolved", r"not resolved",
        "the interval holds «no difference» (a ratio of 1, a difference of 0): either side may be the better one. "
        "It does not mean equal.",
    ),
    Word(
        "simultaneous; descriptive", r"[Ss]imultaneous|[Dd]escriptive",
        "simultaneous are intervals of comparisons declared together beforehand (a family), so wide that all of them "
        "hold at once with 95 %; what was not declared is descriptive: it shows, and decides nothing.",
    ),
    Word(
        "unexplained variance, FVU", r"FVU|unexplained|mean image's",
        "MSE ÷ the MSE of the mean training image on the same images: 0 is perfect, 1 no better than the mean image.",
    ),
    Word(
        "excess BCE", r"excess BCE",
        "binary cross-entropy less the least that it can be, the entropy of the images' own pixels: 0 is perfect.",
    ),
    Word("SSIM", r"SSIM", "structural similarity of two images: 1 for the same; 1 - SSIM is an error.", "wang2004"),
    Word(
        "linear optimum", r"linear optimum|PCA",
        "what the best linear method does at the same task, without a network: PCA at the same size, or the mean of "
        "what is missing given what is seen.",
    ),
    Word(
        "AUC", r"AUC|ROC",
        "the chance that an anomaly gets a higher score than a normal image: 1 tells all apart, 0.5 is guessing.",
        "delong1988",
    ),
    Word(
        "kernel distance", r"[Kk]ernel.distance",
        "how far generated images lie from real ones, in features of a small classifier: about 0 is as near as real "
        "images; it may be negative.", "binkowski2018",
    ),
    Word(
        "Kneedle, one standard error", r"Kneedle|one standard error|one-standard-error",
        "two rules for a size: where the curve of errors bends most; the smallest size within one standard error of "
        "the least error.", "satopaa2011",
    ),
    Word(
        "TOST, equivalent", r"TOST|equivalen|within the margin",
        "two one-sided tests: a difference is shown to be smaller than a margin set beforehand.", "schuirmann1987",
    ),
)  # fmt: skip


def blocks(evidence: Sequence[Evidence], others: Sequence[Block]) -> list[Block]:
    """The key to the names of cells, and of `WORDS` those that the other blocks use."""
    text = "\n".join(span.text for span in spans(others))
    used = [word for word in WORDS if re.search(word.pattern, text)]
    return [*_names(evidence), Table("Words", ("word", "means"), tuple(_row(word) for word in used))]


def part(factor: str, level: Any) -> str:
    """How a level of a factor reads in the name of a cell."""
    return PARTS.get(factor, "{}").format(level)


def _names(evidence: Sequence[Evidence]) -> Iterator[Block]:
    cells = {name: cell for one in evidence for name, cell in one.manifest["cells"].items()}
    longest = max(cells, key=lambda name: (sum(cells[name][f] != d for f, d in DEFAULTS.items()), len(name)))
    said = ", ".join(
        f"{MEANS[factor].partition(':')[0]} {level}"
        for factor, level in cells[longest].items()
        if factor not in DEFAULTS or level != DEFAULTS[factor]
    )
    yield paragraph(
        "A network with its training is called a cell, and named by what it is made of: ",
        Span(longest, "code"), f" has {said}. A number behind it, -s", "03, is the seed of one training.",
    )  # fmt: skip
    rows = tuple(row for factor in FACTORS if (row := _factor(factor, cells)))
    yield Table("What the names of cells are made of", ("part", "stands for", "where it is absent"), rows)


def _factor(factor: str, cells: Mapping[str, Mapping[str, Any]]) -> tuple[Text, ...] | None:
    """A factor with the levels that names show; None where none does."""
    default = DEFAULTS.get(factor)
    levels = {cell[factor] for cell in cells.values() if factor not in DEFAULTS or cell[factor] != default}
    if not levels:
        return None
    ordered = [Span(part(factor, level), "code") for level in sorted(levels)]
    shown = [piece for span in ordered for piece in (Span(", "), span)][1:]
    if len(ordered) > LISTED and not isinstance(next(iter(levels)), str):
        shown = [ordered[0], Span(" … "), ordered[-1]]
    absent = ABSENT.get(factor, str(default)) if factor in DEFAULTS else "never"
    return (tuple(shown), plain(MEANS[factor]), plain(absent))


def _row(word: Word) -> tuple[Text, ...]:
    source = [Span(" "), cite(word.source), Span(".")] if word.source else []
    return plain(word.name), plain(word.means, *source)
