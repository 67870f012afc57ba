"""Draws anomaly detection: areas for every cell and set, ROC curves and scores, and the pictures that fooled it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import anomaly_text, command, figures, roc
from analysis.anomaly import FOOLED, NORMAL, PRIMARY
from analysis.applications import cells_of
from analysis.restoration_figures import plain_ticks, rule, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.anomaly_estimates import Estimates
    from analysis.applications import Pictures, Results

CURVES = 4  # cells whose ROC curves are drawn
SETS = 5  # panels side by side
POINTS = 200  # of a ROC curve as drawn
BINS = 40
LEAST_SHOWN = 0.98  # an axis of areas begins here or below: rounding shall not look like a difference
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # between the ticks of an axis of areas
NETWORK, PCA, GUESSING = "network, with its interval", "PCA of the same size", "0.5, guessing"
DASHES = {"isolation forest": ":", "brightness": "-."}  # drawn as a line each


def draw_all(
    results: Results, estimates: Estimates, shown: Mapping[str, Sequence[str]], split: str, folder: Path
) -> list[Path]:
    """Every figure of every data set, each with its CSV; the paths.

    Args:
        results: What was computed.
        estimates: The numbers.
        shown: Data set → the cells whose curves are drawn.
        split: Whose images.
        folder: Where to.
    """
    paths: list[Path] = []
    for dataset, cells in shown.items():
        paths += figures.save(_areas(estimates, dataset, split), folder / dataset)
        first = {cell: _first_trial(results, cell) for cell in cells[:CURVES]}
        values = {cell: results.per_image(trial) for cell, trial in first.items()}
        curves = _curves(values)
        bins = _bins(values)
        paths += command.write({f"roc-{dataset}": curves, f"scores-{dataset}": bins}, folder)
        paths += figures.save(_roc(curves, bins, dataset, cells), folder / f"roc-{dataset}")
        pictured = next((cell for cell, trial in first.items() if trial in results.pictures), None)
        if pictured is not None:
            trial = first[pictured]
            paths += command.write({f"fooled-{dataset}": _fooled_scores(values[pictured])}, folder)
            picture = _fooled(results.pictures[trial], dataset, pictured)
            paths += figures.save(picture, folder / f"fooled-{dataset}")
    return paths


def _first_trial(results: Results, cell: str) -> str:
    names = results.models["trial"]
    return str(names[cells_of(names) == cell].iloc[0])


def _areas(estimates: Estimates, dataset: str, split: str) -> Figure:
    """A panel a set, each with an axis of its own; a row a cell."""
    table = estimates.auc[(estimates.auc["dataset"] == dataset) & (estimates.auc["score"] == PRIMARY)]
    names, cells = list(table["set"].unique())[:SETS], list(table["cell"].unique())
    baselines = estimates.baselines[estimates.baselines["dataset"] == dataset]
    places = {cell: len(cells) - 1 - place for place, cell in enumerate(cells)}
    with figures.theme():
        figure = figures.new(min(9.5, 2.1 + 0.15 * len(cells)))
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            rows = _beside_pca(table[table["set"] == name], estimates.contrast)
            _panel(axes, rows, places)
            _lines(axes, rows, baselines[baselines["set"] == name], places)
            axes.set(title=name, xlabel="AUC")
        panels[0].set_yticks(list(places.values()), [short(cell, dataset) for cell in places], fontsize=6.5)
        panels[0].set_ylim(-0.7, len(cells) - 0.3)
        named: dict[str, Any] = {}
        for axes in panels:
            named |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        order = [label for label in (NETWORK, PCA, *DASHES, GUESSING) if label in named]
        figure.legend([named[label] for label in order], order, loc="outside upper center", ncols=len(order),
                      frameon=False, fontsize=6.5)  # fmt: skip
        figures.caption(figure, anomaly_text.caption(estimates, dataset, split, names))
    return figure


def _beside_pca(rows: pd.DataFrame, contrast: pd.DataFrame) -> pd.DataFrame:
    """Rows of one set with the column `pca`, the area of PCA's error at the cell's latent size; NaN without one."""
    if not len(contrast):
        return rows.assign(pca=np.nan)
    found = contrast[contrast["set"] == rows["set"].iloc[0]].set_index("cell")["difference"]
    return rows.assign(pca=rows["auc"] - rows["cell"].map(found))


def _panel(axes: Axes, rows: pd.DataFrame, places: Mapping[str, int]) -> None:
    """Areas with their intervals and PCA's, and an axis from just below the least of them to just above 1."""
    heights = rows["cell"].map(places)
    margins = [rows["auc"] - rows["auc_low"], rows["auc_high"] - rows["auc"]]
    axes.errorbar(rows["auc"], heights, xerr=margins, fmt="o", ms=3, color=figures.COLOURS[0], capsize=1.5,
                  label=NETWORK)  # fmt: skip
    axes.plot(rows["pca"], heights, "D", mfc="none", mec=figures.COLOURS[1], ms=4, label=PCA)
    least = min(LEAST_SHOWN, float(rows[["auc", "auc_low", "pca"]].min(axis=None)))
    margin = 0.06 * (1 - least)
    axes.set_xlim(max(least - margin, -0.05), 1 + margin)
    step = next((step for step in STEPS if (1 - least) / step <= 2.5), STEPS[-1])
    ticks = [1 - count * step for count in range(2, -1, -1) if 1 - count * step >= least - margin]
    axes.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])


