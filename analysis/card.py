"""The card: each question of the assignment, a one-sentence answer, its interval, its statistic's id and its figure.

Read from what the analyses wrote (`summary.json` and `statistics.csv` in the folders of a study's `analysis/`), so that
the card says nothing that no analysis said. A question without an answer shows the command that answers it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import citable, command
from study import files
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

# Question → the analysis that answers it.
ASKED = {
    **dict.fromkeys(("architecture", "latent", "loss", "dataset"), "effects"),
    **{name: name for name in ("inpainting", "denoising", "anomaly", "generation")},
    **{name: name for name in ("latent_elbow", "generalization", "residual")},
}
COLUMNS = ("question", "asked", "answer", "value", "low", "high", "n", "method", "statistic", "figure", "command")


def gather(folder: Path, order: Sequence[str], study: str) -> pd.DataFrame:
    """The card as a table: a row an answer, the questions in the assignment's order, every question at least once.

    Args:
        folder: The study's.
        order: Analyses, the one that is believed first at the front, where several answer one question.
        study: Its name, for the commands.

    Returns:
        The columns `COLUMNS`; `figure` is a path in the study's folder; numbers are NaN where an answer cites none.
    """
    import pandas as pd

    places = sorted((folder / "analysis").glob("**/summary.json"), key=lambda path: _rank(path.parent, folder, order))
    found = [row for path in places for row in _answers(path, folder)]
    rows = [row for question in citable.QUESTIONS for row in _of_question(question, found, study)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rank(place: Path, folder: Path, order: Sequence[str]) -> tuple[int, int, str]:
    """By analysis; its own folder before those inside it, which hold other splits and settings."""
    parts = place.relative_to(folder / "analysis").parts
    return (order.index(parts[0]) if parts[0] in order else len(order), len(parts), str(place))


def _answers(path: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """The answers of one analysis, with the numbers behind them."""
    summary = json.loads(path.read_text(encoding="utf-8"))
    numbers = _statistics(path.parent)
    for answer in summary["answers"]:
        picture = summary["figures"].get(answer["figure"])
        yield {
            **{"question": answer["question"], "asked": citable.QUESTIONS[answer["question"]]},
            "answer": answer["sentence"],
            **numbers.get(answer["statistic"], {}),
            "statistic": answer["statistic"],
            "figure": str((path.parent / picture).relative_to(folder)) if picture else "",
            "command": " ".join(summary["command"]),
        }


def _statistics(place: Path) -> Mapping[str, dict[str, Any]]:
    """Id → value, ends, n and method."""
    import pandas as pd

    try:
        with files.open_table(place / "statistics.csv") as file:
            table = pd.read_csv(file, dtype={"id": str})
    except (OSError, ValueError) as error:
        raise InputError(f"{place / 'statistics.csv'} cannot be read ({error}). Run the analysis again.") from error
    kept = ["value", "low", "high", "n", "method"]
    return {row["id"]: {name: row[name] for name in kept} for row in table.to_dict("records")}


def _of_question(question: str, found: Sequence[dict[str, Any]], study: str) -> Iterator[dict[str, Any]]:
    rows = [row for row in found if row["question"] == question]
    asked = f"python -m analysis.{ASKED[question]} {study}"
    yield from rows or [{"question": question, "asked": citable.QUESTIONS[question], "answer": "", "command": asked}]


def text(card: pd.DataFrame, study: str) -> str:
    """The card for a terminal: of each question the first answer, the others counted."""
    parts = [f"study {study}"]
    for question, rows in card.groupby("question", sort=False):
        first = rows.iloc[0].to_dict()
        lines = [citable.QUESTIONS[str(question)]]
        if first["answer"]:
            lines += [*_wrapped(first["answer"]), *_wrapped(_sources(first, len(rows) - 1))]
        else:
            lines += _wrapped(f"not answered. Run: {first['command']}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _sources(row: dict[str, Any], more: int) -> str:
    """Where an answer comes from: the number's id with its interval, the figure, how many more answers there are."""
    found = [f"{row['statistic']} = {_interval(row)}"] if row["statistic"] else []
    found += [row["figure"]] if row["figure"] else []
    found += [f"{more} more answers in card.csv"] if more else []
    return f"[{'; '.join(found)}]" if found else ""


def _interval(row: dict[str, Any]) -> str:
    ends = f" [{row['low']:.4g}, {row['high']:.4g}]" if row["low"] == row["low"] and row["low"] is not None else ""
    return f"{row['value']:.4g}{ends}"


def _wrapped(words: str) -> list[str]:
    """Lines, broken neither before a per cent sign nor around an equals sign."""
    kept = words.replace(" %", "\0%").replace(" = ", "\0=\0")
    lines = textwrap.wrap(kept, command.LINE, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def markdown(card: pd.DataFrame, study: str) -> str:
    """The card as Markdown, with every answer and the figures of the first."""
    parts = [f"# The questions of the assignment, answered by the study {study}"]
    for question, rows in card.groupby("question", sort=False):
        parts.append(f"## {citable.QUESTIONS[str(question)]}")
        for number, row in enumerate(rows.to_dict("records")):
            if not row["answer"]:
                parts.append(f"Not answered. Run: `{row['command']}`")
                continue
            source = f" (`{row['statistic']}` = {_interval(row)})" if row["statistic"] else ""
            parts.append(f"{row['answer']}{source}")
            if row["figure"] and number == 0:
                parts.append(f"![{row['asked']}](../{row['figure']})")
    return "\n\n".join(parts) + "\n"


def write(card: pd.DataFrame, folder: Path, study: str) -> list[Path]:
    """Writes `analysis/card.csv` and `analysis/card.md` in the study's folder; the paths."""
    place = folder / "analysis"
    paths = command.write({"card": card}, place)
    files.write_atomically(place / "card.md", markdown(card, study).encode())
    return [*paths, place / "card.md"]
