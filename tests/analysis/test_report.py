"""The report: what stands in it, what is missing, what fails it; the author's notes; the same bytes every time."""

import csv
import dataclasses
import itertools
import json
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from analysis import citable, cite, figures
from analysis.report import __main__ as report
from analysis.report import (
    bibliography,
    blocks,
    build,
    evidence,
    frame,
    handin,
    methods,
    sections,
    sources,
    write_html,
    write_pdf,
)
from analysis.report.blocks import (
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
    paragraph,
    plain,
)
from study import files, records
from study.errors import InputError
from tests.analysis import report_study
from tests.conftest import pack

VOID = {"meta", "img", "br", "wbr", "hr"}


class Page(HTMLParser):
    """A page taken apart: its tags in order, its text, and whether every tag that opens also closes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def of(self, *names: str) -> list[dict]:
        return [attrs for tag, attrs in self.tags if tag in names]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764000000")
    folder = report_study.write(tmp_path / "artifacts")
    report_study.analyse(folder)
    return folder


def page(folder: Path) -> Page:
    return Page((folder / "report" / "report.html").read_text(encoding="utf-8"))


def note(name: str, text: str) -> None:
    Path("notes").mkdir(exist_ok=True)
    Path("notes", name).write_text(text, encoding="utf-8")


def test_the_command_writes_page_pdf_and_statistics(study, capsys):
    assert report.main([]) == 0
    out = capsys.readouterr().out
    written = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    names = ("report.html", "report.pdf", "statistics.csv", "numbers.csv")
    assert written == [f"artifacts/tiny/report/{name}" for name in names]
    assert (study / "report" / "report.pdf").read_bytes().startswith(b"%PDF-")
    rows = list(csv.DictReader((study / "report" / "statistics.csv").read_text().splitlines()))
    assert [(row["study"], row["id"], row["value"], row["source"], row["row"]) for row in rows] == [
        ("tiny", "latent_elbow.digits-2", "0.034513", "analysis/latent_elbow/curve.csv", "0"),
        ("tiny", "latent_elbow.digits-4", "0.0211", "analysis/latent_elbow/curve.csv", "1"),
    ]
    assert "missing: inpainting has not been run on tiny. python -m analysis.inpainting tiny" in out


def test_the_same_records_give_the_same_bytes_but_for_the_date(study, monkeypatch):
    assert report.main([]) == 0
    first = {path.name: path.read_bytes() for path in (study / "report").iterdir()}
    assert report.main([]) == 0
    assert {path.name: path.read_bytes() for path in (study / "report").iterdir()} == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764100000")
    assert report.main([]) == 0
    html = (study / "report" / "report.html").read_bytes()
    assert html != first["report.html"]
    assert html.replace(b"2025-11-25", b"2025-11-24") == first["report.html"]


def test_packed_tables_give_the_same_bytes_until_the_analysis_is_run_again(study, capsys):
    assert report.main([]) == 0
    first = {path.name: path.read_bytes() for path in (study / "report").iterdir()}
    tables = sorted((study / "analysis" / "latent_elbow").glob("*.csv"))
    for path in tables:
        pack(path)
    assert len(tables) == 2 and files.tables(tables[0].parent) == tables
    assert report.main([]) == 0
    assert {path.name: path.read_bytes() for path in (study / "report").iterdir()} == first
    files.packed(tables[0]).write_bytes(b"no gzip")
    assert report.main([]) == 2
    assert "curve.csv cannot be read" in capsys.readouterr().err
    report_study.analyse(study)
    assert files.tables(tables[0].parent) == tables and not any(files.packed(path).exists() for path in tables)
    assert report.main([]) == 0


@pytest.mark.parametrize("seconds", ["abc", "1.5", "9" * 30])
def test_a_date_that_is_none_is_refused_with_what_is_allowed(study, capsys, monkeypatch, seconds):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
    assert report.main([]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: SOURCE_DATE_EPOCH={seconds}: allowed is a whole number of seconds ")
    assert "unset it" in error and not (study / "report").exists()


def test_a_number_that_no_table_holds_fails_the_build(study, capsys):
    told = "digits: it is 0.0211 [0.0187, 0.0235], or 0.0987."
    again = ["python", "-m", "analysis.latent_elbow", "tiny", "--metric", "val_mae"]
    change(study / "analysis/latent_elbow", sentences=[told], command=again)
    assert report.main([]) == 2
    error = capsys.readouterr().err
    assert "1 number in no table" in error and f"tiny, latent_elbow: 0.0987 in «{told}»" in error
    assert "(python -m analysis.latent_elbow tiny --metric val_mae), or build with --draft" in error
    assert not (study / "report").exists()


def test_each_number_of_a_sentence_is_followed_to_its_row_or_marked_in_a_draft(study, capsys):
    told = "digits: it is 0.0211 [0.0187, 0.0235] (p = 0.031), 3.45 % at 2, or 0.0987 (arXiv:1511.08861)."
    change(study / "analysis/latent_elbow", sentences=[told])
    report_study.write_modifications(study, report_study.modification())
    assert report.main(["--draft"]) == 0
    assert "in no table of tiny, latent_elbow: 0.0987 (marked; numbers.csv has" in capsys.readouterr().out
    rows = list(csv.DictReader((study / "report" / "numbers.csv").read_text().splitlines()))
    assert [(row["number"], row["held"], row["id"], row["table"], row["row"]) for row in rows] == [
        ("0.0211 [0.0187, 0.0235]", "with its interval", "latent_elbow.digits-4", "curve.csv", "1"),
        ("0.031", "alone", "", "curve.csv", "0"),
        ("3.45", "alone", "latent_elbow.digits-2", "curve.csv", "0"),
        ("0.0987", "nowhere", "", "", "-1"),
    ]
    assert {row["sentence"] for row in rows} == {told} and {row["analysis"] for row in rows} == {"latent_elbow"}
    shown = page(study)
    assert shown.of("mark").count({}) == 1 and "0.0987 [in no table of this analysis] (arXiv" in shown.text
    assert {"title": "latent_elbow.digits-4 (latent_elbow/curve.csv, row 1)"} in shown.of("span")


def test_attestation_and_statement_are_the_assignments_and_left_blank(study):
    assert report.main([]) == 0
    text = " ".join(page(study).text.split())
    assert (
        "attest that the work I am submitting is my own work and that it has not been copied/plagiarized from online "
        "or other sources. Any sourced material used for completing this work has been properly cited."
    ) in text
    assert "This document was generated by the software autoencoder-study 0.1.0 at commit" in text
    assert "On the use of ChatGPT or similar tools: to be filled in: which AI tools you used" in text
    assert page(study).of("mark") == [{"class": "fill"}] * 3, "name, signature, statement"


def test_answers_carry_their_numbers_and_gaps_their_commands(study):
    assert report.main([]) == 0
    shown = page(study)
    assert shown.of("data") == [{"value": "tiny:latent_elbow.digits-4"}], "in its section"
    text = " ".join(shown.text.split())
    behind = "error at 4 units: 0.0211 [0.0187, 0.0235] (n = 3; latent_elbow.digits-4); Figure 1."
    assert f"Four units are enough. {behind}" in text
    for command in ("analysis.effects", "analysis.generation", "analysis.residual", "analysis.variance"):
        assert f"Fill it with python -m {command} tiny." in text
    cited = text.split("Numbers cited")[-1]
    assert "tiny, analysis/latent_elbow/curve.csv: mean, 95 % t interval (of seeds) idnumbernprow " in cited
    assert "latent_elbow.digits-40.0211 [0.0187, 0.0235]3< 0.00011" in cited, "id, number, n, p and row in cells"


def test_the_page_stands_alone_and_is_accessible(study):
    note("loss.md", "# Much\n\n### Deeper\n\n[link](https://keras.io/) [no](javascript:alert(1)) <script>x</script>")
    assert report.main([]) == 0
    shown = page(study)
    assert shown.of("html") == [{"lang": "en"}]
    assert not shown.of("script", "link", "iframe", "object", "form")
    assert {attrs["src"].partition(",")[0] for attrs in shown.of("img")} == {"data:image/png;base64"}
    assert [attrs["alt"] for attrs in shown.of("img")] == ["Error over size; n = 3 seeds, 95 % t interval."]
    links = {attrs["href"] for attrs in shown.of("a")}
    ids = [attrs["id"] for _, attrs in shown.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert all(link.startswith(("#", "https://")) for link in links)
    levels = [int(tag[1]) for tag, _ in shown.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(attrs["scope"] in ("col", "row") for attrs in shown.of("th"))
    assert "default-src 'none'" in next(a["content"] for a in shown.of("meta") if "http-equiv" in a)


def test_a_linked_page_shows_the_same_pictures_from_where_they_lie(study):
    assert report.main([]) == 0
    held = page(study)
    assert report.main(["--linked"]) == 0
    linked = page(study)
    (picture,) = linked.of("img")
    assert (study / "report" / picture["src"]).resolve() == (
        study / "analysis" / "latent_elbow" / "curve.png"
    ).resolve()
    assert linked.text == held.text and {**picture, "src": ""} == {**held.of("img")[0], "src": ""}
    assert report.main(["--linked", "--out", "else where/ü"]) == 0
    (picture,) = Page(Path("else where", "ü", "report.html").read_text(encoding="utf-8")).of("img")
    assert picture["src"] == "../../artifacts/tiny/analysis/latent_elbow/curve.png"


def test_the_pdf_takes_the_drawing_where_that_is_smaller(study):
    pixels = rb"/Subtype\s*/Image"
    picture = study / "analysis" / "latent_elbow" / "curve.png"
    report_study.picture(picture, "A chart.", Image.effect_noise((40, 30), 50))
    drawing, digest = picture.with_suffix(".svg"), figures.digest(picture.read_bytes())
    assert report.main([]) == 0
    assert re.search(pixels, (study / "report" / "report.pdf").read_bytes())
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><desc>{digest}</desc><path d="M0 0h4"/></svg>'
    drawing.write_text(drawn)
    assert report.main([]) == 0
    assert not re.search(pixels, (study / "report" / "report.pdf").read_bytes())
    noise = np.random.default_rng(0).bytes(4000).hex()
    for other in (
        drawn.replace("<path", f"<desc>{noise}</desc><path"),
        drawn.replace(digest, "of an older run"),
        "<svg",
    ):
        drawing.write_text(other)
        assert report.main([]) == 0
        assert re.search(pixels, (study / "report" / "report.pdf").read_bytes())


def test_limits_count_the_seeds_that_were_run(study):
    shutil.rmtree(next(study.glob("trials/*-k4-*-s02")))  # of a seed that one cell lacks nothing is concluded
    assert report.main(["--sections", "latent"]) == 0
    assert "with 2 seeds the smallest two-sided p of a sign-flip test is 0.5" in page(study).text
    assert "5 of 6 trials completed" in page(study).text


def test_methods_name_the_seeds_that_were_run_and_the_training_images(study):
    found = evidence.read("tiny", study.parent)
    assert methods._seeds(found) == "3 seeds (0 to 2)"
    some = [record for record in found.trials if record["seed"] < 2]
    assert methods._seeds(dataclasses.replace(found, trials=some)) == "3 seeds planned, 2 run (0 to 1)"
    assert methods._seeds(dataclasses.replace(found, trials=[])) == "3 seeds planned, 0 run"
    said = "".join(span.text for span in blocks.spans(methods.methods([found], str(study.parent))))
    assert "the network trains on the rest, or on its first train_size images where a cell sets this factor." in said


def test_a_selection_keeps_the_assignments_numbers(study):
    assert report.main(["--sections", "latent", "problem2"]) == 0
    headings = [block for block in re.findall(r"<h3 id=\"(\w+)\"", (study / "report" / "report.html").read_text())]
    assert headings == ["latent", "inpainting", "denoising", "anomaly", "generation", "methods", "limits"]
    assert "1.2 A different latent space" in page(study).text
    assert "1.1 A different" not in page(study).text


def test_an_unknown_section_is_refused_with_those_there_are(study, capsys):
    assert report.main(["--sections", "inpaint"]) == 2
    assert capsys.readouterr().err.startswith("error: --sections inpaint: allowed are baseline, architecture, latent, ")


def test_several_studies_in_one_report(study, capsys):
    other = report_study.write(Path("artifacts"), "other")
    report_study.analyse(other, "inpainting", answer="inpainting")
    assert report.main(["tiny", "other", "--out", "both"]) == 0
    rows = list(csv.DictReader(Path("both", "statistics.csv").read_text().splitlines()))
    assert [row["study"] for row in rows] == ["tiny", "tiny", "other", "other"]
    text = Page(Path("both", "report.html").read_text()).text
    assert "Results: latent_elbow, study tiny" in text and "Results: inpainting, study other" in text
    assert "analysis.inpainting tiny" not in text and "denoising has not been run on tiny, other." in text


def test_a_study_that_has_half_of_a_section_has_a_gap_for_the_other_half(study, capsys):
    for name, places in {
        "tiny": ["reconstructions"],
        "other": ["reconstructions", "latent_space"],
        "third": [],
    }.items():
        folder = study if name == "tiny" else report_study.write(Path("artifacts"), name)
        for place in places:
            report_study.analyse(folder, place, answer=None)
    assert report.main(["tiny", "other", "third", "--sections", "reconstructions"]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("missing: ")]
    assert said == ["missing: latent_space has not been run on tiny. python -m analysis.latent_space tiny"]


def test_an_analysis_without_a_section_is_shown_all_the_same(study):
    report_study.analyse(study, "own_idea", answer=None)
    report_study.analyse(study, "latent_elbow/val_ssim", answer=None)
    assert report.main([]) == 0
    text = page(study).text
    assert "Further analyses" in text and "Results: own_idea, study tiny" in text
    assert "Results: latent_elbow.val_ssim, study tiny" in text


def test_a_refusal_is_shown_with_its_reason(study):
    (study / "analysis/runs.csv").write_text("analysis,status,reason\nvariance,refused,one seed\nresidual,broke,x\n")
    assert report.main([]) == 0
    text = " ".join(page(study).text.split())
    assert "variance cannot be had of tiny: one seed" in text and "analysis.variance tiny" not in text
    assert "residual has not been run on tiny." in text


def change(folder: Path, **changes: object) -> None:
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (dict(statistic="latent_elbow.digits-8"), "cites latent_elbow.digits-8, which was not estimated"),
        (dict(figure="elbow"), "points to the picture 'elbow', which is not among its figures"),
        (dict(question="weather"), "answers 'weather'. Allowed: architecture, "),
        (dict(colour="red"), "is damaged"),
    ],
)
def test_a_sentence_about_what_was_not_estimated_fails_the_build(study, capsys, answer, said):
    change(study / "analysis/latent_elbow", answers=[{"question": "latent_elbow", "sentence": "So it is.", **answer}])
    assert report.main([]) == 2
    assert said in capsys.readouterr().err
    assert not (study / "report").exists()


def test_numbers_of_another_run_and_lost_pictures_fail_the_build(study, capsys):
    (study / "analysis/latent_elbow/curve.png").write_bytes(b"no picture")
    assert report.main([]) == 2
    assert "curve.png is no picture" in capsys.readouterr().err
    (study / "analysis/latent_elbow/curve.csv").write_text("size,error\n2,0.5\n")
    assert report.main([]) == 2
    assert "They are of different runs: run the analysis again." in capsys.readouterr().err


def test_sentences_without_their_numbers_fail_the_build(study, capsys):
    (study / "analysis/latent_elbow/statistics.csv").unlink()
    assert report.main([]) == 2
    assert "summary.json has no statistics.csv beside it" in capsys.readouterr().err


def test_a_study_without_trials_or_without_a_folder(study, tmp_path, capsys):
    for record in study.glob("trials/*/record.json"):
        record.unlink()
    assert report.main([]) == 2
    assert report.main(["nowhere"]) == 2
    errors = capsys.readouterr().err
    assert "has no finished trial yet" in errors and "no study 'nowhere'" in errors


# Notes


def test_notes_are_merged_and_survive_rebuilds(study):
    note(
        "latent_elbow.md",
        "I find {stat:latent_elbow.digits-2}, see {figure:latent_elbow.curve} and {cite:huber1964}.\n",
    )
    note(
        "more.md",
        "---\nsection: latent_elbow\n---\n\n| a | b |\n|---|---|\n| *x* | `y` |\n\n1. one\n   - nested\n\n> said\n",
    )
    note("ai_statement.md", "I used **nothing**.")
    note("README.md", "not a note")
    for _ in range(2):
        assert report.main([]) == 0
        text = " ".join(page(study).text.split())
        assert re.search(r"I find 0.0345 \[0.0259, 0.0431\] \(n = 3\), see Figure 1 and Huber \(1964\) \[\d+\]\.", text)
        assert "I used nothing." in text and "On the use of ChatGPT" not in text
        assert "not a note" not in text
    assert {"value": "tiny:latent_elbow.digits-2"} in page(study).of("data")
    assert len(page(study).of("blockquote")) == 1
    assert cite.main(["--check", "artifacts/tiny/report/report.html"]) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("One.\n\nTwo\nand {stat:latent_elbow.digits-3}.", "4: {stat:latent_elbow.digits-3}: no statistic"),
        ("- a\n- **b {figure:latent_elbow.curves}**", "2: {figure:latent_elbow.curves}: no picture"),
        ("{figure:latent_elbow.curves}", "Did you mean latent_elbow.curve?"),
        ("\n\n{cite:nobody1900}", "3: {cite:nobody1900}: no source"),
        (
            "{stat:other:latent_elbow.digits-2}",
            "1: {stat:other:latent_elbow.digits-2}: the study 'other' is not in this",
        ),
        ("---\nsection: loss\n---\n{stat:}", "4: {stat:}: no statistic"),
        ("---\nsection: weather\n---\n", "there is no section 'weather'"),
        ("---\nname: loss\n---\n", "2: 'name: loss'. The head of a note holds one line alone"),
        ("![words](gone.png)", "1: no picture 'gone.png'"),
        ("![words](https://elsewhere/x.png)", "1: no picture 'https://elsewhere/x.png'"),
        ("![](here.png)", "1: the picture needs a text alternative"),
        ("beside ![words](here.png)", "1: a picture needs a paragraph of its own"),
    ],
)
def test_a_note_that_is_wrong_is_named_with_its_line(study, capsys, text, said):
    note("loss.md", text)
    report_study.picture(Path("notes/here.png"), "")
    assert report.main([]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: notes/loss.md:") and said in error
    assert not (study / "report").exists()


def test_a_note_of_no_section_and_a_note_left_out(study, capsys):
    note("losses.md", "x")
    assert report.main([]) == 2
    assert "notes/losses.md: there is no section 'losses'" in capsys.readouterr().err
    Path("notes/losses.md").rename("notes/loss.md")
    assert report.main(["--sections", "latent"]) == 0
    assert "left out: notes on loss, a section that was not chosen" in capsys.readouterr().out


def test_a_picture_is_shown_once_wherever_it_is_referred_to(study):
    note("loss.md", "{figure:latent_elbow.curve}\n\n{figure:tiny:latent_elbow.curve}\n\n![mine](own.png)")
    report_study.picture(Path("notes/own.png"), "")
    assert report.main([]) == 0
    assert page(study).of("img")[0]["alt"] == "mine"
    assert len(page(study).of("img")) == 2
    assert report.main(["--sections", "loss"]) == 0
    assert [attrs["alt"][:5] for attrs in page(study).of("img")] == ["mine", "Error"], "placed behind its reference"


def test_a_caption_says_where_a_picture_comes_from():
    shown = frame.shown(evidence.Picture("tour:effects.forest-loss", Path("forest-loss.png"), "Test MSE; n = 4 seeds."))
    assert shown.caption == plain(Span("effects.forest-loss", "code"), " of study tour.")
    assert shown.alternative == "Test MSE; n = 4 seeds."


def test_an_answer_with_a_figure_alone_says_what_the_figure_is(study):
    answer = {"question": "latent_elbow", "sentence": "None is enough.", "figure": "curve"}
    change(study / "analysis/latent_elbow", answers=[answer])
    assert report.main([]) == 0
    assert "None is enough. Shown in Figure 1." in " ".join(page(study).text.split())


def test_a_line_of_code_that_is_too_long_continues_further_in_than_it_began(tmp_path):
    import typst
    from PIL import Image

    def left_of_rows(line):
        """The first dark column of each row of letters, in pixels."""
        content = {"title": "", "blocks": write_pdf._plain((Code(line, "", diff=True), Heading(1, "a", "a")), tmp_path)}
        (tmp_path / "report.json").write_text(json.dumps(content), encoding="utf-8")
        shutil.copy(write_pdf.TEMPLATE, tmp_path / "report.typ")
        typst.compile(tmp_path / "report.typ", output=tmp_path / "page{n}.png", format="png", ppi=72, root=tmp_path)
        dark = np.asarray(Image.open(tmp_path / "page1.png").convert("L")) < 140
        rows = np.flatnonzero(dark.any(axis=1))
        lines = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
        return [np.flatnonzero(dark[line].any(axis=0))[0] for line in lines]

    first, *rest, _page_number = left_of_rows("+  " + "word " * 60)
    assert len(rest) == 2 and min(rest) > first + 15


# Problem 1


def test_a_modification_shows_why_code_time_loss_performance_discussion(study):
    unknown = report_study.modification(family="mine", factors=["batch_size"], label="odd")
    report_study.write_modifications(study, report_study.modification(), unknown)
    assert report.main(["--sections", "latent", "others"]) == 0
    html = (study / "report" / "report.html").read_text().split("<main")[1]
    latent, others = html.split("Further analyses")[0], html.split("Further analyses")[-1]
    block = report_study.modification()
    mechanism = block["mechanism"]
    for said in (
        *(block["label"], *block["why"], *block["time"], *block["loss"], *block["performance"], *block["certainty"]),
        *(mechanism["explanation"], *mechanism["measurements"], mechanism["conclusion"]),
    ):
        assert said in latent
    assert '<span class="removed">-two</span>\n<span class="added">+four</span>' in latent
    assert "odd" in others and "not measured" in latent
    report_study.write_modifications(study, {"family": "latent"})
    with pytest.raises(InputError, match=r"modifications.json is damaged"):
        report.write(report._parser().parse_args([]))


def test_code_and_reasons_that_are_shared_stand_once_and_the_others_point_there(study):
    again = report_study.modification(label="elsewhere", cell="digits-cnn-k4-mse", reference="digits-cnn-k2-mse")
    other = {**again["code"][0], "diff": "@@ -1 +1 @@\n-two\n+five"}
    report_study.write_modifications(
        study, report_study.modification(), again, report_study.modification(label="third", code=[other], why=["Else."])
    )
    study = study.rename(study.with_name("odd name.1"))
    assert report.main(["odd name.1", "--sections", "latent"]) == 0
    shown = page(study)
    latent = " ".join(shown.text.split()).split("1.2 A different")[-1]
    assert latent.count("More units hold more.") == 1 and latent.count("+four") == 1 and latent.count("+five") == 1
    assert latent.count("as under «latent_dim 2 → 4».") == 2
    assert "Why: as under" in latent and "What changes in latent_dim (search space): as under" in latent
    (first,) = [attrs["id"] for tag, attrs in shown.tags if tag == "h4" and attrs["id"].endswith("-1-1")]
    assert [attrs["href"] for attrs in shown.of("a")].count(f"#{first}") == 2, "the heading's anchor, made plain"


# Sources


def test_every_section_quotes_functions_that_exist_and_sources_that_are_listed():
    for section in sections.SECTIONS:
        for place in section.code:
            assert any(isinstance(block, Code) and "def " in block.text for block in sources.code(place))
        assert set(section.sources) <= set(bibliography.entries())
        assert set(section.question.split()) <= set(citable.QUESTIONS)
    with pytest.raises(ValueError, match="has no function nothing"):
        sources.code("study.corruptions:nothing")


def test_code_is_quoted_without_docstring_and_decorator():
    why, code = sources.code("study.architectures.keras_io:build")
    assert isinstance(code, Code) and code.text.startswith("def build(shape")
    assert '"""' not in code.text and "@level" not in code.text and "Dense(16" in code.text
    assert isinstance(why, Paragraph) and "the assignment hands out" in why.text[0].text


