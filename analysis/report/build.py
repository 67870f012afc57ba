"""Builds the list of blocks: cover, how to read, answers, chosen sections with the author's notes, methods, limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis import cite_statistics
from analysis.cite_statistics import Statistic
from analysis.report import bibliography, content, frame, glance, methods, notes, reading
from analysis.report.blocks import Block, Figure, Heading, Notes, References, Span, Text, every, rewritten, spans
from analysis.report.evidence import Evidence, Picture
from analysis.report.notes import Note
from analysis.report.sections import AUTHOR, FRAME, SECTIONS, Section
from study.errors import InputError


@dataclass(frozen=True)
class Report:
    """All that a writer needs: title, date (ISO 8601), and the blocks with every reference filled in."""

    title: str
    date: str
    blocks: tuple[Block, ...]


def build(
    evidence: Sequence[Evidence], sections: Sequence[Section], notes_folder: Path, artifacts: str, date: str
) -> Report:
    """The report of some studies.

    Args:
        evidence: Of each study.
        sections: The chosen ones.
        notes_folder: Where the author's notes lie, or would.
        artifacts: Where the studies lie.
        date: Today's, ISO 8601.

    Raises:
        InputError: An unknown id in a note, or a note of no section.
    """
    known = {picture.key: picture for one in evidence for a in one.analyses for picture in a.pictures}
    resolve = _resolver(evidence, known)
    ids = [*FRAME, *(section.id for section in SECTIONS)]
    prose: dict[str, list[Note]] = {}
    for note in notes.read(notes_folder, ids, resolve):
        prose.setdefault(note.section, []).append(note)
    body = [*_answers(evidence, sections, prose), *_parts(evidence, sections, prose)]
    body += [*_back(evidence, prose, artifacts)]
    blocks = _with_pictures([*_front(evidence, prose, date), *_reading(evidence, body), *body], known)
    blocks += frame.cited_numbers(_cited(blocks, evidence))
    return Report(frame.TITLE, date, tuple(_numbered(blocks)))


def left_out(sections: Sequence[Section], notes_folder: Path) -> list[str]:
    """The ids of sections that have a note named after them and were not chosen."""
    hidden = {section.id for section in SECTIONS} - {section.id for section in sections}
    return sorted(path.stem for path in notes_folder.glob("*.md") if path.stem in hidden)


def _front(evidence: Sequence[Evidence], prose: Mapping[str, list[Note]], date: str) -> Iterator[Block]:
    author = [block for note in prose.get(AUTHOR, []) for block in note.blocks]
    yield from frame.cover(evidence, date, author)
    yield from _noted(prose, "cover")
    yield Heading(1, "Use of AI tools", "ai_statement")
    yield from frame.ai_statement("ai_statement" in prose)
    yield from _noted(prose, "ai_statement")


def _reading(evidence: Sequence[Evidence], body: Sequence[Block]) -> Iterator[Block]:
    yield Heading(1, "How to read this report", "reading")
    yield from reading.blocks(evidence, body)


def _answers(
    evidence: Sequence[Evidence], sections: Sequence[Section], prose: Mapping[str, list[Note]]
) -> Iterator[Block]:
    yield Heading(1, "Answers at a glance", "summary")
    yield from glance.summary(evidence, sections)
    yield from _noted(prose, "summary")


def _parts(
    evidence: Sequence[Evidence], sections: Sequence[Section], prose: Mapping[str, list[Note]]
) -> Iterator[Block]:
    part = ""
    for section in sections:
        inside = [*content.blocks(section, evidence), *_noted(prose, section.id)]
        if not inside:
            continue
        if section.part != part:
            yield Heading(1, section.part, re.sub(r"[^a-z0-9]+", "-", section.part.lower()).strip("-"))
            part = section.part
        yield Heading(2, section.title, section.id)
        yield from inside


def _back(evidence: Sequence[Evidence], prose: Mapping[str, list[Note]], artifacts: str) -> Iterator[Block]:
    yield Heading(1, "Methods and limits", "methods-and-limits")
    yield Heading(2, "Methods", "methods")
    yield from methods.methods(evidence, artifacts, "methods" in prose)
    yield from _noted(prose, "methods")
    yield Heading(2, "Limits", "limits")
    yield from methods.limits(evidence)
    yield from _noted(prose, "limits")


def _noted(prose: Mapping[str, list[Note]], section: str) -> list[Block]:
    return [Notes(note.blocks) for note in prose.get(section, [])]


def _resolver(evidence: Sequence[Evidence], pictures: Mapping[str, Picture]) -> Callable[[str, str], Text]:
    """What stands in the place of {stat:ID}, {figure:ID} and {cite:KEY}."""
    studies = [one.study for one in evidence]

    def statistics_of(study: str) -> Mapping[str, Statistic]:
        if study not in studies:
            raise InputError(f"the study '{study}' is not in this report. Allowed: {', '.join(studies)}.")
        return evidence[studies.index(study)].statistics

    def resolve(kind: str, wanted: str) -> Text:
        if kind == "stat":
            return frame.number(cite_statistics.find(wanted, studies, statistics_of))
        if kind == "cite":
            if wanted not in bibliography.entries():
                raise InputError(f"no source '{wanted}'. Allowed: {', '.join(bibliography.entries())}.")
            return (bibliography.cite(wanted),)
        keys = [key for study in studies for key in (wanted, f"{study}:{wanted}") if key in pictures]
        if not keys:
            near = cite_statistics.close(wanted, [key.partition(":")[2] for key in pictures])
            hint = near or "Its id stands under each picture of the report."
            raise InputError(f"no picture '{wanted}' in {', '.join(studies)}. {hint}")
        return (frame.figure(keys[0]),)

    return resolve


def _with_pictures(blocks: Sequence[Block], known: Mapping[str, Picture]) -> list[Block]:
    """The blocks, with each picture that is referred to and stands nowhere placed behind its first reference."""
    placed = {block.key for block in every(blocks) if isinstance(block, Figure)}
    found: list[Block] = []
    for block in blocks:
        found.append(block)
        for key in dict.fromkeys(span.target for span in spans([block]) if span.kind == "figure"):
            if key not in placed:
                placed.add(key)
                found.append(frame.shown(known[key]))
    return found


def _cited(blocks: Sequence[Block], evidence: Sequence[Evidence]) -> list[Statistic]:
    keys = {span.target for span in spans(blocks) if span.kind == "number"}
    return [statistic for one in evidence for statistic in one.statistics.values() if statistic.key in keys]


def _numbered(blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks with pictures and sources numbered as they come, and every reference to them filled in."""
    pictures = [block.key for block in every(blocks) if isinstance(block, Figure)]
    keys = list(dict.fromkeys(span.target for span in spans(blocks) if span.kind == "cite"))
    numbers = {key: number for number, key in enumerate(dict.fromkeys(pictures), 1)}
    taken = set[str]()
    wanted = [block.anchor for block in every(blocks) if isinstance(block, Heading)]
    anchors = [_anchor(anchor, taken) for anchor in wanted]
    places = dict(zip(reversed(wanted), reversed(anchors), strict=True))  # of what stands twice, the first

    def fill(span: Span) -> Span:
        if span.kind == "cite":
            return replace(span, text=f"{span.text} [{keys.index(span.target) + 1}]")
        if span.kind == "section":
            return replace(span, target=places.get(span.target, span.target))
        return replace(span, text=f"Figure {numbers[span.target]}") if span.kind == "figure" else span

    level, free = 0, iter(anchors)

    def complete(block: Block) -> Block:
        """Numbers pictures; no heading is more than one level below the last, no anchor stands twice."""
        nonlocal level
        if isinstance(block, Figure):
            return replace(block, number=numbers[block.key])
        if isinstance(block, Heading):
            level = min(block.level, level + 1)
            return replace(block, level=level, anchor=next(free))
        return block

    for block in blocks:
        yield rewritten(block, fill, complete)
    yield Heading(1, "References", "references")
    yield References(tuple(bibliography.reference(key) for key in keys))


def _anchor(wanted: str, taken: set[str]) -> str:
    """An anchor of letters, digits, "_" and "-" that is not taken yet, and is then."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted)
    free = next(
        name for number in range(len(taken) + 1) if (name := f"{plain}-{number}" if number else plain) not in taken
    )
    taken.add(free)
    return free
