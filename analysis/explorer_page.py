"""Puts the explorer's page together: one HTML file that asks the network for nothing.

The parts lie in `explorer_page/`. A content security policy lets the browser run this one script and use this one style
sheet, both by their hashes, and load nothing: whatever a name in the data says, it stays text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

PARTS = Path(__file__).parent / "explorer_page"
SCRIPTS = ("pictures", "choice", "plane", "image", "walk", "elbow", "main")


def page(content: Mapping[str, Any]) -> str:
    """The page of some content, as `analysis.explorer` gathers it: a whole HTML document."""
    style = _part("page.css")
    script = "".join(_part(f"{name}.js") for name in SCRIPTS)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"Explorer of the study {content['study']}"
    fill = {"title": html.escape(title), "policy": policy, "style": style, "script": script}
    return Template(_part("page.html")).substitute(fill, content=embedded(content))


def embedded(content: Any) -> str:
    """JSON that may stand in a script element: no text in it can end the element or open a comment."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
