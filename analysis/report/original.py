"""The original in numbers: its settings and its results in each study that begins from it, and where it is seen."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.cite_statistics import printed
from analysis.report import frame
from analysis.report.blocks import Block, Span, Table, Text, paragraph, plain
from analysis.report.evidence import Evidence
from analysis.statistics import t_interval
from study import files
from study.space import cell_name

HANDED_OUT = "keras_io"  # the architecture of the assignment's notebook
EPOCHS = 30  # of the Keras example, which trains on all images: https://keras.io/examples/generative/vae/
MEASURED = {
    "test_mse": "test MSE (lower is better)",
    "test_fvu": "test error ÷ the mean image's: unexplained variance (lower is better)",
    "test_bce": "test BCE, nats a pixel (lower is better)",
    "test_ssim": "test SSIM (higher is better)",
    "best_epoch": "epoch with the least validation error",
}


def blocks(evidence: Sequence[Evidence]) -> list[Block]:
    """The baselines that are the network handed out, a column a study; where none is, the baselines there are."""
    handed_out = [one for one in evidence if one.manifest["space"]["baseline"]["architecture"] == HANDED_OUT]
    shown = handed_out or list(evidence)
    columns = [_column(one) for one in shown]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = tuple((plain(name), *(plain(column.get(name, "–")) for column in columns)) for name in names)
    table = Table(
        "The baseline's settings, and its results over seeds: means with 95 % t intervals (trials.csv); seconds an "
        "epoch: alone on the machine, median, least and greatest (cost.csv)",
        ("what", *(one.study for one in shown)),
        rows,
    )
    return [table, *_shorter(shown), *_seen(shown[0])]


def _column(evidence: Evidence) -> dict[str, str]:
    space = evidence.manifest["space"]
    cell, pool = space["baseline"], evidence.manifest["data"][space["baseline"]["dataset"]].get("sizes", ["?"])[0]
    name = cell_name(cell)
    done = [record for record in evidence.trials if record["status"] == "completed"]
    values = [record["values"] for record in done if cell_name(record["cell"]) == name]
    images = "all that are left" if cell["train_size"] is None else f"{cell['train_size']:,}"
    return {
        "cell": name,
        "training images": f"{images} of a pool of {pool:,}" if isinstance(pool, int) else images,
        "epochs": str(space["training"]["epochs"]),
        "loss": str(cell["loss"]),
        "batch size, learning rate": f"{cell['batch_size']}, {cell['learning_rate']:g}",
        "parameters": ", ".join(sorted({f"{one['n_parameters']:,}" for one in values if "n_parameters" in one})) or "–",
        "n, seeds": str(len(values)),
        **{label: _mean([one[key] for one in values if key in one]) for key, label in MEASURED.items()},
        "seconds an epoch": _seconds(evidence, name),
    }


def _mean(values: Sequence[float]) -> str:
    """Mean and interval over seeds; alone where one seed gives no interval."""
    if not values:
        return "–"
    found = t_interval(values)
    if found.low != found.low:
        return printed(found.value)[0]
    value, low, high = printed(found.value, found.low, found.high)
    return f"{value} [{low}, {high}]"


def _seconds(evidence: Evidence, cell: str) -> str:
    path = evidence.folder / "cost.csv"
    if path not in files.tables(evidence.folder):
        return "not measured"
    with files.open_table(path) as file:
        found: Mapping[str, Any] | None = next((row for row in csv.DictReader(file) if row["cell"] == cell), None)
    if found is None:
        return "not measured"
    middle, low, high = (f"{float(found[f'epoch_seconds{end}']):.3g}" for end in ("", "_low", "_high"))
    return f"{middle} ({low} to {high}; n = {found['rounds']} rounds)"


def _shorter(shown: Sequence[Evidence]) -> Iterator[Block]:
    """That the training is shorter than the example's, where it is, and where one sees what this changes."""
    spaces = [one.manifest["space"] for one in shown]
    if not any(
        space["baseline"]["architecture"] == HANDED_OUT
        and (space["training"]["epochs"] < EPOCHS or space["baseline"]["train_size"] is not None)
        for space in spaces
    ):
        return
    said: list[str | Span] = [f"The Keras example itself trains for {EPOCHS} epochs on all images"]
    pictures = [p.key for one in shown for a in one.of("robustness") for p in a.pictures if p.path.stem == "full_size"]
    if pictures:
        said += ["; some of the networks so trained: ", frame.figure(pictures[0])]
    yield paragraph(*said, ".")


def _seen(evidence: Evidence) -> Iterator[Block]:
    """Where the baseline is seen beside its modifications: how it learns, and what it reconstructs."""
    dataset = evidence.manifest["space"]["baseline"]["dataset"]
    parts: list[Text] = []
    for question, begins, words in (
        ("effects", "curves-", "How it learns, beside modifications of it: "),
        ("reconstructions", dataset, "What it reconstructs, beside them: "),
    ):
        keys = [p.key for a in evidence.of(question) for p in a.pictures if p.path.stem.startswith(begins)]
        parts += [plain(words, frame.figure(keys[0]), ".")] if keys else []
    if parts:
        yield paragraph(*[span for part in parts for span in (*part, Span(" "))][:-1])
