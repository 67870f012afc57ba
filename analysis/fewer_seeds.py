"""Refuses to replace tables by ones of fewer seeds: with shipped results lie no models, and few examples."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from study import files
from study.errors import ModelsGone

if TYPE_CHECKING:
    import pandas as pd


def refuse(path: Path, new: pd.DataFrame | None, lacking: Collection[str], study: str) -> None:
    """Checks a table before it is replaced.

    Args:
        path: Of the earlier table, plain or packed, with the columns `cell` and `n`; need not be there.
        new: The one that would replace it; None: nothing would.
        lacking: The cells that lack models or examples; the others are not looked at.
        study: Its name, for the remedy.

    Raises:
        ModelsGone: The earlier one has more seeds of one of these cells.
    """
    import pandas as pd

    if path not in files.tables(path.parent):
        return
    with files.open_table(path) as file:
        before = pd.read_csv(file, dtype={"cell": str}).groupby("cell", sort=False)["n"].max()
    now = {} if new is None else new.groupby("cell")["n"].max()
    fewer = [cell for cell, n in before.items() if cell in lacking and n > now.get(cell, 0)]
    if fewer:
        raise ModelsGone(
            f"{path} has more seeds of {len(fewer)} of its cells than there are models or examples of (the first: "
            f"{fewer[0]}, {before[fewer[0]]} and now {now.get(fewer[0], 0)}): going on would replace tables by others "
            f"of fewer seeds. Train them again: python -m study.search {study} --rebuild '*'"
        )
