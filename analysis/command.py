"""What every `python -m analysis.QUESTION` shares: its arguments, how it prints, what it writes, how it fails.

A question's module parses with `parser`, computes an `Outcome`, and hands both to `run`. Standard output is the table
and the sentences, or with `--format csv` the table alone and with `--format json` one object, for other programs.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import citable, reader
from study import datasets, files
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset

LINE = 120  # characters of a line on the terminal
# At 5 % each, a look at 4 seeds and another at 10 find something in 9 % of the studies in which there is nothing
# (simulated, paired t; Armitage et al. 1969, doi:10.2307/2343787).
INTERIM = "Before all are there, intervals are interim: not adjusted for repeated looks."


@dataclass(frozen=True)
class Outcome:
    """What a command has to say.

    Attributes:
        study: Its name, printed first: without STUDY on the command line the latest was taken.
        table: The main numbers, each row with its n, estimator and interval method; printed as it is.
        sentences: What may be cited, each with n and interval.
        paths: Every file written, in order.
        shown: The columns of the table for the terminal (empty: all); files, csv and json always have all.
        note: What stands under the table: estimators and interval methods, where their columns are not shown.
        folder: Where `statistics.csv` and `summary.json` go, `analysis/QUESTION/` of the study or a folder in it; None:
            they are not written.
        statistics: What may be cited (`citable.statistics`), its ids without the folder.
        answers: To questions of the assignment.
    """

    study: str
    table: pd.DataFrame
    sentences: list[str]
    paths: list[Path]
    shown: list[str] = field(default_factory=list)
    note: str = ""
    folder: Path | None = None
    statistics: list[pd.DataFrame] = field(default_factory=list)
    answers: list[citable.Answer] = field(default_factory=list)


def parser(question: str, description: str) -> argparse.ArgumentParser:
    """The arguments that all analyses take; a module adds its own to it.

    Args:
        question: The module's name, as in `python -m analysis.QUESTION`.
        description: Which question it answers, and how; shown as it stands by --help.
    """
    result = argparse.ArgumentParser(
        prog=f"python -m analysis.{question}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("study", nargs="?", metavar="STUDY", help="a folder of --artifacts (default: the latest study)")
    result.add_argument(
        "--artifacts", default="artifacts", metavar="DIR", help="where studies lie (default: artifacts)"
    )
    result.add_argument("--data-dir", metavar="DIR", help="where data sets lie that cannot or shall not be downloaded")
    result.add_argument("--format", choices=["table", "csv", "json"], default="table", help="of standard output")
    return result


def run(
    arguments: argparse.ArgumentParser,
    answer: Callable[[argparse.Namespace], Outcome],
    argv: Sequence[str] | None = None,
) -> int:
    """Parses, answers and prints.

    Returns:
        The exit status: 0, or 1 where nobody read to the end, or 2 where the input was at fault; the reason is then on
        standard error.
    """
    parsed = arguments.parse_args(argv)
    try:
        outcome = answer(parsed)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if outcome.folder is not None:
        written = _write_citable(outcome, outcome.folder, _command(arguments, argv, parsed.study or outcome.study))
        outcome.paths.extend(written)
    show = {"table": _print_table, "csv": _print_csv, "json": _print_json}[parsed.format]
    return reader.until_it_leaves(lambda: show(outcome))


def loader(manifest: Mapping[str, Any], data_dir: str | None, others: bool = False) -> Callable[[str], Dataset]:
    """A function from a data set's name to its images, each loaded once.

    Args:
        manifest: The study's, with the hashes of what it was trained on.
        data_dir: Where files lie.
        others: Whether data sets that the study was not trained on may be asked for.

    Raises:
        InputError: on a call: the data set cannot be loaded, or holds other images than the study was trained on.
    """

    @cache
    def load(name: str) -> Dataset:
        data = datasets.load(name, data_dir)
        if others and name not in manifest["data"]:
            return data
        if data.hashes() != manifest["data"][name]["hashes"]:
            raise InputError(
                f"the data set {name} here ({data.source}) holds other images than the study was trained on. "
                "Point --data-dir at the same files."
            )
        return data

    return load


def instead(completed: Sequence[str], study: str) -> str:
    """What to say where no trial matches a pattern: two names that there are, or how there come to be some."""
    if not completed:
        return f"Run: python -m study.search {study}"
    return f"There are, for instance, {' and '.join(dict.fromkeys([completed[0], completed[-1]]))}."


def span(counts: Collection[int]) -> str:
    """The least and the greatest count in words, such as an n that failures made uneven: "10", or "8 to 10"."""
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def with_ends(value: float, low: float, high: float, form: str = ".3g") -> str:
    """A number with its interval: "0.5 [0.4, 0.6]"; alone where one seed gives no interval (ends that are NaN)."""
    return f"{value:{form}}" + (f" [{low:{form}}, {high:{form}}]" if low == low else "")


def write(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Writes each table to FOLDER/NAME.csv, its numbers in `citable.DIGITS` digits, and returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.csv" for name in tables]
    for path, table in zip(paths, tables.values(), strict=True):
        files.write_table(path, _csv(table))
    return paths


def _csv(table: pd.DataFrame) -> str:
    rounded = table.apply(lambda column: column.map(_rounded) if column.dtype in (float, object) else column)
    return str(rounded.to_csv(index=False, lineterminator="\n"))


def _rounded(value: Any) -> Any:
    return float(f"{value:.{citable.DIGITS}g}") if isinstance(value, float) else value


def _command(arguments: argparse.ArgumentParser, argv: Sequence[str] | None, study: str) -> list[str]:
    """What was asked, as it can be asked again anywhere: without where studies and data lie, and with the study."""
    here = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--artifacts", "--data-dir", "--format"):
        here.add_argument(option)
    asked = here.parse_known_args(sys.argv[1:] if argv is None else argv)[1]
    return [*arguments.prog.split(), study, *(word for word in asked if word != study)]


def _write_citable(outcome: Outcome, folder: Path, asked: list[str]) -> list[Path]:
    """Writes `statistics.csv`, its ids with the folder's name before them, and `summary.json`."""
    import pandas as pd

    place = ".".join(folder.parts[folder.parts.index("analysis", -3) + 1 :])
    empty = pd.DataFrame(columns=list(citable.COLUMNS))
    filled = [table for table in outcome.statistics if len(table)]
    found = pd.concat(filled, ignore_index=True) if filled else empty
    found["id"] = place + "." + found["id"].astype(str)
    answers = [replace(a, statistic=a.statistic and f"{place}.{a.statistic}") for a in outcome.answers]
    known = set(found["id"])
    if unknown := [a.statistic for a in answers if a.statistic and a.statistic not in known]:
        raise ValueError(f"{folder}: an answer cites {unknown[0]}, which is not among its statistics")
    pictures = {path.stem: path.name for path in outcome.paths if path.suffix == ".png"}
    content = citable.summary(asked, outcome.sentences, outcome.note, answers, pictures)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    paths = write({"statistics": found}, folder)
    files.write_atomically(folder / "summary.json", text.encode())
    _remove_stale(folder, {path.resolve() for path in (*outcome.paths, *paths)})
    return [*paths, folder / "summary.json"]


