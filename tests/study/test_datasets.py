import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study import datasets
from study.datasets import Dataset, split
from study.errors import InputError
from tests.conftest import ROOT, environment

real_data = pytest.mark.skipif("STUDY_DATA_DIR" not in os.environ, reason="STUDY_DATA_DIR names no data folder")


def made_up(n: int, labels: bool = True) -> Dataset:
    images = (np.arange(n)[:, None, None, None] % 256 * np.ones((1, 4, 4, 1))).astype(np.uint8)
    y = np.arange(n) % 3 if labels else None
    return Dataset("made_up", images, y, images[:6], None if y is None else y[:6], (0.0, 255.0), "made up")


@settings(max_examples=30, deadline=None)
@given(n=st.integers(6, 400), seed=st.integers(0, 50), small=st.integers(1, 4))
def test_splits_are_disjoint_exhaustive_and_nested(n, seed, small):
    data = made_up(n)
    whole, part = split(data, seed), split(data, seed, small)
    index = np.concatenate([whole.train_index, whole.val_index, whole.heldout_index])
    assert sorted(index) == list(range(n))
    assert len(whole.val) == len(whole.heldout) == n // 6
    assert np.array_equal(part.train_index, whole.train_index[:small])
    assert np.array_equal(part.val_index, whole.val_index)
    assert np.array_equal(part.heldout_index, whole.heldout_index)


def test_seeds_draw_differently_and_a_purpose_is_a_stream_of_its_own():
    data = made_up(60)
    assert not np.array_equal(split(data, 0).train_index, split(data, 1).train_index)
    assert datasets.rng(1, "a").integers(1 << 40) == datasets.rng(1, "a").integers(1 << 40)
    assert len({int(datasets.rng(s, p, e).integers(1 << 40)) for s in (0, 1) for p in "ab" for e in (0, 1)}) == 8


def test_one_class_is_taken_from_pool_and_test_part():
    found = split(made_up(60), 0, normal_class=1)
    assert set(found.train_labels) == set(found.test_labels) == {1} and len(found.test) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (dict(train_size=50), "train_size=50: of the 60 training images of 'made_up', 40 are left"),
        (dict(normal_class=7), "normal_class=7: 'made_up' has the classes 0, 1, 2"),
    ],
)
def test_impossible_splits_are_input_errors(arguments, said):
    with pytest.raises(InputError, match=said):
        split(made_up(60), 0, **arguments)


def test_a_class_of_unlabelled_data_is_an_input_error():
    with pytest.raises(InputError, match="has no labels"):
        split(made_up(60, labels=False), 0, normal_class=1)


def test_digits_and_photo_patches():
    digits, patches = datasets.load("digits"), datasets.load("photo_patches")
    assert digits.shape == (8, 8, 1) and len(digits.x_train) == 1437 and len(digits.x_test) == 360
    assert datasets.to_unit(digits.x_train, digits.value_range).max() == 1
    assert patches.shape == (32, 32, 3) and len(patches.x_train) == 390 and len(patches.x_test) == 130
    from sklearn.datasets import load_sample_images

    photo = load_sample_images().images[0]
    assert np.array_equal(patches.x_train[1], photo[:32, 32:64])
    assert np.array_equal(patches.x_test[0], photo[:32, 480:512])


def test_examples_are_deterministic_test_images_and_the_last_are_the_hard_ones():
    data = datasets.load("digits")
    index = datasets.example_indices(data)
    assert np.array_equal(index, datasets.example_indices(data)) and len(index) == 32 and index.max() < 360
    from sklearn.decomposition import PCA

    flat, test = (datasets.to_unit(x, data.value_range).reshape(len(x), -1) for x in (data.x_train, data.x_test))
    pca = PCA(8).fit(flat)
    errors = np.square(test - pca.inverse_transform(pca.transform(test))).mean(axis=1)[index]
    assert errors[16:].min() > errors[:16].max()


