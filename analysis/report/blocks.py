"""What a report consists of: a list of blocks, which says nothing of how it is set, and which two writers read.

Text is never markup: a writer escapes whatever it is given. The only structure within a line is that of its spans.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SpanKind = str  # "text", "code", "link", "number", "held", "cite", "figure", "section" or "fill"


@dataclass(frozen=True)
class Span:
    """A piece of a line.

    Attributes:
        text: What is read.
        kind: "text"; "code"; "link" to the address `target`; "number", the statistic `target` with its interval;
            "held", a `Number`, which `target` describes; "cite", "figure" and "section", references to the source,
            picture or section `target`; "fill", what the author has still to write.
        target: See `kind`.
        strong, emphasis: How it is set.
    """

    text: str
    kind: SpanKind = "text"
    target: str = ""
    strong: bool = False
    emphasis: bool = False


@dataclass(frozen=True)
class Number(Span):
    """A decimal number of a generated sentence, and what holds it.

    Attributes:
        study, analysis: Whose; the folder below `analysis/`, with "." between its parts.
        held: How (`analysis.cite_trace`).
        id: The statistic to cite, or "".
        table, row: Of the analysis; "" and -1 where nothing holds it.
    """

    study: str = ""
    analysis: str = ""
    held: str = ""
    id: str = ""
    table: str = ""
    row: int = -1


Text = tuple[Span, ...]


@dataclass(frozen=True)
class Block:
    """One of the classes below."""


@dataclass(frozen=True)
class Heading(Block):
    """A heading; level 1 is a part of the report. The anchor is unique, letters, digits and "-" alone."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Paragraph(Block):
    """A paragraph; a small one is an aside, one that is kept stays on the page of what follows."""

    text: Text
    small: bool = False
    kept: bool = False


@dataclass(frozen=True)
class Bullets(Block):
    """A list; each item is a list of blocks."""

    items: tuple[tuple[Block, ...], ...]
    ordered: bool = False


@dataclass(frozen=True)
class Terms(Block):
    """Terms, each with the blocks that belong to it."""

    items: tuple[tuple[Text, tuple[Block, ...]], ...]


@dataclass(frozen=True)
class Figure(Block):
    """A picture.

    Attributes:
        key: STUDY:ID, for references.
        path: A PNG or JPEG.
        alternative: What it shows, for who cannot see it; never empty.
        caption: What stands under it behind its number.
        number: In the order of the report, from 1.
        address: Where the page finds it, from its own folder on; "" where the page holds it.
    """

    key: str
    path: Path
    alternative: str
    caption: Text
    number: int = 0
    address: str = ""


@dataclass(frozen=True)
class Table(Block):
    """A table: the first column's cells head their rows; `numeric` columns are set to the right."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Code(Block):
    """Code, or a diff whose lines begin with "+", "-", "@" or a space."""

    text: str
    caption: str
    diff: bool = False


@dataclass(frozen=True)
class Gap(Block):
    """What is missing, and the command that fills it ("" where none can)."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Quote(Block):
    """A quotation."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class References(Block):
    """The sources, in the order of their numbers."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Notes(Block):
    """The author's own prose."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Form(Block):
    """A statement that the author completes by hand: its text, and the names of the lines left blank."""

    text: Text
    fields: tuple[str, ...]


def plain(*parts: str | Span) -> Text:
    """A line of strings and spans."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def paragraph(*parts: str | Span, small: bool = False) -> Paragraph:
    """A paragraph of strings and spans."""
    return Paragraph(plain(*parts), small)


def bullets(sentences: Iterable[str]) -> Bullets:
    """A list of plain sentences."""
    return Bullets(tuple((paragraph(sentence),) for sentence in sentences))


def every(blocks: Iterable[Block]) -> Iterator[Block]:
    """All blocks, those within others after them."""
    for block in blocks:
        yield block
        for field in dataclasses.fields(block):
            yield from every(_blocks_in(getattr(block, field.name)))


def spans(blocks: Iterable[Block]) -> Iterator[Span]:
    """All spans, in the order of the report."""
    for block in every(blocks):
        for field in dataclasses.fields(block):
            yield from _spans_in(getattr(block, field.name))


def rewritten(block: Block, span: Callable[[Span], Span], inner: Callable[[Block], Block]) -> Block:
    """The block with every span in it changed by one function, and it and every block in it by the other."""
    fields = {field.name: _rewritten(getattr(block, field.name), span, inner) for field in dataclasses.fields(block)}
    return inner(dataclasses.replace(block, **fields))


def _blocks_in(value: Any) -> Iterator[Block]:
    if isinstance(value, Block):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _blocks_in(part)


def _spans_in(value: Any) -> Iterator[Span]:
    if isinstance(value, Span):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _spans_in(part)


def _rewritten(value: Any, span: Callable[[Span], Span], inner: Callable[[Block], Block]) -> Any:
    if isinstance(value, Span):
        return span(value)
    if isinstance(value, Block):
        return rewritten(value, span, inner)
    return tuple(_rewritten(part, span, inner) for part in value) if isinstance(value, tuple) else value
