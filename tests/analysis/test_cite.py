"""Numbers to cite: how they are printed, found, and recognised again in what someone wrote."""

import json
import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import cite, cite_check, cite_sentence, cite_statistics, cite_trace
from analysis.cite_statistics import Statistic, printed
from study.errors import InputError
from tests.analysis import report_study

ONE = Statistic(
    **{"study": "tiny", "id": "latent_elbow.digits-2", "what": "error at 2 units", "dataset": "digits"},
    **{"value": 0.034513, "low": 0.025922, "high": 0.043104, "n": "3", "p": 0.0312},
    **{"method": "mean, 95 % t interval (of seeds)", "source": "analysis/latent_elbow/curve.csv", "row": 0},
)
SUFFIX = {"text": ".txt", "markdown": ".md", "latex": ".tex"}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cited") / "artifacts"
    report_study.analyse(report_study.write(folder))
    return folder


def run(artifacts, *words):
    return cite.main([*words, "--artifacts", str(artifacts)])


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0.034513, 0.025922, 0.043104), ("0.0345", "0.0259", "0.0431")),  # two digits of half the width
        ((0.45, 0.28, 0.61), ("0.450", "0.280", "0.610")),  # but three of the largest number
        ((1234.5, 1200.1, 1300.2), ("1234", "1200", "1300")),
        ((8.0, 8.0, None), ("8", "8", "open")),
        ((8.0, None, None), ("8", "", "")),
        ((0.12345678, None, None), ("0.1235", "", "")),
        ((2.5, -math.inf, math.inf), ("2.500", "-∞", "∞")),
        ((-0.0001, -0.3, 0.2), ("0.000", "-0.300", "0.200")),  # no minus before a zero
        ((0.0, 0.0, 0.0), ("0", "0", "0")),
        ((1.5e-12, None, None), ("1.500e-12", "", "")),
        ((5e-324, None, None), ("4.941e-324", "", "")),
    ],
)
def test_decimals_follow_the_interval(numbers, expected):
    assert printed(*numbers) == expected


@pytest.mark.parametrize(("p", "words"), [(0.0312, "p = 0.031"), (1e-7, "p < 0.0001"), (1.0, "p = 1")])
def test_p_in_words(p, words):
    assert cite_statistics.p_value(p) == words


def test_statistics_are_read_with_their_source(artifacts):
    known = cite_statistics.read("tiny", artifacts)
    assert list(known) == ["latent_elbow.digits-2", "latent_elbow.digits-4"]
    assert known["latent_elbow.digits-2"] == ONE


def test_a_statistic_that_its_table_does_not_hold_is_refused(tmp_path):
    folder = report_study.analyse(report_study.write(tmp_path))
    (folder / "curve.csv").write_text((folder / "curve.csv").read_text().replace("0.034513", "0.034514"))
    with pytest.raises(
        InputError, match=r"digits-2 is 0.034513, which row 0 of analysis/latent_elbow/curve.csv does not"
    ):
        cite_statistics.read("tiny", tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.034513,", "much,"), (",row", ",line"), ("curve.csv,0", "curve.csv,first"), ("curve.csv", "gone.csv")],
)
def test_a_damaged_file_is_named(tmp_path, old, new):
    path = report_study.analyse(report_study.write(tmp_path)) / "statistics.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=r"\.csv.*Run the analysis again"):
        cite_statistics.read("tiny", tmp_path)


def test_a_sentence_says_all_that_a_citation_needs(artifacts, capsys):
    assert run(artifacts, "latent_elbow.digits-2") == 0
    assert capsys.readouterr().out == (
        "error at 2 units: 0.0345 [0.0259, 0.0431] [tiny:latent_elbow.digits-2] (n = 3; p = 0.031; mean, 95 % t "
        "interval (of seeds); data set digits; study tiny, commit abc123).\n"
    )


def test_latex_and_markdown_are_escaped():
    odd = Statistic(**{**vars(ONE), "what": "10 % of a_b & c ÷ $d {e} #f ~ \\g * `h`"})
    latex = cite_sentence.sentence(odd, ["abc"], "latex")
    assert r"10 \% of a\_b \& c $\div$ \$d \{e\} \#f \textasciitilde{} \textbackslash{}g" in latex
    assert r"\texttt{[tiny:latent\_elbow.digits-2]}" in latex
    assert r"a\_b & c ÷ $d \{e\} \#f \~ \\g \* \`h\`" in cite_sentence.sentence(odd, ["abc"], "markdown")


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="[\u00a0\u200b"),
    max_size=30,
).filter(lambda text: "stat:" not in text)
numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)
ends = st.none() | numbers | st.sampled_from([math.inf, -math.inf])


