"""Tables that would be replaced by ones of fewer seeds; nothing is trained."""

import pandas as pd
import pytest

from analysis import fewer_seeds
from study.errors import ModelsGone
from tests.conftest import pack


def table(**seeds):
    return pd.DataFrame([{"cell": cell, "kind": kind, "n": n} for cell, n in seeds.items() for kind in "ab"])


@pytest.fixture(params=["plain", "packed"])
def path(request, tmp_path):
    path = tmp_path / "cells.csv"
    table(one=4, two=3).to_csv(path, index=False)
    if request.param == "packed":
        pack(path)
    return path


def test_fewer_seeds_of_a_cell_that_lacks_something_are_refused_with_the_remedy(path):
    with pytest.raises(ModelsGone, match=r"1 of its cells.*one, 4 and now 1\).*study.search mine --rebuild '\*'"):
        fewer_seeds.refuse(path, table(one=1, two=3), ["one", "two"], "mine")
    with pytest.raises(ModelsGone, match=r"2 of its cells.*one, 4 and now 0\)"):
        fewer_seeds.refuse(path, None, ["one", "two", "three"], "mine")


def test_as_many_seeds_other_cells_and_a_first_table_are_not(path, tmp_path):
    fewer_seeds.refuse(path, table(one=4, two=5), ["one", "two"], "mine")
    fewer_seeds.refuse(path, table(one=1, two=3), ["two"], "mine")
    fewer_seeds.refuse(tmp_path / "new" / "cells.csv", None, ["one"], "mine")
