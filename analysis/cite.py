"""Numbers of a study to cite: found, printed as sentences to paste, and checked in what someone has written.

    python -m analysis.cite ID …              a sentence each: estimate, interval, n, p, method, data set, commit
    python -m analysis.cite --list WORDS      the ids of --study whose name or description holds all of the words
    python -m analysis.cite --check FILE      which cited numbers of a report (.txt .md .tex .html) agree

What is printed carries its id as a mark, [STUDY:ID], behind the number. --check compares every marked number at the
precision that the text gives it, with its interval, n and p, and names each that differs.

Exit status: 0, or 1 where --check could not confirm a cited number or nobody read to the end, or 2 for bad input.
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis import cite_check, cite_sentence, cite_statistics, reader
from analysis.cite_statistics import Statistic
from study import records
from study.errors import InputError

Find = Callable[[str], Statistic]


def sentences(ids: Sequence[str], find: Find, artifacts: str, style: str) -> list[str]:
    """A sentence for each id."""
    found = [find(wanted) for wanted in ids]
    commits = {one.study: cite_statistics.commits(one.study, artifacts) for one in found}
    return [cite_sentence.sentence(one, commits[one.study], style) for one in found]


def matching(words: Sequence[str], study: str, artifacts: str) -> list[Statistic]:
    """The statistics whose id or description holds all of the words, capitals or not.

    Raises:
        InputError: None does.
    """
    known = cite_statistics.read(study, artifacts)
    wanted = [word.lower() for word in words]
    found = [one for one in known.values() if all(word in f"{one.id} {one.what}".lower() for word in wanted)]
    if found:
        return found
    if not known:
        raise InputError(f"the study '{study}' has no statistics yet. Run: python -m analysis {study}")
    raise InputError(
        f"--list {' '.join(words)}: none of the {len(known)} statistics of {study} has all of these words."
    )


def checked(path: Path, find: Find) -> tuple[list[str], bool]:
    """What is to be said of a report's cited numbers, and whether all of them are confirmed."""
    found = cite_check.check(path, find)
    lines = [f"{path}:{one.line}: {one.outcome}: {one.key}: {one.detail}".rstrip(": ") for one in found]
    counts = Counter(one.outcome for one in found)
    counted = ", ".join(f"{outcome} {count}" for outcome, count in counts.items()) or "nothing was checked"
    text = cite_check.plain(path.read_text(encoding="utf-8"), path.suffix.lower())
    others = len(re.findall(r"(?<![\w.:-])\d+\.\d+(?![\w.])", cite_check.CITED.sub("", text)))
    lines.append(f"{len(found)} cited numbers ({counted}). Decimal numbers without an id, not looked at: {others}.")
    return lines, bool(found) and all(one.outcome in cite_check.GOOD for one in found)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    options = _parser().parse_args(argv)
    try:
        return reader.until_it_leaves(lambda: _run(options))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    read = functools.cache(lambda study: cite_statistics.read(study, options.artifacts))
    study = options.study or records.latest(options.artifacts)
    find = functools.partial(cite_statistics.find, studies=[study], statistics_of=read)
    if options.check:
        lines, confirmed = checked(options.check, find)
        print(*lines, sep="\n")
        return 0 if confirmed else 1
    if options.list is not None:
        found = matching(options.list, study, options.artifacts)
        print(*(f"{one.key}  {one.numbers}  n = {one.n}  {one.what}" for one in found), sep="\n")
        return 0
    if not options.ids:
        raise InputError(f"nothing to cite. Give ids; find some: python -m analysis.cite --study {study} --list WORDS")
    print(*sentences(options.ids, find, options.artifacts, options.style), sep="\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis.cite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("ids", nargs="*", metavar="ID", help="as in a statistics.csv, with STUDY: before it or not")
    add("--study", metavar="STUDY", help="of --list, and of ids that name none (default: the latest study)")
    add("--style", choices=cite_sentence.STYLES, default="text", help="of the sentence (default: text)")
    add("--list", nargs="*", metavar="WORD", help="find ids; without a word, all of them")
    add("--check", type=Path, metavar="FILE", help="compare the cited numbers of a report with the records")
    add("--artifacts", default="artifacts", metavar="DIR", help="where studies lie (default: artifacts)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
