"""The command that trains a study's cells anew; nothing is trained."""

import pytest

from analysis import training_command
from study import manifest, space

DATA = {"digits": {"shape": [8, 8, 1], "sizes": [1437, 360], "source": "load_digits", "hashes": {}}}


def described(name="latent_elbow", own=None, **settings):
    """The manifest of a study that a built-in space, or one's own of a text, began with settings."""
    chosen = space.parse(name, own, f"{name}.py") if own else space.load(name)
    return manifest.describe(space.override(chosen, settings), "mine", DATA)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ""),
        ({"epochs": "7", "seeds": "2"}, ""),
        ({"dataset.cifar10": "photographs"}, " --set dataset.cifar10=photographs"),
        ({"first_seed": "20"}, " --set first_seed=20"),
    ],
)
def test_a_study_of_a_space_is_begun_again_with_its_settings(settings, words):
    assert training_command.again(described(**settings)) == f"python -m study.search latent_elbow{words}"


def test_a_level_of_the_baseline_alone_is_exchanged_by_its_factor():
    command = training_command.again(described("quick", batch_size="16"))
    assert command.startswith("python -m study.search quick --set batch_size")


def test_no_command_is_known_for_ones_own_space_or_other_blocks():
    own = (
        'BASELINE = dict(dataset="digits", architecture="dense", latent_dim=3, loss="mse")\n'
        "TRAINING = dict(epochs=1, seeds=1)"
    )
    assert training_command.again(described("mine_alone", own)) == ""
    assert training_command.again(described("quick", own)) == ""
