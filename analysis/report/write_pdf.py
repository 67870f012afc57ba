"""Writes the report as PDF with Typst: the blocks are handed over as data, so that no text of them is ever markup.

Typst's own fonts alone are used, and the time in the file is the report's date: the same blocks give the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis import figures
from analysis.report.blocks import Block, Figure, Span
from analysis.report.build import Report

TEMPLATE = Path(__file__).with_name("report.typ")
STANDARDS: Any = ["ua-1"]  # PDF/UA: tagged, every picture described; Typst refuses what is not
NO_SIGN = "could not be displayed"  # what Typst says then
HEIGHT = 225.0  # mm: what is left of a page for a picture above its caption
WIDTH = 170.0  # mm


def write(report: Report) -> tuple[bytes, str]:
    """The PDF, and in words what Typst's own fonts lack, if anything ("" mostly).

    A sign that they lack is looked for in the machine's fonts, so that the bytes then depend on the machine; where
    these lack it too it is a box, and the file no longer claims PDF/UA.

    Raises:
        typst.TypstError: Typst refuses the document otherwise: a fault of this program.
    """
    import typst

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(TEMPLATE, root / "report.typ")
        content = {"title": report.title, "date": report.date, "blocks": _plain(report.blocks, root)}
        (root / "report.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        moment = datetime.fromisoformat(report.date).replace(tzinfo=UTC)
        lacking = ""
        for system_fonts, standards in ((False, STANDARDS), (True, STANDARDS), (True, [])):
            fonts = typst.Fonts(include_system_fonts=system_fonts, include_embedded_fonts=True)
            compiler = typst.Compiler(root / "report.typ", root=root, font_paths=fonts)
            try:
                pdf = compiler.compile(format="pdf", timestamp=moment, pdf_standards=standards)
            except typst.TypstError as error:
                if NO_SIGN not in error.message:
                    raise
                lacking = error.message
                continue
            assert isinstance(pdf, bytes)  # one document, nothing written
            return pdf, lacking
    raise RuntimeError(lacking)


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

    shown = _lighter(block.path)
    copy = root / f"figure-{block.number}{shown.suffix.lower()}"
    shutil.copyfile(shown, copy)
    with Image.open(block.path) as image:
        width, height = image.size
    return {"path": copy.name, "width": min(WIDTH, HEIGHT * width / height)}


def _lighter(path: Path) -> Path:
    """The drawing of a picture where it takes less room, as those of charts do, sharp at every size; else the picture.

    Only the drawing that `figures.save` wrote with this very picture: not an older one, nor an author's own.
    """
    drawing = path.with_suffix(".svg")
    if not drawing.is_file():
        return path
    drawn, picture = drawing.read_bytes(), path.read_bytes()
    same = figures.digest(picture).encode() in drawn
    return drawing if same and len(zlib.compress(drawn)) < len(picture) else path
