"""Headless Chromium for tests of the pages that the analyses write: opened from the disk, and watched."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
DESKTOP, PHONE = dict(width=1280, height=900), dict(width=360, height=740)


@dataclass
class Visit:
    """A page that is open, and what it did that it should not have done.

    Attributes:
        page: Playwright's page.
        path: The file.
        said: Console errors and warnings, and exceptions that nothing caught.
        asked: Addresses asked for besides the file itself.
    """

    page: Any
    path: Path
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        assert self.said == []
        assert self.asked == []

    def pixels(self, canvas: str) -> list[int]:
        """Red, green, blue and alpha of each pixel of a canvas; a copy is read, or Chromium warns."""
        return self.page.evaluate(
            "id => { const c = document.getElementById(id); "
            "const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true }); "
            "copy.drawImage(c, 0, 0); return [...copy.getImageData(0, 0, c.width, c.height).data]; }",
            canvas,
        )

    def violations(self) -> list[str]:
        """What axe-core finds, in words."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{v['impact']}: {v['id']} at {[node['target'] for node in v['nodes']]}" for v in found]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Playwright's handle on the machine's own Chromium (or on the one that the variable CHROMIUM names)."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium: none of {', '.join(NAMES)} is on the path, and CHROMIUM names none")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Visit]]:
    """Opens a file in a fresh profile: `visit(path, "#hash", color_scheme="dark", viewport=PHONE)`."""
    contexts = []

    def go(path: Path, hash: str = "", **options: Any) -> Visit:
        context = chromium.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        page = context.new_page()
        visit, address = Visit(page, path), path.resolve().as_uri()
        page.on("console", lambda m: visit.said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: visit.said.append(str(error)))
        page.on("dialog", lambda dialog: (visit.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: visit.asked.append(r.url) if r.url.split("#")[0] != address else None)
        page.goto(address + hash)
        return visit

    yield go
    for context in contexts:
        context.close()
