"""Which sources of randomness a trial's seed decides: all of them, or one alone, the others held at those of seed 0.

The factor `randomness` makes the spread over seeds attributable: with `weights`, for example, every trial of a cell has
the batch order and the splits of seed 0, so that what is left of the spread comes from the initial weights.
"""

from collections.abc import Mapping
from typing import Any

ALL = "all"
WEIGHTS, BATCH_ORDER, SPLITS = "weights", "batch_order", "splits"  # batch order: with the regularizer's draws
LEVELS = (ALL, WEIGHTS, BATCH_ORDER, SPLITS)
HELD = 0


def seed_of(source: str, cell: Mapping[str, Any], seed: int) -> int:
    """The seed of one source: the trial's own where its cell lets it vary, else that of all trials alike."""
    return seed if cell["randomness"] in (ALL, source) else HELD
