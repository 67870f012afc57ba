"""The card of all questions from hand-made folders, the run of all analyses with made-up ones, and every --help."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pandas as pd
import pytest

from analysis import __main__ as everything
from analysis import card, citable
from study.errors import InputError

ROOT = Path(__file__).parents[2]


def leave(folder, place, answers, statistics=(), figures=()):
    """What an analysis leaves in its folder."""
    where = folder / "analysis" / place
    where.mkdir(parents=True, exist_ok=True)
    rows = [
        dict.fromkeys(citable.COLUMNS) | dict(zip(("id", "value", "low", "high", "n"), row, strict=True))
        for row in statistics
    ]
    pd.DataFrame(rows, columns=list(citable.COLUMNS)).to_csv(where / "statistics.csv", index=False)
    said = [citable.Answer(*answer) for answer in answers]
    content = citable.summary(["python", "-m", f"analysis.{place.split('/')[0]}", "s"], [], "", said, dict(figures))
    (where / "summary.json").write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path):
    leave(
        tmp_path, "residual", [("residual", "Yes, they do.", "residual.interaction-x", "depth-digits")],
        [("residual.interaction-x", 0.81, 0.7, 0.94, 10), ("residual.other", 1, 2, 3, 4)],
        {"depth-digits": "depth-digits.png"},
    )  # fmt: skip
    leave(tmp_path, "anomaly/heldout", [("anomaly", "On held-out images: 0.8.", "", "")])
    leave(
        tmp_path, "anomaly", [("anomaly", "It tells them apart.", "anomaly.a", "")], [("anomaly.a", 0.9, None, None, 1)]
    )
    leave(tmp_path, "own", [("anomaly", "Mine as well.", "", "")])
    return tmp_path


def gathered(folder):
    return card.gather(folder, everything.ANALYSES, "s")


def test_every_question_in_the_assignments_order(folder):
    found = gathered(folder)
    assert list(dict.fromkeys(found["question"])) == list(citable.QUESTIONS)
    assert set(card.ASKED) == set(citable.QUESTIONS) and set(card.ASKED.values()) <= set(everything.ANALYSES)


def test_an_answer_has_its_numbers_its_id_and_its_figure(folder):
    row = gathered(folder).set_index("question").loc["residual"]
    assert row[["answer", "value", "low", "high", "n"]].tolist() == ["Yes, they do.", 0.81, 0.7, 0.94, 10]
    assert row["statistic"] == "residual.interaction-x" and row["command"] == "python -m analysis.residual s"
    assert row["figure"] == "analysis/residual/depth-digits.png"


def test_the_analysis_itself_comes_before_its_other_settings_and_strangers(folder):
    rows = gathered(folder).query("question == 'anomaly'")
    assert rows["answer"].tolist() == ["It tells them apart.", "On held-out images: 0.8.", "Mine as well."]


def test_without_an_answer_the_command_that_gives_it(folder):
    row = gathered(folder).set_index("question").loc["latent"]
    assert row["answer"] == "" and row["command"] == "python -m analysis.effects s"


def test_the_card_in_text(folder):
    shown = card.text(gathered(folder), "s")
    source = "[residual.interaction-x = 0.81 [0.7, 0.94]; analysis/residual/depth-digits.png]"
    assert f"Discussion 3: can residual blocks be included?\n  Yes, they do.\n  {source}" in shown
    assert "  It tells them apart.\n  [anomaly.a = 0.9; 2 more answers in card.csv]" in shown
    assert "not answered. Run: python -m analysis.generalization s" in shown
    assert max(map(len, shown.splitlines())) <= 120


def test_it_is_written_as_table_and_markdown(folder):
    paths = card.write(gathered(folder), folder, "s")
    assert [path.name for path in paths] == ["card.csv", "card.md"]
    assert pd.read_csv(paths[0])["question"].nunique() == len(citable.QUESTIONS)
    text = paths[1].read_text()
    assert "![Discussion 3: can residual blocks be included?](../analysis/residual/depth-digits.png)" in text
    assert "Mine as well." in text and "Not answered. Run: `python -m analysis.effects s`" in text
    assert (paths[1].parent / "../analysis/residual").resolve() == (folder / "analysis/residual").resolve()


def test_a_study_without_any_analysis_has_a_card_of_commands(tmp_path):
    found = gathered(tmp_path)
    assert len(found) == len(citable.QUESTIONS) and not found["answer"].any()


# --- running them -------------------------------------------------------------------------------------------------


def made_up(monkeypatch, **mains):
    for name, main in mains.items():
        monkeypatch.setitem(sys.modules, f"analysis.{name}", types.SimpleNamespace(main=main))


def works(argv):
    print("progress", file=sys.stderr)
    print(json.dumps({"study": argv[0], "table": [], "sentences": ["a", "b"], "paths": ["x.csv"]}))
    return 0


def refuses(argv):
    print("progress\nerror: this study has no twins. Run: python -m study.search residual_depth", file=sys.stderr)
    return 2


def breaks(argv):
    raise KeyError("a column")


@pytest.fixture
def study(tmp_path, folder):
    place = tmp_path / "artifacts" / "s"
    place.mkdir(parents=True)
    (place / "manifest.json").write_text("{}")
    return ["s", "--artifacts", str(tmp_path / "artifacts")]


def test_what_refuses_is_named_and_the_others_go_on(monkeypatch, study, capsys):
    made_up(monkeypatch, effects=works, variance=refuses)
    assert everything.main([*study, "--only", "effects", "variance"]) == 0
    out, err = capsys.readouterr()
    assert "variance (refused): this study has no twins. Run: python -m study.search residual_depth" in out
    assert "[1/2] effects" in err and "2 sentences, 1 files" in err and "[2/2] variance, about 0 s left" in err
    assert err.count("progress") == 2, "what an analysis says of its progress is shown"
    runs = pd.read_csv(Path(study[2]) / "s" / "analysis" / "runs.csv")
    assert runs["status"].tolist() == ["ran", "refused"]


def test_all_refuse(monkeypatch, study, capsys):
    made_up(monkeypatch, effects=refuses, variance=refuses)
    assert everything.main([*study, "--only", "effects", "variance"]) == 2


def test_a_card_that_cannot_be_made_is_bad_input(monkeypatch, study, capsys):
    made_up(monkeypatch, effects=works)
    place = Path(study[2]) / "s"
    leave(place, "effects", [("loss", "It matters.", "", "")])
    (place / "analysis" / "effects" / "statistics.csv").unlink()
    assert everything.main([*study, "--only", "effects"]) == 2
    assert "statistics.csv cannot be read" in capsys.readouterr().err


def test_a_mistake_of_one_costs_no_other_and_is_no_success(monkeypatch, study, capsys):
    made_up(monkeypatch, effects=breaks, variance=works)
    assert everything.main([*study, "--only", "effects", "variance"]) == 1
    out, err = capsys.readouterr()
    assert "effects (broke): KeyError: 'a column'" in out and "Traceback" in err and "2 sentences" in err


def test_they_are_given_the_study_and_where_it_lies(monkeypatch, study, capsys):
    seen = []
    made_up(monkeypatch, effects=lambda argv: seen.append(argv) or works(argv), residual=works)
    assert everything.main([*study, "--data-dir", "d", "--only", "effects", "residual", "--skip", "residual"]) == 0
    assert seen == [[*study, "--data-dir", "d", "--format", "json"]]


def test_the_card_alone_runs_nothing(monkeypatch, study, capsys):
    made_up(monkeypatch, **dict.fromkeys(everything.ANALYSES, breaks))
    assert everything.main([*study, "--card"]) == 0
    out, err = capsys.readouterr()
    assert "Problem 1.1" in out and "card.md" in out and not err


def test_the_time_left_is_what_they_took_the_last_time():
    done = [everything.Run("effects", "ran", 10.0)]
    assert (
        everything._left(["variance", "residual"], [], {"variance": 100.0, "residual": 80.0}) == ", about 3.0 min left"
    )
    assert everything._left(["variance"], done, {}) == ", about 10 s left"
    assert everything._left(["effects"], [], {}) == "", "nothing is known at the first run's beginning"


def test_no_such_study(tmp_path, capsys):
    assert everything.main(["nowhere", "--artifacts", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: no study 'nowhere'")


def test_a_refusal_is_heard_through_the_progress(capsys):
    heard = everything._Heard(sys.stderr)
    print("a line", file=heard)
    print("error: ", end="", file=heard)
    print("in two pieces", file=heard)
    assert heard.reason == "in two pieces" and capsys.readouterr().err == "a line\n"
    assert issubclass(InputError, Exception)


# --- help ---------------------------------------------------------------------------------------------------------

COMMANDS = sorted(
    f"analysis.{path.stem}".removesuffix(".__main__")
    for path in (ROOT / "analysis").glob("*.py")
    if '__name__ == "__main__"' in path.read_text()
)
SLOW = ("keras", "tensorflow", "jax", "pandas", "matplotlib", "seaborn", "sklearn", "skimage", "scipy.stats")


def test_every_help_answers_without_what_is_slow_to_import():
    """All in one process: whatever one of them imports, the next would not have to."""
    code = (
        "import contextlib, io, runpy, sys\n"
        f"for name in {COMMANDS!r}:\n"
        "    sys.argv, out = [name, '--help'], io.StringIO()\n"
        "    try:\n"
        "        with contextlib.redirect_stdout(out): runpy.run_module(name, run_name='__main__', alter_sys=True)\n"
        "    except SystemExit as end: assert end.code == 0, name\n"
        f"    slow = sorted(set({SLOW!r}) & set(sys.modules))\n"
        "    assert not slow, (name, slow)\n"
        "    assert name in out.getvalue() and 'STUDY' in out.getvalue(), name\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"analysis", "analysis.generalization", "analysis.residual"} <= set(COMMANDS)
