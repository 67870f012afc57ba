"""Which seeds and which cells of a table with gaps are kept, so that none is left. Pure: an array in, masks out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def rectangle(known: Mask) -> tuple[Mask, Mask]:
    """The seeds and the cells of a large complete part of a table.

    While anything is missing, the seed or the cell of which the largest share is missing goes: so a last seed that most
    cells lack costs itself and no cell, and a cell that lacks many seeds costs no seed. Of equals a seed goes before a
    cell, and the later before the earlier.

    >>> seeds, cells = rectangle(np.array([[True, True], [True, True], [True, False]]))
    >>> seeds.tolist(), cells.tolist()
    ([True, True, False], [True, True])

    Args:
        known: (n_seeds, n_cells), whether there is a number.

    Returns:
        (n_seeds,) and (n_cells,), what is kept. Where anything is known, at least one of each; all of both where
            nothing is missing.
    """
    seeds, cells = (np.ones(size, dtype=bool) for size in known.shape)
    while not known[np.ix_(seeds, cells)].all():
        lacking = ~known & seeds[:, None] & cells
        of_seeds, of_cells = lacking.sum(axis=1) / cells.sum(), lacking.sum(axis=0) / seeds.sum()
        if of_seeds.max() >= of_cells.max():
            seeds[_last(of_seeds)] = False
        else:
            cells[_last(of_cells)] = False
    return seeds, cells


def _last(shares: np.ndarray) -> int:
    """The place of the last of the largest."""
    return int(np.flatnonzero(shares == shares.max())[-1])