def _lines(axes: Axes, rows: pd.DataFrame, baselines: pd.DataFrame, places: Mapping[str, int]) -> None:
    """Guessing and, across the rows of the cells on the same images, methods that need no autoencoder.

    Where they lie within the panel's axis.
    """
    low, high = axes.get_xlim()
    if low <= 0.5 <= high:
        axes.axvline(0.5, label=GUESSING, zorder=0, color="0.75", lw=2.5)
    for method, dash in DASHES.items():
        areas = rows["draw"].map(baselines[baselines["baseline"] == method].set_index("cell")["auc"])
        drawn = rows.assign(area=areas, height=rows["cell"].map(places))[areas.between(low, high)]
        if not len(drawn):
            continue
        new = (drawn["area"] != drawn["area"].shift()) | (drawn["height"] != drawn["height"].shift() - 1)
        parts = drawn.assign(run=new.cumsum()).groupby("run")  # neighbours that share it
        axes.vlines(parts["area"].first(), parts["height"].min() - 0.5, parts["height"].max() + 0.5, color="0.35",
                    ls=dash, lw=1, label=method, zorder=0)  # fmt: skip


def _sets(scores: Pictures) -> list[str]:
    names = [key.split("/")[0] for key in scores if key.endswith(f"/{PRIMARY}")]
    return [name for name in names if name != NORMAL]


def _curves(values: dict[str, Pictures]) -> pd.DataFrame:
    """ROC curves of the primary score, thinned to `POINTS` points: a row a cell, set and point."""
    import pandas as pd

    parts = []
    for cell, scores in values.items():
        for name in _sets(scores):
            false, true = roc.curve(scores[f"{NORMAL}/{PRIMARY}"], scores[f"{name}/{PRIMARY}"])
            keep = np.unique(np.linspace(0, len(false) - 1, POINTS).round().astype(int))
            points = {"false_positive_rate": false[keep], "true_positive_rate": true[keep]}
            parts.append(pd.DataFrame({"cell": cell, "set": name, **points}))
    return pd.concat(parts)


def _bins(values: dict[str, Pictures]) -> pd.DataFrame:
    """Histograms of the primary score of the first cell: a row a set, kind of image and bin, the same bins for both."""
    import pandas as pd

    cell, scores = next(iter(values.items()))
    parts = []
    for name in _sets(scores):
        sides = {NORMAL: scores[f"{NORMAL}/{PRIMARY}"], "anomalous": scores[f"{name}/{PRIMARY}"]}
        both = np.concatenate(list(sides.values()))
        low = max(float(both.min()), 1e-6)
        edges = np.geomspace(low, max(float(both.max()), low * 1.01), BINS + 1)
        for kind, side in sides.items():
            share = np.histogram(np.clip(side, low, None), edges)[0] / len(side)
            bins = {"low": edges[:-1], "high": edges[1:], "share": share}
            parts.append(pd.DataFrame({"cell": cell, "set": name, "kind": kind, **bins}))
    return pd.concat(parts)


