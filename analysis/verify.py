"""Do the shipped results follow from the shipped records, and do the records come out again?

    python -m analysis.verify [STUDY …] [--trial NAME] [--no-training]

Everything is done anew in a copy, and the copy compared with what is there:

  records     every trial of the manifest has a whole record of exactly this trial
  tables      trials.csv and history.csv, derived from the records
  analyses    each analysis that left a summary.json, by the command it names: its tables, sentences and pictures
  training    one completed trial, drawn at random unless named, trained again by `study.search --rebuild`

A table that lies packed (NAME.csv.gz) is compared by what it holds. Each file is the same to the byte, agrees within
the tolerance (numbers within 1e-6 relative, pixels within 2 of 255, coordinates of a drawing within 0.01 points),
differs, or could not be recomputed, with the reason: task results that need models which are gone, mostly. A retrained
trial agrees to the bit on the processor model it was first trained on; elsewhere each metric must lie no further from
its record than two seeds of its cell from one another (t·SD·√2 over the cell's seeds, 99 %).

Exit status: 0 where nothing differs, 1 where something does, 2 for bad input.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analysis import applications, comparison
from study import files, records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MODEL = "model.keras"
CACHES = ("rebuild.json", "*.images.npz", "running", "logs", ".lock", "report")
RESULTS = (MODEL, "analysis", "tasks", "examples.npz")
ROOT = Path(__file__).parent.parent
# Of the difference between two seeds. No fixed percentage does for every cell: retrained on another processor, trials
# of keras_io moved by 1 to 10 % in a metric, plain networks of depth 2, whose seeds lie far apart, by 13 to 31 %.
CONFIDENCE = 0.99


class Finding(NamedTuple):
    """What came of one file or trial."""

    study: str
    what: str
    outcome: str
    detail: str = ""


def verify(study: str, artifacts: Path, data_dir: str | None, trial: str | None, training: bool) -> Iterator[Finding]:
    """Everything that is recomputed of a study, as it is found.

    Args:
        study: Its name.
        artifacts: Where it lies; nothing is written there.
        data_dir: Where data files lie.
        trial: The trial to train again; None: one at random.
        training: Whether one is trained again at all.

    Raises:
        InputError: No such study, or no such trial in it.
    """
    shipped = records.folder(study, artifacts)
    completed = _completed(study, artifacts)
    if trial is not None and trial not in completed:
        raise InputError(f"--trial {trial}: '{study}' has no such completed trial; one is {completed[:1]}.")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / study
        left_out = shutil.ignore_patterns(*CACHES, "analysis")
        shutil.copytree(shipped, copy, ignore=left_out, copy_function=_copy)
        _copy_records(Path(artifacts), Path(folder))
        yield _records(study, artifacts)
        yield from _tables(study, shipped, Path(folder))
        for summary in sorted((shipped / "analysis").rglob("summary.json")):
            yield from _analysis(study, shipped, summary.parent, Path(folder), data_dir)
        if training and completed:
            yield _retrained(study, trial or random.SystemRandom().choice(completed), Path(folder), data_dir)


def _copy(source: str, target: str) -> None:
    """A copy; of a trained model, which is large and only read, a link where the system allows one."""
    if Path(source).name == MODEL:
        try:
            os.symlink(os.path.abspath(source), target)
            return
        except OSError:  # Windows without the right to
            pass
    shutil.copy2(source, target)


def _copy_records(artifacts: Path, to: Path) -> None:
    """The records of the other studies, which analyses compare this one with: its pilot, say."""
    for path in sorted(artifacts.iterdir()):
        if (path / "manifest.json").is_file() and not (to / path.name).exists():
            shutil.copytree(path, to / path.name, ignore=shutil.ignore_patterns(*CACHES, *RESULTS))


def _completed(study: str, artifacts: Path) -> list[str]:
    table = records.load(study, artifacts)
    return list(table.loc[table["status"] == "completed", "trial"])


def _records(study: str, artifacts: Path) -> Finding:
    manifest = records.manifest(study, artifacts)
    wanted = len(manifest["cells"]) * manifest["space"]["training"]["seeds"]
    found = len(records.load(study, artifacts))
    outcome = comparison.SAME if found == wanted else comparison.MISSING
    return Finding(study, "records", outcome, f"{found} of {wanted} trials have a whole record of exactly this trial")


def _tables(study: str, shipped: Path, artifacts: Path) -> Iterator[Finding]:
    for path in records.write_tables(study, artifacts):
        yield Finding(study, path.name, *_compared(shipped / path.name, path))


def _compared(shipped: Path, again: Path) -> tuple[str, str]:
    """As `comparison.compare`; of a table that is shipped packed what that holds."""
    if not files.packed(shipped).is_file():
        return comparison.compare(shipped, again)
    if shipped.exists():
        return comparison.DIFFERS, f"{files.packed(shipped).name} lies beside it: remove the older one"
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / shipped.name
        try:
            with files.open_table(shipped) as content:
                unpacked.write_text(content.read(), encoding="utf-8", newline="")
        except (OSError, ValueError) as error:
            return comparison.DIFFERS, f"cannot be read: {error}"
        return comparison.compare(unpacked, again)


def _analysis(study: str, shipped: Path, there: Path, artifacts: Path, data_dir: str | None) -> Iterator[Finding]:
    """Runs the command of one analysis in the copy and compares every file that it left."""
    place = there.relative_to(shipped)
    asked = json.loads((there / "summary.json").read_text(encoding="utf-8"))["command"]
    done = _run([*asked[1:], "--artifacts", str(artifacts)], data_dir)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}"
        yield Finding(study, str(place), comparison.MISSING, reason)
        return
    anew = artifacts / study / place
    gone = _models_missed(there, anew)
    tables = set(files.tables(there))
    others = {path for path in there.iterdir() if path.is_file() and not path.name.endswith(".csv.gz")}
    for path in sorted(tables | others):
        outcome, detail = _compared(path, anew / path.name)
        if gone and outcome in (comparison.DIFFERS, comparison.MISSING):
            detail = gone if outcome == comparison.DIFFERS else f"{detail}, or {gone}"
            outcome = comparison.MISSING
        yield Finding(study, str(place / path.name), outcome, detail)


def _models_missed(shipped: Path, anew: Path) -> str:
    """What an analysis says anew, and did not say before, of models that it would have needed; "" if nothing."""
    texts = ((folder / "summary.json").read_text(encoding="utf-8") for folder in (shipped, anew))
    before, now = (json.loads(text).get("sentences", []) for text in texts)
    found = [sentence for sentence in now if "--rebuild" in sentence and sentence not in before]
    return "it needs models that are gone: train them with study.search --rebuild '*'" if found else ""


def _retrained(study: str, trial: str, artifacts: Path, data_dir: str | None) -> Finding:
    there = artifacts / study / "trials" / trial
    (there / MODEL).unlink(missing_ok=True)
    done = _run(["-m", "study.search", study, "--artifacts", str(artifacts), "--rebuild", trial], data_dir)
    outcome = there / "rebuild.json"
    if done.returncode != 0 or not outcome.is_file():
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return Finding(study, f"retrained {trial}", comparison.MISSING, reason[0])
    found = json.loads(outcome.read_text(encoding="utf-8"))
    said = next((line for line in done.stdout.splitlines() if line.startswith(f"{trial}: ")), "")
    said = said.removeprefix(f"{trial}: ")
    if found["identical"]:
        verdict = comparison.SAME
    elif found["status"] == "completed" and found["environment_differs"]:
        verdict, how = _elsewhere(records.load(study, artifacts), trial, found["values"])
        said = f"{said}; {how}"
    else:
        verdict = comparison.DIFFERS
    return Finding(study, f"retrained {trial}", verdict, said)


def _elsewhere(trials: pd.DataFrame, trial: str, anew: dict[str, float]) -> tuple[str, str]:
    """Whether a trial that another processor retrained agrees with its record, and in words by what measure.

    Two trainings of one cell with independent seeds differ by at most t(n - 1)·SD·√2 with the confidence `CONFIDENCE`.
    """
    import pandas as pd
    from scipy import stats

    cells = applications.cells_of(trials["trial"])
    cell = trials[(cells == cells[trials["trial"] == trial].item()) & (trials["status"] == "completed")]
    cell = cell.set_index("trial")[list(anew)].astype(float)
    if len(cell) < 2:
        return comparison.MISSING, "its cell has one seed, which says nothing about how far trainings lie apart"
    allowed = stats.t.ppf((1 + CONFIDENCE) / 2, len(cell) - 1) * cell.std() * math.sqrt(2)
    allowed = allowed.clip(lower=comparison.RELATIVE * cell.loc[trial].abs())
    apart = (pd.Series(anew) - cell.loc[trial]).abs()
    shares = (apart / allowed).mask(apart == 0, 0.0).fillna(math.inf)  # no longer finite: farther than any seed
    metric = str(shares.idxmax())
    how = f"{metric} by {shares[metric]:.2g} of what two of the cell's {len(cell)} seeds may lie apart"
    return (comparison.CLOSE if shares[metric] <= 1 else comparison.DIFFERS), how


def _run(arguments: Sequence[str], data_dir: str | None) -> subprocess.CompletedProcess:
    options = ["--data-dir", str(Path(data_dir).resolve())] if data_dir else []
    return subprocess.run(
        [sys.executable, *arguments, *options], capture_output=True, text=True, cwd=ROOT, check=False, env=os.environ
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    options = _parser().parse_args(argv)
    counts: Counter[str] = Counter()
    try:
        for study in options.study or records.studies(options.artifacts):
            for finding in verify(study, options.artifacts, options.data_dir, options.trial, options.training):
                counts[finding.outcome] += 1
                print("  ".join(part for part in finding if part), flush=True)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("; ".join(f"{outcome}: {count}" for outcome, count in sorted(counts.items())) or "no study to verify")
    return 1 if counts[comparison.DIFFERS] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("study", nargs="*", metavar="STUDY", help="folders of --artifacts (default: all)")
    add("--artifacts", type=Path, default=records.ARTIFACTS, metavar="DIR", help="where studies lie")
    add("--data-dir", default=os.environ.get("STUDY_DATA_DIR"), metavar="DIR", help="where data files lie")
    add("--trial", metavar="NAME", help="the trial to train again (default: one at random)")
    add("--no-training", dest="training", action="store_false", help="train none again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
