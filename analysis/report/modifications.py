"""Problem 1: each modification as `analysis.effects` reports it: why, the code, time, loss, performance, discussion.

Every modification is a block of plain data in `analysis/effects/modifications.json`; its sentences were chosen by the
numbers there, and its code was taken from the sources.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from analysis.cite_statistics import Statistic
from analysis.effects_words import contrast_id, numbers, start
from analysis.report import frame
from analysis.report.blocks import (
    Block,
    Bullets,
    Code,
    Gap,
    Heading,
    Paragraph,
    Span,
    Table,
    Terms,
    Text,
    paragraph,
    plain,
)
from analysis.report.evidence import Evidence, Picture
from analysis.report.sections import MODIFICATIONS, SECTIONS, Section
from study.errors import InputError

FILE = "modifications.json"
LIMITS = Span("Limits", "section", "limits")
Say = Callable[[str], Paragraph]
# A contrast of a family that has no section of its own goes where its first changed factor belongs.
FACTORS = {
    "architecture": "architecture",
    "depth": "architecture",
    "latent_dim": "latent",
    "loss": "loss",
    "dataset": "dataset",
    "regularizer": "regularizer",
}
SAID = {
    "time": "Training time",
    "loss": "Loss",
    "performance": "Performance against the reference",
    "certainty": "How certain",
}


def blocks(section: Section, evidence: Sequence[Evidence]) -> list[Block]:
    """The modifications of each study that belong to a section: in one table, in pictures, and each by itself.

    Code and reasons that several modifications share stand once in the section; the others point there.
    """
    shown: dict[Block, Span] = {}
    named = len(evidence) > 1
    return [block for one in evidence for block in _of_study(section, one, shown, f" of {one.study}" if named else "")]


def _of_study(section: Section, evidence: Evidence, shown: dict[Block, Span], whose: str) -> list[Block]:
    mine = [one for one in _modifications(evidence) if _section(one) == section.id]
    drawn = [
        frame.shown(picture)
        for analysis in evidence.of(MODIFICATIONS)
        for picture in analysis.pictures
        if mine and section.family and family_of(picture) == section.family
    ]
    singly: list[Block] = []
    say = _speaker(evidence)
    for place, one in enumerate(mine, 1):
        here = Span(f"«{one['label']}»{whose}", "section", f"{section.id}-{evidence.study}-{place}")
        singly += _modification(one, here, shown, say)
    whole = [*_answer(section, evidence, say), *_table(mine, evidence)] if mine else []
    return [*whole, *drawn, *singly]


def families() -> set[str]:
    """The families that have a section of their own."""
    return {section.family for section in SECTIONS if section.family}


def family_of(picture: Picture) -> str:
    """The family whose contrasts a picture shows: its name ends with it."""
    return picture.path.stem.partition("-")[2]


def gap(section: Section, evidence: Sequence[Evidence]) -> Gap:
    """Why a section has no modification, and what fills it."""
    names = ", ".join(one.study for one in evidence)
    if waiting := [one for one in evidence if not one.of(MODIFICATIONS)]:
        return Gap(
            f"The modifications of {', '.join(one.study for one in waiting)} have not been analysed.",
            f"python -m analysis.{MODIFICATIONS} {waiting[0].study}",
        )
    return Gap(
        f"No trial of {names} modifies the baseline in this way, or none was compared with it: a search space that "
        "does declares the comparison in FAMILIES, as search_spaces/assignment.py does.",
        "python -m study.search assignment",
    )


def _answer(section: Section, evidence: Evidence, say: Say) -> Iterator[Paragraph]:
    """What the analysis says of the section's family, where the section has no question whose answer says so."""
    family = {} if section.question else evidence.manifest["space"]["families"].get(section.family)
    if family:
        begins = start(section.family, family["metric"])
        found = (text for analysis in evidence.of(MODIFICATIONS) for text in analysis.sentences)
        yield from (say(text) for text in found if text.startswith(f"{begins}: "))