def test_a_modules_docstring_is_set_as_text_and_terms():
    found = sources.method("analysis.latent_elbow")
    words = [span.text for span in blocks.spans(found)]
    assert not any("python -m" in word for word in words[:1])
    terms = next(block for block in found if isinstance(block, Terms))
    assert [term[0].text for term, _ in terms.items][:2] == ["choice", "test error"]
    assert sources.method("analysis.nothing") == []


@pytest.mark.parametrize("module", ["reconstructions", "latent_space"])
def test_a_method_speaks_of_no_option_of_its_command(module):
    assert "--" not in "".join(span.text for span in blocks.spans(sources.method(f"analysis.{module}")))


def test_lists_in_a_docstring_are_lists():
    found = sources._set("One\n  two:\n  - a `b`\n    goes on\n  - c\nThree.\nterm   said\n       on\n  other  x")
    plain_one, items, plain_two, terms = found
    assert plain_one == paragraph("One two:") and plain_two == paragraph("Three.")
    assert items.items[0][0].text == plain("a ", Span("b", "code"), " goes on") and len(items.items) == 2
    assert [(t[0].text, said[0].text[0].text) for t, said in terms.items] == [("term", "said on"), ("other", "x")]


def test_the_bibliography_is_whole():
    text = bibliography.PATH.read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{([\w-]+),", text, re.MULTILINE)
    assert list(bibliography.entries()) == keys and len(set(keys)) == len(keys)
    for key, entry in bibliography.entries().items():
        assert {"author", "title", "year"} <= set(entry)
        assert re.fullmatch(r"(19|20)\d\d", entry["year"]) and key.endswith(entry["year"])
        assert re.fullmatch(r"10\.\d{4,5}/\S+", entry.get("doi", "10.1234/x"))
        assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.get("eprint", "1234.5678"))
        reference = "".join(span.text for span in bibliography.reference(key))
        assert entry["title"].split()[0].strip("`") in reference and entry["year"] in reference
    assert bibliography.name("wang2004") == "Wang et al. (2004)"
    assert bibliography.name("clopper1934") == "Clopper and Pearson (1934)"
    assert {key for key, _ in bibliography.DATASETS.values()} <= set(keys)


