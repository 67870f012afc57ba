"""What a level of a factor says about itself: why one would choose it, and what it can be combined with."""

from collections.abc import Callable
from typing import Any


def level(why: str, **properties: Any) -> Callable[[Callable], Callable]:
    """Marks a function (an architecture, a loss, a regularizer) as a level of its factor.

    Args:
        why: A paragraph for the report: why one would make this change and what it should do, with its source.
        **properties: What the level needs or gives. Known ones:
            `unbounded` (architecture): its outputs can leave [0, 1].
            `takes_depth` (architecture): it builds something else for another `depth`.
            `skips` (architecture): its encoder returns [code, *skips], so images leak around the code.
            `needs_unit_interval` (loss): defined only for images and reconstructions within [0, 1].
            `doubles_code` (regularizer): its encoder gives a mean and a log-variance for every unit of the code.
            `leaves_unit_interval` (preprocessing): images outside the training part can leave [0, 1].

    Returns:
        A decorator that leaves the function as it is and remembers the above on it.
    """

    def mark(function: Callable) -> Callable:
        vars(function).update(why=why, **properties)
        return function

    return mark


def has(function: Callable | None, name: str) -> bool:
    """Whether a level has a property; a function that was never marked has none."""
    return bool(getattr(function, name, False))
