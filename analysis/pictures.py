"""One test image and what is left of it at each latent size, as rows of pictures under a curve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from study import datasets, records
from study.errors import InputError
from study.preprocessing import prepare

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from analysis.linear import PCA
    from study.datasets import Dataset

RULE = "the first of the 16 test images around the median rank of PCA error; the network of the lowest seed"
Row = dict[int | None, NDArray]
FIRST = 0  # of the stored examples: the median ones come first


@dataclass(frozen=True)
class Pictures:
    """Rows of pictures.

    Attributes:
        sizes: the latent sizes of the columns after the first, which holds the original.
        rows: row's name -> {None: original, size: reconstruction}, each (H, W, C) in [0, 1].
        table: a row a reconstruction: `row`, `latent_dim`, `trial`, `test_index`, `mse` of this image as drawn.
        missing: trials whose stored examples cannot be read.
    """

    sizes: list[int]
    rows: dict[str, Row]
    table: pd.DataFrame
    missing: list[str]


def gather(
    trials: pd.DataFrame, data: Dataset, bases: Mapping[str, PCA], study: str, artifacts: str = "artifacts"
) -> Pictures:
    """The pictures of one data set's curves: of each, its networks' and those of PCA on the same training images.

    Args:
        trials: the curves' trials, with `curve` and `panel` to name them.
        data: the data set.
        bases: curve -> PCA fitted on the training images of its lowest seed.
        study: its name.
        artifacts: where it lies.
    """
    import pandas as pd

    sizes = sorted(set(trials["latent_dim"]))
    rows: dict[str, Row] = {}
    linear: dict[int, tuple[str, int, Row]] = {}
    table: list[dict[str, Any]] = []
    missing: list[str] = []
    lowest = trials[(trials["seed"] == trials["seed"].min()) & (trials["status"] == "completed")]
    for curve, part in lowest.groupby("curve", sort=False):
        found = _stored(part, study, artifacts, missing)
        if not found:
            continue
        index = next(iter(found.values()))[1]
        original = _seen(data, part.iloc[0], index)
        panel, basis = part["panel"].iloc[0], bases[str(curve)]
        rows[panel] = {None: original, **{size: picture for size, (_, _, picture) in found.items()}}
        linear[id(basis)] = (panel, index, _projected(basis, original, sizes))
        table += [_row(panel, size, trial, index, picture, original) for size, (trial, index, picture) in found.items()]
    for panel, index, row in linear.values():
        name = "PCA" if len(linear) == 1 else f"PCA for {panel}"
        rows[name] = row
        table += [_row(name, size, "", index, row[size], row[None]) for size in sizes if size in row]
    return Pictures(sizes, rows, pd.DataFrame(table), missing)


def draw(grid: Any, pictures: Pictures) -> None:
    """Draws them into a matplotlib `SubplotSpec` grid of len(rows) × (1 + len(sizes))."""
    cells = grid.subplots(squeeze=False)
    for line, (name, images) in zip(cells, pictures.rows.items(), strict=True):
        for axes, size in zip(line, [None, *pictures.sizes], strict=True):
            _draw(axes, images.get(size))
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
    for axes, title in zip(cells[0], ["original", *map(str, pictures.sizes)], strict=True):
        axes.set_title(title, fontsize=7, pad=2)


def not_drawn(trials: Sequence[str], study: str, dataset: str) -> Iterator[str]:
    """That reconstructions are not drawn, the lowest seed's, with the command that makes their examples again."""
    if trials:
        seed = trials[0].rsplit("-", 1)[1]
        which = trials[0] if len(trials) == 1 else f"{len(trials)} networks"
        yield (
            f"{dataset}: reconstructions of {which} are not drawn, since stored examples cannot "
            f"be read: python -m study.search {study} --rebuild '{dataset}-*-{seed}' makes them again."
        )


def _seen(data: Dataset, trial: Mapping[str, Any], index: int) -> NDArray:
    """A test image as the network of a trial sees it."""
    cell: dict[str, Any] = {name: _number(trial[name]) for name in ("train_size", "normal_class")}
    cell["preprocessing"] = trial["preprocessing"]
    data, _ = prepare(cell, int(trial["seed"]), data)
    return datasets.to_unit(data.x_test[[index]], data.value_range)[0]


def _number(value: Any) -> int | None:
    """A level out of a column: pandas turns None among numbers into NaN."""
    return None if value is None or value != value else int(value)


def _stored(
    trials: pd.DataFrame, study: str, artifacts: str, missing: list[str]
) -> dict[int, tuple[str, int, NDArray]]:
    """Size -> trial, test index and picture; trials whose examples cannot be read go to `missing`."""
    found = {}
    for size, trial in zip(trials["latent_dim"], trials["trial"], strict=True):
        try:
            examples = records.examples(study, trial, artifacts)
            found[int(size)] = (trial, int(examples["index"][FIRST]), examples["reconstructions"][FIRST] / 255)
        except InputError:
            missing.append(trial)
    return found


def _projected(basis: PCA, original: NDArray, sizes: Sequence[int]) -> Row:
    existing = [size for size in sizes if size <= len(basis.components)]
    projected: Row = {size: basis.reconstruct(original[None], size)[0].clip(0, 1) for size in existing}
    return {None: original} | projected


def _row(name: str, size: int, trial: str, index: int, picture: NDArray, original: NDArray) -> dict[str, Any]:
    mse = float(np.square(picture - original).mean())
    return {"row": name, "latent_dim": size, "trial": trial, "test_index": index, "mse": mse}


def _draw(axes: Axes, image: NDArray | None) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if image is None:
        axes.text(0.5, 0.5, "–", ha="center", va="center", color="0.4", transform=axes.transAxes)
    else:
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
