"""The architectures: shapes, parameter counts, and what each must not be."""

import re

import numpy as np
import pytest

from study import autoencoders
from study.architectures import ARCHITECTURES
from study.levels import has
from study.regularizers import REGULARIZERS
from study.space import DEFAULTS

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (5, 7, 2)]
WIDTHS = {"keras_io": 16, "dense": 256, "linear": None}
TWINS = ("residual", "plain_deep")


def build(architecture, shape, latent_dim=2, seed=0, **levels):
    cell = {**DEFAULTS, "architecture": architecture, "latent_dim": latent_dim, **levels}
    return autoencoders.build(cell, shape, seed, ARCHITECTURES)


def conv(before, after, side=3, bias=True):
    return side * side * before * after + bias * after


def dense(before, after, bias=True):
    return before * after + bias * after


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_takes_every_shape(architecture, shape):
    model = build(architecture, shape, 3)
    images = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    encoded = model.get_layer("encoder")(images)
    reconstructions = np.asarray(model.get_layer("decoder")(encoded))
    assert autoencoders.code_of(encoded).shape == (2, 3) and reconstructions.shape == (2, *shape)
    assert isinstance(encoded, list) == has(ARCHITECTURES[architecture], "skips")
    assert np.isfinite(reconstructions).all()
    if not has(ARCHITECTURES[architecture], "unbounded"):
        assert reconstructions.min() >= 0 and reconstructions.max() <= 1
    if architecture in WIDTHS:
        assert autoencoders.narrowest_width(model) == WIDTHS[architecture]


@pytest.mark.parametrize("k", [1, 2, 16])
def test_the_baseline_has_its_parameters(k):
    assert build("keras_io", (28, 28, 1), k).count_params() == 127_825 + 3_153 * k
    assert build("keras_io", (28, 28, 1)).count_params() == 134_131


def block(filters):
    """Two convolutions without bias, and the four vectors of each normalisation."""
    return 2 * (conv(filters, filters, bias=False) + 4 * filters)


def transformer(width, blocks):
    return (
        blocks * (4 * dense(width, width) + dense(width, 2 * width) + dense(2 * width, width) + 4 * width) + 2 * width
    )


def convnext_block(filters):
    return 49 * filters + filters + 2 * filters + dense(filters, 4 * filters) + dense(4 * filters, filters)


# On 28×28×1 with a code of 2, counted by hand from the descriptions: encoder, decoder.
PARAMETERS = {
    "deep_cnn": (
        conv(1, 32) + 2 * conv(32, 32) + conv(32, 64) + 2 * conv(64, 64) + dense(3136, 2),
        dense(2, 3136) + 3 * conv(64, 64) + conv(64, 32) + 2 * conv(32, 32) + conv(32, 1),
    ),
    "residual": (
        conv(1, 16) + 2 * block(16) + conv(16, 32) + 2 * block(32) + dense(49 * 32, 2),
        dense(2, 49 * 32) + 2 * block(32) + conv(32, 16) + 2 * block(16) + conv(16, 16) + conv(16, 1),
    ),
    "convnext": (
        conv(1, 16, 2) + 2 * 16 + convnext_block(16) + conv(16, 32, 2) + 2 * 32 + convnext_block(32) + dense(1568, 2),
        dense(2, 1568)
        + (convnext_block(32) + conv(32, 16, 2) + 2 * 16)
        + (convnext_block(16) + conv(16, 16, 2) + 2 * 16)
        + conv(16, 1),
    ),
    "attention": (
        16 * 64 + 49 * 64 + transformer(64, 2) + dense(49 * 64, 2),
        dense(2, 49 * 64) + transformer(64, 2) + dense(64, 16),
    ),
    "unet": (
        conv(1, 32) + conv(32, 64) + dense(3136, 2),
        dense(2, 3136) + conv(128, 64) + conv(96, 32) + conv(32, 1),
    ),
    "ruff2018": (
        25 * 8 + 2 * 8 + 25 * 8 * 4 + 2 * 4 + 196 * 2,
        2 * 196 + 25 * 4 * 4 + 2 * 4 + 25 * 4 * 8 + 2 * 8 + 25 * 8,
    ),
}


