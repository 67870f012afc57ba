"""Learning curves as TensorBoard reads them, from records, a folder a trial: `study.search --tensorboard DIR`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from study.errors import InputError

CURVES = ("loss", "val_loss", "val_mse", "val_bce", "gradient_scale")


def check_installed() -> None:
    """Says so at once where TensorBoard is missing.

    Raises:
        InputError: It is not installed.
    """
    try:
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise InputError(
            "--tensorboard needs the package tensorboard, which is optional here. Install it: pip install tensorboard"
        ) from error


def write(folder: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Writes the curves `CURVES` of trials, a step an epoch, to `folder`/<trial>/; what is there already stays.

    Args:
        folder: What `tensorboard --logdir` is pointed at.
        records: Trials' records.

    Raises:
        InputError: The folder cannot be written to.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for record in records:
        path = folder / record["trial"]
        if path.is_dir():
            continue
        try:
            writer = EventFileWriter(str(path))
        except OSError as error:
            raise InputError(f"cannot write to {path} ({error}). Give --tensorboard another folder.") from error
        for row in record["history"]:
            values = [Summary.Value(tag=tag, simple_value=row[tag]) for tag in CURVES if row.get(tag) is not None]
            writer.add_event(Event(step=row["epoch"], wall_time=row["epoch"], summary=Summary(value=values)))
        writer.close()
