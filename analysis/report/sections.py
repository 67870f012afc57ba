"""The sections of the report: which analyses fill each, in the assignment's order and under its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.citable import QUESTIONS
from study.errors import InputError

PROBLEM_1, PROBLEM_2 = "Problem 1: what each part of the autoencoder does", "Problem 2: what it can be used for"
DISCUSSION, CERTAINTY = "Discussion questions", "How sure this is"
MODIFICATIONS = "effects"  # the analysis that reports each modification of the baseline by itself


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        id: For `--sections`, and the name of the author's notes on it.
        part: The part that it stands in.
        title: With its number in the assignment, which a selection keeps.
        asks: What is to be answered, in words; with a "?" at its end.
        analyses: The modules whose results it shows.
        question: Its key in `citable.QUESTIONS`, or "".
        family: The declared contrasts of Problem 1 that it shows, or "".
        code: Functions of the project that show how inputs were made: "MODULE:NAME".
        sources: Keys of what it rests on, in `references.bib`.
    """

    id: str
    part: str
    title: str
    asks: str = ""
    analyses: tuple[str, ...] = ()
    question: str = ""
    family: str = ""
    code: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def _modification(name: str, title: str, asks: str, *sources: str) -> Section:
    question = name if name in QUESTIONS else ""
    return Section(name, PROBLEM_1, title, asks, question=question, family=name, sources=sources)


SECTIONS = (
    Section(
        "baseline", PROBLEM_1, "The original", "What are the modifications compared with?",
        code=(
            "study.architectures.keras_io:build",
            "study.architectures.convolutions:down",
            "study.architectures.convolutions:decoder",
            "study.architectures.convolutions:up",
        ),
        sources=("chollet2020", "hinton2006", "kingma2015"),
    ),
    _modification(
        "architecture", "1.1 A different architecture", "What does another network change?",
        "simonyan2015", "he2016", "ronneberger2015", "dosovitskiy2021", "liu2022", "baldi1989",
    ),
    _modification(
        "latent", "1.2 A different latent space", "What do other latent sizes, and one of 1, change?", "hinton2006"
    ),
    _modification(
        "loss", "1.3 A different loss", "What does training on another loss change?",
        "huber1964", "wang2004", "zhao2017", "jiang2021",
    ),
    _modification(
        "dataset", "1.4 A data set with more than one channel", "What changes on images with more than one channel?"
    ),
    _modification(
        "regularizer", "Beyond the four: regularizers", "What do the penalties change that applications ask for?",
        "vincent2008", "rifai2011", "kingma2014",
    ),
    Section(
        "comparison", PROBLEM_1, "All modifications side by side", "Which modifications matter most?", (MODIFICATIONS,)
    ),
    Section(
        "reconstructions", PROBLEM_1, "Reconstructions and latent spaces, seen", "What do the numbers look like?",
        ("reconstructions", "latent_space"),
    ),
    Section(
        "inpainting", PROBLEM_2, "2.1 Inpainting", "Can it fill in what was removed?",
        ("inpainting",), "inpainting",
        code=("study.corruptions:masks", "study.corruptions:which"),
        sources=("damelin2018", "wang2004"),
    ),
    Section(
        "denoising", PROBLEM_2, "2.2 Denoising", "Can it remove noise?",
        ("denoising",), "denoising",
        code=("study.corruptions:noisy",),
        sources=("vincent2008", "buades2005", "chambolle2004"),
    ),
    Section(
        "anomaly", PROBLEM_2, "2.3 Anomaly detection", "Does it tell images of another kind from its own?",
        ("anomaly",), "anomaly",
        code=("analysis.anomaly_sets:sets", "analysis.anomaly_sets:adapt"),
        sources=("ruff2018", "liu2008", "delong1988"),
    ),
    Section(
        "generation", PROBLEM_2, "2.4 Generation", "Do samples of the latent space decode to new images?",
        ("generation",), "generation",
        code=("analysis.generation_samplers:draw",),
        sources=("kingma2014", "binkowski2018", "heusel2017", "kynkaanniemi2019", "naeem2020", "lopezpaz2017"),
    ),
    Section(
        "latent_elbow", DISCUSSION, "Question 1: the latent size for an application",
        "For any given application, how might one determine an appropriate latent size?",
        ("latent_elbow",), "latent_elbow",
        sources=("hinton2006", "baldi1989", "levina2004", "pope2021", "facco2017", "satopaa2011"),
    ),
    Section(
        "generalization", DISCUSSION, "Question 2: training samples instead of test samples",
        "Would performance change if samples came from the training set?",
        ("generalization",), "generalization",
        sources=("yeom2018", "schuirmann1987"),
    ),
    Section(
        "residual", DISCUSSION, "Question 3: residual blocks", "Can residual blocks be included in an autoencoder?",
        ("residual",), "residual",
        code=("study.architectures.residual:build",),
        sources=("he2016", "ronneberger2015", "yang2019"),
    ),
    Section("variance", CERTAINTY, "Where the variance comes from", "What do the differences rest on?", ("variance",)),
    Section("robustness", CERTAINTY, "Robustness", "Does each conclusion survive another choice?", ("robustness",)),
    Section("others", CERTAINTY, "Further analyses"),
)  # fmt: skip
GROUPS = {"problem1": PROBLEM_1, "problem2": PROBLEM_2, "discussion": DISCUSSION, "certainty": CERTAINTY}
AUTHOR = "author"  # the note that completes the attestation
FRAME = ("cover", AUTHOR, "ai_statement", "summary", "methods", "limits")  # in every report, for notes as well


def select(wanted: Sequence[str]) -> list[Section]:
    """The sections asked for, in the report's order; none asked for: all.

    Args:
        wanted: Ids of sections or keys of `GROUPS`.

    Raises:
        InputError: An unknown one.
    """
    allowed = {**{section.id: [section] for section in SECTIONS}, **_groups()}
    if unknown := [name for name in wanted if name not in allowed]:
        raise InputError(f"--sections {unknown[0]}: allowed are {', '.join(allowed)}.")
    chosen = {section.id for name in wanted for section in allowed[name]}
    return [section for section in SECTIONS if not wanted or section.id in chosen]


def assigned() -> set[str]:
    """The analyses that have a section of their own."""
    return {name for section in SECTIONS for name in section.analyses}


def _groups() -> dict[str, list[Section]]:
    return {group: [section for section in SECTIONS if section.part == part] for group, part in GROUPS.items()}
