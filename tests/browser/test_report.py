"""The report in a browser: nothing fetched, nothing complained of, accessible in light and dark, as wide as a phone."""

import pytest

from analysis.report import __main__ as report
from tests.analysis import report_study
from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.browser
NOTE = """---
section: latent_elbow
---

# Mine

{stat:latent_elbow.digits-2}, {figure:latent_elbow.curve}

| a | b |
|---|---|
| 1 | 2 |
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report with every kind of block: pictures, tables, a diff, gaps, notes, and names that are markup."""
    folder = tmp_path_factory.mktemp("reported")
    study = report_study.write(folder / "artifacts")
    report_study.analyse(study)
    report_study.analyse(study, "inpainting", sentences=("<img src=x onerror=alert(1)>: said",), answer="inpainting")
    label = '<script>alert("x")</script>' + "long_name_" * 9
    report_study.write_modifications(study, report_study.modification(label=label))
    (folder / "notes").mkdir()
    (folder / "notes" / "any.md").write_text(NOTE, encoding="utf-8")
    place = ["--artifacts", str(folder / "artifacts"), "--notes", str(folder / "notes")]
    assert report.main(["tiny", *place]) == 0
    return study / "report" / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_opened_it_is_clean_accessible_and_as_wide_as_the_screen(page, visit, scheme, viewport):
    opened = visit(page, color_scheme=scheme, viewport=viewport)
    opened.assert_clean()
    assert opened.violations() == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_links_lead_to_what_they_name(page, visit):
    opened = visit(page)
    for link in ("1.2 A different latent space", "Figure 1"):
        opened.page.get_by_role("link", name=link, exact=True).first.click()
        target = opened.page.locator(":target")
        assert link.split()[0] in target.inner_text()
    opened.assert_clean()


def test_a_linked_page_shows_its_pictures(page, visit):
    study = page.parent.parent
    place = ["--artifacts", str(study.parent), "--notes", str(study / "no notes"), "--out", str(study / "linked")]
    assert report.main(["tiny", "--linked", *place]) == 0
    opened = visit(study / "linked" / "report.html")
    widths = opened.page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 2 and min(widths) > 0
    asked = sorted((study / "analysis").rglob("curve.png"))
    assert (opened.said, sorted(opened.asked)) == ([], [path.as_uri() for path in asked])


def test_in_print_nothing_is_hidden_or_dark(page, visit):
    opened = visit(page, color_scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.page.evaluate("getComputedStyle(document.querySelector('pre')).overflowX") == "visible"
