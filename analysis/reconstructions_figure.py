"""Draws the galleries of `analysis.reconstructions`: rows of cells; for each image its reconstructions by all seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis import figures
from analysis.reconstructions_estimates import KINDS, Gallery
from analysis.statistics import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.reconstructions_estimates import Estimates

CELLS = 22  # rows a page
COLUMNS = 20  # pictures a row, at most
CHARACTER = 0.052  # inches of a cell's name
GAP, GROUP_GAP = 0.06, 0.35  # of a picture's width: between seeds, between images


def draw_all(estimates: Estimates) -> Iterator[tuple[str, Figure]]:
    """Stem and figure of each page: cells in the order of the study, ten seeds at most side by side."""
    for gallery in estimates.galleries:
        cells, seeds = list(gallery.pictures), gallery.seeds
        pages = [(c, s) for c in _chunks(cells, CELLS) for s in _chunks(seeds, COLUMNS // 2)]
        for number, (some_cells, some_seeds) in enumerate(pages, 1):
            stem = gallery.name if len(pages) == 1 else f"{gallery.name}-{number}"
            place = "" if len(pages) == 1 else f" Page {number} of {len(pages)}."
            yield stem, plot(gallery, some_cells, some_seeds, place)


def plot(gallery: Gallery, cells: Sequence[str], seeds: Sequence[int], place: str = "") -> Figure:
    """One page: originals on top, then a row a cell."""
    shown = chosen(len(gallery.index), len(seeds))
    width = len(shown) * (len(seeds) * (1 + GAP) - GAP) + (len(shown) - 1) * GROUP_GAP
    names = [_short(cell, gallery) for cell in cells]
    side = min(0.42, (figures.PAGE_WIDTH - 0.35 - CHARACTER * max(map(len, names))) / width)
    with figures.theme():
        figure = figures.new(side * (1 + GAP) * (len(cells) + 1.4) + 1.0)
        axes = figure.subplots()
        for group, image in enumerate(shown):
            left = group * (len(seeds) * (1 + GAP) - GAP + GROUP_GAP)
            _picture(axes, gallery.originals[image], left, 0)
            axes.text(left, -0.12, _title(gallery, image), fontsize=6.5, va="bottom", linespacing=1.1)
            for row, cell in enumerate(cells, 1):
                for column, seed in enumerate(seeds):
                    made = gallery.pictures[cell].get(seed)
                    at = left + column * (1 + GAP), row * (1 + GAP) + 0.25
                    _picture(axes, None if made is None else made[image], *at)
        _frame(axes, names, width)
        figures.caption(figure, _caption(gallery, seeds, len(shown)) + place)
    return figure


def chosen(images: int, seeds: int) -> list[int]:
    """Which of the stored images are shown: as many median ones as of the worst tenth, evenly over each half."""
    each = max(1, COLUMNS // (2 * seeds))
    half = images // 2
    each = min(each, half, 3)
    return [half * part + round(place) for part in (0, 1) for place in np.linspace(0, half - 1, each)]


def _picture(axes: Axes, image: Floats | None, left: float, top: float) -> None:
    if image is None:
        axes.text(left + 0.5, top + 0.5, "–", ha="center", va="center", color="0.4")
        return
    shown = image[..., 0] if image.shape[-1] == 1 else image if image.shape[-1] == 3 else image.mean(axis=-1)
    extent = (left, left + 1, top + 1, top)
    axes.imshow(np.clip(shown, 0, 1), extent=extent, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _title(gallery: Gallery, image: int) -> str:
    kind = list(KINDS)[image >= len(gallery.index) // 2]
    return f"{kind.replace(' ', chr(10)) if len(kind) > 8 else kind}\n#{gallery.index[image]}"


def _short(cell: str, gallery: Gallery) -> str:
    """A cell's name without its data set."""
    return cell.removeprefix(f"{gallery.name.partition('-')[0]}-")


def _frame(axes: Axes, names: Sequence[str], width: float) -> None:
    places = [0.5, *(row * (1 + GAP) + 0.75 for row in range(1, len(names) + 1))]
    axes.set_yticks(places, ["original", *names], fontsize=6.5)
    axes.set_anchor("E")
    axes.set(xlim=(-0.1, width + 0.1), ylim=((len(names) + 1) * (1 + GAP) + 0.4, -1.4), xticks=[], aspect="equal")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _caption(gallery: Gallery, seeds: Sequence[int], shown: int) -> str:
    whole = len(seeds) > 1 and seeds[-1] - seeds[0] == len(seeds) - 1
    named = f"{seeds[0]} to {seeds[-1]}" if whole else ", ".join(map(str, seeds))
    listed = f"seed {named}" if len(seeds) == 1 else f"seeds {named} from left to right"
    return (
        f"{gallery.name}: {shown} of the {len(gallery.index)} stored test images through every cell, {listed}. Chosen "
        f"by rule, by their error under PCA: {' and '.join(KINDS.values())}; # is the index of a test image. A dash: "
        "that trial failed. As stored, with 8 bits a pixel. Their errors are not drawn: "
        "images.csv, written beside this picture, holds them."
    )


def _chunks(items: list, size: int) -> list[list]:
    return [items[start : start + size] for start in range(0, len(items), size)]
