"""The numbers of generated sentences: each with the row of a table that holds it.

A number that no table holds fails the build; a draft marks it visibly instead. Beside the report all are listed in
numbers.csv, so that every number can be followed to its row, and checked.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from analysis.cite_trace import NOWHERE, Held, Tables, trace
from analysis.report.blocks import Block, Number, Paragraph, Span, Text, every

COLUMNS = ("study", "analysis", "number", "held", "id", "table", "row", "sentence")
MARK = " [in no table of this analysis]"
SHOWN = 5  # numbers that a refusal names


def said(sentence: str, study: str, place: str, tables: Tables) -> Text:
    """A sentence of an analysis with its decimal numbers told apart.

    Args:
        sentence: As it was written.
        study: Whose.
        place: The folder of the analysis below `analysis/`, with "." between its parts.
        tables: Those in the folder.
    """
    return tuple(_spans(sentence, study, place, tables))


def listed(blocks: Iterable[Block]) -> bytes:
    """Every decimal number of the report's sentences as CSV, in their order."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    table.writeheader()
    for sentence, one in numbers(blocks):
        table.writerow({**asdict(one), "number": one.text, "sentence": sentence})
    return text.getvalue().encode()


def numbers(blocks: Iterable[Block]) -> list[tuple[str, Number]]:
    """Each number with its sentence; what stands in the report twice is listed once."""
    paragraphs = (block.text for block in every(blocks) if isinstance(block, Paragraph))
    return list(dict.fromkeys((_words(text), span) for text in paragraphs for span in text if isinstance(span, Number)))


def refusal(nowhere: Sequence[tuple[str, Number]], commands: Mapping[tuple[str, str], str]) -> str:
    """Why there is no report of sentences with numbers that no table holds, and what to do.

    Args:
        nowhere: Such numbers, each with its sentence.
        commands: Study and analysis → what writes the analysis again.
    """
    named = [f"  {one.study}, {one.analysis}: {one.text} in «{sentence}»" for sentence, one in nowhere[:SHOWN]]
    more = [f"  and {len(nowhere) - SHOWN} more"] if len(nowhere) > SHOWN else []
    again = dict.fromkeys(commands[one.study, one.analysis] for _, one in nowhere)
    return "\n".join(
        [
            f"{len(nowhere)} {'number' if len(nowhere) == 1 else 'numbers'} in no table of their analysis:",
            *named,
            *more,
            f"Run the analysis again ({'; '.join(again)}), or build with --draft, which marks such numbers.",
        ]
    )


def _spans(sentence: str, study: str, place: str, tables: Tables) -> Iterator[Span]:
    end = 0
    for held in trace(sentence, tables):
        yield Span(sentence[end : held.start])
        yield _number(sentence[held.start : held.end], held, study, place)
        if held.how == NOWHERE:
            yield Span(MARK, strong=True)
        end = held.end
    yield Span(sentence[end:])


def _number(text: str, held: Held, study: str, place: str) -> Number:
    where = f"{place.replace('.', '/')}/{held.table}, row {held.row}" if held.table else ""
    target = f"{held.id} ({where})" if held.id else where
    return Number(
        text, "held", target, study=study, analysis=place, held=held.how, id=held.id, table=held.table, row=held.row
    )


def _words(text: Text) -> str:
    return "".join(span.text for span in text if span.text != MARK)
