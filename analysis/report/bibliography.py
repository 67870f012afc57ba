"""The sources that are cited: read from `references.bib`, numbered as they occur, set alike by both writers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from analysis.report.blocks import Span, Text, plain

PATH = Path(__file__).with_name("references.bib")
NAMED = 6  # authors that a reference names before "et al."
_ENTRY = re.compile(r"^@(?P<kind>\w+)\{(?P<key>[\w-]+),\n(?P<fields>(?:  \w+ = \{.*\},\n)+)\}$", re.MULTILINE)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)
# A data set, the key of its source, and what it holds, or how it differs from the published one.
DATASETS = {
    "digits": ("alpaydin1998", "handwritten digits, those that scikit-learn holds"),
    "photo_patches": ("pedregosa2011", "tiles of scikit-learn's two sample photographs"),
    "mnist": ("lecun1998", "handwritten digits"),
    "fashion_mnist": ("xiao2017", "clothes of 10 classes"),
    "fashion_mnist_8": ("xiao2017", "clothes: Fashion-MNIST without its classes pullover and shirt, split anew"),
    "cifar10": ("krizhevsky2009", "colour photographs of 10 classes"),
    "cifar10_jpeg": ("krizhevsky2009", "colour photographs: part of CIFAR-10, recompressed as JPEG"),
}


@cache
def entries() -> dict[str, dict[str, str]]:
    """Key → field → value, of every entry of the file."""
    text = PATH.read_text(encoding="utf-8")
    return {match["key"]: dict(_FIELD.findall(match["fields"])) for match in _ENTRY.finditer(text)}


def cite(key: str) -> Span:
    """A reference to an entry, "Huber (1964)", that the report completes with its number.

    Raises:
        KeyError: There is no such entry.
    """
    return Span(name(key), "cite", key)


def name(key: str) -> str:
    """Authors and year: "Wang et al. (2004)"."""
    entry = entries()[key]
    authors = [_family(author) for author in _authors(entry)]
    if len(authors) > 2 or "others" in entry["author"].split():
        return f"{authors[0]} et al. ({entry['year']})"
    return f"{' and '.join(authors)} ({entry['year']})"


def reference(key: str) -> Text:
    """An entry in full: authors, title, where and when, and a link."""
    entry = entries()[key]
    words = f"{_all_authors(entry)}. {_clean(entry['title'])}. "
    where = ", ".join(part for part in [*_where(entry), entry["year"]] if part)
    return plain(f"{words}{where}. ", *_link(entry))


def _where(entry: Mapping[str, str]) -> Iterator[str]:
    place = next(
        (entry[f] for f in ("journal", "booktitle", "publisher", "institution", "howpublished") if f in entry), ""
    )
    volume = entry.get("volume", "") + (f"({entry['number']})" if "number" in entry else "")
    yield f"{place} {volume}".strip().replace("--", "–")
    yield entry.get("pages", "").replace("--", "–")


def _link(entry: Mapping[str, str]) -> Text:
    if "doi" in entry:
        return (Span(f"doi:{entry['doi']}", "link", f"https://doi.org/{entry['doi']}"),)
    if "eprint" in entry:
        return (Span(f"arXiv:{entry['eprint']}", "link", f"https://arxiv.org/abs/{entry['eprint']}"),)
    if "url" in entry:
        return (Span(entry["url"].removeprefix("https://"), "link", entry["url"]),)
    return plain(f"ISBN {entry['isbn']}") if "isbn" in entry else ()


def _authors(entry: Mapping[str, str]) -> list[str]:
    return [author for author in entry["author"].split(" and ") if author != "others"]


def _all_authors(entry: Mapping[str, str]) -> str:
    found = [_given_first(author) for author in _authors(entry)]
    more = " et al." if len(found) > NAMED or "others" in entry["author"].split(" and ") else ""
    found = found[:NAMED]
    if more or len(found) == 1:
        return (", ".join(found) + more).removesuffix(".")
    return f"{', '.join(found[:-1])} and {found[-1]}"


def _given_first(author: str) -> str:
    family, _, given = author.partition(", ")
    return f"{given} {family}".strip()


def _family(author: str) -> str:
    return author.partition(", ")[0]


def _clean(text: str) -> str:
    return text.replace("``", "“").replace("''", "”")
