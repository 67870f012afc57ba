"""How every figure looks, and how it is saved: the same colours, sizes and words throughout the report.

Figures are drawn at the width of a page (17 cm) and are not scaled afterwards, so that a font size here is the one in
print. No colour stands alone: each comes with a marker and a line style, and its lightness differs from its
neighbours', for readers who see few colours and for grey paper.
"""

from __future__ import annotations

import hashlib
import io
import textwrap
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.metrics import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

PAGE_WIDTH = 6.69  # inches: 17 cm
DPI = 200
CAPTION_CHARACTERS = 128  # of 7 points across the page, wide letters among them
PALETTE = 256  # colours of a small PNG
UNSEEN, ALMOST_ALL = 8, 0.97  # a palette may move this share of the pixels by so many of 255, no more

# Built-in architectures keep their colour in every figure of every study; one's own take what is left.
ARCHITECTURES = ("keras_io", "cnn", "dense", "linear", "residual", "convnext", "attention")

# Paul Tol's "muted" scheme (https://personal.sron.nl/~pault/), ordered so that neighbours differ in lightness.
COLOURS = ("#332288", "#CC6677", "#117733", "#DDAA33", "#882255", "#44AA99", "#AA4499", "#88CCEE", "#999933")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
DASHES: tuple[str | tuple, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1)), (0, (1, 2.5)))
REFERENCE = "#555555"  # PCA and whatever else is no architecture

NAMES = {
    "mse": "MSE",
    "mae": "MAE",
    "bce": "BCE",
    "excess_bce": "excess BCE",
    "fvu": "unexplained variance",
    "psnr": "PSNR",
    "ssim": "SSIM",
}
SPLITS = {"train": "training", "val": "validation", "heldout": "held-out", "test": "test"}


@dataclass(frozen=True)
class Style:
    """How one level is drawn: unpack `line` into `Axes.plot`."""

    colour: str
    marker: str
    dash: str | tuple

    @property
    def line(self) -> dict:
        """The keyword arguments of `Axes.plot`."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.dash}


def theme() -> AbstractContextManager:
    """A context in which figures are made and drawn: seaborn's "ticks" style with our sizes, no window system.

    What it sets is undone when it ends, so that no figure depends on which was drawn before it.
    """
    import matplotlib
    import seaborn

    matplotlib.use("agg")
    ours: Any = {
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
        "font.size": 8.5,
        "axes.labelsize": 8.5,
        "axes.titlesize": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        **dict.fromkeys(["legend.fontsize", "xtick.labelsize", "ytick.labelsize"], 7.5),
        "lines.linewidth": 1.3,
        "lines.markersize": 4.5,
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "svg.hashsalt": "autoencoder-study",  # else every saving draws new ids
        "svg.fonttype": "path",
    }
    return matplotlib.rc_context({**seaborn.axes_style("ticks"), **ours})


def new(height: float, width: float = PAGE_WIDTH) -> Figure:
    """An empty figure, in inches, outside of pyplot: nothing to close, nothing shared."""
    from matplotlib.figure import Figure

    from analysis.steady_layout import SteadyLayout

    return Figure(figsize=(width, height), layout=SteadyLayout())


def styles(levels: Iterable[str], known: tuple[str, ...] = ARCHITECTURES) -> dict[str, Style]:
    """A style for each level: the known ones always theirs, the others the free ones in alphabetic order."""
    ordered = list(known) + sorted(set(levels) - set(known))
    places = {level: place for place, level in enumerate(ordered)}
    return {level: _style(places[level]) for level in levels}


def label(metric: str) -> str:
    """An axis label with unit and direction, for a metric of `study.metrics` with or without its split.

    >>> label("val_mse")
    'validation MSE (squared pixel value; lower is better)'
    """
    unit, direction, _ = METRICS[split_of(metric)[1]]
    return f"{name(metric)} ({unit}; {direction})"


def name(metric: str) -> str:
    """A metric in words: `val_mse` -> "validation MSE"."""
    split, kind = split_of(metric)
    return f"{SPLITS[split]} {NAMES.get(kind, kind)}" if split else NAMES.get(kind, kind)


def split_of(metric: str) -> tuple[str, str]:
    """A column's split ("" if it has none) and metric: `val_excess_bce` -> ("val", "excess_bce")."""
    split, _, kind = metric.partition("_")
    return (split, kind) if split in SPLITS else ("", metric)


def caption(figure: Figure, text: str) -> None:
    """Writes a caption under the figure, wrapped to the page; the layout leaves room for it."""
    figure.supxlabel(textwrap.fill(text, CAPTION_CHARACTERS), x=0.01, ha="left", fontsize=7, linespacing=1.3)


def save(figure: Figure, stem: Path) -> list[Path]:
    """Writes STEM.png (200 dpi) and STEM.svg, the same bytes for the same figure, and returns both paths.

    The PNG has a palette where that cannot be seen. The caption is also kept as text in both files ("Description"), for
    readers who cannot see the picture.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg")]
    text = " ".join(figure.get_supxlabel().split())
    with theme():
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png")
        paths[0].write_bytes(_small(drawn, text))
        said = {"Description": text, "Source": digest(paths[0].read_bytes())}
        figure.savefig(paths[1], metadata={"Date": None, "Creator": None, **said})
    return paths


def digest(picture: bytes) -> str:
    """What the drawing of a picture calls it, so that nobody takes an older drawing for its own."""
    return f"sha256:{hashlib.sha256(picture).hexdigest()}"


def _small(drawn: io.BytesIO, text: str) -> bytes:
    """A PNG with its caption in as few bytes as keep its look: a chart by a palette, a third of the size.

    A photograph would show the palette in its smooth parts, and keeps its colours. Pictures that are grey throughout
    need one byte a pixel as they are, which is less where they show images, and more where they are charts.
    """
    import numpy as np
    from PIL import Image as images

    with images.open(drawn) as opened:
        image = opened.convert("RGB")
    pixels = np.asarray(image, np.int16)
    few = image.quantize(PALETTE, method=images.Quantize.MEDIANCUT, dither=images.Dither.NONE)
    moved = np.abs(np.asarray(few.convert("RGB"), np.int16) - pixels).max(axis=2)
    same = [few] if (moved <= UNSEEN).mean() >= ALMOST_ALL else [image]
    if (pixels == pixels[..., :1]).all():
        same.append(image.convert("L"))
    return min((_png(choice, text) for choice in same), key=len)


def _png(image: Image, text: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Description", text)
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True, dpi=(DPI, DPI), pnginfo=info)
    return written.getvalue()


def _style(place: int) -> Style:
    return Style(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)], DASHES[place % len(DASHES)])
