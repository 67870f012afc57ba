"""What a section holds: its question, the answers, the code that shows how, how it was done, and all that was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from analysis.report import frame, methods, modifications, original, sources
from analysis.report.blocks import Block, Bullets, Gap, Heading, Paragraph, Span, Terms, paragraph, plain
from analysis.report.evidence import Analysis, Evidence
from analysis.report.sections import Section, assigned

_GROUP = re.compile(r"^(?P<of>[^:.]{1,90}): (?P<said>.+)$", re.DOTALL)


def blocks(section: Section, evidence: Sequence[Evidence]) -> list[Block]:
    """Question, answers, how it was done, the code that shows it, and what each study found."""
    changed = modifications.blocks(section, evidence)
    code = [block for place in section.code for block in sources.code(place)]
    found: list[Block] = []
    for question in _analyses(section, evidence):
        found += _analysed(question, evidence, code, section.question)
    found += _partly(section, evidence)
    if section.id == "others" and not found and not changed:
        return []
    answers = [block for one in evidence for block in frame.answered(one, section.question)] if section.question else []
    missing: list[Block] = [modifications.gap(section, evidence)] if section.family and not changed else []
    empty = not changed and all(isinstance(block, Gap) for block in [*found, *missing])
    asked = [Paragraph(plain(Span(section.asks, emphasis=True)), kept=True)] if section.asks else []
    if empty and (found or missing):
        return [*asked, *answers, *missing, *found]
    keys = [*section.sources, *(methods.data_sources(evidence) if section.id == "dataset" else [])]
    begun = original.blocks(evidence) if section.id == "baseline" else []
    return [*asked, *answers, *begun, *changed, *(found or code), *methods.cited("Sources", keys)]


def grouped(sentences: Iterable[str], say: Callable[[str], Paragraph] = paragraph) -> list[Block]:
    """Sentences as a list; those in a row that begin with the same words before a colon stand together under these."""
    groups: list[tuple[str, list[str]]] = []
    for sentence in sentences:
        match = _GROUP.match(sentence)
        of, said = (match["of"], match["said"]) if match else ("", sentence)
        if not groups or groups[-1][0] != of:
            groups.append((of, []))
        groups[-1][1].append(said)
    found: list[Block] = []
    for of, said in groups:
        items = Bullets(tuple((say(text if len(said) > 1 or not of else f"{of}: {text}"),) for text in said))
        found.append(Terms(((plain(of), (items,)),)) if of and len(said) > 1 else items)
    return _joined(found)


def _analyses(section: Section, evidence: Sequence[Evidence]) -> Sequence[str]:
    if section.id != "others":
        return section.analyses
    ran = {analysis.question for one in evidence for analysis in one.analyses}
    return sorted(ran - assigned())


def _analysed(question: str, evidence: Sequence[Evidence], code: Sequence[Block], answered: str) -> Iterator[Block]:
    """How an analysis was made, with its code, and what it found in each study; a gap where no study has it.

    Answers to the question `answered` stand in the section already, and are not repeated.
    """
    ran = [(one, analysis) for one in evidence for analysis in one.of(question)]
    if not ran:
        yield from _gaps(question, evidence)
        return
    yield Heading(3, f"How it was done ({question})", f"{question}-method")
    yield from sources.method(f"analysis.{question}")
    yield from code
    for one, analysis in ran:
        yield Heading(
            3, f"Results: {analysis.place}, study {one.study}", f"{one.study}-{analysis.place}".replace(".", "-")
        )
        yield from _results(analysis, {one.sentence for one in analysis.answers if one.question == answered})


def _partly(section: Section, evidence: Sequence[Evidence]) -> Iterator[Gap]:
    """Gaps of studies that have some of a section's analyses and lack others, which another study has."""
    shown = [one for one in evidence if any(one.of(question) for question in section.analyses)]
    for question in section.analyses:
        if any(one.of(question) for one in shown):
            yield from _gaps(question, [one for one in shown if not one.of(question)])


def _gaps(question: str, evidence: Sequence[Evidence]) -> Iterator[Gap]:
    """Why an analysis is not there: the studies cannot carry it, or nobody has asked."""
    refused = {one.study: one.refused[question] for one in evidence if question in one.refused}
    for study, reason in refused.items():
        yield Gap(f"{question} cannot be had of {study}: {reason}")
    if waiting := [one.study for one in evidence if one.study not in refused]:
        yield Gap(
            f"{question} has not been run on {', '.join(waiting)}.", f"python -m analysis.{question} {waiting[0]}"
        )


def _results(analysis: Analysis, said: Collection[str]) -> Iterator[Block]:
    """What an analysis found, less what is said already; what it left undone stands under Limits."""
    left = [sentence for sentence in analysis.findings if sentence not in said]
    yield from grouped(left, lambda sentence: frame.said(sentence, analysis))
    shown = modifications.families() if analysis.question == modifications.MODIFICATIONS else set()
    for picture in analysis.pictures:
        if modifications.family_of(picture) not in shown:
            yield frame.shown(picture)
    if analysis.note:
        yield paragraph(analysis.note, small=True)
    yield paragraph("Written by ", Span(analysis.command, "code"), ".", small=True)


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """Lists in a row as one list."""
    found: list[Block] = []
    for block in blocks:
        if found and isinstance(block, Bullets) and isinstance(found[-1], Bullets):
            found[-1] = Bullets(found[-1].items + block.items)
        elif found and isinstance(block, Terms) and isinstance(found[-1], Terms):
            found[-1] = Terms(found[-1].items + block.items)
        else:
            found.append(block)
    return found