@settings(max_examples=100, deadline=None)
@given(
    what=words, value=numbers, low=ends, high=ends, p=st.none() | st.floats(0, 1), n=st.integers(1, 999),
    style=st.sampled_from(cite_sentence.STYLES),
)  # fmt: skip
def test_what_cite_prints_check_confirms(tmp_path_factory, what, value, low, high, p, n, style):
    one = Statistic(**{**vars(ONE), "what": what, "value": value, "low": low, "high": high, "p": p, "n": str(n)})
    path = tmp_path_factory.getbasetemp() / f"round{SUFFIX[style]}"
    path.write_text(cite_sentence.sentence(one, ["abc"], style), encoding="utf-8")
    found = cite_check.check(path, lambda key: one)
    assert [(c.key, c.outcome) for c in found] == [(one.key, cite_check.AGREES)], path.read_text(encoding="utf-8")


@pytest.mark.parametrize("style", cite_sentence.STYLES)
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.0345", "0.0346", "value 0.0346, the records say 0.034513"),
        ("0.0345", "0.345", "value 0.345, the records say 0.034513"),
        ("0.0345", "-0.0345", "value -0.0345, the records say 0.034513"),
        ("0.0259", "0.0269", "low 0.0269, the records say 0.025922"),
        ("0.0431", "0.0430", "high 0.0430, the records say 0.043104"),
        ("n = 3", "n = 30", "n = 30, the records say 3"),
        ("p = 0.031", "p = 0.013", "p = 0.013, the records say 0.0312"),
        ("p = 0.031", "p < 0.01", "p < 0.01, the records say 0.0312"),
    ],
)
def test_each_altered_number_is_named(tmp_path, style, old, new, said):
    path = tmp_path / f"report{SUFFIX[style]}"
    text = cite_sentence.sentence(ONE, ["abc"], style)
    assert old in text
    path.write_text(f"A line.\n\nAnother, 0.5 of it: {text.replace(old, new)}", encoding="utf-8")
    (found,) = cite_check.check(path, lambda key: ONE)
    assert (found.line, found.outcome, found.detail) == (3, cite_check.DIFFERS, said)


@pytest.mark.parametrize("text", ["0.03", "0.035", "0.03451", "0.0345 [0.026, 0.043]", "0.0345 [0.03, 0.04]"])
def test_numbers_agree_at_the_precision_of_the_text(tmp_path, text):
    path = tmp_path / "report.md"
    path.write_text(f"It was {text} [tiny:latent_elbow.digits-2].")
    assert [found.outcome for found in cite_check.check(path, lambda key: ONE)] == [cite_check.AGREES]


def test_lines_may_break_within_a_citation(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text("It was 0.0345\n[0.0259,\n 0.0431]\n[tiny:latent_elbow.digits-2] (n = 3;\np = 0.031).")
    assert [(f.line, f.outcome) for f in cite_check.check(path, lambda key: ONE)] == [(4, cite_check.AGREES)]


def test_a_page_is_read_as_it_is_seen(tmp_path):
    path = tmp_path / "report.html"
    path.write_text(
        "<style>.a{width:0.1}</style><p>5</p><p>0.0345&nbsp;[0.0259, <b>0.0431</b>] <code>[tiny:latent_elbow.<wbr>"
        'digits-2]</code></p>\n<p><data value="tiny:latent_elbow.digits-2">0.0399</data> (n = 3)</p>'
    )
    found = cite_check.check(path, lambda key: ONE)
    assert [(f.line, f.outcome) for f in found] == [(1, cite_check.AGREES), (2, cite_check.DIFFERS)]


def test_check_names_what_it_cannot_confirm(artifacts, tmp_path, capsys):
    path = tmp_path / "report.md"
    path.write_text(
        "0.0345 [tiny:latent_elbow.digits-2], 0.3 [tiny:latent_elbow.digits-3], see [tiny:latent_elbow.digits-4].\n"
        "{stat:latent_elbow.digits-4} and {stat:latent_elbow.nothing}; 0.25 by itself; [1], [2, 3], [a: b]."
    )
    assert run(artifacts, "--study", "tiny", "--check", str(path)) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        cite_check.AGREES, cite_check.UNKNOWN, cite_check.BARE, cite_check.PLACED, cite_check.UNKNOWN,
    ]  # fmt: skip
    assert "Did you mean latent_elbow.digits-" in lines[1]
    assert last.startswith("5 cited numbers (agrees 1, unknown id 2, ") and last.endswith("not looked at: 1.")


def test_check_succeeds_where_everything_agrees(artifacts, tmp_path, capsys):
    assert run(artifacts, "latent_elbow.digits-2", "tiny:latent_elbow.digits-4", "--style", "markdown") == 0
    path = tmp_path / "report.md"
    path.write_text(capsys.readouterr().out)
    assert run(artifacts, "--check", str(path)) == 0
    assert "2 cited numbers (agrees 2)" in capsys.readouterr().out
    path.write_text("Nothing cited.")
    assert run(artifacts, "--check", str(path)) == 1