def test_sentences_that_begin_alike_stand_together():
    from analysis.report.content import grouped

    found = grouped(["a: one.", "a: two.", "b: three.", "Four."])
    assert isinstance(found[0], Terms) and isinstance(found[1], Bullets)
    assert found[0].items[0][0] == plain("a") and len(found[0].items[0][1][0].items) == 2
    assert [item[0].text[0].text for item in found[1].items] == ["b: three.", "Four."]


# Escaping

odd = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=30)
NASTY = [
    '<img src=x onerror=alert(1)>"',
    "'; #let x = 1 $y$ _z_ @a <b> \\u{41} \\",
    "../../etc/passwd",
    "]]>&amp;{{",
    "C:\\x",
]


@settings(max_examples=25, deadline=None)
@given(text=odd | st.sampled_from(NASTY))
def test_no_text_is_markup(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "picture.png"
    report_study.picture(path, "")
    line = plain(
        text, Span(text, "code"), Span(text, "number", text), Span(text, "link", text), Span(text, strong=True)
    )
    content: tuple[blocks.Block, ...] = (
        Form(line, (text,)), Heading(1, text, "a"), Paragraph(line), Bullets(((paragraph(text),),)), Gap(text, text),
        Terms(((line, (paragraph(text, small=True), Quote((paragraph(text),)))),)),
        Table(text, (text, text), ((line, line),)),
        Figure("k", path, text, line, 1), Code(text, text, diff=True), Code(text, text), Notes((paragraph(text),)),
        References((line,)),
    )  # fmt: skip
    made = build.Report(text, "2026-01-01", content)
    shown = Page(write_html.write(made).decode())
    assert len(shown.of("img")) == 1 and shown.of("img")[0]["alt"] == text
    assert not shown.of("script", "b")
    assert text in shown.text
    assert [attrs["value"] for attrs in shown.of("data")] == [text] * 7
    assert write_pdf.write(made)[0].startswith(b"%PDF-")


def test_a_sign_that_the_fonts_lack_is_told(study, capsys):
    note("cover.md", "Ein Umlaut ä, ein Zeichen \u4e2d.")
    assert report.main([]) == 0
    out = capsys.readouterr().out
    assert 'report.pdf: PDF/UA-1 error: the text `"\u4e2d"` could not be displayed' in out or "\\u{4e2d}" in out
    note("cover.md", "Ein Umlaut ä, Σ σ ≤ ∞ → ½.")
    assert report.main([]) == 0
    assert "could not be displayed" not in capsys.readouterr().out


@pytest.mark.parametrize("nasty", NASTY)
def test_names_that_contain_markup_do_no_harm(study, nasty):
    table = report_study.CURVE.assign(dataset=nasty)
    report_study.analyse(
        study, "inpainting", table, sentences=(nasty, f"{nasty}: said"), caption=nasty, answer="inpainting",
        what="error of {dataset} at {size}",
    )  # fmt: skip
    report_study.write_modifications(
        study, report_study.modification(label=nasty, cell=nasty, why=[nasty], time=[nasty])
    )
    summary = study / "analysis/inpainting/summary.json"
    answer = json.loads(summary.read_text())["answers"][0]
    statistic = next(csv.DictReader((study / "analysis/inpainting/statistics.csv").read_text().splitlines()))["id"]
    change(study / "analysis/inpainting", answers=[{**answer, "statistic": statistic}])
    assert report.main([]) == 0
    shown = page(study)
    assert not shown.of("script", "b") and len(shown.of("img")) == 2
    assert shown.text.count(nasty) >= 8


# The hand-in


def test_the_zip_holds_report_code_records_and_how_to_verify(study, capsys):
    trial = next(study.glob("trials/*"))
    (trial / "model.keras").write_bytes(b"a cache")
    (study / "tasks/inpainting").mkdir(parents=True)
    (study / "tasks/inpainting/x.csv").write_text("1")
    (study / "tasks/inpainting/x.images.npz").write_bytes(b"a cache")
    assert handin.main([]) == 2
    assert "Build it: python -m analysis.report tiny" in capsys.readouterr().err
    note("loss.md", "mine")
    assert report.main(["--linked"]) == 0 and handin.main([]) == 2
    assert "Build it without --linked: python -m analysis.report tiny" in capsys.readouterr().err
    assert report.main([]) == 0
    assert handin.main([]) == 0
    said = capsys.readouterr().out
    assert "not yet written in the report: to be filled in: your name (notes/author.md)\n" in said
    assert said.count("not yet written") == 3 and "(notes/ai_statement.md)" in said
    first = Path("tiny-handin.zip").read_bytes()
    with zipfile.ZipFile("tiny-handin.zip") as archive:
        names = {name.removeprefix("tiny-handin/") for name in archive.namelist()}
        readme = archive.read("tiny-handin/READ-ME-FIRST.txt").decode()
        record = archive.read(f"tiny-handin/code/artifacts/tiny/trials/{trial.name}/record.json")
    assert {
        "report.pdf",
        "report.html",
        "statistics.csv",
        "numbers.csv",
        "code/Makefile",
        "code/study/search.py",
    } <= names
    assert {
        "code/notes/loss.md",
        "code/artifacts/tiny/manifest.json",
        "code/artifacts/tiny/tasks/inpainting/x.csv",
    } <= names
    assert "code/artifacts/tiny/analysis/latent_elbow/statistics.csv" in names
    assert not [
        name
        for name in names
        if name.endswith((".keras", ".images.npz", ".pyc")) or name.startswith("code/artifacts/tiny/report")
    ]
    assert record == (trial / "record.json").read_bytes()
    assert 'cd code && make verify STUDY="tiny"' in readme
    assert handin.main(["--out", "again.zip"]) == 0
    assert Path("again.zip").read_bytes() == first


def test_a_command_is_quoted_and_a_long_list_of_cells_is_cut(tmp_path):
    folder = report_study.analyse(report_study.write(tmp_path))
    said = json.loads((folder / "summary.json").read_text())
    for cells, shown in (
        ("*-k2-*", "--cells '*-k2-*'"),
        ("a b c", "--cells 'a b c'"),
        ("a b c d e", "--cells 'a …' (all 5: summary.json)"),
    ):
        said["command"] = ["python", "-m", "analysis.latent_elbow", "tiny", "--cells", cells]
        (folder / "summary.json").write_text(json.dumps(said))
        (analysis,) = evidence.read("tiny", tmp_path).analyses
        assert analysis.command == f"python -m analysis.latent_elbow tiny {shown}"


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut off", None])
def test_damaged_examples_are_named_with_their_remedy(study, damage):
    (trial,) = study.glob("trials/*-k4-*-s02")
    path = trial / "examples.npz"
    if damage is None:
        np.savez_compressed(path, index=np.arange(32), codes=np.ones((32, 4)), reconstructions=np.ones((32, 8, 8, 1)))
        content = bytearray(path.read_bytes())
        content[60:90] = b"x" * 30
        damage = bytes(content)
    path.write_bytes(damage)
    with pytest.raises(InputError, match=rf"examples.npz cannot be read .*--rebuild {trial.name}"):
        records.examples("tiny", trial.name, study.parent)


def test_make_has_what_the_hand_in_promises():
    text = (sources.ROOT / "Makefile").read_text()
    for target in ("report", "handin", "verify"):
        assert re.search(rf"^{target}: \.venv/ready\n\t\$\(BIN\)/python -m ", text, re.MULTILINE)
    assert "analysis.report.handin $(STUDY)" in text and "analysis.verify $(STUDY)" in text
    assert evidence.NO_CAPTION
