"""What is handed in: one zip with the report, the code and the records, and how to verify them.

    python -m analysis.report.handin [STUDY …] [--out FILE]

The code is what git tracks, as it lies here, with the author's notes. Of the studies everything goes in that cannot be
computed from the rest: records, examples, analyses, results of the tasks. Models and caches stay out; they are rebuilt.
The report must have been built: python -m analysis.report STUDY. What its author has still to write is named.
"""

from __future__ import annotations

import argparse
import fnmatch
import html
import io
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from analysis.report import write_html
from analysis.report.sources import ROOT, git, software
from study import files, records
from study.errors import InputError

REPORT = ("report.pdf", "report.html", "statistics.csv", "numbers.csv")
CACHES = ("model.keras", "model.*.keras", "rebuild.json", "*.images.npz", "running", "logs", "report", ".*", "*.pyc")
BEGINNING = (1980, 1, 1, 0, 0, 0)  # the same files give the same zip
README = """\
{title}

    report.pdf, report.html   the report (the same content twice)
    statistics.csv            every number to cite: interval, n, method, and the file and row that hold it
    numbers.csv               every decimal number of its sentences, with the row that holds it
    code/                     the software, {software}
    code/artifacts/           the records of {studies}, and what was computed from them

To verify it, with Python 3.11, 3.12 or 3.13 and make:

    cd code && make verify STUDY="{studies}"

This sets up .venv from the hash-pinned lock, recomputes from the records all that was derived, trains one trial again,
and says what agrees to the byte, what within the stated tolerance, and what could not be recomputed. Without make:

    cd code
    python3 -m venv .venv
    .venv/bin/python -m pip install --require-hashes -r requirements.lock
    .venv/bin/python -m analysis.verify {studies}

Whether the numbers of another text agree with the records: .venv/bin/python -m analysis.cite --check FILE
"""


def pack(studies: Sequence[str], artifacts: Path, notes: Path) -> bytes:
    """The zip.

    Args:
        studies: Their names; the report is that of the first.
        artifacts: Where they lie.
        notes: The author's notes, put in beside the code.

    Raises:
        InputError: No such study, no report yet, or the code is not under git here.
    """
    report = records.folder(studies[0], artifacts) / "report"
    if missing := [name for name in REPORT if not (report / name).is_file()]:
        raise InputError(f"{report / missing[0]} is not there. Build it: python -m analysis.report {' '.join(studies)}")
    if f"img-src {write_html.BESIDE}".encode() in (report / "report.html").read_bytes():
        raise InputError(
            f"{report / 'report.html'} is linked to pictures that the zip has elsewhere. Build it without --linked: "
            f"python -m analysis.report {' '.join(studies)}"
        )
    top = PurePosixPath(f"{studies[0]}-handin")
    content = {top / "READ-ME-FIRST.txt": _readme(studies).encode()}
    content |= {top / name: (report / name).read_bytes() for name in REPORT}
    content |= {top / "code" / name: path.read_bytes() for name, path in _code(notes)}
    for study in studies:
        content |= {
            top / "code/artifacts" / study / name: path.read_bytes() for name, path in _records(study, artifacts)
        }
    return _zipped(content)


def to_fill(artifacts: Path, study: str) -> list[str]:
    """What the report's author has still to write, as its marks say: the attestation, the statement on AI tools."""
    page = (records.folder(study, artifacts) / "report" / "report.html").read_text(encoding="utf-8")
    return [html.unescape(found) for found in re.findall(f"{re.escape(write_html.FILL)}([^<]*)<", page)]


def untracked() -> list[str]:
    """Python files here that are neither tracked nor ignored: code that the zip lacks."""
    return [name for name in git("ls-files", "-z", "--others", "--exclude-standard", "--", "*.py").split("\0") if name]


def _readme(studies: Sequence[str]) -> str:
    name, commit = software()
    from analysis.report.frame import TITLE

    return README.format(title=TITLE, studies=" ".join(studies), software=f"{name}, commit {commit or 'unknown'}")


def _code(notes: Path) -> Iterator[tuple[str, Path]]:
    """What git tracks, less the artifacts of studies, and the notes."""
    names = [name for name in git("ls-files", "-z").split("\0") if name]
    if not names:
        raise InputError(f"{ROOT} is no git checkout, so it is not known which files are the code. Hand in from one.")
    for name in names:
        of_study = len(PurePosixPath(name).parts) > 2 and name.startswith("artifacts/")
        if not of_study and (ROOT / name).is_file():
            yield name, ROOT / name
    for path in sorted(notes.rglob("*")):
        if path.is_file():
            yield f"notes/{path.relative_to(notes).as_posix()}", path


def _records(study: str, artifacts: Path) -> Iterator[tuple[str, Path]]:
    folder = records.folder(study, artifacts)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(fnmatch.fnmatch(part, cache) for part in inside.parts for cache in CACHES):
            yield inside.as_posix(), path


def _zipped(content: dict[PurePosixPath, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(content.items()):
            entry = zipfile.ZipInfo(str(name), BEGINNING)
            entry.external_attr = (0o755 if name.suffix in ("", ".sh") and data.startswith(b"#!") else 0o644) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis.report.handin",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("studies", nargs="*", metavar="STUDY", help="folders of --artifacts (default: the latest study)")
    add("--out", type=Path, metavar="FILE", help="the zip (default: STUDY-handin.zip here)")
    add("--notes", type=Path, default=Path("notes"), metavar="DIR", help="your prose (default: notes)")
    add("--artifacts", type=Path, default=Path("artifacts"), metavar="DIR", help="where studies lie")
    options = parser.parse_args(argv)
    try:
        studies = list(dict.fromkeys(options.studies or [records.latest(options.artifacts)]))
        packed = pack(studies, options.artifacts, options.notes)
        path = options.out or Path(f"{studies[0]}-handin.zip")
        files.write_atomically(path, packed)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name in to_fill(options.artifacts, studies[0]):
        print(f"not yet written in the report: {name}")
    for name in untracked():
        print(f"left out, since git does not track it: {name}")
    print(f"wrote {path} ({len(packed) / 1e6:.1f} MB); it begins with READ-ME-FIRST.txt")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
