"""Draws the codes of `analysis.latent_space` by class, and its measures over the latent size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis import figures
from analysis.latent_space_bench import MEASURES, PCA
from analysis.latent_space_text import caption

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.latent_space_estimates import Estimates

COLUMNS = 3  # panels side by side
GRID = 200  # points of a density
SHOWN = ("class_error", "trustworthiness", "variance_kept")
LABELS = {"class_error": "images in another class", "trustworthiness": "trustworthiness",
          "variance_kept": "variance kept"}  # fmt: skip
GREYS = {"nearest images": (0, (1, 1)), "most frequent class": (0, (4, 2))}


def draw_all(estimates: Estimates) -> Iterator[tuple[str, Figure]]:
    """Stem and figure: the codes of each data set, then the measures."""
    yield from draw_codes(estimates.codes)
    for dataset, rows in estimates.cells.groupby("dataset", sort=False):
        references = estimates.references
        of_data = references[references["dataset"] == dataset] if len(references) else references
        yield f"measures-{dataset}", plot_measures(rows, of_data, str(dataset))


def draw_codes(codes: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    """Stem and figure of each data set's codes: networks, with PCA of sizes 1 and 2 below them."""
    for dataset, rows in codes.groupby("dataset", sort=False):
        yield f"codes-{dataset}", plot_codes(rows, str(dataset))


def plot_codes(codes: pd.DataFrame, dataset: str) -> Figure:
    """A panel a cell; classes are drawn as their numbers, so that nothing hangs on colour."""
    panels = [part for _, part in codes.groupby("panel", sort=False)]
    panels.sort(key=lambda part: str(part["panel"].iloc[0]).startswith(PCA))
    rows = -(-len(panels) // COLUMNS)
    with figures.theme():
        figure = figures.new(2.2 * rows + 0.9)
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        for axes, part in zip(grid.flat, panels, strict=False):
            (_densities if part["latent_dim"].iloc[0] == 1 else _scatter)(axes, part)
            axes.set_title(str(part["panel"].iloc[0]).removeprefix(f"{dataset}-"), loc="left", fontsize=8)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_axis_off()
        counts, unlabelled = [len(part) for part in panels], (codes["label"] < 0).all()
        note = "These images have no classes: a dot each." if unlabelled else ""
        figures.caption(figure, caption(dataset, int(codes["seed"].iloc[0]), counts, note))
    return figure


def plot_measures(cells: pd.DataFrame, references: pd.DataFrame, dataset: str) -> Figure:
    """Each measure over the latent size: networks and PCA, means with intervals."""
    shown = [name for name in SHOWN if (cells["measure"] == name).any()]
    with figures.theme():
        figure = figures.new(3.2)
        grid = figure.subplots(1, len(shown), squeeze=False)[0]
        for axes, name in zip(grid, shown, strict=True):
            _curves(axes, cells[cells["measure"] == name])
            if name == "class_error":
                _references(axes, references)
            axes.set(xlabel="latent size", ylabel=f"{LABELS[name]}\n({MEASURES[name][1]})")
        entries = {
            label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(list(entries.values()), list(entries), loc="outside upper center", ncols=3, frameon=False)
        classes = (
            "Images in another class: by the 10 nearest training codes; grey, without codes: by the nearest images, "
            "and the most frequent class for all."
        )
        figures.caption(
            figure,
            f"{dataset}: codes of {cells['n_images'].max():,} test images, mean (of the variance kept: 1 less the "
            f"geometric mean of what is lost) and 95 % t interval over n = {cells['n'].max()} seeds; PCA fitted on the "
            f"same training images. {classes if 'class_error' in shown else ''}",
        )
    return figure


def _densities(axes: Axes, part: pd.DataFrame) -> None:
    """A ridge a class, from the bottom up, named at its left."""
    from scipy.stats import gaussian_kde

    labels = sorted(part["label"].unique())
    x = np.linspace(part["x"].min(), part["x"].max(), GRID)
    for place, label in enumerate(labels):
        codes = part.loc[part["label"] == label, "x"].to_numpy(dtype=float)
        if len(codes) < 3 or not np.ptp(codes):
            axes.plot(codes, np.full(len(codes), place), "|", color="black", ms=6)
            continue
        height = gaussian_kde(codes)(x)
        ridge = place + 0.95 * height / height.max()
        axes.fill_between(x, place, ridge, color=figures.COLOURS[place % 2], alpha=0.35, lw=0)
        axes.plot(x, ridge, color=figures.COLOURS[place % 2], lw=0.9)
    axes.set_yticks(range(len(labels)), ["" if label < 0 else str(label) for label in labels])
    axes.set(xlabel="code", ylabel="density" if labels == [-1] else "class")


def _scatter(axes: Axes, part: pd.DataFrame) -> None:
    colours = _colours(part["label"].unique())
    for label, rows in part.groupby("label", sort=True):
        marker = "." if label < 0 else f"${label}$"
        axes.plot(rows["x"], rows["y"], ls="none", marker=marker, ms=4.2, mew=0.2, color=colours[label], alpha=0.8)
    shares = part[["x_share", "y_share"]].iloc[0]
    names = ["code 1", "code 2"]
    if shares.notna().all():
        names = [f"component {i} ({100 * share:.3g} %)" for i, share in enumerate(shares, 1)]
    axes.set(xlabel=names[0], ylabel=names[1])


def _colours(labels: Sequence[int]) -> dict[int, str]:
    return {label: figures.COLOURS[place % len(figures.COLOURS)] for place, label in enumerate(sorted(labels))}


def _curves(axes: Axes, rows: pd.DataFrame) -> None:
    """A line a network, whatever its size, and PCA's."""
    kinds = rows.assign(kind=rows["cell"].str.replace(r"-k\d+(?=-)", "", regex=True))
    styles = figures.styles(kinds["kind"].unique(), known=())
    for kind, part in kinds.groupby("kind", sort=False):
        ordered = part.sort_values("latent_dim")
        name = str(kind).removeprefix(f"{part['dataset'].iloc[0]}-")
        _line(axes, ordered, ("value", "low", "high"), name, **styles[str(kind)].line)
    pca = rows.dropna(subset="pca").drop_duplicates("latent_dim").sort_values("latent_dim")
    grey = {"color": figures.REFERENCE, "linestyle": "--", "marker": "s", "mfc": "white"}
    _line(axes, pca, ("pca", "pca_low", "pca_high"), PCA, **grey)
    sizes = sorted(rows["latent_dim"].unique())
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()


def _line(axes: Axes, rows: pd.DataFrame, columns: tuple[str, str, str], label: str, **style: object) -> None:
    value, low, high = (rows[column] for column in columns)
    margins = [(value - low).fillna(0), (high - value).fillna(0)]
    axes.errorbar(rows["latent_dim"], value, margins, capsize=2, elinewidth=0.9, label=label, **style)  # type: ignore


def _references(axes: Axes, references: pd.DataFrame) -> None:
    for row in references.to_dict("records"):
        axes.axhline(row["class_error"], color="0.5", lw=1, ls=GREYS[row["rule"]], label=row["rule"])
