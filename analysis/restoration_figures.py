"""Draws the tables of inpainting and denoising, and the examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from analysis import figures
from analysis.applications import cells_of
from analysis.draws import DRAW
from analysis.restoration_estimates import ONCE, all_images
from study import corruptions, metrics

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from analysis.applications import Results
    from analysis.restoration import Kind
    from analysis.restoration_estimates import Estimates

CELLS = 5  # that are drawn as curves and shown as pictures
BASELINES = ("linear optimum", "mean image", "noisy image", "nearest image", "biharmonic", "total variation",
             "non-local means", "PCA")  # fmt: skip
GREYS = ("black", "#777777", "#999999", "#555555", "#aaaaaa", "#888888", "#666666", "#444444")
IMAGES = (0, 3)  # of the four examples: a median one and the worst
ORIGINAL = "original"


def chosen(trials: pd.DataFrame, cells: pd.DataFrame) -> dict[str, list[str]]:
    """Data set → the cells that are drawn as curves: the study's first cell, then the lowest mean `val_mse`.

    Of each architecture and regularizer only the best is taken, so that the curves differ in kind. `cells` has the
    columns `dataset` and `cell`.
    """
    completed = trials[trials["status"] == "completed"]
    names = cells_of(completed["trial"])
    first = names.iloc[0]
    order = completed.assign(cell=names).groupby("cell", sort=False)["val_mse"].mean().sort_values()
    kinds = completed.assign(cell=names).drop_duplicates("cell").set_index("cell")
    found: dict[str, list[str]] = {}
    for dataset, rows in cells.groupby("dataset", sort=False):
        here = set(rows["cell"])
        taken = [first] if first in here else []
        seen = {tuple(kinds.loc[cell, ["architecture", "regularizer"]]) for cell in taken}
        for cell in (cell for cell in order.index if cell in here):
            kind = tuple(kinds.loc[cell, ["architecture", "regularizer"]])
            if kind not in seen and len(taken) < CELLS:
                taken.append(str(cell))
                seen.add(kind)
        found[str(dataset)] = taken
    return found


def rule(cells: Sequence[str], most: int = CELLS) -> str:
    """In words, which of the `chosen` cells of a data set a figure shows, of `most` at most."""
    some = f", of which the first {most} are shown" if len(cells) == CELLS else ""  # there may be more kinds
    return f"Cells: the study's first, then by validation MSE, one of each architecture and regularizer{some}."


def plot(estimates: Estimates, kind: Kind, dataset: str, cells: Sequence[str], caption: str) -> Figure:
    """Every cell's skill with its interval, and error over difficulty for some cells and all baselines."""
    rows = estimates.skill[estimates.skill["dataset"] == dataset]
    with figures.theme():
        figure = figures.new(min(9.5, max(1.45 * len(kind.levels) + 0.9, 1.6 + 0.15 * len(rows))) + 1.0)
        left, right = cast("np.ndarray", figure.subfigures(1, 2, width_ratios=[1.15, 1]))
        _forest(left.subplots(), rows, cells, dataset)
        panels = right.subplots(len(kind.levels), 1, squeeze=False)[:, 0]
        table = _of_one_draw(estimates.conditions, dataset, cells)
        for axes, (title, conditions) in zip(panels, kind.levels.items(), strict=True):
            _curves(axes, table, conditions, cells, dataset)
            axes.set(xlabel=f"{title}: {kind.axis[title]}", yscale="log")
            plain_ticks(axes.yaxis)
        right.supylabel("MSE (lower is better)", fontsize=8.5)
        handles, labels = panels[0].get_legend_handles_labels()
        right.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=6.5)
        figures.caption(figure, caption)
    return figure


def _of_one_draw(table: pd.DataFrame, dataset: str, cells: Sequence[str]) -> pd.DataFrame:
    """One pass of these cells, and of the baselines on the same data as the first of them."""
    table = all_images(table[(table["dataset"] == dataset) & (table["mode"] == ONCE)])
    models, baselines = table[table["kind"] == "model"], table[table["kind"] == "baseline"]
    first = models[models["cell"] == cells[0]].iloc[0]
    same = np.all([baselines[factor] == first[factor] for factor in DRAW], axis=0)
    return table.loc[[*models.index, *baselines.index[same]]]


def _forest(axes: Axes, rows: pd.DataFrame, cells: Sequence[str], dataset: str) -> None:
    places = np.arange(len(rows))[::-1]
    styles = _styles(cells)
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        colour = styles[row["cell"]].colour if row["cell"] in styles else "0.35"
        margins = [[row["ratio"] - row["ratio_low"]], [row["ratio_high"] - row["ratio"]]]
        bounded = np.isfinite(margins).all()
        axes.errorbar(
            row["ratio"], place, xerr=margins if bounded else None, fmt="o", ms=3.5, color=colour, capsize=1.5
        )
    axes.axvline(1, color="black", lw=0.8, ls=(0, (4, 2)))
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.set_yticks(places, [short(cell, dataset) for cell in rows["cell"]], fontsize=6.5)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel("error ÷ linear optimum's\n(lower is better)")


