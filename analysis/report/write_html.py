"""Writes the report as one page of HTML: pictures within it or beside it, light and dark, ready to print."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import singledispatch
from html import escape
from pathlib import Path
from urllib.parse import quote

from analysis.report.blocks import (
    Block,
    Bullets,
    Code,
    Figure,
    Form,
    Gap,
    Heading,
    Notes,
    Paragraph,
    Quote,
    References,
    Span,
    Table,
    Terms,
    Text,
    every,
    rewritten,
)
from analysis.report.build import Report

STYLE = Path(__file__).with_name("report.css")
# What text smuggles in is not loaded: no script at all; pictures only from the page, or where it links any, the disk.
POLICY = "default-src 'none'; img-src {}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
HELD, BESIDE = "data:", "data: 'self' file:"  # a page opened from the disk has no origin that `self` could mean
TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
IN_CONTENTS = 2  # levels
FILL = '<mark class="fill">'  # before what the author has still to write


def linked(report: Report, folder: Path) -> Report:
    """The report for a page in `folder` that shows its pictures from where they lie, and so is a tenth as large.

    A picture on another drive has no place from there on, and is held by the page after all.
    """
    here = os.path.realpath(folder)

    def at(block: Block) -> Block:
        if not isinstance(block, Figure):
            return block
        try:
            place = Path(os.path.relpath(os.path.realpath(block.path), here))
        except ValueError:
            return block
        return replace(block, address=quote(os.fsencode(place.as_posix())))

    return replace(report, blocks=tuple(rewritten(block, lambda span: span, at) for block in report.blocks))


def write(report: Report) -> bytes:
    """The page, in UTF-8."""
    beside = any(isinstance(block, Figure) and block.address for block in every(report.blocks))
    policy = POLICY.format(BESIDE if beside else HELD)
    style = STYLE.read_text(encoding="utf-8")
    title = escape(report.title)
    headings = [block for block in report.blocks if isinstance(block, Heading)]
    first = next((place for place, block in enumerate(report.blocks) if isinstance(block, Heading)), len(report.blocks))
    cover, body = report.blocks[:first], report.blocks[first:]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#text">To the text</a>
<header>
<h1>{title}</h1>
{_all(cover)}
</header>
<nav aria-label="Contents">
<h2>Contents</h2>
{_contents(headings)}
</nav>
<main id="text">
{_all(body)}
</main>
</body>
</html>
""".encode()


def _contents(headings: Sequence[Heading]) -> str:
    lines = []
    for heading in headings:
        if heading.level <= IN_CONTENTS:
            link = f'<a href="#{heading.anchor}">{escape(heading.text)}</a>'
            lines.append(f'<li class="level-{heading.level}">{link}</li>')
    return "<ul>\n" + "\n".join(lines) + "\n</ul>"


def _all(blocks: Sequence[Block]) -> str:
    return "\n".join(_html(block) for block in blocks)


@singledispatch
def _html(block: Block) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_html.register
def _(block: Heading) -> str:
    return f'<h{block.level + 1} id="{block.anchor}">{escape(block.text)}</h{block.level + 1}>'


@_html.register
def _(block: Paragraph) -> str:
    names = " ".join(name for name, has in (("small", block.small), ("kept", block.kept)) if has)
    return f"<p{_class(names)}>{_line(block.text)}</p>"


@_html.register
def _(block: Bullets) -> str:
    tag = "ol" if block.ordered else "ul"
    items = "\n".join(f"<li>{_inner(item)}</li>" for item in block.items)
    return f"<{tag}>\n{items}\n</{tag}>"


@_html.register
def _(block: Terms) -> str:
    items = "\n".join(f"<dt>{_line(term)}</dt>\n<dd>{_inner(said)}</dd>" for term, said in block.items)
    return f"<dl>\n{items}\n</dl>"


@_html.register
def _(block: Figure) -> str:
    from PIL import Image

    with Image.open(block.path) as image:
        width, height = image.size
    source = escape(block.address) or _held(block.path)
    return (
        f'<figure id="figure-{block.number}">\n'
        f'<img src="{source}" alt="{escape(block.alternative)}" width="{width}" height="{height}">\n'
        f"<figcaption><strong>Figure {block.number}.</strong> {_line(block.caption)}</figcaption>\n"
        "</figure>"
    )


