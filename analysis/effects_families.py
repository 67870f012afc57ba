"""The families of contrasts that a search space declares, every level of both sides spelt out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from study.space import FACTORS, Cell, Space, cell_name

IMAGES = ("dataset", "normal_class", "preprocessing")  # cells that differ in one of these see other images or scales
TUNABLE = ("learning_rate", "batch_size")  # `--tuned` changes these along with what a contrast is about


@dataclass(frozen=True)
class Contrast:
    """A cell against its reference.

    Attributes:
        levels: The cell's level of every factor.
        reference_levels: The same of the reference.
        baseline: The same of the study's baseline.
        named: Factors whose level the label names even where it is the baseline's: contrasts of the family make the
            same change at other levels of them.
    """

    levels: Cell
    reference_levels: Cell
    baseline: Cell
    named: tuple[str, ...] = ()

    @property
    def cell(self) -> str:
        """The cell's name."""
        return cell_name(self.levels)

    @property
    def reference(self) -> str:
        """The reference's name."""
        return cell_name(self.reference_levels)

    @property
    def names(self) -> tuple[str, str]:
        """The cell's name, then its reference's."""
        return self.cell, self.reference

    @property
    def sides(self) -> tuple[tuple[str, Cell], tuple[str, Cell]]:
        """The cell, then its reference: name and levels."""
        return (self.cell, self.levels), (self.reference, self.reference_levels)

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """Factor → (the reference's level, the cell's), where they differ."""
        both = {factor: (self.reference_levels[factor], self.levels[factor]) for factor in FACTORS}
        return {factor: pair for factor, pair in both.items() if pair[0] != pair[1]}

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors that the contrast is about: what differs, less the settings tuned along with it."""
        return tuple(factor for factor in self.changed if factor not in TUNABLE) or tuple(self.changed)

    @property
    def label(self) -> str:
        """In words, with where it is made unless at the baseline: "architecture plain_deep → residual at depth 4".

        Contrasts of a family that make the same change at several levels name these in any case (`named`).
        """
        sides = {factor: [_word(factor, level) for level in pair] for factor, pair in self.changed.items()}
        changes = ", ".join(f"{factor} {old} → {new}" for factor, (old, new) in sides.items())
        reference, kept = self.reference_levels, set(FACTORS) - set(self.changed)
        told = {f for f in kept if reference[f] != self.baseline[f]} | kept.intersection(self.named)
        where = [f"{f} {_word(f, reference[f])}" for f in FACTORS if f in told]
        return f"{changes} at {', '.join(where)}" if where else changes

    @property
    def same_images(self) -> bool:
        """Whether both are judged on the same images in the same scale."""
        return not set(IMAGES) & set(self.changed)


@dataclass(frozen=True)
class Family:
    """The contrasts of one question, as the search space declares them; errors are controlled within it."""

    name: str
    metric: str
    contrasts: tuple[Contrast, ...]


def families_of(space: Space) -> list[Family]:
    """The declared families of a search space, every level spelt out."""
    return [
        Family(
            name,
            family["metric"],
            _told_apart(
                [Contrast(space.complete(a), space.complete(b), space.complete({})) for a, b in family["contrasts"]]
            ),
        )
        for name, family in space.families.items()
    ]


def _told_apart(contrasts: Sequence[Contrast]) -> tuple[Contrast, ...]:
    """The contrasts of a family; those that make the same change name the factors by which they differ."""
    alike: dict[str, list[Contrast]] = {}
    for one in contrasts:
        alike.setdefault(repr(one.changed), []).append(one)
    return tuple(replace(one, named=_varying(alike[repr(one.changed)])) for one in contrasts)


def _varying(contrasts: Sequence[Contrast]) -> tuple[str, ...]:
    """The factors that the references of some contrasts have at several levels."""
    return tuple(f for f in FACTORS if len({repr(one.reference_levels[f]) for one in contrasts}) > 1)


def _word(factor: str, level: Any) -> str:
    """A level in words: of a factor that limits the training images, no limit is "all"."""
    return str(level) if level is not None else "all" if factor in ("train_size", "normal_class") else "none"
