"""The theme: the same bytes for the same figure, nothing left behind, and colours that survive grey paper."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image
from skimage.color import rgb2lab

from analysis import figures
from study.metrics import METRICS


def drawn():
    with figures.theme():
        figure = figures.new(2.0)
        axes = figure.subplots()
        for name, style in figures.styles(["cnn", "dense"]).items():
            axes.plot([1, 2, 4], [3, 2, 1], label=name, **style.line)
        axes.legend()
        figures.caption(figure, "n = 3 seeds, 95 % t interval. " * 10)
    return figure


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    first, second = (figures.save(drawn(), tmp_path / name / "curve") for name in ("a", "b"))
    assert [path.name for path in first] == ["curve.png", "curve.svg"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert b"<dc:date>" not in first[1].read_bytes()
    assert figures.digest(first[0].read_bytes()).encode() in first[1].read_bytes(), "a drawing names its picture"


def test_the_last_bits_of_the_layout_show_in_no_byte(tmp_path, monkeypatch):
    def in_another_process(engine, figure, laid_out=ConstrainedLayoutEngine.execute):
        laid_out(engine, figure)
        for axes in figure.axes:
            axes._set_position([length + 1e-15 for length in axes.get_position(original=True).bounds], which="original")

    before = figures.save(drawn(), tmp_path / "a" / "curve")
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", in_another_process)
    for one, other in zip(before, figures.save(drawn(), tmp_path / "b" / "curve"), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_page_wide_at_200_dpi_and_the_caption_within(tmp_path):
    path = figures.save(drawn(), tmp_path / "curve")[0]
    pixels = pyplot.imread(path)
    assert pixels.shape[1] == int(figures.PAGE_WIDTH * 200)
    border = np.concatenate([pixels[:2].ravel(), pixels[-2:].ravel(), pixels[:, :2].ravel(), pixels[:, -2:].ravel()])
    assert (border == 1).all(), "something is drawn over the edge"


def test_a_chart_has_a_palette_that_does_not_show_and_its_caption(tmp_path):
    path = figures.save(drawn(), tmp_path / "curve")[0]
    with figures.theme():
        drawn().savefig(tmp_path / "plain.png")
    with Image.open(path) as chart, Image.open(tmp_path / "plain.png") as plain:
        assert chart.mode == "P" and chart.info["Description"].startswith("n = 3 seeds, 95 % t interval.")
        moved = np.abs(np.asarray(chart.convert("RGB"), int) - np.asarray(plain.convert("RGB"), int)).max(axis=2)
    assert (moved <= 2).mean() > 0.99 and path.stat().st_size < (tmp_path / "plain.png").stat().st_size / 2


def test_a_photograph_keeps_its_colours(tmp_path):
    photograph = np.random.default_rng(0).random((64, 64, 3))
    with figures.theme():
        figure = figures.new(6.0)
        figure.subplots().imshow(photograph)
        figure.savefig(tmp_path / "plain.png")
    path = figures.save(figure, tmp_path / "photograph")[0]
    with Image.open(path) as image, Image.open(tmp_path / "plain.png") as plain:
        np.testing.assert_array_equal(image, plain.convert("RGB"))
        assert len(image.getcolors(10**7)) > 4000


def test_grey_images_keep_every_shade_at_a_byte_a_pixel(tmp_path):
    shades = np.random.default_rng(0).random((64, 64))
    with figures.theme():
        figure = figures.new(6.0)
        figure.subplots().imshow(shades, cmap="gray")
        figure.savefig(tmp_path / "plain.png")
    path = figures.save(figure, tmp_path / "digits")[0]
    with Image.open(path) as image, Image.open(tmp_path / "plain.png") as plain:
        assert image.mode == "L"
        np.testing.assert_array_equal(image.convert("RGB"), plain.convert("RGB"))


def test_nothing_is_left_behind():
    before = mpl.rcParams.copy()
    drawn()
    assert pyplot.get_fignums() == []
    changed = {key for key in before if before[key] != mpl.rcParams[key]}
    assert changed <= {"backend"}


def test_known_architectures_keep_their_style_whatever_else_is_drawn():
    alone = figures.styles(["keras_io"])["keras_io"]
    assert figures.styles(["mine", "cnn", "keras_io"])["keras_io"] == alone
    own = figures.styles(["zebra", "mine"])
    assert own["mine"] != own["zebra"]
    assert own["mine"] not in figures.styles(figures.ARCHITECTURES).values()


def test_neighbours_differ_in_lightness_marker_and_dash():
    colours = [[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in figures.COLOURS]
    lightness = rgb2lab(np.array([colours]))[0, :, 0]
    assert (np.abs(np.diff(lightness)) > 10).all()
    styles = list(figures.styles(figures.ARCHITECTURES[:6]).values())
    for field in ("colour", "marker", "dash"):
        assert len({getattr(style, field) for style in styles}) == 6


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("val_mse", "validation MSE (squared pixel value; lower is better)"),
        ("heldout_excess_bce", "held-out excess BCE (nats a pixel; lower is better)"),
        ("ssim", "SSIM (index; higher is better)"),
    ],
)
def test_labels_have_unit_and_direction(metric, expected):
    assert figures.label(metric) == expected


def test_every_metric_has_a_name():
    assert set(figures.NAMES) == set(METRICS)
