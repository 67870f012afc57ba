"""The answers at a glance: how each answer begins; the whole stands in its section, with its number and its picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analysis.citable import QUESTIONS, Answer
from analysis.report import frame, numbers
from analysis.report.blocks import Block, Bullets, Gap, Paragraph, Span, Terms, paragraph, plain
from analysis.report.evidence import Analysis, Evidence
from analysis.report.sections import Section

WORDS = 60  # that an answer has here at most, if its first sentence can be cut there
_SENTENCE = re.compile(r"[.?!] (?=[A-Z«])")
_CLAUSE = re.compile(r"; | \((?!\[)")  # not between a number and its interval
_N = re.compile(r"\bn = [^;,()]+")


def summary(evidence: Sequence[Evidence], sections: Sequence[Section]) -> list[Block]:
    """Each question of the chosen sections with the beginnings of its answers."""
    items = []
    for section in (section for section in sections if section.question):
        answers = [_begun(*found, named=len(evidence) > 1) for found in _answers(evidence, section.question)]
        empty = Gap(
            f"Not answered by {', '.join(one.study for one in evidence)}.", f"python -m analysis {evidence[0].study}"
        )
        question = plain(Span(QUESTIONS[section.question], "section", section.id))
        items.append((question, (Bullets(tuple((answer,) for answer in answers)) if answers else empty,)))
    if not items:
        return []
    told = "How each answer begins. The whole, with its numbers and pictures, is where the question leads."
    return [paragraph(told, small=True), Terms(tuple(items))]


def beginning(sentence: str) -> str:
    """Whole sentences of an answer, `WORDS` words at most; of a first sentence that is longer, what can be cut there.

    Cut is before a clause or a bracket, never within one, and what stood there of n follows the cut: no number here is
    without it.
    """
    ends = [0, *(end + 1 for end in _places(_SENTENCE, sentence)), len(sentence)]
    whole = [end for end in ends[1:] if len(sentence[:end].split()) <= WORDS]
    if whole:
        return sentence[: whole[-1]]
    first = sentence[: ends[1]]
    clauses = [place for place in _places(_CLAUSE, first) if len(first[:place].split()) <= WORDS]
    if not clauses:
        return first
    begun, n = first[: clauses[-1]], _N.search(first)
    return f"{begun} …" + (f" ({n[0].strip()})" if n and n[0] not in begun else "")


def _answers(evidence: Sequence[Evidence], question: str) -> Iterator[tuple[Analysis, Answer]]:
    for one in evidence:
        for analysis in one.analyses:
            yield from ((analysis, answer) for answer in analysis.answers if answer.question == question)


def _begun(analysis: Analysis, answer: Answer, named: bool) -> Paragraph:
    """How an answer begins, and where it is from: the study, where there are several, and its picture."""
    said = numbers.said(beginning(answer.sentence), analysis.study, analysis.place, analysis.tables)
    whose = [Span(analysis.study)] if named else []
    shown = [frame.figure(f"{analysis.study}:{analysis.place}.{answer.figure}")] if answer.figure else []
    between = [part for span in (*whose, *shown) for part in (Span(", "), span)][1:]
    return Paragraph((*said, *([Span(" ["), *between, Span("]")] if between else [])))


def _places(pattern: re.Pattern[str], text: str) -> list[int]:
    """Where a pattern begins outside all brackets."""
    depth, outside = 0, []
    for letter in text:
        outside.append(depth == 0)
        depth += (letter in "([") - (letter in ")]")
    return [match.start() for match in pattern.finditer(text) if outside[match.start()]]
