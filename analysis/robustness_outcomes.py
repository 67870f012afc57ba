"""What becomes of a conclusion when something is varied: the four outcomes, and how they are found.

Pure. A conclusion is the direction of a contrast or a chosen latent size. Resolved is what its interval decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from analysis.chosen_size import ChosenSize

SAME, SAME_UNRESOLVED, OTHER_UNRESOLVED, OTHER = (
    "same, resolved",
    "same, not resolved",
    "other, not resolved",
    "other, resolved",
)
OUTCOMES = (SAME, SAME_UNRESOLVED, OTHER_UNRESOLVED, OTHER)  # from the best to the worst for the conclusion
NONE = ""  # there is nothing to compare: no such data, or a metric that does not apply
BEYOND = float("inf")  # a size past the end of the grid


def of_contrast(declared: float, value: float, low: float, high: float) -> str:
    """The outcome of a contrast: whether its sign is the declared one, and whether its interval excludes 0.

    Args:
        declared: The difference of log errors as declared.
        value, low, high: The same with something varied, and its interval; NaN where there is none.
    """
    if not (declared == declared and value == value):
        return NONE
    resolved = low > 0 or high < 0
    if declared * value > 0:
        return SAME if resolved else SAME_UNRESOLVED
    return OTHER if resolved else OTHER_UNRESOLVED


def of_size(declared: ChosenSize, varied: ChosenSize) -> str:
    """The outcome of a chosen size: the same one, and whether its interval holds no other.

    A grid that ends before the declared size cannot choose it: where it chooses none, there is nothing to compare. A
    size that differs is resolved where the interval excludes the declared one.
    """
    size, value = _size(declared.value), _size(varied.value)
    low, high = _size(varied.low), _size(varied.high)
    if size == value and low == high and value != BEYOND:
        return SAME
    if value == BEYOND and varied.last < size < BEYOND:
        return NONE
    if size == value:
        beyond = value == BEYOND == low and size == BEYOND and varied.last == declared.last
        return SAME if beyond else SAME_UNRESOLVED
    inside = (low if low != BEYOND else varied.last) <= size <= high
    return OTHER_UNRESOLVED if inside else OTHER


def worst(outcomes: Iterable[str]) -> str:
    """The worst of several, of those that there are."""
    return max((one for one in outcomes if one != NONE), key=OUTCOMES.index, default=NONE)


def _size(size: int | None) -> float:
    return BEYOND if size is None else float(size)