def _fooled_scores(scores: Pictures) -> pd.DataFrame:
    """What the pictures that fooled it score: a row a set and picture, in the order shown."""
    import pandas as pd

    parts = []
    for name in [NORMAL, *_sets(scores)]:
        ordered = np.sort(scores[f"{name}/{PRIMARY}"])
        shown = ordered[::-1][:FOOLED] if name == NORMAL else ordered[:FOOLED]
        parts.append(pd.DataFrame({"set": name, "place": np.arange(len(shown)), PRIMARY: shown}))
    return pd.concat(parts)


def _roc(curves: pd.DataFrame, bins: pd.DataFrame, dataset: str, chosen: Sequence[str]) -> Figure:
    """Above the ROC curves of the first chosen cells against each set, below the first's scores of every set."""
    cells = chosen[:CURVES]
    names = list(bins["set"].unique())[:SETS]
    styles = figures.styles(cells, known=tuple(cells))
    with figures.theme():
        figure = figures.new(4.6)
        above, below = figure.subplots(2, len(names), squeeze=False)
        for column, name in enumerate(names):
            axes = above[column]
            for cell, part in curves[curves["set"] == name].groupby("cell", sort=False):
                axes.plot(part["false_positive_rate"], part["true_positive_rate"], color=styles[str(cell)].colour,
                          ls=styles[str(cell)].dash, lw=1.2, label=short(str(cell), dataset))  # fmt: skip
            axes.plot([0, 1], [0, 1], color="0.6", lw=0.7, zorder=0)
            axes.set(title=name, xlabel="false positive rate", aspect="equal", xticks=[0, 1], yticks=[0, 1])
            _histogram(below[column], bins[bins["set"] == name])
        above[0].set_ylabel("true positive rate")
        below[0].set_ylabel(f"{short(cells[0], dataset)}\nshare of images", fontsize=6.5)
        handles, labels = above[0].get_legend_handles_labels()
        bars = below[0].get_legend_handles_labels()
        figure.legend([*handles, *bars[0]], [*labels, *bars[1]], loc="outside upper center", ncols=3, frameon=False,
                      fontsize=6.5)  # fmt: skip
        figures.caption(
            figure,
            f"{dataset}: ROC curves of the {PRIMARY}, one network (lowest seed) of each cell, and below the scores of "
            f"the first cell. {rule(chosen, CURVES)}",
        )
    return figure


def _histogram(axes: Axes, bins: pd.DataFrame) -> None:
    styles: dict[str, dict[str, Any]] = {
        NORMAL: {"color": "0.7", "fill": True},
        "anomalous": {"color": "black", "lw": 1.1},
    }
    for kind, part in bins.groupby("kind", sort=False):
        edges = [*part["low"], part["high"].iloc[-1]]
        axes.stairs(part["share"], edges, label=str(kind), **styles[str(kind)])
    axes.set(xscale="log", xlabel=PRIMARY, yticks=[])
    plain_ticks(axes.xaxis, most=3, character=0.06)


def _fooled(pictures: dict[str, Any], dataset: str, cell: str) -> Figure:
    """Normal images with the highest score, and of each set those with the lowest, above their reconstructions."""
    names = [key.split("/")[0] for key in pictures if key.endswith("/image")][: SETS + 1]
    count = len(pictures[f"{names[0]}/image"])
    with figures.theme():
        columns = len(names) * count
        side = (figures.PAGE_WIDTH - 0.9) / columns
        figure = figures.new(2 * side + 0.78)
        grid = figure.add_gridspec(2, len(names), wspace=0.06, hspace=0.02)
        for place, name in enumerate(names):
            for row, what in enumerate(("image", "reconstruction")):
                images = pictures[f"{name}/{what}"]
                strip = np.concatenate(
                    [np.pad(image, ((0, 0), (0, 1), (0, 0)), constant_values=128) for image in images], 1
                )
                axes = figure.add_subplot(grid[row, place])
                axes.imshow(strip if strip.shape[-1] == 3 else strip[..., 0], cmap="gray", vmin=0, vmax=255)
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(True)
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