def _remove_stale(folder: Path, written: Collection[Path]) -> None:
    """Removes tables and pictures of an earlier run with other options: the summary no longer speaks of them."""
    pictures = [path for kind in ("png", "svg") for path in folder.glob(f"*.{kind}")]
    for path in (*files.tables(folder), *pictures):
        if path.resolve() not in written:
            path.unlink(missing_ok=True)
            files.packed(path).unlink(missing_ok=True)


def _print_table(outcome: Outcome) -> None:
    shown = outcome.table[outcome.shown or list(outcome.table.columns)]
    print(f"study {outcome.study}\n")
    print(shown.to_string(index=False, na_rep="–", float_format=lambda value: f"{value:.4g}"))
    print(_wrapped(outcome.note), end="\n\n")
    print(*(_wrapped(sentence, "- ") for sentence in outcome.sentences), sep="\n", end="\n\n")
    print(*(f"wrote {path}" for path in outcome.paths), sep="\n")


def _wrapped(text: str, mark: str = "") -> str:
    """The text in lines, broken neither before a per cent sign nor around an equals sign."""
    kept = text.replace(" %", "\0%").replace(" = ", "\0=\0")
    return textwrap.fill(kept, LINE, initial_indent=mark, subsequent_indent=" " * len(mark)).replace("\0", " ")


def _print_csv(outcome: Outcome) -> None:
    print(_csv(outcome.table), end="")
    print(*(f"wrote {path}" for path in outcome.paths), sep="\n", file=sys.stderr)


def _print_json(outcome: Outcome) -> None:
    rows = json.loads(outcome.table.to_json(orient="records"))  # NaN becomes null: JSON has no NaN
    paths = [str(path) for path in outcome.paths]
    print(json.dumps({"study": outcome.study, "table": rows, "sentences": outcome.sentences, "paths": paths}, indent=1))
