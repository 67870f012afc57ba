"""The command that trains a study's cells anew: its search space, with the settings that the study was begun with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from study import manifest
from study import space as spaces
from study.errors import InputError
from study.space import Space


def again(described: Mapping[str, Any]) -> str:
    """The command, which still lacks `--name`; "" where no search space of the project has just these cells.

    Args:
        described: The study's manifest.
    """
    begun = manifest.space_of(described)
    try:
        space = spaces.load(begun.name)
        settings = _settings(space, begun)
        space = spaces.override(space, settings)
    except InputError:
        return ""
    if begun.cells() != space.cells() or begun.architectures.keys() != space.architectures.keys():
        return ""
    words = [word for key, level in settings.items() for word in ("--set", f"{key}={level}")]
    return shlex.join(["python", "-m", "study.search", begun.name, *words])


def _settings(space: Space, begun: Space) -> dict[str, str]:
    """What `--set` must exchange in a space, but for epochs and the number of seeds, to make it the one begun."""
    found = {
        f"{factor}.{old}": str(new)
        for name, block in space.blocks.items()
        for factor, levels in block.items()
        for old, new in zip(levels, begun.blocks.get(name, {}).get(factor, []), strict=False)
        if new not in levels
    }
    baseline = spaces.override(space, found).baseline
    found |= {factor: str(level) for factor, level in begun.baseline.items() if level != baseline[factor]}
    first = begun.training.get("first_seed", 0)
    return found | ({"first_seed": str(first)} if first != space.training.get("first_seed", 0) else {})
