"""Writes the report as PDF with Typst: the blocks are handed over as data, so that no text of them is ever markup.

Typst's own fonts alone are used, and the time in the file is the report's date: the same blocks give the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from analysis.report.blocks import Block, Figure, Span
from analysis.report.build import Report

TEMPLATE = Path(__file__).with_name("report.typ")
STANDARD: Literal["ua-1"] = "ua-1"  # PDF/UA: tagged, every picture with its alternative; Typst refuses what is not
HEIGHT = 225.0  # mm: what is left of a page for a picture above its caption
WIDTH = 170.0  # mm


def write(report: Report) -> bytes:
    """The PDF.

    Raises:
        RuntimeError: Typst refuses the document: a fault of this program.
    """
    import typst

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(TEMPLATE, root / "report.typ")
        content = {"title": report.title, "date": report.date, "blocks": _plain(report.blocks, root)}
        (root / "report.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
        compiler = typst.Compiler(root / "report.typ", root=root, font_paths=fonts)
        moment = datetime.fromisoformat(report.date).replace(tzinfo=UTC)
        pdf, warnings = compiler.compile_with_warnings(format="pdf", timestamp=moment, pdf_standards=[STANDARD])
    if warnings:
        raise RuntimeError(f"Typst warns: {warnings[0]}")
    assert isinstance(pdf, bytes)  # one document, nothing written
    return pdf


def _plain(value: Any, root: Path) -> Any:
    """A block, span or list of them as plain data; pictures are copied beside the template under names of our own."""
    if isinstance(value, (Block, Span)):
        fields = {field.name: _plain(getattr(value, field.name), root) for field in dataclasses.fields(value)}
        if isinstance(value, Figure):
            fields |= _picture(value, root)
        return {"block": type(value).__name__.lower(), **fields}
    if isinstance(value, (tuple, list)):
        return [_plain(part, root) for part in value]
    return sorted(value) if isinstance(value, frozenset) else str(value) if isinstance(value, Path) else value


def _picture(block: Figure, root: Path) -> dict[str, Any]:
    """Its copy, and the width at which it fits both ways."""
    from PIL import Image

    copy = root / f"figure-{block.number}{block.path.suffix.lower()}"
    shutil.copyfile(block.path, copy)
    with Image.open(block.path) as image:
        width, height = image.size
    return {"path": copy.name, "width": min(WIDTH, HEIGHT * width / height)}
