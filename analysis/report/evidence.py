"""What a study's analyses left to report: statistics, sentences, answers and pictures, read from their files alone."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import cite_statistics, cite_trace
from analysis.citable import QUESTIONS, Answer
from analysis.cite_statistics import Statistic
from analysis.cite_trace import Tables
from study import files as stored
from study import records
from study.errors import InputError

COMMAND = "python -m "  # so an analysis tells who runs it what to run; no finding holds one
NO_CAPTION = "A picture without a caption; run its analysis again."


@dataclass(frozen=True)
class Picture:
    """A picture with its caption; `key` is STUDY:PLACE.STEM."""

    key: str
    path: Path
    caption: str


@dataclass(frozen=True)
class Analysis:
    """One analysis that was run.

    Attributes:
        study: Whose.
        place: The folder below `analysis/`, with "." between its parts, as in the ids of its statistics.
        command: What writes it again.
        sentences, note, answers: As in its `summary.json`.
        pictures: In the order in which they were written.
        tables: What its numbers stand in.
    """

    study: str
    place: str
    command: str
    sentences: tuple[str, ...]
    note: str
    answers: tuple[Answer, ...]
    pictures: tuple[Picture, ...]
    tables: Tables

    @property
    def question(self) -> str:
        """The module that wrote it."""
        return self.place.partition(".")[0]

    @property
    def undone(self) -> list[str]:
        """What was left out or not yet run: those of the sentences that name the command which does it."""
        return [sentence for sentence in self.sentences if COMMAND in sentence]

    @property
    def findings(self) -> list[str]:
        """The other sentences."""
        return [sentence for sentence in self.sentences if COMMAND not in sentence]


@dataclass(frozen=True)
class Evidence:
    """All that is known of a study.

    Attributes:
        study: Its name.
        folder: Its place.
        manifest: Its frozen description.
        trials: The valid records, whole.
        statistics: By id.
        analyses: In the order of their folders.
        refused: Analysis → why the study cannot carry it, as `python -m analysis` last found.
    """

    study: str
    folder: Path
    manifest: Mapping[str, Any]
    trials: Sequence[Mapping[str, Any]]
    statistics: Mapping[str, Statistic]
    analyses: Sequence[Analysis]
    refused: Mapping[str, str]

    def of(self, question: str) -> list[Analysis]:
        """The analyses that a module wrote: one, or several with other options."""
        return [analysis for analysis in self.analyses if analysis.question == question]


def read(study: str, artifacts: str | Path) -> Evidence:
    """All that is known of a study.

    Raises:
        InputError: No such study, or no trial of it has finished; a damaged file; an answer about what was not
            estimated.
    """
    folder = records.folder(study, artifacts)
    found = cite_statistics.read(study, artifacts)
    paths = sorted((folder / "analysis").rglob("summary.json"))
    analyses = [_analysis(study, path, folder / "analysis", found) for path in paths]
    trials = [_record(folder, trial) for trial in records.load(study, artifacts)["trial"]]
    return Evidence(study, folder, records.manifest(study, artifacts), trials, found, analyses, _refused(folder))


def _refused(folder: Path) -> dict[str, str]:
    path = folder / "analysis" / "runs.csv"
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        return {
            row["analysis"]: row.get("reason", "") for row in csv.DictReader(file) if row.get("status") == "refused"
        }


def _record(folder: Path, trial: str) -> Mapping[str, Any]:
    return json.loads((folder / "trials" / trial / "record.json").read_text(encoding="utf-8"))


def _analysis(study: str, path: Path, root: Path, known: Mapping[str, Statistic]) -> Analysis:
    place = ".".join(path.parent.relative_to(root).parts)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        answers = tuple(Answer(**answer) for answer in said["answers"])
        sentences, note = tuple(map(str, said["sentences"])), str(said["note"])
        files: dict[str, str] = dict(said["figures"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error!r}). Run the analysis again.") from error
    if path.with_name("statistics.csv") not in stored.tables(path.parent):
        raise InputError(
            f"{path} has no statistics.csv beside it for its sentences to rest on. Run the analysis again."
        )
    _check(path, answers, known, files)
    command = _typed(said.get("command") or ["python", "-m", f"analysis.{place.partition('.')[0]}", study])
    pictures = tuple(_pictures(f"{study}:{place}", path.parent, files))
    return Analysis(study, place, command, sentences, note, answers, pictures, cite_trace.read(path.parent))


def _check(path: Path, answers: Sequence[Answer], known: Mapping[str, Statistic], files: Mapping[str, str]) -> None:
    """Every answer must be about what was estimated and drawn."""
    for answer in answers:
        if answer.question not in QUESTIONS:
            raise InputError(f"{path} answers '{answer.question}'. Allowed: {', '.join(QUESTIONS)}.")
        if answer.statistic and answer.statistic not in known:
            raise InputError(
                f"{path} says «{answer.sentence}» and cites {answer.statistic}, which was not estimated: no "
                "statistics.csv has it. Run the analysis again."
            )
        if answer.figure and answer.figure not in files:
            raise InputError(f"{path} points to the picture '{answer.figure}', which is not among its figures.")


def _pictures(place: str, folder: Path, files: Mapping[str, str]) -> Iterator[Picture]:
    for stem, name in files.items():
        yield Picture(f"{place}.{stem}", folder / Path(name).name, caption_of(folder / Path(name).name))


def caption_of(path: Path) -> str:
    """The caption that a picture carries as text.

    Raises:
        InputError: The picture is gone or is none.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            return str(image.info.get("Description", "")).strip() or NO_CAPTION
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no picture ({error}). Run the analysis again.") from error


def _typed(command: Sequence[str]) -> str:
    """As one types it; of a list of more than three names the first, and where the others are."""
    return " ".join(
        f"'{names[0]} …' (all {len(names)}: summary.json)" if len(names := word.split()) > 3 else shlex.quote(word)
        for word in command
    )
