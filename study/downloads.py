"""The data sets that Keras downloads. Needs Keras only to fetch."""

import os
import socket
from pathlib import Path

from study import quiet
from study.dataset_files import RANGES, Parts
from study.errors import InputError

NAMES = ("mnist", "fashion_mnist", "cifar10")
NETWORK_SECONDS = 10


def fetch(name: str, folder: Path | None) -> Parts:
    """MNIST, Fashion-MNIST or CIFAR-10 through Keras, which checks its files' own hashes.

    Args:
        name: One of `NAMES`.
        folder: The data folder, named in errors; or None.

    Raises:
        InputError: No network, or a download that failed.
    """
    here = f" or put {name}.npz into {folder}" if folder is not None else ""
    if not _is_cached(name) and not _network():
        raise InputError(
            f"the data set '{name}' has to be downloaded once, and there is no network. Connect, or give the folder "
            f"that holds {name}.npz (arrays x_train, y_train, x_test, y_test) with --data-dir{here}."
        )
    keras = quiet.keras()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)
    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception for a download that failed
        raise InputError(
            f"the data set '{name}' could not be downloaded ({error}). Try again later, or give the folder that holds "
            f"{name}.npz with --data-dir{here}."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    train, test = (x[..., None] if x.ndim == 3 else x for x in (x_train, x_test))
    return train, y_train.reshape(-1), test, y_test.reshape(-1), RANGES["uint8"], "Keras download"


def _is_cached(name: str) -> bool:
    files = {"mnist": "mnist.npz", "fashion_mnist": "fashion-mnist/t10k-images-idx3-ubyte.gz"}
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
    return any(home.glob(files.get(name, "cifar-10-batches-py*")))


def _network() -> bool:
    """Whether the host that Keras downloads from can be reached at all."""
    try:
        socket.create_connection(("storage.googleapis.com", 443), timeout=NETWORK_SECONDS / 2).close()
    except OSError:
        return False
    return True
