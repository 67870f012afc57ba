"""Which row of an analysis's tables holds each decimal number of its sentences.

An analysis writes its tables as CSV beside its sentences. A number with its interval is held by a row that has all
three, a number alone by any cell; all rounded as the text rounds, shares also in per cent. A number within a word of a
table, such as a level in a label, is held by that word. Not looked at are whole numbers (counts, sizes) and the numbers
of DOIs and arXiv.

That a row holds a number says that it was computed, and where it stands; not that the words around it are right. A
large table holds three digits alone by chance as well, so that `how` says what a match is worth: beside others is a
number in the row of an interval of the sentence, or of two more of its numbers. Of the numbers in seven analyses of
the tour, altered by 5 to 50 %, a row still held 1.5 % of those with their interval; 6.5 % of those beside others still
stood so, and 76 % of those alone still did.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis import cite_statistics
from analysis.cite_check import END, LOST, NUMBER, agrees, rounding
from analysis.cite_statistics import OPEN
from study import files

STATISTICS = "statistics.csv"
PER_CENT = 100.0
WIDER = 1 + 1e-6  # what floats may lose at the ends of a window, in which each number is then compared exactly
TOGETHER = 3  # numbers of a sentence that make a row the one that it speaks of
WITH, BESIDE, ALONE, NOWHERE = "with its interval", "beside others", "alone", "nowhere"
DECIMAL = r"[-−+]?(?:\d+\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)"
_END = rf"\+?(?:{END})"
_NUMBERS = re.compile(
    rf"(?<![\w.])(?:(?:(?P<value>\+?{NUMBER})(?P<share> %)? )?\[(?P<low>{_END}), (?P<high>{_END})\]"
    rf"|(?P<alone>{DECIMAL})(?!\w|\.\d))(?P<unit> %)?"
)
_WITHIN = re.compile(rf"(?<![\w.]){DECIMAL}(?!\w|\.\d)")
_SOURCE = re.compile(r"(?:doi|arXiv):\s?\S+")

Row = tuple[str, int]  # a table's file, and the row in it from 0, the header not counted


@dataclass(frozen=True)
class Held:
    """A number of a sentence, with its interval where it has one.

    Attributes:
        start, end: Its place in the sentence.
        decimals: How many decimal numbers it consists of: 1, with an interval up to 3.
        how: `WITH`, `BESIDE`, `ALONE` or `NOWHERE`.
        table, row: What holds it; "" and -1 where nothing does.
        id: The statistic to cite that the row is the source of, or "".
    """

    start: int
    end: int
    decimals: int
    how: str = NOWHERE
    table: str = ""
    row: int = -1
    id: str = ""


@dataclass(frozen=True)
class Tables:
    """The numbers of an analysis.

    Attributes:
        cells: All numbers with their rows, in ascending order.
        rows: Row → its numbers.
        words: A decimal number within a word of a table → the first such row.
        lengths: Table → how many rows it has.
        citable: Row → value and id of the statistics whose source it is.
    """

    cells: Sequence[tuple[float, Row]]
    rows: Mapping[Row, Sequence[float]]
    words: Mapping[str, Row]
    lengths: Mapping[str, int]
    citable: Mapping[Row, Sequence[tuple[float, str]]]


def read(folder: Path) -> Tables:
    """The tables of an analysis; those in folders below belong to other analyses.

    Raises:
        InputError: A table cannot be read.
    """
    rows: dict[Row, list[float]] = {}
    words: dict[str, Row] = {}
    citable: dict[Row, list[tuple[float, str]]] = {}
    for path in files.tables(folder):
        for place, row in enumerate(cite_statistics.rows_of(path)):
            if path.name == STATISTICS:  # copies of what the tables hold
                citable.setdefault((row["table"], int(row["row"])), []).append((float(row["value"]), row["id"]))
                continue
            here = (path.name, place)
            numbers = {word: cite_statistics.as_number(word) for word in row.values()}
            rows[here] = [number for number in numbers.values() if number is not None]
            for word in (word for word, number in numbers.items() if number is None and word):
                words |= {decimal: here for decimal in _WITHIN.findall(word) if decimal not in words}
    cells = sorted((number, row) for row, numbers in rows.items() for number in numbers)
    return Tables(cells, rows, words, Counter(table for table, _ in rows), citable)


def trace(sentence: str, tables: Tables) -> list[Held]:
    """Each decimal number of a sentence, in their order; a number with its interval is one of them."""
    text = _SOURCE.sub(lambda match: "x" * len(match[0]), sentence)
    found = [(match, *_rows_of(match, tables)) for match in _NUMBERS.finditer(text) if _decimals(match)]
    whole = {_first(rows, tables, set()) for match, _, rows in found if rows and not match["alone"]}
    single = {match["alone"]: rows for match, _, rows in found if match["alone"]}
    together = Counter(row for rows in single.values() for row in rows)
    near = whole | {row for row, count in together.items() if count >= TOGETHER}
    return [_held(match, scale, rows, tables, near) for match, scale, rows in found]


def _decimals(match: re.Match[str]) -> int:
    return sum(bool(re.fullmatch(DECIMAL, number)) for number in _numbers(match))


def _numbers(match: re.Match[str]) -> list[str]:
    """Value and interval, or the number alone; without ends that are open or infinite."""
    given = [match[name] for name in ("value", "low", "high", "alone")]
    return [number for number in given if number and number != OPEN and "∞" not in number]


def _rows_of(match: re.Match[str], tables: Tables) -> tuple[float, set[Row]]:
    """The rows that hold a number, with its interval where it has one, and what their numbers are multiplied by."""
    share = match["unit"] or match["share"]
    for scale in (PER_CENT, 1.0) if share else (1.0,) if match["alone"] else (1.0, PER_CENT):
        if rows := set(_rows(_numbers(match), tables, scale)):
            return scale, rows
    return 1.0, set()


def _first(rows: set[Row], tables: Tables, near: set[Row]) -> Row:
    """Of rows that hold the same numbers: a near one, one that is to be cited, one of the shortest table."""
    return min(rows, key=lambda row: (row not in near, row not in tables.citable, tables.lengths[row[0]], row))


def _held(match: re.Match[str], scale: float, rows: set[Row], tables: Tables, near: set[Row]) -> Held:
    number, alone = _numbers(match)[0], match["alone"]
    place = (match.start(), match.end() - len(match["unit"] or ""), _decimals(match))
    if not rows:
        word = tables.words.get(number)
        return Held(*place, ALONE, *word) if word else Held(*place)
    row = _first(rows, tables, near if alone else set())
    ids = [name for value, name in tables.citable.get(row, []) if agrees(number, scale * value)]
    return Held(*place, WITH if not alone else BESIDE if row in near else ALONE, *row, ids[0] if ids else "")


def _rows(numbers: Sequence[str], tables: Tables, scale: float) -> Iterator[Row]:
    """The rows that hold all of the numbers."""
    first = float(numbers[0].replace("−", "-")) / scale
    reach = (float(rounding(numbers[0])) / scale + LOST * abs(first)) * WIDER
    start = bisect.bisect_left(tables.cells, first - reach, key=lambda cell: cell[0])
    for place in range(start, bisect.bisect_right(tables.cells, first + reach, key=lambda cell: cell[0])):
        number, row = tables.cells[place]
        if agrees(numbers[0], scale * number) and all(
            any(agrees(other, scale * cell) for cell in tables.rows[row]) for other in numbers[1:]
        ):
            yield row
