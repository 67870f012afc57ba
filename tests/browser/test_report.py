"""The report's page in a browser: nothing is fetched, nothing goes wrong, everybody can read it."""

import json
from pathlib import Path

import pytest

from analysis.report import __main__ as report
from tests.analysis import report_study
from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.browser
HOSTILE = """</script></style><script>alert(1)</script><img src=x onerror=alert(2)> "' & ../.. --> {stat:x}"""
NOTE = """# A heading

Prose with *emphasis*, `code`, {stat:latent_elbow.digits-4} and {figure:latent_elbow.curve}.

- an item
- another, [a link](https://example.org/)

> a quotation

| size | error |
| --- | --- |
| 2 | large |

    x = 1
"""


def built(folder: Path, monkeypatch: pytest.MonkeyPatch, caption: str = "Error over size; n = 3 seeds.") -> Path:
    """A report with every kind of block; the path of its page."""
    monkeypatch.chdir(folder)
    study = report_study.write(folder / "artifacts")
    for place, question in (("latent_elbow", "latent_elbow"), ("denoising", "denoising"), ("effects", "latent")):
        report_study.analyse(study, place, answer=question, caption=caption, sentences=(caption, "It falls."))
    text = json.dumps([report_study.modification(label=caption[:80])])
    (study / "analysis" / "effects" / "modifications.json").write_text(text, encoding="utf-8")
    Path("notes").mkdir()
    Path("notes", "latent_elbow.md").write_text(NOTE, encoding="utf-8")
    assert report.main(["--artifacts", str(folder / "artifacts")]) == 0
    return study / "report" / "report.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return built(tmp_path_factory.mktemp("reported"), patch)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_nothing_and_axe_finds_nothing(visit, page, viewport, scheme):
    found = visit(page, viewport=viewport, color_scheme=scheme)
    assert found.violations() == []
    assert not found.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    found.assert_clean()


def test_each_picture_is_there_and_has_a_text_alternative(visit, page):
    found = visit(page)
    pictures = found.page.evaluate("() => [...document.images].map(i => [i.alt, i.complete && i.naturalWidth])")
    assert pictures and all(len(text) > 10 and width == 40 for text, width in pictures)


def test_links_within_the_page_lead_somewhere(visit, page):
    found = visit(page)
    targets = found.page.evaluate("() => [...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))")
    assert len(targets) > 5
    assert found.page.evaluate("ids => ids.filter(id => !document.getElementById(id))", targets) == []
    found.page.keyboard.press("Tab")
    assert found.page.evaluate("() => document.activeElement.textContent") == "To the text"


def test_on_paper_nothing_is_wider_than_the_page(visit, page):
    """A4 with margins of 2 cm is 643 CSS pixels wide; ink is dark on white whatever the screen's scheme."""
    found = visit(page, viewport=dict(width=643, height=900), color_scheme="dark")
    found.page.emulate_media(media="print", color_scheme="light")
    assert not found.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    assert found.page.evaluate("() => getComputedStyle(document.body).color") in ("rgb(0, 0, 0)", "rgb(17, 17, 17)")
    assert found.page.pdf().startswith(b"%PDF-")


def test_text_with_markup_and_quotes_does_no_harm(visit, tmp_path, monkeypatch):
    found = visit(built(tmp_path, monkeypatch, HOSTILE))
    assert found.page.locator("script").count() == 0
    assert HOSTILE in found.page.inner_text("main")
    assert HOSTILE in found.page.evaluate("() => [...document.images].map(i => i.alt).join('|')")
    found.assert_clean()
