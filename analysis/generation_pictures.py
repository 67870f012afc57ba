"""The pictures of generation: what draws decode to, and what lies between and all over the codes.

Networks are those of the lowest seed. Which images are shown follows from a rule: the first draws of every sampler, the
images that `draws.shown` picks. Each figure comes with a table of what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis import figures, linear
from analysis.generation_bench import BETWEEN, PAIRS, PCA_MIXTURE, SIDE, main_sampler
from analysis.generation_samplers import SAMPLERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.applications import Pictures, Results

CELLS = 8  # that a figure shows a row of, at most
SAMPLED = 3  # cells of which every sampler is shown
REAL = "evaluated images"
Rows = dict[str, tuple[np.ndarray, np.ndarray | None]]  # name → pictures, distances to the nearest training image
GREY = 110  # of the lines between tiles


class Drawn(NamedTuple):
    """A figure with its file's name and the table that it draws."""

    name: str
    table: pd.DataFrame
    figure: Figure


class Shown(NamedTuple):
    """A cell of the lowest seed: its name without the data set, its trial's row, pictures, and values an image."""

    name: str
    row: dict[str, Any]
    pictures: Pictures
    kept: Pictures


def of_dataset(results: Results, trials: pd.DataFrame, dataset: str, split: str) -> Iterator[Drawn]:
    """Every picture of one data set."""
    shown = _shown(results, trials, dataset)
    baseline = _baseline(results, dataset)
    if not shown or baseline is None:
        return
    few = _of_each_kind(shown)
    rows, left_out = _rows_of(shown)
    yield _overview(rows, baseline, dataset, split, left_out)
    for one in few[:SAMPLED]:
        yield _samplers(one, baseline, dataset, split)
        yield _codes(one, dataset, split)
    yield _between(rows, dataset, split, left_out)
    for size, draw in ((2, _manifold), (1, _line)):
        if some := [one for one in shown if one.row["latent_dim"] == size]:
            yield draw(_of_each_kind(some), dataset)


def _shown(results: Results, trials: pd.DataFrame, dataset: str) -> list[Shown]:
    """The cells whose pictures are there, in the study's order."""
    here = trials[(trials["dataset"] == dataset) & trials["trial"].isin(results.pictures)]
    return [
        Shown(_cell(row["trial"], dataset), row, results.pictures[row["trial"]], results.per_image(row["trial"]))
        for row in here.to_dict("records")
    ]


def _baseline(results: Results, dataset: str) -> tuple[Pictures, Pictures] | None:
    names = results.baselines.loc[results.baselines["dataset"] == dataset, "file"].unique()
    kept = next((name for name in names if name in results.pictures), None)
    return None if kept is None else (results.pictures[kept], results.per_image(kept))


def _of_each_kind(shown: list[Shown]) -> list[Shown]:
    """The first of each architecture and regularizer; those with two units first, since all of them can be seen."""
    found: dict[tuple[str, str], Shown] = {}
    for one in sorted(shown, key=lambda one: one.row["latent_dim"] != 2):
        found.setdefault((one.row["architecture"], one.row["regularizer"]), one)
    return list(found.values())


def _rows_of(shown: list[Shown]) -> tuple[list[Shown], str]:
    """At most `CELLS`, one of each kind before others, in the study's order; and what a caption says of those left out.

    With more kinds than `CELLS` one of each regularizer comes first, then one of each other architecture.
    """
    if len(shown) <= CELLS:
        return shown, ""
    kinds, words = _of_each_kind(shown), "one of each architecture and regularizer, then the study's first"
    if len(kinds) > CELLS:
        words = "one of each regularizer, then of each other architecture, as far as there is room"
        regularized = _firsts(kinds, "regularizer", set())
        seen = {one.row["architecture"] for one in regularized}
        kinds = [*regularized, *_firsts(kinds, "architecture", seen), *kinds]
    names = list(dict.fromkeys(one.name for one in [*kinds, *shown]))[:CELLS]
    return [one for one in shown if one.name in names], f" {CELLS} of {len(shown)} cells: {words}."


def _firsts(shown: list[Shown], factor: str, seen: set[str]) -> list[Shown]:
    """The first cell of each level of a factor that is not among those seen."""
    found: dict[str, Shown] = {}
    for one in shown:
        found.setdefault(one.row[factor], one)
    return [one for level, one in found.items() if level not in seen]


def _cell(trial: str, dataset: str) -> str:
    return trial.rsplit("-s", 1)[0].removeprefix(f"{dataset}-")


