"""The code of a modification: what is shown of it, and that what both sides share is not."""

import pytest

from analysis import code_diff
from analysis.effects import families_of
from study import space, space_checks
from study.architectures import ARCHITECTURES, convnext, residual
from study.losses import mse, mse_ssim
from tests.analysis.effects_records import parsed

OWN = '''
BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="mse")
BLOCKS = {"mine": dict(architecture=["mine"])}
TRAINING = dict(epochs=1, seeds=1)
FAMILIES = {"mine": dict(metric="test_mse", contrasts=[(dict(architecture="mine"), {})])}
WIDTH = 7
OTHER = 9

def helper(x):
    return x + WIDTH

def build(shape, latent_dim, depth=None):
    """My own network."""
    return helper(shape)

ARCHITECTURES = {"mine": build}
'''


def changes(of, family, place=0):
    contrast = {f.name: f for f in families_of(of)}[family].contrasts[place]
    return code_diff.changes(contrast, of)


@pytest.fixture(scope="module")
def usual():
    return parsed()


def test_an_architecture_against_the_baseline(usual):
    (change,) = changes(usual, "architecture")
    assert (change.factor, change.old, change.new) == (
        "architecture", "study/architectures/keras_io.py", "study/architectures/cnn.py",
    )  # fmt: skip
    lines = change.diff.splitlines()
    assert '-    features = layers.Dense(16, activation="relu")(features)' in lines
    assert (
        " def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:"
        in lines
    )
    assert not any("Conv2D(" in line for line in lines), "what both share is shown"
    assert not any("@level" in line or "why=" in line for line in lines)


def test_what_only_the_old_side_uses_is_not_shown_and_what_the_new_one_adds_is_whole():
    built_in = ARCHITECTURES["keras_io"], ARCHITECTURES["residual"]
    diff = code_diff._functions("architecture", *built_in, "").diff
    assert "def down(" not in diff and "def up(" not in diff and "-    features = layers.Dense(16" in diff
    assert "+def autoencoder(" in diff and "+FILTERS = (16, 32)" in diff and "+def _block(" in diff


def test_a_function_that_the_new_one_goes_on_to_call_is_shown_as_it_is():
    diff = code_diff._functions("loss", mse, mse_ssim, "").diff
    assert "-def mse(" in diff and "+def mse_ssim(" in diff and "+def mse(" in diff and "+def ssim(" in diff


def test_a_loss_and_a_regularizer(usual):
    (change,) = changes(usual, "loss")
    assert "+    return ops.mean(ops.square(images - reconstructions), axis=(1, 2, 3))" in change.diff
    (change,) = changes(usual, "regularizer")
    assert "+def variational(" in change.diff and "+def posterior(" in change.diff and "+def divergence(" in change.diff


def test_anything_else_is_one_line_of_the_search_space(usual):
    (change,) = changes(usual, "latent")
    old, new = change.diff.splitlines()[1:]
    assert old == '-dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce", batch_size=32)'
    assert new == old.replace("latent_dim=2", "latent_dim=1").replace("-dict", "+dict")


def test_a_function_comes_with_what_it_uses():
    found = code_diff.source(residual.build)
    assert list(found)[:2] == ["study.architectures.residual.build", "study.architectures.blocks.autoencoder"]
    assert "study.architectures.blocks._block" in found and "study.architectures.convolutions.pad" in found
    assert found["study.architectures.blocks.FILTERS"] == "FILTERS = (16, 32)"
    assert "study.architectures.convnext.KERNEL" in code_diff.source(convnext.build)
    assert {"study.losses.ssim", "study.losses.SSIM_WEIGHT"} <= set(code_diff.source(mse_ssim))


def test_ones_own_architecture_is_read_from_the_search_space():
    own = space_checks.validate(space.parse("own", OWN, "own.py"))
    (change,) = changes(own, "mine")
    assert change.new == "search space"
    assert "+    return helper(shape)" in change.diff and "+    return x + WIDTH" in change.diff
    assert "+WIDTH = 7" in change.diff and "OTHER" not in change.diff
