"""Draws anomaly detection: areas for every cell and set, ROC curves and scores, and the pictures that fooled it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import anomaly_text, command, figures, roc
from analysis.anomaly import NORMAL, PRIMARY
from analysis.restoration_figures import chosen, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.anomaly_estimates import Estimates
    from analysis.applications import Pictures, Results

CURVES = 4  # cells whose ROC curves are drawn
SETS = 5  # panels side by side
POINTS = 200  # of a ROC curve as drawn


def draw_all(results: Results, estimates: Estimates, trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Every figure of every data set, each with its CSV; the paths."""
    paths: list[Path] = []
    of_cells = chosen(trials, estimates.auc.drop_duplicates("cell"))
    for dataset, cells in of_cells.items():
        text = anomaly_text.caption(estimates, dataset, "test" if folder.name == "anomaly" else folder.name)
        paths += figures.save(_areas(estimates, dataset, text), folder / dataset)
        first = {cell: _first_trial(results, cell) for cell in cells[:CURVES]}
        values = {cell: results.per_image(trial) for cell, trial in first.items()}
        curves = _curves(values)
        paths += command.write({f"roc-{dataset}": curves}, folder)
        paths += figures.save(_roc(values, curves, dataset, cells[:CURVES]), folder / f"roc-{dataset}")
        shown = next((cell for cell, trial in first.items() if trial in results.pictures), None)
        if shown is not None:
            picture = _fooled(results.pictures[first[shown]], dataset, shown)
            paths += figures.save(picture, folder / f"fooled-{dataset}")
    return paths


def _first_trial(results: Results, cell: str) -> str:
    names = results.models["trial"]
    return str(names[names.str.replace(r"-s\d+$", "", regex=True) == cell].iloc[0])


def _areas(estimates: Estimates, dataset: str, caption: str) -> Figure:
    """A panel a set; a row a cell."""
    table = estimates.auc[(estimates.auc["dataset"] == dataset) & (estimates.auc["score"] == PRIMARY)]
    names, cells = list(table["set"].unique())[:SETS], list(table["cell"].unique())
    contrast = estimates.contrast
    with figures.theme():
        figure = figures.new(min(9.5, 1.9 + 0.15 * len(cells)))
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            rows = table[table["set"] == name].set_index("cell")
            for place, cell in enumerate(reversed(cells)):
                row = rows.loc[cell]
                margins = [[row["auc"] - row["auc_low"]], [row["auc_high"] - row["auc"]]]
                bounded = np.isfinite(margins).all()
                axes.errorbar(
                    row["auc"], place, xerr=margins if bounded else None, fmt="o", ms=3, color=figures.COLOURS[0],
                    capsize=1.5,
                )  # fmt: skip
                if len(contrast):
                    found = contrast[(contrast["cell"] == cell) & (contrast["set"] == name)]
                    axes.plot(row["auc"] - found["difference"], [place] * len(found), "D", mfc="none",
                              mec=figures.COLOURS[1], ms=4)  # fmt: skip
            baselines = estimates.baselines
            baselines = baselines[(baselines["dataset"] == dataset) & (baselines["set"] == name)]
            for method, dash in (("isolation forest", ":"), ("brightness", "-.")):
                axes.axvline(baselines.loc[baselines["baseline"] == method, "auc"].mean(), color="0.35", lw=1, ls=dash)
            axes.axvline(0.5, color="black", lw=0.8, ls=(0, (4, 2)))
            axes.set(title=name, xlim=(-0.03, 1.03), xticks=[0, 0.5, 1], xlabel="AUC")
            axes.set_xticklabels(["0", "0.5", "1"])
        panels[0].set_yticks(range(len(cells)), [short(cell, dataset) for cell in reversed(cells)], fontsize=6.5)
        panels[0].set_ylim(-0.7, len(cells) - 0.3)
        figures.caption(figure, caption)
    return figure


def _sets(values: dict[str, Pictures]) -> list[str]:
    keys = next(iter(values.values()))
    names = [key.split("/")[0] for key in keys if key.endswith(f"/{PRIMARY}")]
    return [name for name in names if name != NORMAL]


def _curves(values: dict[str, Pictures]) -> pd.DataFrame:
    """ROC curves of the primary score, thinned to `POINTS` points: a row a cell, set and point."""
    import pandas as pd

    parts = []
    for cell, scores in values.items():
        for name in _sets(values):
            false, true = roc.curve(scores[f"{NORMAL}/{PRIMARY}"], scores[f"{name}/{PRIMARY}"])
            keep = np.unique(np.linspace(0, len(false) - 1, POINTS).round().astype(int))
            points = {"false_positive_rate": false[keep], "true_positive_rate": true[keep]}
            parts.append(pd.DataFrame({"cell": cell, "set": name, **points}))
    return pd.concat(parts)


