"""What the tables of `analysis.latent_space` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from analysis.latent_space_estimates import Estimates

GONE = (
    "The models of these cells are gone: drawn are the codes of the 32 stored test images of the lowest seed, and "
    "nothing is measured. Train the models again: python -m study.search {} --rebuild '*'"
)


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval."""
    said = []
    for dataset, rows in estimates.cells.groupby("dataset", sort=False):
        references = estimates.references
        of_data = references[references["dataset"] == dataset] if len(references) else references
        said += [f"{dataset}: {text}" for text in (*_line(rows), *_classes(rows, of_data), *_neighbours(rows))]
        if "class_error" not in set(rows["measure"]):
            said.append(f"{dataset}: no labels, or one class alone, so that nothing can be said of classes.")
    return said


def caption(dataset: str, seed: int, counts: list[int], note: str) -> str:
    """What stands under a picture of codes."""
    images = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    return (
        f"{dataset}: codes of {images} test images a panel, seed {seed}, each drawn as its class. Size 1: density of "
        "each class along the code (Gaussian kernel, Scott's rule), every class scaled to the same height. Size 2: the "
        f"code itself. Above: its first two principal components, with their shares of its variance. {note}"
    )


def _line(rows: pd.DataFrame) -> Iterator[str]:
    """What one dimension holds, and what it does not."""
    for cell, part in rows[rows["latent_dim"] == 1].groupby("cell", sort=False):
        by = {row["measure"]: row for row in _rows(part)}
        parts = [f"{_number(by['variance_kept'], 100, ' %')} of the variance of the images"]
        if "segments" in by:
            classes = by["segments"]["classes"]
            parts.append(
                f"the line falls into {_number(by['segments'])} pieces by class, where {classes:.0f} classes could do "
                f"with {classes:.0f}"
            )
        if "threshold_error" in by:
            parts.append(
                f"two classes overlap on it by {_number(by['threshold_error'], 100, ' %')} (error of the best "
                "threshold, mean over pairs; 50 %: wholly)"
            )
        if by.get("trustworthiness"):
            parts.append(f"trustworthiness of its neighbourhoods {_number(by['trustworthiness'])}")
        n = by["variance_kept"]["n"]
        yield (
            f"one dimension of {cell} holds {'; '.join(parts)} (mean, 95 % t interval, of the variance on the log of "
            f"what is lost; n = {n} seeds)."
        )


def _classes(rows: pd.DataFrame, references: pd.DataFrame) -> Iterator[str]:
    part = rows[rows["measure"] == "class_error"].sort_values("latent_dim")
    if not len(part):
        return
    listed = "; ".join(f"{row['cell']} {_number(row, 100, ' %')}, PCA {100 * row['pca']:.3g} %" for row in _rows(part))
    beside = "; ".join(f"{row['rule']} {100 * row['class_error']:.3g} %" for row in _rows(references))
    yield (
        f"share of test images that the 10 nearest training codes put into another class: {listed}; without codes: "
        f"{beside} (n = {part['n'].max()} seeds, {_method(part.iloc[0])}, each alone)."
    )
    yield _against_pca(part)


def _neighbours(rows: pd.DataFrame) -> Iterator[str]:
    part = rows[rows["measure"] == "trustworthiness"].sort_values("latent_dim")
    if len(part):
        listed = "; ".join(f"{row['cell']} {_number(row)}, PCA {row['pca']:.3g}" for row in _rows(part))
        yield (
            f"neighbours among the codes are neighbours among the images: trustworthiness {listed} "
            f"(n = {part['n'].max()} seeds, {_method(part.iloc[0])}, each alone)."
        )


def _against_pca(part: pd.DataFrame) -> str:
    """In which cells the paired interval lies on either side of 0, and where it holds it."""
    fewer, more = part["difference_high"] < 0, part["difference_low"] > 0
    groups = {"fewer": part[fewer], "more": part[more], "not resolved": part[~(fewer | more)]}
    said = [f"{words} for {', '.join(rows['cell'])}" for words, rows in groups.items() if len(rows)]
    return (
        f"images in another class than by PCA of the same size: {'; '.join(said)} (paired 95 % t intervals, each "
        f"alone, n = {part['n'].max()} seeds)."
    )


def _number(row: dict[str, Any], scale: float = 1, unit: str = "") -> str:
    interval = f" [{scale * row['low']:.3g}, {scale * row['high']:.3g}]" if row["low"] == row["low"] else ""
    return f"{scale * row['value']:.3g}{unit}{interval}"


def _method(row: Any) -> str:
    return str(row["method"])


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