GOOD = dict(x_train=np.zeros((12, 5, 5), np.uint8), x_test=np.ones((3, 5, 5), np.uint8))


def saved(folder, **changes):
    arrays = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    np.savez(folder / "mine.npz", **arrays)
    return datasets.load("mine", folder)


def test_own_files_of_many_kinds(tmp_path):
    assert saved(tmp_path).shape == (5, 5, 1)
    five = saved(tmp_path, x_train=np.zeros((9, 4, 6, 5), np.uint16), x_test=np.zeros((2, 4, 6, 5), np.uint16))
    assert five.shape == (4, 6, 5) and five.value_range == (0, 65535) and five.y_train is None
    wide = saved(
        tmp_path, x_train=np.full((9, 4, 4), -1.0), x_test=np.full((2, 4, 4), 3.0), range=np.array([-1.0, 3.0])
    )
    assert datasets.to_unit(wide.x_test, wide.value_range).max() == 1
    np.savez(tmp_path / "digits.npz", **GOOD)
    assert datasets.load("digits", tmp_path).source == "file digits.npz"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (dict(x_test=None), "has no x_test"),
        (dict(x_train=np.zeros((12, 5), np.uint8)), "allowed is N×H×W or N×H×W×C"),
        (dict(x_train=np.zeros((1, 5, 5), np.uint8)), "at least 2 images"),
        (dict(x_train=np.zeros((12, 5, 5), np.int64)), "of type int64; allowed are uint8"),
        (dict(x_train=np.zeros((12, 6, 5), np.uint8)), "make them alike"),
        (dict(y_train=np.zeros(4)), "4 labels for 12 images"),
        (dict(x_train=np.full((12, 5, 5), np.nan), x_test=np.zeros((3, 5, 5))), "not finite"),
        (dict(x_train=np.full((12, 5, 5), 7.0), x_test=np.zeros((3, 5, 5))), "values from 0 to 7; allowed are 0 to 1"),
        (dict(range=np.array([1.0, 0.0])), "two numbers"),
        (dict(x_train=np.array([{}] * 12)), "pickled objects"),
    ],
)
def test_files_that_are_not_data_sets_are_input_errors_that_name_them(tmp_path, changes, said):
    with pytest.raises(InputError, match=said) as error:
        saved(tmp_path, **changes)
    assert "mine.npz" in str(error.value)


def test_corrupt_files_are_input_errors(tmp_path):
    saved(tmp_path)
    whole = (tmp_path / "mine.npz").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"not an archive", whole.replace(b"\x01" * 20, b"\x02" * 20, 1)):
        (tmp_path / "mine.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"mine\.npz"):
            datasets.load("mine", tmp_path)


def test_unknown_names_and_folders_are_input_errors(tmp_path):
    saved(tmp_path)
    with pytest.raises(InputError, match="Known: digits, photo_patches, mnist, fashion_mnist, cifar10, mine"):
        datasets.load("nonesuch", tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        datasets.load("mine", tmp_path / "nowhere")


def test_no_network_is_said_at_once_and_without_keras(tmp_path):
    code = """
import socket, sys
from study import datasets, errors
def refuse(*_, **__): raise OSError("no network")
socket.create_connection = refuse
try:
    datasets.load("mnist")
except errors.InputError as error:
    assert "--data-dir" in str(error) and "mnist.npz" in str(error), error
assert not {"keras", "tensorflow"} & set(sys.modules)
"""
    clean = {k: v for k, v in environment(KERAS_HOME=str(tmp_path)).items() if k != "STUDY_DATA_DIR"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean, timeout=30, check=True)


@real_data
def test_mnist_is_mnist():
    mnist = datasets.load("mnist")
    assert mnist.x_train.shape == (60000, 28, 28, 1) and list(mnist.y_train[:10]) == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.x_train.mean() / 255 == pytest.approx(0.13066, abs=5e-6)
