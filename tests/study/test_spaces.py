"""The search spaces that come with the project: what each declares, and that the real ones run whole."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from study import datasets, records, space, space_checks
from tests.conftest import Search, environment

SHIPPED = sorted(path.stem for path in space.SPACES.glob("*.py") if path.stem != "__init__")
REAL = ("mnist", "fashion_mnist_8", "cifar10_jpeg")
REPLACED = ("fashion_mnist", "cifar10")  # by the last two


def load(name):
    return space_checks.validate(space.load(name))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_space_is_valid_and_says_what_it_is_for(name):
    found = load(name)
    for part in ("Command:", "Cost:", "Expect:"):
        assert part in found.source
    trials = re.search(r"Cost:\s+(\d+) trials", found.source)
    assert trials is not None and int(trials[1]) == len(list(found.trials()))


def test_the_baseline_of_the_assignment_is_the_keras_example():
    """https://keras.io/examples/generative/vae/: its network, latent size, loss, optimizer settings, batch size."""
    baseline = load("assignment").baseline
    wanted = dict(dataset="mnist", architecture="keras_io", latent_dim=2, loss="bce", regularizer="none")
    assert {**baseline, **wanted, "learning_rate": 1e-3, "batch_size": 128} == baseline


@pytest.mark.parametrize("name", ["assignment", "tour"])
def test_every_modification_of_the_assignment_is_one_step_from_the_baseline_and_a_contrast(name):
    found = load(name)
    contrasts = [pair for family in found.families.values() for pair in family["contrasts"]]
    assert len(contrasts) <= 60
    for factor in ("architecture", "latent_dim", "loss", "dataset"):
        levels = {sides[0][factor] for sides in contrasts if set(sides[0]) == {factor} and not sides[1]}
        assert levels, f"no contrast changes {factor} alone"
    assert any(pair == ({"latent_dim": 1}, {}) for pair in contrasts)


def test_the_assignment_has_the_levels_it_names():
    cells = load("assignment").cells().values()
    grey = [cell for cell in cells if cell["dataset"] == "mnist"]
    alone = {cell["latent_dim"] for cell in grey if cell["architecture"] == "keras_io" and cell["loss"] == "bce"}
    assert {1, 2, 3, 8, 16, 32} <= alone
    assert len({cell["latent_dim"] for cell in cells if cell["dataset"] == "cifar10"}) >= 3
    assert load("assignment").training["seeds"] == 10


def test_twins_stand_at_every_depth():
    cells = load("residual_depth").cells().values()
    depths = {name: {c["depth"] for c in cells if c["architecture"] == name} for name in ("residual", "plain_deep")}
    assert depths == {"residual": {1, 2, 4, 8}, "plain_deep": {1, 2, 4, 8}}


@pytest.fixture(scope="module")
def real_data(tmp_path_factory):
    """The first 1,200 training and 300 test images of the real data sets, as files of one's own."""
    folder = os.environ.get("STUDY_DATA_DIR")
    if not folder:
        pytest.skip("needs the real data sets: name their folder in STUDY_DATA_DIR")
    small = tmp_path_factory.mktemp("data")
    for name in REAL:
        if not list(Path(folder).glob(f"{name}*")):
            pytest.skip(f"STUDY_DATA_DIR={folder} has no {name}")
        data = datasets.load(name, folder)
        parts = {"x_train": data.x_train, "y_train": data.y_train, "x_test": data.x_test, "y_test": data.y_test}
        sizes = {"x_train": 1200, "y_train": 1200, "x_test": 300, "y_test": 300}
        np.savez(small / f"{name}.npz", **{part: images[: sizes[part]] for part, images in parts.items()})
    return small


@pytest.mark.slow
@pytest.mark.parametrize("name", ["assignment", "latent_elbow", "residual_depth", "one_class"])
def test_the_studies_run_whole_on_real_images(name, real_data, tmp_path):
    """One epoch, one seed, few images; every cell is trained, none fails."""
    search = Search(tmp_path)
    search.space = Path(name)
    settings = ["epochs=1", "train_size=60" if name == "one_class" else "train_size=200"]
    levels = {cell["dataset"] for cell in load(name).cells().values()}
    settings += [f"dataset.{old}={new}" for old, new in zip(REPLACED, REAL[1:], strict=True) if old in levels]
    options = ["--seeds", "1", "--name", "whole", "--data-dir", str(real_data)]
    command = search.command(*options, *(part for setting in settings for part in ("--set", setting)))
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=580, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    table = records.load("whole", search.artifacts)
    assert len(table) == len(load(name).cells()) and (table["status"] == "completed").all()
    assert np.isfinite(table["test_mse"]).all()