def _table(mine: Sequence[Mapping[str, Any]], evidence: Evidence) -> Iterator[Block]:
    """Performance, time an epoch and epochs against the reference, each with its interval, where any has them."""
    baseline = next(iter(evidence.manifest["cells"]))
    names = [contrast_id(one, baseline) for one in mine]
    error, seconds, epochs = (
        [evidence.statistics.get(f"{MODIFICATIONS}.{kind}{name}") for name in names]
        for kind in ("", "seconds-", "epochs-")
    )
    columns: dict[str, list[Text]] = {
        "modification": [plain(one["label"]) for one in mine],
        "error ÷ reference's": [_ratio(one) for one in error],
        "p": [frame.p_cell(one) for one in error],
    }
    if any(seconds):
        columns["seconds an epoch ÷ reference's"] = [_ratio(one) for one in seconds]
    if any(epochs):
        columns["epochs to reference's end"] = [_cell(one) for one in epochs]
    title = f"{evidence.study}: modifications against their references (lower is better)"
    yield Table(title, tuple(columns), tuple(zip(*columns.values(), strict=True)))
    if not any(seconds):
        yield paragraph("Seconds an epoch were not measured alone on a machine: ", LIMITS, ".", small=True)


def _ratio(one: Statistic | None) -> Text:
    """In as many digits as show on which side of 1 the ends of its interval lie."""
    if one is None or one.low is None or one.high is None:
        return _cell(one)
    return (Span(numbers(vars(one), "value", "low", "high"), "number", one.key), Span(f" (n = {one.n})"))


def _cell(one: Statistic | None) -> Text:
    if one is None:
        return plain("not measured")
    return plain("not reached") if math.isinf(one.value) else frame.number(one)


def _modifications(evidence: Evidence) -> list[dict[str, Any]]:
    found = []
    for path in sorted((evidence.folder / "analysis" / MODIFICATIONS).rglob(FILE)):
        try:
            found += [_whole(one) for one in json.loads(path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged ({error!r}). Run analysis.{MODIFICATIONS} again.") from error
    return found


def _whole(one: Mapping[str, Any]) -> dict[str, Any]:
    """The block with every part that the report reads; KeyError where one is missing."""
    names = ("family", "label", "cell", "reference", "factors", "code", "why", *SAID, "mechanism")
    return {name: one[name] for name in names}


def _section(one: Mapping[str, Any]) -> str:
    known = [one["family"]] if one["family"] in families() else [FACTORS[f] for f in one["factors"] if f in FACTORS]
    return known[0] if known else "others"


def _speaker(evidence: Evidence) -> Say:
    """Sets a sentence, with what holds its numbers; plainly where the analysis left no tables beside its blocks."""
    ran = evidence.of(MODIFICATIONS)
    return functools.partial(frame.said, analysis=ran[0]) if ran else paragraph


def _modification(one: Mapping[str, Any], here: Span, shown: dict[Block, Span], say: Say) -> Iterator[Block]:
    yield Heading(3, one["label"], here.target)
    yield paragraph(f"{one['cell']} against {one['reference']}.", small=True)
    for text in one["why"]:
        yield _once(paragraph(text), "Why", here, shown)
    for change in one["code"]:
        place = change["old"] if change["old"] == change["new"] else f"{change['old']} → {change['new']}"
        what = f"What changes in {change['factor']} ({place})"
        yield _once(Code(change["diff"], what, diff=True), what, here, shown)
    yield Terms(tuple((plain(words), (_bullets(one[part], say),)) for part, words in SAID.items() if one[part]))
    yield from _mechanism(one["mechanism"], say)


def _once(block: Block, what: str, here: Span, shown: dict[Block, Span]) -> Block:
    """The block where the section has it first; after that, where that is."""
    first = shown.setdefault(block, here)
    return block if first == here else paragraph(f"{what}: as under ", first, ".")


def _mechanism(said: Mapping[str, Any] | None, say: Say) -> Iterator[Block]:
    """Why it may be so, the measurement that could refute it, and what came of it."""
    if not said:
        return
    explained = [said[name] for name in ("explanation",) if said.get(name)]
    measured = [*said.get("measurements", []), *said.get("beside", [])]
    concluded = [said[name] for name in ("conclusion",) if said.get(name)]
    inside: list[Block] = [*map(say, _listed(explained))]
    inside += [_bullets(measured, say)] if measured else []
    inside += [*map(say, _listed(concluded))]
    if inside:
        yield Terms(((plain("Discussion: why, and what could refute it"), tuple(inside)),))


def _bullets(sentences: Iterable[str], say: Say) -> Bullets:
    return Bullets(tuple((say(sentence),) for sentence in sentences))


def _listed(values: Sequence[Any]) -> list[str]:
    """Sentences, given singly or in lists."""
    return [text for value in values for text in ([value] if isinstance(value, str) else value) if text]