def test_ids_are_found_by_words(artifacts, capsys):
    assert run(artifacts, "--list", "DIGITS", "4") == 0
    expected = "tiny:latent_elbow.digits-4  0.0211 [0.0187, 0.0235]  n = 3  error at 4 units\n"
    assert capsys.readouterr().out == expected
    assert run(artifacts, "--list") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_it_ends_quietly_when_its_reader_leaves_early(artifacts):
    command = [sys.executable, "-m", "analysis.cite", "--list", "--artifacts", str(artifacts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_bad_input_ends_with_2_and_a_remedy(artifacts, tmp_path, capsys):
    (tmp_path / "report.docx").write_bytes(b"PK")
    (tmp_path / "report.txt").write_bytes(b"\xff\xfe\x00")
    for words, said in {
        (): "nothing to cite",
        ("qqqq",): "Find ids with: python -m analysis.cite --study tiny --list WORDS",
        ("latent_elbow.digits-5",): "Did you mean latent_elbow.digits-",
        ("else:latent_elbow.digits-2",): "no study 'else'",
        ("--study", "else", "x"): "no study 'else'",
        ("--list", "nowhere"): "none of the 2 statistics",
        ("--check", str(tmp_path / "report.docx")): "allowed are .txt, .md, .tex, .html",
        ("--check", str(tmp_path / "report.txt")): "cannot be read",
        ("--check", str(tmp_path / "gone.md")): "cannot be read",
    }.items():
        assert run(artifacts, *words) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("0.0211 [0.0187, 0.0235]", [(cite_trace.WITH, 1, "latent_elbow.digits-4")]),
        ("0.0211 [0.0259, 0.0235]", [(cite_trace.NOWHERE, -1, "")]),  # the ends of another row
        ("2.1 % [1.9, 2.4]", [(cite_trace.WITH, 1, "latent_elbow.digits-4")]),
        ("[1.87, 2.35] %", [(cite_trace.WITH, 1, "")]),
        ("+0.0211 [0.019, +0.024]", [(cite_trace.WITH, 1, "latent_elbow.digits-4")]),
        (
            "p = 0.031, 0.035 [0.026, 0.043]",
            [(cite_trace.BESIDE, 0, ""), (cite_trace.WITH, 0, "latent_elbow.digits-2")],
        ),
        ("p = 0.031", [(cite_trace.ALONE, 0, "")]),
        (
            "0.035 (0.026 to 0.0431)",
            [(cite_trace.BESIDE, 0, "latent_elbow.digits-2"), *[(cite_trace.BESIDE, 0, "")] * 2],
        ),
        ("0.0312 or 0.0313", [(cite_trace.ALONE, 0, ""), (cite_trace.NOWHERE, -1, "")]),
        ("3.12", [(cite_trace.NOWHERE, -1, "")]),  # a share in per cent says so
        ("1e-07, at k = 97.5", [(cite_trace.ALONE, 1, ""), (cite_trace.ALONE, 0, "")]),  # within a method's words
        ("1,437 images, 4 of 5, [2, 3], v3.11.7, b0.5, doi:10.1000/1.5", []),
    ],
)
def test_a_sentences_numbers_are_found_in_their_rows(tmp_path, sentence, expected):
    table = report_study.CURVE.assign(method=["97.5 % of t", "t"])
    folder = report_study.analyse(report_study.write(tmp_path), table=table)
    found = cite_trace.trace(sentence, cite_trace.read(folder))
    assert [(one.how, one.row, one.id) for one in found] == expected


@settings(max_examples=100, deadline=None)
@given(value=st.floats(-1e4, 1e4), digits=st.integers(1, 6), share=st.booleans())
def test_what_a_table_holds_is_found_however_it_is_rounded(value, digits, share):
    row = ("t.csv", 0)
    tables = cite_trace.Tables([(value, row)], {row: [value]}, {}, {"t.csv": 1}, {})
    text = f"{100 * value if share else value:.{digits}f}{' %' if share else ''}"
    assert [one.table for one in cite_trace.trace(f"It is {text}.", tables)] == ["t.csv"]


def test_halfway_between_two_texts_a_number_is_either():
    assert all(cite_check.agrees(text, -0.04125) for text in ("-0.0412", "-0.0413"))
    assert not cite_check.agrees("-0.0412", -0.0412501) and not cite_check.agrees("-0.0413", -0.0412499)


def test_a_study_without_statistics_says_what_writes_them(tmp_path, capsys):
    report_study.write(tmp_path, commit=None)
    assert run(tmp_path, "--list") == 2
    assert "Run: python -m analysis tiny" in capsys.readouterr().err
    assert cite_statistics.commits("tiny", tmp_path) == []


def test_commits_are_those_of_the_records(artifacts, tmp_path):
    folder = report_study.write(tmp_path)
    path = next(folder.glob("trials/*/record.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "noted": {"commit": "zzz"}}))
    assert cite_statistics.commits("tiny", tmp_path) == ["abc123", "zzz"]
    assert "commit abc123 and zzz)" in cite_sentence.sentence(ONE, ["abc123", "zzz"])


@pytest.mark.parametrize("module", ["cite", "report", "report.handin"])
def test_help_imports_nothing_slow(module):
    code = (
        "import sys, runpy; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('analysis.{module}', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "slow = {'pandas', 'seaborn', 'matplotlib', 'typst', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert f"python -m analysis.{module}" in shown
