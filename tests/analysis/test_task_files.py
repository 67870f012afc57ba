"""What a task leaves: a damaged file is named with a remedy that costs no numbers; nothing is trained."""

import numpy as np
import pytest

from analysis.task_files import PER_IMAGE, Store
from study.errors import InputError


@pytest.mark.parametrize(("kind", "done"), [(".npz", True), (PER_IMAGE, False)])
def test_a_damaged_file_is_removed_and_the_table_stays(tmp_path, kind, done):
    """The table lets a rerun refuse to go on without the trial where the model is gone."""
    store = Store(tmp_path, {"t": "v1"}, per_image=True)
    images = np.zeros((2, 4, 4, 1))
    store.write("t", [{"trial": "t", "mse": 0.1}], {"input": images}, {"mse": np.zeros(2)})
    path = tmp_path / f"t{kind}"
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"is damaged .*Remove it and run this again") as raised:
        store.arrays("t", kind)
    assert str(path) in str(raised.value) and ".csv" not in str(raised.value)
    path.unlink()
    assert store.arrays("t", kind) == {}
    assert (store.is_done("t"), store.has_table("t")) == (done, True)
