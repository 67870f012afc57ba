"""The report to hand in: report.html and report.pdf; beside them every number of the studies, and of the sentences.

    python -m analysis.report [STUDY …] [--sections architecture latent loss denoising generation …]

Problem 1 with the code of each modification, Problem 2, the discussion questions, methods, limits and sources, built
from what the analyses of the studies left; what has not been analysed is a visible gap with the command that fills it.
No number is typed: a sentence about what was not estimated fails the build, and so does a decimal number of a sentence
that no table of its analysis holds; --draft marks it instead. statistics.csv holds what may be cited, numbers.csv the
row behind each number of a sentence.

--linked makes a page a tenth as large that shows its pictures from where they lie: it must stay where it is, and be
built again whenever an analysis is.

notes/author.md (your name, and behind it a picture of your signature) completes the attestation, notes/ai_statement.md
tells which AI tools you used; what is still to be written is marked in the report.

Your own prose lies in notes/SECTION.md (Markdown) and is merged into its section at every build. In it {stat:ID}
becomes the number with its interval, {figure:ID} the picture, {cite:KEY} a source. Find ids with
python -m analysis.cite --study STUDY --list WORDS.

Exit status: 0, or 2 for bad input, such as an unknown id in a note, which is named with its file and line.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from analysis.report import sections
from analysis.report.sections import FRAME, GROUPS, SECTIONS
from study import files, records
from study.errors import InputError

COLUMNS = ("study", "id", "what", "dataset", "value", "low", "high", "n", "method", "p", "source", "row")


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    options = _parser().parse_args(argv)
    try:
        paths, said = write(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(*said, *(f"wrote {path}" for path in paths), sep="\n")
    return 0


def write(options: argparse.Namespace) -> tuple[list[Path], list[str]]:
    """Builds and writes the report.

    Returns:
        The paths written, and what the reader should know: gaps, notes left out.

    Raises:
        InputError: Anything the user can mend.
    """
    from analysis.report import build, evidence, numbers, write_html, write_pdf
    from analysis.report.blocks import Gap, every

    chosen, date = sections.select(options.sections), _date()
    studies = list(dict.fromkeys(options.studies or [records.latest(options.artifacts)]))
    found = [evidence.read(study, options.artifacts) for study in studies]
    report = build.build(found, chosen, options.notes, options.artifacts, date)
    folder = options.out or found[0].folder / "report"
    nowhere = [(sentence, one) for sentence, one in numbers.numbers(report.blocks) if not one.table]
    if nowhere and not options.draft:
        commands = {(one.study, one.place): one.command for study in found for one in study.analyses}
        raise InputError(numbers.refusal(nowhere, commands))
    pdf, lacking = write_pdf.write(report)
    content = {
        "report.html": write_html.write(write_html.linked(report, folder) if options.linked else report),
        "report.pdf": pdf,
        "statistics.csv": _statistics(found),
        "numbers.csv": numbers.listed(report.blocks),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, written in content.items():
            files.write_atomically(folder / name, written)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error}). Give another folder with --out.") from error
    gaps = [block for block in every(report.blocks) if isinstance(block, Gap)]
    said = [f"missing: {gap.text} {gap.command}".rstrip() for gap in dict.fromkeys(gaps)]
    said += [
        f"in no table of {one.study}, {one.analysis}: {one.text} (marked; numbers.csv has its sentence)"
        for _, one in nowhere
    ]
    said += [f"report.pdf: {lacking}; the machine's fonts were asked for it"] if lacking else []
    said += [
        f"left out: notes on {name}, a section that was not chosen" for name in build.left_out(chosen, options.notes)
    ]
    return [folder / name for name in content], said


def _statistics(found: Sequence) -> bytes:
    """All statistics of all studies, with the file and row that hold each."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(one) for study in found for one in study.statistics.values())
    return text.getvalue().encode()


def _date() -> str:
    """Today, in UTC; SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/) sets it.

    Raises:
        InputError: It is no number of seconds, or one beyond the years that dates have.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        return (datetime.fromtimestamp(int(seconds), UTC) if seconds else datetime.now(UTC)).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(
            f"SOURCE_DATE_EPOCH={seconds}: allowed is a whole number of seconds since 1970-01-01 up to the year 9999, "
            "such as what `date +%s` prints. Set it so, or unset it for today's date."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join([*GROUPS, *(section.id for section in SECTIONS)])
    noted = ", ".join(FRAME)
    add = parser.add_argument
    add("studies", nargs="*", metavar="STUDY", help="folders of --artifacts (default: the latest study)")
    add("--sections", nargs="+", default=[], metavar="ID", help=f"only these: {names}")
    add(
        "--notes", type=Path, default=Path("notes"), metavar="DIR", help=f"your prose; also on {noted} (default: notes)"
    )
    add("--out", type=Path, metavar="DIR", help="where to write (default: report/ in the first study's folder)")
    add("--linked", action="store_true", help="report.html shows pictures from where they lie instead of holding them")
    add("--draft", action="store_true", help="build although numbers are in no table, and mark them")
    add("--artifacts", default="artifacts", metavar="DIR", help="where studies lie (default: artifacts)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
