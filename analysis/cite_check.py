"""Reads a report that someone wrote and compares its cited numbers with the records.

A cited number is one with a mark beside it, `NUMBER [LOW, HIGH] [STUDY:ID] (n = N; p = P; …)`, the form that
`analysis.cite` prints, in text, Markdown, LaTeX or HTML. It agrees where the record, rounded as the text rounds, is
the text's number. `{stat:ID}` in notes carries no number of its own, and only its id is looked up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

from analysis.citable import DIGITS
from analysis.cite_statistics import OPEN, Statistic
from study.errors import InputError

AGREES, DIFFERS, UNKNOWN, BARE, PLACED = "agrees", "differs", "unknown id", "no number beside it", "known id"
GOOD = (AGREES, PLACED)
KINDS = (".txt", ".md", ".tex", ".html", ".htm")
INLINE = ("a", "b", "code", "data", "em", "i", "small", "span", "strong", "sub", "sup", "wbr")
LOST = 5 * 10.0**-DIGITS  # of a number, relatively, where a table rounded it
NUMBER = r"[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
END = rf"{NUMBER}|[-−]?∞|{OPEN}"
_MARK = r"\[(?P<key>[^\[\]\s:]+:[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+)\]"
CITED = re.compile(
    rf"(?:(?<![\w.])(?P<value>{NUMBER}|[-−]?∞)(?:\s*\[\s*(?P<low>{END})\s*,\s*(?P<high>{END})\s*\])?\s*)?{_MARK}"
    r"(?:\s*\((?P<rest>(?:[^()]|\([^()]*\))*)\))?"
)
_PLACED = re.compile(r"\{stat:(?P<key>[^{}\s]+)\}")
_N, _P = re.compile(r"\bn = ([^;,)]+)"), re.compile(rf"\bp (=|<) ({NUMBER})")


@dataclass(frozen=True)
class Checked:
    """One cited number: its line in the file, its id, and what came of it."""

    line: int
    key: str
    outcome: str
    detail: str = ""


def check(path: Path, find: Callable[[str], Statistic]) -> list[Checked]:
    """Every cited number of a file.

    Args:
        path: The report.
        find: Gives a statistic by its id; raises InputError where there is none.

    Raises:
        InputError: The file cannot be read, or is of a kind that is not read.
    """
    return [_checked(text.count("\n", 0, match.start("key")) + 1, match, find) for text, match in _matches(path)]


def plain(text: str, suffix: str) -> str:
    """The words of a text without its markup, line for line."""
    if suffix in (".html", ".htm"):
        reader = _Words()
        reader.feed(text)
        reader.close()
        return "".join(reader.words)
    if suffix == ".tex":
        text = text.replace(r"\infty", "∞").replace(r"\textbackslash{}", "\\")
        text = re.sub(r"\\[a-zA-Z]+\s*\{|(?<!\\)[{}$]|(?<!\\)%[^\n]*", "", re.sub(r"\\[,;!]|(?<!\\)~", " ", text))
    return re.sub(r"\\([^\w\s])|\\(_)|`|\*\*", r"\1\2", text).replace("\u00a0", " ").replace("\u200b", "")


def agrees(text: str, number: float | None) -> bool:
    """Whether a number, rounded to the decimals of a text, is the text's; halfway between two texts it is either."""
    text = text.replace("−", "-")
    if text == OPEN or number is None:
        return text == OPEN and number is None
    if "∞" in text or math.isinf(number):
        return text.replace("∞", "inf") == str(number)
    return abs(Decimal(text) - Decimal(number)) <= rounding(text) + Decimal(LOST * abs(number))


def rounding(text: str) -> Decimal:
    """By how much the number that a text gives may differ from the one that was rounded to it."""
    exponent = Decimal(text.replace("−", "-")).as_tuple().exponent
    assert isinstance(exponent, int)  # NUMBER matches finite numbers alone
    return Decimal(5).scaleb(exponent - 1)


def _matches(path: Path) -> Iterator[tuple[str, re.Match[str]]]:
    if path.suffix.lower() not in KINDS:
        raise InputError(f"--check {path}: allowed are {', '.join(KINDS)}. Save it as text first.")
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"--check {path} cannot be read ({error}). Give a text file in UTF-8.") from error
    for text, pattern in ((plain(source, path.suffix.lower()), CITED), (source, _PLACED)):
        yield from ((text, match) for match in pattern.finditer(text))


def _checked(line: int, match: re.Match[str], find: Callable[[str], Statistic]) -> Checked:
    key, groups = match["key"], match.groupdict()
    try:
        one = find(key)
    except InputError as error:
        return Checked(line, key, UNKNOWN, str(error))
    if match.re is _PLACED:
        return Checked(line, key, PLACED)
    if groups["value"] is None:
        return Checked(line, key, BARE, f"the records say {one.numbers}")
    wrong = [*_wrong_numbers(groups, one), *_wrong_rest(groups["rest"] or "", one)]
    return Checked(line, key, DIFFERS if wrong else AGREES, "; ".join(wrong) or _said(groups))


def _wrong_numbers(said: dict[str, str | None], one: Statistic) -> Iterator[str]:
    for name in ("value", "low", "high"):
        text, number = said[name], getattr(one, name)
        if text is not None and not agrees(text, number):
            yield f"{name} {text}, the records say {OPEN if number is None else f'{number:.6g}'}"


def _wrong_rest(rest: str, one: Statistic) -> Iterator[str]:
    """What the brackets say of n and p, the method's own words left out."""
    said = rest.replace(one.method, "")
    for n in _N.findall(said):
        if n.strip() != one.n:
            yield f"n = {n.strip()}, the records say {one.n}"
    for relation, p in _P.findall(said):
        if one.p is None or not (agrees(p, one.p) if relation == "=" else one.p < float(p)):
            yield f"p {relation} {p}, the records say {'nothing was tested' if one.p is None else f'{one.p:.6g}'}"


def _said(said: dict[str, str | None]) -> str:
    return f"{said['value']} [{said['low']}, {said['high']}]" if said["low"] else str(said["value"])


class _Words(HTMLParser):
    """Text of a page, with a mark after every number that the report itself has filled in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._open: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remembers the id of a filled-in number until it ends; scripts and styles are no text."""
        self._hidden += tag in ("script", "style")
        self.words.append("" if tag in INLINE else " ")
        if tag == "data":
            self._open.append(dict(attrs).get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        """Writes the mark."""
        self._hidden -= tag in ("script", "style")
        if tag == "data" and self._open:
            key = self._open.pop()
            self.words.append(f" [{key}]" if key else "")
        self.words.append("" if tag in INLINE else " ")

    def handle_data(self, data: str) -> None:
        """Text; what is left out keeps its lines."""
        self.words.append("\n" * data.count("\n") if self._hidden else data.replace("\u00a0", " "))