def _overview(
    shown: list[Shown], baseline: tuple[Pictures, Pictures], dataset: str, split: str, left_out: str
) -> Drawn:
    rows: Rows = {f"real {figures.SPLITS[split]} images": (baseline[0][f"draws/{REAL}"], None)}
    rows[PCA_MIXTURE] = (baseline[0][f"draws/{PCA_MIXTURE}"], baseline[1][f"nearest/{PCA_MIXTURE}"])
    for one in shown:
        main = main_sampler(one.row["regularizer"])
        rows[one.name] = (one.pictures[f"draws/{main}"], one.kept[f"nearest/{main}"])
    return Drawn(
        f"samples-{dataset}",
        _nearest(rows),
        _rows_of_pictures(
            {name: images for name, (images, _) in rows.items()},
            f"{dataset}: the first draws of each cell's main sampler (the Gaussian mixture, or a variational model's "
            "prior), decoded by the network of the lowest seed; above them real images and draws of the PCA mixture."
            + left_out,
        ),
    )


def _samplers(one: Shown, baseline: tuple[Pictures, Pictures], dataset: str, split: str) -> Drawn:
    rows: Rows = {f"real {figures.SPLITS[split]} images": (baseline[0][f"draws/{REAL}"], None)}
    rows |= {name: (one.pictures[f"draws/{name}"], one.kept[f"nearest/{name}"]) for name in SAMPLERS}
    return Drawn(
        f"samplers-{dataset}-{one.name}",
        _nearest(rows),
        _rows_of_pictures(
            {name: images for name, (images, _) in rows.items()},
            f"{dataset}, {one.name}, lowest seed: the first draws of each sampler, decoded; interpolation: halfway "
            f"between the codes of two {figures.SPLITS[split]} images.",
        ),
    )


def _nearest(rows: Rows) -> pd.DataFrame:
    """A row a picture: its mean pixel, and its distance to the nearest training image."""
    import pandas as pd

    numbers = [
        {"row": name, "draw": place, "mean_pixel": float(image.mean() / 255),
         "nearest": None if near is None else float(near[place])}
        for name, (images, near) in rows.items()
        for place, image in enumerate(images)
    ]  # fmt: skip
    return pd.DataFrame(numbers)


def _between(shown: list[Shown], dataset: str, split: str, left_out: str) -> Drawn:
    import pandas as pd

    rows = {
        f"{one.name}, {place}": one.pictures[f"between/{first}-{second}"]
        for place, (first, second) in zip(("middling", "worst"), PAIRS, strict=True)
        for one in shown
    }
    table = [
        {"row": name, "share": share, "mean_pixel": float(image.mean() / 255)}
        for name, images in rows.items()
        for share, image in zip(BETWEEN, images, strict=True)
    ]
    figure = _rows_of_pictures(
        rows,
        f"{dataset}: codes on the straight line between two {figures.SPLITS[split]} images, decoded by the network of "
        "the lowest seed; at the ends the reconstructions. Middling: two images around the median PCA error; worst: "
        "two of the worst tenth." + left_out,
    )
    return Drawn(f"interpolation-{dataset}", pd.DataFrame(table), figure)


def _manifold(shown: list[Shown], dataset: str) -> Drawn:
    """A grid over both units of the code."""
    with figures.theme():
        figure = figures.new(4.1 if len(shown) > 1 else 6.6)
        for axes, one in zip(figure.subplots(1, len(shown[:2]), squeeze=False)[0], shown[:2], strict=True):
            codes = one.kept["codes/manifold"]
            ends = [codes[:, 0].min(), codes[:, 0].max(), codes[:, 1].min(), codes[:, 1].max()]
            axes.imshow(_tiled(one.pictures["manifold"]), cmap="gray", vmin=0, vmax=255, extent=ends, aspect="auto")
            axes.set_title(one.name, fontsize=8)
            axes.set_xlabel("first unit of the code")
        figure.axes[0].set_ylabel("second unit of the code")
        figures.caption(
            figure,
            f"{dataset}: codes on a grid over the middle 95 % of the training codes of each unit, decoded by the "
            "network of the lowest seed.",
        )
    return Drawn(f"manifold-{dataset}", _grid(shown[:2], "manifold"), figure)


def _line(shown: list[Shown], dataset: str) -> Drawn:
    rows = {one.name: one.pictures["line"] for one in shown}
    text = (
        f"{dataset}: codes of one unit, from left to right over the middle 95 % of the training codes, decoded by the "
        "network of the lowest seed."
    )
    return Drawn(f"line-{dataset}", _grid(shown, "line"), _rows_of_pictures(rows, text))


