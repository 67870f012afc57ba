"""What may be cited of an analysis: one row a statistic, under an id that stays the same from run to run.

Every analysis writes `statistics.csv` beside its tables, with the columns `COLUMNS`, and `summary.json` with its
sentences and its answers to the assignment's questions. The report, the card and `analysis.cite` read these two files
alone, so that no number is typed into a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 10  # significant ones of a table's numbers: more would be the rounding of one processor or another
COLUMNS = ("id", "what", "dataset", "value", "low", "high", "n", "method", "p", "table", "row")


@dataclass(frozen=True)
class Answer:
    """A question of the assignment, answered in one sentence.

    Attributes:
        question: A key of `QUESTIONS`.
        sentence: Chosen by the numbers, with its interval and n.
        statistic: The id behind it in the same folder's `statistics.csv`, without the folder; "" where nothing could
            be estimated, which the sentence then says.
        figure: The stem of a picture in the same folder, or "".
    """

    question: str
    sentence: str
    statistic: str = ""
    figure: str = ""


QUESTIONS = {
    "architecture": "Problem 1.1: what does a different architecture change?",
    "latent": "Problem 1.2: what does another latent size, and one of 1, change?",
    "loss": "Problem 1.3: what does a different loss change?",
    "dataset": "Problem 1.4: what does a data set with more than one channel change?",
    "inpainting": "Problem 2.1: can it fill in what was removed?",
    "denoising": "Problem 2.2: can it remove noise?",
    "anomaly": "Problem 2.3: does it tell images of another kind from its own?",
    "generation": "Problem 2.4: do samples of the latent space decode to new images?",
    "latent_elbow": "Discussion 1: how does one choose a latent size for an application?",
    "generalization": "Discussion 2: would training samples have done better than test samples?",
    "residual": "Discussion 3: can residual blocks be included?",
}


def statistics(
    table: pd.DataFrame,
    name: str,
    *,
    key: Sequence[str],
    what: str,
    value: str,
    low: str | None = "low",
    high: str | None = "high",
    n: str = "n",
    method: str = "method",
    p: str | None = None,
    prefix: str = "",
) -> pd.DataFrame:
    """The statistics of one column of a table.

    Args:
        table: A row a statistic, of those written to NAME.csv, under the index they have there, which counts from 0;
            rows without a value give none.
        name: Of the table's file, without ".csv".
        key: The columns whose levels make the id, such as `loss-mnist-keras_io-k2-mse`; together unique.
        what: What the number is, with columns of the table in braces: "test MSE of {cell} ÷ that of {reference}".
        value: The column of the estimate; `low`, `high`, `n`, `method` and `p` likewise, None where there is none.
        prefix: What the id begins with, where one table holds several kinds of statistics.

    Returns:
        A frame with the columns `COLUMNS`; `row` is the table's index: rows from 0, the header not counted.

    Raises:
        ValueError: Two rows have the same id.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        if pd.isna(row[value]):
            continue
        parts = [prefix, *("" if pd.isna(row[column]) else _word(row[column]) for column in key)]
        rows.append(
            {
                "id": "-".join(slug(part) for part in parts if part),
                "what": what.format(**{str(column): _word(level) for column, level in row.items()}),
                "dataset": row.get("dataset", ""),
                "value": row[value],
                "low": row[low] if low else None,
                "high": row[high] if high else None,
                "n": row[n],
                "method": row[method],
                "p": row[p] if p else None,
                "table": f"{name}.csv",
                "row": number,
            }
        )
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    if found["id"].duplicated().any():
        raise ValueError(f"{name}.csv: the id {found['id'][found['id'].duplicated()].iloc[0]} stands twice")
    return found


def slug(text: str) -> str:
    """A part of an id: letters, digits, '_' and '.', every other run of characters one '-'."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-")


def summary(
    command: Sequence[str], sentences: Sequence[str], note: str, answers: Sequence[Answer], figures: Mapping[str, str]
) -> dict[str, Any]:
    """The content of `summary.json`: the command's words, sentences, the table's note, answers, figure stem → file."""
    said = {"sentences": list(sentences), "note": note, "answers": [vars(answer) for answer in answers]}
    return {"command": list(command), **said, "figures": dict(figures)}


def _word(level: Any) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level)