def _roc(values: dict[str, Pictures], curves: pd.DataFrame, dataset: str, cells: Sequence[str]) -> Figure:
    """Above the ROC curves of some cells against each set, below the first cell's scores of every set."""
    names = _sets(values)[:SETS]
    styles = figures.styles(cells, known=tuple(cells))
    with figures.theme():
        figure = figures.new(4.6)
        above, below = figure.subplots(2, len(names), squeeze=False)
        for column, name in enumerate(names):
            axes = above[column]
            for cell, part in curves[curves["set"] == name].groupby("cell", sort=False):
                axes.plot(part["false_positive_rate"], part["true_positive_rate"], color=styles[cell].colour,
                          ls=styles[cell].dash, lw=1.2, label=short(str(cell), dataset))  # fmt: skip
            axes.plot([0, 1], [0, 1], color="0.6", lw=0.7, zorder=0)
            axes.set(title=name, xlabel="false positive rate", aspect="equal", xticks=[0, 1], yticks=[0, 1])
            _histogram(below[column], values[cells[0]], name)
        above[0].set_ylabel("true positive rate")
        below[0].set_ylabel(f"{short(cells[0], dataset)}\nshare of images", fontsize=6.5)
        handles, labels = above[0].get_legend_handles_labels()
        bars = below[0].get_legend_handles_labels()
        figure.legend([*handles, *bars[0]], [*labels, *bars[1]], loc="outside upper center", ncols=3, frameon=False,
                      fontsize=6.5)  # fmt: skip
        figures.caption(
            figure,
            f"{dataset}: ROC curves of the {PRIMARY}, one network (lowest seed) of each cell, and below the scores of "
            "the first cell. Cells: the study's first, then by validation MSE, one a kind.",
        )
    return figure


def _histogram(axes: Axes, scores: Pictures, name: str) -> None:
    normal, other = scores[f"{NORMAL}/{PRIMARY}"], scores[f"{name}/{PRIMARY}"]
    positive = np.concatenate([normal, other])
    low, high = max(float(positive.min()), 1e-6), float(positive.max())
    bins = np.geomspace(low, max(high, low * 1.01), 40)
    for values, label, style in (
        (normal, NORMAL, {"color": figures.COLOURS[0], "histtype": "stepfilled", "alpha": 0.5}),
        (other, "anomalous", {"color": figures.COLOURS[1], "histtype": "step", "lw": 1.3}),
    ):
        axes.hist(values, bins, weights=np.full(len(values), 1 / len(values)), label=label, **style)
    axes.set(xscale="log", xlabel=PRIMARY, yticks=[])


def _fooled(pictures: dict[str, Any], dataset: str, cell: str) -> Figure:
    """Normal images with the highest score, and of each set those with the lowest, above their reconstructions."""
    names = [key.split("/")[0] for key in pictures if key.endswith("/image")][: SETS + 1]
    count = len(pictures[f"{names[0]}/image"])
    with figures.theme():
        columns = len(names) * count
        side = (figures.PAGE_WIDTH - 0.9) / columns
        figure = figures.new(2 * side + 1.15)
        grid = figure.add_gridspec(2, len(names), wspace=0.06, hspace=0.02)
        for place, name in enumerate(names):
            for row, what in enumerate(("image", "reconstruction")):
                images = pictures[f"{name}/{what}"]
                strip = np.concatenate(
                    [np.pad(image, ((0, 0), (0, 1), (0, 0)), constant_values=255) for image in images], 1
                )
                axes = figure.add_subplot(grid[row, place])
                axes.imshow(strip if strip.shape[-1] == 3 else strip[..., 0], cmap="gray", vmin=0, vmax=255)
                axes.set(xticks=[], yticks=[])
                if place == 0:
                    axes.set_ylabel(what, rotation=0, ha="right", va="center", fontsize=6.5)
                if row == 0:
                    axes.set_title(f"{name}\n{'highest' if name == NORMAL else 'lowest'} score", fontsize=6.5)
        figures.caption(
            figure,
            f"{dataset}, {short(cell, dataset)}, lowest seed: what fooled it. Normal images that it ranks as most "
            f"anomalous, and of each set the anomalies that it ranks as least ({PRIMARY}).",
        )
    return figure
