"""The author's own prose: Markdown files whose name, or whose front matter, says which section they belong to.

A file `notes/loss.md` joins the section `loss`; another name needs a head of three lines, `---`, `section: loss`,
`---`. In the text {stat:ID} becomes the number with its interval and n, {figure:ID} a reference to the picture, which
is shown there unless it stands elsewhere in the report, and {cite:KEY} a reference to an entry of `references.bib`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.report.blocks import (
    Block,
    Bullets,
    Code,
    Figure,
    Heading,
    Paragraph,
    Quote,
    Span,
    Table,
    Text,
    plain,
)
from study.errors import InputError

PICTURES = (".png", ".jpg", ".jpeg")
SCHEMES = ("https://", "http://", "mailto:")
_PLACEHOLDER = re.compile(r"\{(stat|figure|cite):([^{}\s]*)\}")
_HEAD = re.compile(r"\A---\n(?P<lines>(?:.*\n)*?)---\n")
Resolve = Callable[[str, str], Text]


@dataclass(frozen=True)
class Note:
    """One file: where it belongs, and what it says."""

    path: Path
    section: str
    blocks: tuple[Block, ...]


def read(folder: Path, sections: Collection[str], resolve: Resolve) -> list[Note]:
    """All notes of a folder, in the order of their names; none where there is no folder. README.md is no note.

    Args:
        folder: Where they lie.
        sections: The ids that a note may belong to.
        resolve: ("stat", "figure" or "cite", id) → what stands in its place; raises InputError for an unknown one.

    Raises:
        InputError: A note of no section; an unknown id, with file and line; a file that cannot be read.
    """
    paths = [path for path in sorted(folder.glob("*.md")) if path.name.lower() != "readme.md"]
    return [_note(path, sections, resolve) for path in paths]


def _note(path: Path, sections: Collection[str], resolve: Resolve) -> Note:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    try:
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}). Save it as text in UTF-8.") from error
    section, head = path.stem, _HEAD.match(text)
    if head:
        section = _section_of(path, head["lines"]) or section
        text = "\n" * head[0].count("\n") + text[head.end() :]
    if section not in sections:
        raise InputError(
            f"{path}: there is no section '{section}'. Name the file after its section, or begin it with the lines "
            f"---, section: ID, ---. Allowed: {', '.join(sections)}."
        )
    tree = SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable("table").parse(text))
    return Note(path, section, tuple(_Reader(path, resolve).blocks(tree.children)))


def _section_of(path: Path, lines: str) -> str:
    for number, line in enumerate(lines.splitlines(), 2):
        key, _, value = line.partition(":")
        if key.strip() != "section":
            raise InputError(f"{path}:{number}: '{line}'. The head of a note holds one line alone, section: ID.")
        return value.strip()
    return ""


class _Reader:
    """Turns the tree of one file into blocks."""

    def __init__(self, path: Path, resolve: Resolve) -> None:
        self._path, self._resolve = path, resolve

    def blocks(self, nodes: Sequence[Any]) -> Iterator[Block]:
        """The blocks of some nodes."""
        for node in nodes:
            yield from getattr(self, f"_{node.type}", self._unknown)(node)

    def _paragraph(self, node: Any) -> Iterator[Block]:
        inline = node.children[0]
        if [child.type for child in inline.children] == ["image"]:
            yield self._picture(inline.children[0], node.map[0] + 1)
        else:
            yield Paragraph(self._text(inline))

    def _heading(self, node: Any) -> Iterator[Block]:
        """Numbered levels belong to the report; the author's headings stand below them all."""
        words = "".join(span.text for span in self._text(node.children[0]))
        yield Heading(5, words, f"note-{self._path.stem}-{node.map[0] + 1}")

    def _bullet_list(self, node: Any) -> Iterator[Block]:
        items = tuple(tuple(self.blocks(item.children)) for item in node.children)
        yield Bullets(items, ordered=node.type == "ordered_list")

    _ordered_list = _bullet_list

    def _blockquote(self, node: Any) -> Iterator[Block]:
        yield Quote(tuple(self.blocks(node.children)))

    def _fence(self, node: Any) -> Iterator[Block]:
        yield Code(node.content.rstrip("\n"), "", diff=node.info.strip() == "diff")

    _code_block = _fence

    def _hr(self, node: Any) -> Iterator[Block]:
        yield from ()

    def _table(self, node: Any) -> Iterator[Block]:
        rows = [
            [self._text(cell.children[0]) for cell in row.children] for part in node.children for row in part.children
        ]
        header = tuple("".join(span.text for span in cell) for cell in rows[0])
        yield Table("", header, tuple(tuple(row) for row in rows[1:]))

    def _unknown(self, node: Any) -> Iterator[Block]:
        raise InputError(f"{self._path}:{node.map[0] + 1}: {node.type} is not understood in notes. Write it as text.")

    def _picture(self, image: Any, line: int) -> Figure:
        where, source = f"{self._path}:{line}", str(image.attrs["src"])
        file, words = self._path.parent / source, image.content
        if "://" in source or file.suffix.lower() not in PICTURES or not file.is_file():
            raise InputError(
                f"{where}: no picture '{source}'. Allowed is a {', '.join(PICTURES)} file beside the note."
            )
        if not words.strip():
            raise InputError(f"{where}: the picture needs a text alternative: ![what it shows]({source})")
        return Figure(f"note:{file.name}", file, words, plain(words))

    def _text(self, inline: Any) -> Text:
        """The spans of a line; `line` counts on over line breaks, so that errors name theirs."""
        line, found = inline.map[0] + 1, []
        for leaf, style in _leaves(inline, Span("")):
            if leaf.type in ("softbreak", "hardbreak"):
                line += 1
                found.append(replace(style, text=" "))
            elif leaf.type == "image":
                raise InputError(f"{self._path}:{line}: a picture needs a paragraph of its own, between empty lines.")
            elif leaf.type == "code_inline":
                found.append(replace(style, text=leaf.content, kind="code", target=""))
            else:
                found += self._filled(leaf.content, style, line)
        return tuple(found)

    def _filled(self, text: str, style: Span, line: int) -> Iterator[Span]:
        """The text with its placeholders filled in."""
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            yield replace(style, text=text[end : match.start()])
            try:
                yield from self._resolve(match[1], match[2])
            except InputError as error:
                raise InputError(f"{self._path}:{line}: {match[0]}: {error}") from error
            end = match.end()
        yield replace(style, text=text[end:])


def _leaves(node: Any, style: Span) -> Iterator[tuple[Any, Span]]:
    """The leaves of a line, each with the emphasis and link that it stands in."""
    if node.type == "strong":
        style = replace(style, strong=True)
    elif node.type == "em":
        style = replace(style, emphasis=True)
    elif node.type == "link" and str(node.attrs["href"]).startswith(SCHEMES):
        style = replace(style, kind="link", target=str(node.attrs["href"]))
    if not node.children or node.type == "image":
        yield node, style
    else:
        for child in node.children:
            yield from _leaves(child, style)
