"""Writes what a trial leaves behind, so that a kill at any moment leaves whole files; finds packed tables."""

import gzip
import io
import json
import os
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np


def write_record(
    study_folder: Path, content: Mapping[str, Any], examples: Mapping[str, np.ndarray], model: Any
) -> None:
    """Writes a trial: examples and model first, and last, atomically, the record that makes them count."""
    path = study_folder / "trials" / content["trial"]
    path.mkdir(parents=True, exist_ok=True)
    if examples:
        write_examples(path, examples)
    if model is not None:
        write_model(path, model)
    write_atomically(path / "record.json", to_json(content))


def write_examples(trial_folder: Path, examples: Mapping[str, np.ndarray]) -> None:
    """Writes `examples.npz`, atomically."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **examples)  # type: ignore[arg-type]
    write_atomically(trial_folder / "examples.npz", buffer.getvalue())


def write_model(trial_folder: Path, model: Any) -> None:
    """Writes `model.keras`, atomically."""
    temporary = trial_folder / f"model.{os.getpid()}.keras"
    try:
        model.save(temporary)
        os.replace(temporary, trial_folder / "model.keras")
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a kill at any moment leaves the old one or the new one, whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def to_json(content: Any) -> bytes:
    """JSON with null for what is not finite: other programs cannot read NaN."""
    return (json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def packed(path: Path) -> Path:
    """Where a large table lies packed, for want of room: PATH.gz."""
    return path.with_name(f"{path.name}.gz")


def tables(folder: Path, pattern: str = "*.csv") -> list[Path]:
    """The tables of a folder, sorted: FOLDER/PATTERN; one that is there only packed by its name without `.gz`."""
    found = {*folder.glob(pattern), *(path.with_suffix("") for path in folder.glob(f"{pattern}.gz"))}
    return sorted(found)


def open_table(path: Path) -> TextIO:
    """A table, open for reading; where it is there only packed, what that holds.

    Raises:
        OSError: Neither is there, or it cannot be read.
        UnicodeDecodeError: It is no UTF-8.
    """
    if path.exists() or not packed(path).exists():
        return open(path, newline="", encoding="utf-8")
    try:
        text = gzip.decompress(packed(path).read_bytes()).decode()
    except (EOFError, zlib.error) as error:
        raise OSError(f"{packed(path).name} is damaged: {error}") from error
    return io.StringIO(text, newline="")


def write_table(path: Path, text: str) -> None:
    """Writes a table, atomically, in the place of a packed one."""
    write_atomically(path, text.encode())
    packed(path).unlink(missing_ok=True)


def remove_leftovers(study_folder: Path) -> None:
    """Removes what processes that were killed in mid-write left behind."""
    for pattern in ("trials/*/.*.json.*", "trials/*/.examples.npz.*", "trials/*/model.*.keras", ".*.*.[0-9]*"):
        for path in study_folder.glob(pattern):
            path.unlink(missing_ok=True)
    shutil.rmtree(study_folder / "running", ignore_errors=True)


def _finite(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    if isinstance(content, (float, np.floating)):
        return float(content) if np.isfinite(content) else None
    return content.item() if isinstance(content, np.generic) else content