def _curves(axes: Axes, table: pd.DataFrame, conditions: Sequence[str], cells: Sequence[str], dataset: str) -> None:
    x = {condition: float(condition.rsplit("_", 1)[1]) for condition in conditions}
    styles = _styles(cells)
    for number, method in enumerate(m for m in BASELINES if m in set(table["cell"])):
        part = table[(table["cell"] == method) & table["condition"].isin(conditions)]
        dash = figures.DASHES[(number + 1) % len(figures.DASHES)] if number else "-"
        axes.plot(part["condition"].map(x), part["mse"], color=GREYS[number], ls=dash, lw=1.1, label=method)
    for cell in cells:
        part = table[(table["cell"] == cell) & table["condition"].isin(conditions)]
        margins = [(part["mse"] - part["mse_low"]).fillna(0), (part["mse_high"] - part["mse"]).fillna(0)]
        axes.errorbar(
            part["condition"].map(x), part["mse"], margins, capsize=1.5, label=short(cell, dataset),
            **styles[cell].line,
        )  # fmt: skip
    axes.set_xticks(list(x.values()), [f"{value:g}" for value in x.values()])


def short(cell: str, dataset: str) -> str:
    """A cell's name without its data set."""
    return cell.removeprefix(f"{dataset}-")


def plain_ticks(axis: Axis, most: int = 6, character: float = 0.0) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, or fewer, as plain numbers, on a logarithmic axis; at least two.

    Args:
        axis: Whose limits are set.
        most: Ticks.
        character: What a sign of a label takes up, as a share of the axis.
    """
    axes = axis.axes
    low, high = axes.get_xlim() if axis is axes.xaxis else axes.get_ylim()
    if low <= 0:  # of a panel without data
        return
    powers = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        gaps = np.diff(np.log(ticks)) / np.log(high / low)
        lengths = np.array([len(f"{tick:g}") for tick in ticks])
        if len(ticks) <= most and (gaps >= character * (lengths[1:] + lengths[:-1]) / 2).all():
            break
    if len(ticks) < 2:
        ticks = [float(f"{tick:.2g}") for tick in np.geomspace(low, high, 4)[1:3]]
    axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def _styles(cells: Sequence[str]) -> dict[str, figures.Style]:
    return figures.styles(cells, known=tuple(cells))


@dataclass(frozen=True)
class Examples:
    """Pictures: row's name → condition → images; the table of what they show; the cells that were chosen."""

    rows: dict[str, dict[str, np.ndarray]]
    conditions: list[str]
    table: pd.DataFrame
    dataset: str
    cells: Sequence[str]


def examples(results: Results, dataset: str, cells: Sequence[str]) -> Examples | None:
    """The examples of the lowest seed: input, linear optimum, each chosen cell, original; None if none were kept."""
    import pandas as pd

    of_draw = results.baselines[results.baselines["dataset"] == dataset]
    stored = next((results.pictures[name] for name in of_draw["file"].unique() if name in results.pictures), None)
    if stored is None:
        return None
    conditions = [name.removeprefix("input/") for name in stored if name.startswith("input/")]
    rows = {name: {c: stored[f"{name}/{c}"] for c in conditions} for name in ("input", "linear optimum")}
    for cell in cells:
        kept = next((p for name, p in results.pictures.items() if name.rsplit("-s", 1)[0] == cell), None)
        if kept is not None:
            rows[short(cell, dataset)] = {c: kept[c] for c in conditions}
    rows[ORIGINAL] = dict.fromkeys(conditions, stored[ORIGINAL])
    truth = stored[ORIGINAL] / np.float32(255)
    numbers: list[dict[str, Any]] = [
        {"row": name, "condition": condition, "image": image, "mse": float(error)}
        for name, pictures in rows.items()
        for condition in conditions
        for image, error in enumerate(metrics.squared_error(truth, pictures[condition] / np.float32(255)))
    ]
    return Examples(rows, conditions, pd.DataFrame(numbers), dataset, cells)


def plot_examples(shown: Examples, kind: Kind, split: str) -> Figure:
    """A row a method, two columns a condition: an image of median difficulty, and the hardest."""
    columns = len(shown.conditions) * len(IMAGES)
    with figures.theme():
        side = (figures.PAGE_WIDTH - 1.25) / columns
        figure = figures.new(side * len(shown.rows) + 0.75)
        grid = figure.add_gridspec(len(shown.rows), columns, wspace=0.04, hspace=0.04)
        for r, (name, pictures) in enumerate(shown.rows.items()):
            for c, condition in enumerate(shown.conditions):
                for i, image in enumerate(IMAGES):
                    axes = figure.add_subplot(grid[r, c * len(IMAGES) + i])
                    picture = pictures[condition][image]
                    axes.imshow(picture if picture.shape[-1] == 3 else picture[..., 0], cmap="gray", vmin=0, vmax=255)
                    axes.set(xticks=[], yticks=[])
                    if c == i == 0:
                        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=6)
                    if r == 0 and i == 0:
                        title = corruptions.describe(condition).replace(", ", ",\n").replace(" noise on", "\nnoise on")
                        axes.set_title(title.replace("a square in the middle", "square"), fontsize=6, loc="left")
        figures.caption(
            figure,
            f"{shown.dataset}, {kind.name}: of each pair, left an image of median PCA error, right the worst, of the "
            f"{figures.SPLITS[split]} images; networks of the lowest seed. {rule(shown.cells)}",
        )
    return figure
