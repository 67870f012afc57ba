"""The statistics of studies, as their analyses left them, and how a number of them is printed.

Read from `analysis/**/statistics.csv` alone, with the standard library: what is cited is what was written.
"""

from __future__ import annotations

import csv
import difflib
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.citable import COLUMNS
from study import files, records
from study.errors import InputError

DIGITS = 4  # significant ones of a number without an interval
LEAST = 1e-9  # where the last decimal would stand for less, numbers are written with an exponent
OPEN = "open"  # the end of an interval that the grid of sizes, say, leaves open


@dataclass(frozen=True)
class Statistic:
    """One row of a `statistics.csv`.

    Attributes:
        study: Whose.
        id: As in the file.
        what: In words.
        dataset: Its name, or "".
        value: The estimate.
        low, high: The interval; None where there is none, or where it is open on that side.
        n: Seeds, pairs or tries, in words.
        method: Estimator and interval.
        p: None where nothing was tested.
        source: The table that holds it, from the study's folder on.
        row: Its row there, from 0, the header not counted.
    """

    study: str
    id: str
    what: str
    dataset: str
    value: float
    low: float | None
    high: float | None
    n: str
    method: str
    p: float | None
    source: str
    row: int

    @property
    def key(self) -> str:
        """The id with its study before it: unique among all studies."""
        return f"{self.study}:{self.id}"

    @property
    def numbers(self) -> str:
        """The estimate with its interval, as `printed` writes them: "0.0345 [0.0259, 0.0431]"."""
        value, low, high = printed(self.value, self.low, self.high)
        return f"{value} [{low}, {high}]" if low or high else value


def read(study: str, artifacts: str | Path) -> dict[str, Statistic]:
    """Every statistic of a study, by its id, in the order of folders and rows.

    Raises:
        InputError: No such study; a `statistics.csv` that is damaged, or that holds what its table does not.
    """
    folder = records.folder(study, artifacts)
    paths = files.tables(folder / "analysis", "**/statistics.csv")
    return {one.id: one for path in paths for one in _rows(study, folder, path)}


def find(wanted: str, studies: Sequence[str], statistics_of: Callable[[str], Mapping[str, Statistic]]) -> Statistic:
    """The statistic of an id, with or without "STUDY:" before it.

    Args:
        wanted: The id.
        studies: Where an id without a study is looked for, in this order.
        statistics_of: Study → its statistics by id.

    Raises:
        InputError: There is none; the message names ids that are like it, or how to find one.
    """
    study, _, name = wanted.rpartition(":")
    places = [study] if study else list(studies)
    for place in places:
        if name in (known := statistics_of(place)):
            return known[name]
    ids = [one for place in places for one in statistics_of(place)]
    lists = "; ".join(f"python -m analysis.cite --study {place} --list WORDS" for place in places)
    raise InputError(f"no statistic '{name}' in {', '.join(places)}. {close(name, ids) or f'Find ids with: {lists}'}")


def commits(study: str, artifacts: str | Path) -> list[str]:
    """The commits of the software that the records of a study note, in alphabetic order."""
    paths = (records.folder(study, artifacts) / "trials").glob("*/record.json")
    return sorted({commit for path in paths if (commit := _commit(path))})


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table; from 0, the header not counted.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with files.open_table(path) as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error}). Run the analysis again.") from error


def as_number(text: str | None) -> float | None:
    """A number, or None where there is none."""
    try:
        number = float(text or "nan")
    except ValueError:
        return None
    return None if math.isnan(number) else number


def printed(value: float, low: float | None = None, high: float | None = None) -> tuple[str, str, str]:
    """A number and the ends of its interval, with the decimals that the interval's width is worth.

    Two digits of half the width but at least three of the largest number, four of a number without an interval; whole
    numbers as they are.

    >>> printed(0.034513, 0.025922, 0.043104)
    ('0.0345', '0.0259', '0.0431')
    >>> printed(8.0, 8.0)
    ('8', '8', 'open')

    Returns:
        Three strings; the last two are empty where there is no interval.
    """
    ends = [end for end in (low, high) if end is not None]
    numbers = [_written(number, _decimals([value, *ends])) for number in (value, *ends)]
    if not ends:
        return numbers[0], "", ""
    return numbers[0], OPEN if low is None else numbers[1], OPEN if high is None else numbers[-1]


def p_value(p: float) -> str:
    """ "p = 0.031", or below one in ten thousand "p < 0.0001"."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def close(name: str, known: Sequence[str]) -> str:
    """A question that names those that are like it; "" where none is."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else ""


def _decimals(numbers: Sequence[float]) -> int | None:
    """How many decimals; None: an exponent is needed."""
    finite = [number for number in numbers if math.isfinite(number)]
    if all(float(number).is_integer() and abs(number) < 1e15 for number in finite):
        return 0
    half, size = (max(finite) - min(finite)) / 2, max(map(abs, finite))
    units = [half / 10, size / 100] if half else [size / 10 ** (DIGITS - 1)]
    unit = min((unit for unit in units if unit > 0), default=0.0)
    return None if unit < LEAST else max(0, -math.floor(math.log10(unit)))


def _written(number: float, decimals: int | None) -> str:
    if math.isinf(number):
        return "-∞" if number < 0 else "∞"
    text = f"{number:.{DIGITS - 1}e}" if decimals is None else f"{number:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _rows(study: str, folder: Path, path: Path) -> list[Statistic]:
    from_tables: dict[str, list[dict[str, str]]] = {}
    found = []
    for number, row in enumerate(rows_of(path)):
        where = f"{path}, row {number}"
        if missing := [column for column in COLUMNS if row.get(column) is None]:
            raise InputError(f"{where}: no column {', '.join(missing)}. Run the analysis again.")
        if row["table"] not in from_tables:
            from_tables[row["table"]] = rows_of(path.with_name(Path(row["table"]).name))
        try:
            one = _statistic(study, row, (path.parent / row["table"]).relative_to(folder).as_posix())
        except ValueError as error:
            raise InputError(f"{where} is damaged ({error}). Run the analysis again.") from error
        _check(one, from_tables[row["table"]], where)
        found.append(one)
    return found


def _statistic(study: str, row: Mapping[str, str], source: str) -> Statistic:
    value, low, high, p = (as_number(row[name]) for name in ("value", "low", "high", "p"))
    if value is None:
        raise ValueError(f"{row['id']} has no value")
    return Statistic(
        **{name: row[name] for name in ("id", "what", "dataset", "method")},
        study=study,
        value=value,
        low=low,
        high=high,
        p=p,
        n=row["n"].removesuffix(".0"),
        source=source,
        row=int(row["row"]),
    )


def _check(one: Statistic, table: Collection[Mapping[str, str]], where: str) -> None:
    """Whether the table still holds the number: else one of the two is of another run."""
    rows = list(table)
    held = [as_number(cell) for cell in rows[one.row].values()] if 0 <= one.row < len(rows) else []
    if not any(cell is not None and math.isclose(cell, one.value, rel_tol=1e-9) for cell in held):
        raise InputError(
            f"{where}: {one.id} is {one.value:g}, which row {one.row} of {one.source} does not hold. "
            "They are of different runs: run the analysis again."
        )


def _commit(path: Path) -> str | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["noted"]["commit"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
