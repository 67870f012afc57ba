"""Every analysis that a study can carry, and one card: each question of the assignment with its answer.

    python -m analysis [STUDY] [--only inpainting denoising | --skip generation | --card]

Runs the analyses one after the other, in an order in which each finds what it reads from the others, and says of each
what it found or why it could not. Those that try models keep their results a trial and compute only what is missing,
so that a second run is cheap. Then it prints the card: each question, a one-sentence answer, its interval, the id of
its statistic, its figure; a question without an answer with the command that answers it. Writes analysis/card.csv,
card.md and runs.csv in the study's folder.

Exit status: 0 if any analysis ran, 1 if one broke, 2 for bad input or if every analysis refused.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from study import records
from study.errors import InputError

# In this order: records alone first, then what tries models, then what reads the others' results.
ANALYSES = (
    *("effects", "latent_elbow", "variance", "robustness", "reconstructions", "latent_space"),
    *("inpainting", "denoising", "anomaly", "generation", "generalization", "residual"),
)
RAN, REFUSED, BROKE = "ran", "refused", "broke"


@dataclass(frozen=True)
class Run:
    """What became of one analysis.

    Attributes:
        analysis: Its name.
        status: `RAN`, `REFUSED` (the study cannot carry it) or `BROKE` (an error of its own).
        seconds: How long it took.
        sentences, paths: How many sentences it says, how many files it wrote.
        reason: Why it refused or broke.
    """

    analysis: str
    status: str
    seconds: float
    sentences: int = 0
    paths: int = 0
    reason: str = ""


class _Heard(io.TextIOBase):
    """A standard error that passes everything on and keeps the last line that begins with "error: "."""

    def __init__(self, to: TextIO) -> None:
        self._to, self._rest, self.reason = to, "", ""

    def write(self, text: str) -> int:
        """Passes on what is no error."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.startswith("error: "):
                self.reason = line.removeprefix("error: ")
            else:
                self._to.write(line + "\n")
        return len(text)

    def flush(self) -> None:
        """Of what it passes to."""
        self._to.flush()


def run(analysis: str, argv: Sequence[str]) -> Run:
    """Runs one analysis in this process, quietly: its progress is shown, its table and sentences are not."""
    began, printed, heard = time.monotonic(), io.StringIO(), _Heard(sys.stderr)

    def ended(status: str, **more: int | str) -> Run:
        return Run(analysis, status, round(time.monotonic() - began, 1), **more)  # type: ignore[arg-type]

    try:
        module = importlib.import_module(f"analysis.{analysis}")
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(heard):
            code = module.main([*argv, "--format", "json"])
    except Exception as error:  # one analysis' mistake shall not cost the others
        traceback.print_exc()
        return ended(BROKE, reason=f"{type(error).__name__}: {error}")
    if code != 0:
        return ended(REFUSED, reason=heard.reason or f"exit status {code}")
    said = json.loads(printed.getvalue())
    return ended(RAN, sentences=len(said["sentences"]), paths=len(said["paths"]))


def run_all(
    analyses: Sequence[str], argv: Sequence[str], before: dict[str, float], say: Callable[[str], None]
) -> list[Run]:
    """Runs them in turn, with the time left.

    Args:
        analyses: Their names.
        argv: What all of them are given.
        before: Analysis → seconds that it took the last time.
        say: Takes a line.
    """
    done: list[Run] = []
    for number, analysis in enumerate(analyses):
        say(f"[{number + 1}/{len(analyses)}] {analysis}{_left(analyses[number:], done, before)}")
        done.append(run(analysis, argv))
        say(f"    {_outcome(done[-1])}")
    return done


def _left(todo: Sequence[str], done: Sequence[Run], before: dict[str, float]) -> str:
    """The time left: of each what it took the last time, or the mean of those that have run now."""
    usual = sum(one.seconds for one in done) / len(done) if done else None
    expected = [before.get(name, usual) for name in todo]
    known = [seconds for seconds in expected if seconds is not None]
    if len(known) < len(todo):
        return ""
    return f", about {sum(known) / 60:.1f} min left" if sum(known) > 60 else f", about {sum(known):.0f} s left"


def _outcome(one: Run) -> str:
    if one.status == RAN:
        return f"{one.sentences} sentences, {one.paths} files, {one.seconds:.0f} s"
    return f"{one.status}: {one.reason}"


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    options = _parser().parse_args(argv)
    try:
        study = options.study or records.latest(options.artifacts)
        folder = records.folder(study, options.artifacts)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    chosen = [name for name in options.only or ANALYSES if name not in options.skip]
    done: list[Run] = []
    if not options.card:
        given = [study, "--artifacts", options.artifacts]
        given += ["--data-dir", options.data_dir] if options.data_dir else []
        done = run_all(chosen, given, _last_time(folder), lambda line: print(line, file=sys.stderr, flush=True))
    try:
        _finish(folder, study, done)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if any(one.status == BROKE for one in done):
        return 1
    return 2 if done and all(one.status == REFUSED for one in done) else 0


def _last_time(folder: Path) -> dict[str, float]:
    import pandas as pd

    path = folder / "analysis" / "runs.csv"
    if not path.is_file():
        return {}
    table = pd.read_csv(path)
    return dict(zip(table["analysis"], table["seconds"], strict=True))


def _finish(folder: Path, study: str, done: Sequence[Run]) -> None:
    """Writes and prints the card, and what did not run."""
    import pandas as pd

    from analysis import card, command

    found = card.gather(folder, ANALYSES, study)
    paths = card.write(found, folder, study)
    if done:
        paths += command.write({"runs": pd.DataFrame([asdict(one) for one in done])}, folder / "analysis")
    print(card.text(found, study))
    if lacking := [one for one in done if one.status != RAN]:
        print("\nnot carried by this study:")
        print(*(f"  {one.analysis} ({one.status}): {one.reason}" for one in lacking), sep="\n")
    print()
    print(*(f"wrote {path}" for path in paths), sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", nargs="?", metavar="STUDY", help="a folder of --artifacts (default: the latest study)")
    parser.add_argument(
        "--artifacts", default="artifacts", metavar="DIR", help="where studies lie (default: artifacts)"
    )
    parser.add_argument("--data-dir", metavar="DIR", help="where data sets lie that cannot or shall not be downloaded")
    parser.add_argument("--only", nargs="+", choices=ANALYSES, metavar="NAME", help=f"of {', '.join(ANALYSES)}")
    parser.add_argument("--skip", nargs="+", choices=ANALYSES, default=[], metavar="NAME", help="all but these")
    parser.add_argument("--card", action="store_true", help="run nothing; the card of what is there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
