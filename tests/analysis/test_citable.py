"""What may be cited: ids that last, rows that lead back to the table, and the two files that a command writes."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import citable, command
from analysis.citable import Answer

TABLE = pd.DataFrame(
    {
        "dataset": ["digits", "digits", "digits"],
        "cell": ["digits-cnn-k2-mse", "digits-cnn-k4-mse", "a <b> & c/d"],
        "ratio": [0.5, float("nan"), 2.0],
        "low": [0.4, 0.1, 1.5],
        "high": [0.6, 0.2, 2.5],
        "n": [3, 3, 3],
        "method": ["t"] * 3,
    }
)


def found(table=TABLE, **options):
    return citable.statistics(table, "skill", key=["cell"], what="error of {cell}", value="ratio", **options)


def test_a_row_a_value_under_the_table_s_own_index():
    rows = found(TABLE[1:])
    assert list(rows.columns) == list(citable.COLUMNS)
    assert rows[["id", "what", "value", "low", "high", "n", "table", "row"]].to_dict("records") == [
        {"id": "a-b-c-d", "what": "error of a <b> & c/d", "value": 2.0, "low": 1.5, "high": 2.5, "n": 3}
        | {"table": "skill.csv", "row": 2}
    ]


def test_a_prefix_and_no_interval():
    rows = found(prefix="test mse", low=None, high=None)
    assert rows["id"].tolist() == ["test-mse-digits-cnn-k2-mse", "test-mse-a-b-c-d"]
    assert rows["low"].isna().all() and rows["p"].isna().all()


def test_an_id_that_stands_twice_is_an_error():
    with pytest.raises(ValueError, match="digits-cnn-k2-mse stands twice"):
        found(pd.concat([TABLE, TABLE], ignore_index=True))


def outcome(folder, answers):
    return command.Outcome("tiny", TABLE, ["A sentence."], [], folder=folder, statistics=[found()], answers=answers)


def test_tables_hold_ten_digits_and_invent_none(tmp_path):
    table = pd.DataFrame({"one": [1 / 3, -0.041249999999999995], "small": np.array([0.1, 2], np.float32), "n": [3, 4]})
    (path,) = command.write({"t": table.assign(low=[None, 2 / 3])}, tmp_path)
    assert path.read_text() == "one,small,n,low\n0.3333333333,0.1,3,\n-0.04125,2.0,4,0.6666666667\n"


def test_a_command_writes_both_files(tmp_path, capsys):
    folder = tmp_path / "tiny" / "analysis" / "skill" / "val"
    answers = [Answer("denoising", "It does.", "digits-cnn-k2-mse", "digits"), Answer("loss", "Nothing is known.")]
    asked = ["--format", "csv", "--split", "val", "--artifacts", str(tmp_path)]
    parser = command.parser("skill", "Which?")
    parser.add_argument("--split")
    assert command.run(parser, lambda _: outcome(folder, answers), asked) == 0
    assert pd.read_csv(folder / "statistics.csv")["id"].tolist() == ["skill.val.digits-cnn-k2-mse", "skill.val.a-b-c-d"]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["command"] == ["python", "-m", "analysis.skill", "tiny", "--split", "val"]
    assert [a["statistic"] for a in summary["answers"]] == ["skill.val.digits-cnn-k2-mse", ""]
    assert "summary.json" in capsys.readouterr().err


def test_an_answer_cannot_cite_what_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"skill\.elsewhere"):
        command.run(
            command.parser("skill", "Which?"),
            lambda _: outcome(tmp_path / "analysis" / "skill", [Answer("loss", "So it is.", "elsewhere")]),
            [],
        )