def _grid(shown: list[Shown], kind: str) -> pd.DataFrame:
    """A row a picture: its code."""
    import pandas as pd

    tables = []
    for one in shown:
        codes = one.kept[f"codes/{kind}"]
        table = pd.DataFrame(codes, columns=[f"unit_{unit + 1}" for unit in range(codes.shape[1])])
        table["mean_pixel"] = one.pictures[kind].mean(axis=(1, 2, 3)) / 255
        tables.append(table.assign(cell=one.name, place=range(len(codes))))
    return pd.concat(tables, ignore_index=True)


def _tiled(images: np.ndarray) -> np.ndarray:
    """SIDE × SIDE images as one, a pixel of grey between them: (SIDE·(H+1), SIDE·(W+1)) or (…, C)."""
    framed = np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=GREY)
    _, height, width, channels = framed.shape
    tiles = framed.reshape(SIDE, SIDE, height, width, channels).swapaxes(1, 2)
    return _picture(tiles.reshape(SIDE * height, SIDE * width, channels))


def _picture(image: np.ndarray) -> np.ndarray:
    return image if image.shape[-1] == 3 else image[..., 0]


def _rows_of_pictures(rows: dict[str, np.ndarray], caption: str) -> Figure:
    columns = max(len(images) for images in rows.values())
    side = min(0.5, (figures.PAGE_WIDTH - 1.9) / columns)
    with figures.theme():
        figure = figures.new(side * len(rows) + 0.45)
        grid = figure.add_gridspec(len(rows), columns, wspace=0.03, hspace=0.03).subplots(squeeze=False)
        for line, (name, images) in zip(grid, rows.items(), strict=True):
            for place, axes in enumerate(line):
                axes.set(xticks=[], yticks=[])
                for spine in axes.spines.values():
                    spine.set_visible(False)
                if place < len(images):
                    axes.imshow(_picture(images[place]), cmap="gray", vmin=0, vmax=255)
            line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=6.5)
        figures.caption(figure, caption)
    return figure


def _codes(one: Shown, dataset: str, split: str) -> Drawn:
    """The codes of evaluated images by class, and over them the draws of each sampler."""
    import pandas as pd

    axis, flat = _plane({name: one.kept[f"codes/{name}"] for name in ("evaluated", *(f"draws/{s}" for s in SAMPLERS))})
    labels = one.kept.get("labels", np.full(len(flat["evaluated"]), -1))
    with figures.theme():
        figure = figures.new(5.2)
        panels = figure.subplots(2, 3, sharex=True, sharey=True)
        for axes, sampler in zip(panels.flat, SAMPLERS, strict=True):
            _by_class(axes, flat["evaluated"], labels)
            axes.plot(*flat[f"draws/{sampler}"].T, "+", color="black", ms=3.5, mew=0.6, alpha=0.6)
            axes.set_title(sampler, loc="left")
        figure.supylabel(axis[1], fontsize=8)
        for below in panels[1]:
            below.set_xlabel(axis[0])
        figures.caption(
            figure,
            f"{dataset}, {one.name}, lowest seed: codes of {len(labels)} {figures.SPLITS[split]} images (a coloured "
            f"figure: its class, where there are classes) and as many draws of each sampler (black crosses). {axis[2]}",
        )
    parts = [pd.DataFrame(xy, columns=["x", "y"]).assign(of=name) for name, xy in flat.items()]
    parts[0]["label"] = labels
    return Drawn(f"codes-{dataset}-{one.name}", pd.concat(parts, ignore_index=True), figure)


def _plane(codes: Pictures) -> tuple[tuple[str, str, str], Pictures]:
    """Axis labels with a remark, and the codes on a plane."""
    k = codes["evaluated"].shape[1]
    if k == 1:
        spread = {
            name: np.stack([part[:, 0], (np.arange(len(part)) * 0.618) % 1], axis=1) for name, part in codes.items()
        }
        return ("the code's only unit", "(height means nothing)", "Heights only spread the points."), spread
    if k == 2:
        return ("first unit of the code", "second unit of the code", ""), codes
    basis = linear.fit(codes["evaluated"], 2)
    share = basis.variances.sum() / codes["evaluated"].var(axis=0, ddof=1).sum()
    words = ("first principal axis of the codes", "second principal axis of the codes")
    return (*words, f"The plane holds {100 * share:.0f} % of the codes' variance."), {
        name: basis.codes(part) for name, part in codes.items()
    }


def _by_class(axes: Axes, codes: np.ndarray, labels: np.ndarray) -> None:
    for place, label in enumerate(np.unique(labels)):
        mine = codes[labels == label]
        marker = "." if label < 0 else f"${label}$"
        axes.plot(*mine.T, marker=marker, ls="none", color=figures.COLOURS[place % len(figures.COLOURS)], ms=4, mew=0.2,
                  alpha=0.8)  # fmt: skip