def _held(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f"data:{TYPES[path.suffix.lower()]};base64,{data}"


@_html.register
def _(block: Table) -> str:
    side = [_class("number" if place in block.numeric else "") for place in range(len(block.header))]
    head = "".join(f'<th scope="col"{c}>{escape(text)}</th>' for text, c in zip(block.header, side, strict=True))
    rows = "\n".join(f"<tr>{_row(row, side)}</tr>" for row in block.rows)
    caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
    label = escape(block.caption or "Table")
    return (
        f'<div class="scroll" role="group" aria-label="{label}" tabindex="0">\n<table>{caption}\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )


def _row(row: Sequence[Text], side: Sequence[str]) -> str:
    first = f'<th scope="row"{side[0]}>{_line(row[0])}</th>'
    return first + "".join(f"<td{c}>{_line(cell)}</td>" for cell, c in zip(row[1:], side[1:], strict=True))


@_html.register
def _(block: Code) -> str:
    text = "\n".join(_diff_lines(block.text)) if block.diff else escape(block.text)
    caption = f"<figcaption>{escape(block.caption)}</figcaption>\n" if block.caption else ""
    label = escape(block.caption or "Code")
    attributes = f'tabindex="0" role="group" aria-label="{label}"'
    return f'<figure class="code">\n{caption}<pre {attributes}><code>{text}</code></pre>\n</figure>'


def _diff_lines(text: str) -> Iterator[str]:
    kinds = {"+": "added", "-": "removed", "@": "place"}
    for line in text.split("\n"):
        yield f"<span{_class(kinds.get(line[:1], ''))}>{escape(line)}</span>"


@_html.register
def _(block: Gap) -> str:
    command = f" Fill it with <code>{_broken(block.command)}</code>." if block.command else ""
    return f'<p class="gap" role="note"><strong>Missing.</strong> {escape(block.text)}{command}</p>'


@_html.register
def _(block: Quote) -> str:
    return f"<blockquote>\n{_all(block.blocks)}\n</blockquote>"


@_html.register
def _(block: References) -> str:
    items = "\n".join(f'<li id="reference-{n}">{_line(item)}</li>' for n, item in enumerate(block.items, 1))
    return f'<ol class="references">\n{items}\n</ol>'


@_html.register
def _(block: Notes) -> str:
    return f'<div class="notes">\n<p class="small">The author\'s notes</p>\n{_all(block.blocks)}\n</div>'


@_html.register
def _(block: Form) -> str:
    lines = "\n".join(f'<p class="line"><span>{escape(name)}</span></p>' for name in block.fields)
    return f'<div class="form">\n<p>{_line(block.text)}</p>\n{lines}\n</div>'


def _inner(blocks: Sequence[Block]) -> str:
    """Within an item: a single paragraph needs no paragraph marks of its own."""
    if len(blocks) == 1 and isinstance(blocks[0], Paragraph):
        text = _line(blocks[0].text)
        return f"<small>{text}</small>" if blocks[0].small else text
    return _all(blocks)


def _line(text: Text) -> str:
    return "".join(_span(span) for span in text)


def _span(span: Span) -> str:
    shown = _SPANS.get(span.kind, lambda one: escape(one.text))(span)
    shown = f"<em>{shown}</em>" if span.emphasis else shown
    return f"<strong>{shown}</strong>" if span.strong else shown


def _mark(span: Span) -> str:
    return f"<mark>{escape(span.text)}</mark>"


_SPANS: dict[str, Callable[[Span], str]] = {
    "code": lambda span: f"<code>{_broken(span.text)}</code>",
    "link": lambda span: f'<a href="{escape(span.target)}">{escape(span.text)}</a>',
    "number": lambda span: f'<data value="{escape(span.target)}">{escape(span.text)}</data>',
    "held": lambda span: (
        f'<span title="{escape(span.target)}">{escape(span.text)}</span>' if span.target else _mark(span)
    ),
    "cite": lambda span: f'<a href="#reference-{_number(span)}">{escape(span.text)}</a>',
    "figure": lambda span: f'<a href="#{span.text.lower().replace(" ", "-")}">{escape(span.text)}</a>',
    "section": lambda span: f'<a href="#{span.target}">{escape(span.text)}</a>',
    "fill": lambda span: f"{FILL}{escape(span.text)}</mark>",
}


def _number(span: Span) -> str:
    """Of the source that a span ends with: "Huber (1964) [7]"."""
    return span.text.rpartition("[")[2].rstrip("]")


def _broken(text: str) -> str:
    """Long names may break behind their separators."""
    return escape(text).replace("_", "_<wbr>").replace("-", "-<wbr>").replace(".", ".<wbr>").replace("/", "/<wbr>")


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