@pytest.mark.parametrize("architecture", PARAMETERS)
def test_parameters_are_as_counted_by_hand(architecture):
    model = build(architecture, (28, 28, 1))
    counted = tuple(model.get_layer(part).count_params() for part in ("encoder", "decoder"))
    assert counted == PARAMETERS[architecture]


def test_the_network_of_the_deep_svdd_paper():
    """Counted from the authors' code: 28×28, 32 units of code, which the decoder takes as two maps of 4×4."""
    model = build("ruff2018", (28, 28, 1), 32)
    encoder, decoder = (model.get_layer(part) for part in ("encoder", "decoder"))
    assert encoder.count_params() == 25 * 8 + 2 * 8 + 25 * 8 * 4 + 2 * 4 + 196 * 32
    assert decoder.count_params() == 25 * 2 * 4 + 2 * 4 + 25 * 4 * 8 + 2 * 8 + 25 * 8
    trainable = [weight.name for weight in model.trainable_weights]
    assert trainable == ["kernel"] * 6  # no biases, no scale and shift
    sizes = [layer.output.shape[1] for layer in decoder.layers if type(layer).__name__ == "UpSampling2D"]
    assert sizes == [8, 16, 28]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_the_twins_differ_in_their_additions_alone(depth):
    residual, plain = (build(name, (28, 28, 1), depth=depth) for name in TWINS)
    assert [w.shape for w in residual.get_weights()] == [w.shape for w in plain.get_weights()]
    kinds = [
        [type(layer).__name__ for part in ("encoder", "decoder") for layer in model.get_layer(part).layers]
        for model in (residual, plain)
    ]
    assert kinds[0].count("Add") == 4 * depth
    assert [kind for kind in kinds[0] if kind != "Add"] == kinds[1]


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1)], ids=str)
@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - {"keras_io", "linear"}))
def test_nothing_is_narrower_than_a_large_code(architecture, shape):
    if architecture == "ruff2018" and shape == (8, 8, 1):
        assert autoencoders.narrowest_width(build(architecture, shape, 128)) == 16  # as its docstring says
    else:
        assert autoencoders.narrowest_width(build(architecture, shape, 128)) >= 128


def test_the_width_of_a_variational_encoder_is_measured_inside_it():
    assert autoencoders.narrowest_width(build("keras_io", (28, 28, 1), 2, regularizer="variational")) == 16


def test_fresh_weights_follow_the_seed_alone():
    one = build("cnn", (8, 8, 1), seed=4).get_weights()
    build("dense", (8, 8, 1), seed=9)
    again, other = build("cnn", (8, 8, 1), seed=4).get_weights(), build("cnn", (8, 8, 1), seed=5).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_a_unet_decodes_from_a_code_alone_with_the_means_of_its_skips():
    model = build("unet", (8, 8, 1))
    images = np.random.default_rng(0).random((7, 8, 8, 1)).astype(np.float32)
    code, *skips = model.get_layer("encoder")(images)
    means = [np.repeat(np.asarray(skip).mean(axis=0, keepdims=True), 7, axis=0) for skip in skips]
    expected = model.get_layer("decoder").predict([np.asarray(code), *means], verbose=0)
    assert np.allclose(autoencoders.decode(model, np.asarray(code), images, batch_size=3), expected, atol=1e-5)
    plain = build("cnn", (8, 8, 1))
    code = np.asarray(plain.get_layer("encoder")(images))
    assert np.allclose(autoencoders.decode(plain, code, images), np.asarray(plain(images)), atol=1e-5)


@pytest.mark.parametrize("level", [*ARCHITECTURES.values(), *REGULARIZERS.values()], ids=lambda level: level.__module__)
def test_numbers_of_28_by_28_images_are_said_to_be_theirs(level):
    """A study of other images prints the same paragraph."""
    assert not re.search(r"784|28 pixels", level.why) or "28×28" in level.why
