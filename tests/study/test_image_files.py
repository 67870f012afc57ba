"""Data sets of image files: a folder a class, and Parquet in the layout of the Hugging Face hub."""

import io
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from study import datasets
from study.errors import InputError
from tests.study.test_datasets import real_data


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def picture(seed: int, shape=(6, 5, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def folders(root, images: dict[str, np.ndarray]):
    for path, image in images.items():
        (root / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "mine" / path).write_bytes(encoded(image))


COLOUR = {
    "train/cat/b.png": picture(0),
    "train/cat/a.png": picture(1),
    "train/dog/a.PNG": picture(2),
    "test/dog/x.png": picture(3),
    "test/emu/x.png": picture(4),
}


def test_folders_become_classes_in_the_order_of_names(tmp_path):
    folders(tmp_path, COLOUR)
    (tmp_path / "mine" / "train" / "cat" / "notes.txt").write_text("not an image")
    data = datasets.load("mine", tmp_path)
    assert np.array_equal(data.x_train, np.stack([picture(1), picture(0), picture(2)]))
    assert data.y_train.tolist() == [0, 0, 1] and data.y_test.tolist() == [1, 2]
    assert data.value_range == (0, 255) and data.shape == (6, 5, 3)


def test_grey_stays_one_channel_unless_something_is_colour(tmp_path):
    grey = {path: image[..., 0] for path, image in COLOUR.items()}
    folders(tmp_path, grey)
    assert datasets.load("mine", tmp_path).shape == (6, 5, 1)
    folders(tmp_path, {"test/dog/x.png": picture(3)})
    mixed = datasets.load("mine", tmp_path)
    assert mixed.shape == (6, 5, 3)
    assert np.array_equal(mixed.x_train[0], np.repeat(grey["train/cat/a.png"][..., None], 3, axis=-1))


def parquet(path, rows, labels=None, column="img"):
    struct = pa.array([None if r is None else {"bytes": r, "path": "x"} for r in rows])
    pq.write_table(pa.table({column: struct} | ({} if labels is None else {"label": labels})), path)


def test_parquet_in_several_files_with_and_without_labels(tmp_path):
    (tmp_path / "mine").mkdir()
    images = [picture(n) for n in range(7)]
    parquet(tmp_path / "mine" / "train-00000-of-00002.parquet", map(encoded, images[:3]), [5, 6, 5])
    parquet(tmp_path / "mine" / "train-00001-of-00002.parquet", map(encoded, images[3:5]), [6, 6])
    parquet(tmp_path / "mine" / "test-00000-of-00001.parquet", map(encoded, images[5:]), [5, 5])
    data = datasets.load("mine", tmp_path)
    assert np.array_equal(data.x_train, np.stack(images[:5])) and np.array_equal(data.x_test, np.stack(images[5:]))
    assert data.y_train.tolist() == [5, 6, 5, 6, 6]
    parquet(tmp_path / "mine" / "test-00000-of-00001.parquet", map(encoded, images[5:]), column="image")
    assert datasets.load("mine", tmp_path).y_test is None


def test_an_npz_of_the_same_name_wins(tmp_path):
    folders(tmp_path, COLOUR)
    arrays = dict(x_train=np.zeros((3, 2, 2), np.uint8), x_test=np.zeros((2, 2, 2), np.uint8))
    np.savez(tmp_path / "mine.npz", **arrays)
    assert datasets.load("mine", tmp_path).shape == (2, 2, 1)


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("train/cat/c.png", encoded(picture(0))[:60], "c.png is corrupt"),
        ("train/cat/c.png", b"", "c.png is corrupt"),
        ("train/dog/c.png", encoded(picture(0, (5, 5, 3))), "c.png is 5×5 pixels, those before it 6×5"),
        ("train/dog/c.png", encoded(picture(0, (6, 5)).astype(np.uint16)), "more than 8 bits"),
        ("test/cat/c.png", encoded(picture(0, (6, 4, 3))), "those before it|those before"),
    ],
)
def test_a_member_that_is_not_right_is_named(tmp_path, path, content, said):
    folders(tmp_path, COLOUR)
    (tmp_path / "mine" / path).parent.mkdir(exist_ok=True)
    (tmp_path / "mine" / path).write_bytes(content)
    with pytest.raises(InputError, match=said):
        datasets.load("mine", tmp_path)


def test_parquet_that_is_not_right_is_named(tmp_path):
    (tmp_path / "mine").mkdir()
    train, test = (tmp_path / "mine" / f"{part}-0.parquet" for part in ("train", "test"))
    parquet(train, [encoded(picture(0)), b"GIF89a", encoded(picture(1))])
    with pytest.raises(InputError, match=r"train-0\.parquet, row 1 is corrupt"):
        datasets.load("mine", tmp_path)
    parquet(train, [encoded(picture(0)), None])
    with pytest.raises(InputError, match="row 1 is corrupt"):
        datasets.load("mine", tmp_path)
    parquet(train, [encoded(picture(n)) for n in range(3)])
    with pytest.raises(InputError, match="has no test-"):
        datasets.load("mine", tmp_path)
    pq.write_table(pa.table({"text": ["a"]}), test)
    with pytest.raises(InputError, match="no image column; its columns: text"):
        datasets.load("mine", tmp_path)
    test.write_bytes(train.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        datasets.load("mine", tmp_path)


def test_a_part_that_is_missing_is_named(tmp_path):
    folders(tmp_path, {path: image for path, image in COLOUR.items() if path.startswith("train")})
    with pytest.raises(InputError, match="test holds no images"):
        datasets.load("mine", tmp_path)


def test_what_is_there_is_listed(tmp_path):
    folders(tmp_path, COLOUR)
    with pytest.raises(InputError, match=r"Known: .*cifar10, mine"):
        datasets.load("nothing", tmp_path)


@real_data
def test_cifar10_as_parquet_is_what_its_readme_says():
    started = time.monotonic()
    data = datasets.load("cifar10_jpeg")
    print(f"loaded in {time.monotonic() - started:.1f} s")
    assert data.shape == (32, 32, 3) and (len(data.x_train), len(data.x_test)) == (20_000, 4_000)
    assert sorted(set(data.y_train)) == list(range(10)) == sorted(set(data.y_test))
    assert data.x_train.dtype == np.uint8 and 100 < data.x_train.mean() < 140
