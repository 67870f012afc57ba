"""Is a search space valid? Every problem is found and said before anything runs. Needs no Keras."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from study.architectures import ARCHITECTURES
from study.errors import InputError
from study.levels import has
from study.losses import LOSSES
from study.preprocessing import PREPROCESSINGS
from study.randomness import LEVELS as RANDOMNESS
from study.regularizers import REGULARIZERS
from study.space import DEFAULTS, FACTORS, REQUIRED, TRAINING, Cell, Space, cell_name, combinations

SPLITS = ("train", "val", "heldout", "test")
COMMON_METRICS = ("mse", "mae", "bce", "excess_bce", "fvu", "psnr", "ssim")
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]*")


def validate(space: Space) -> Space:
    """The same space, its cells in the order of the factors, or an error that lists everything wrong with it.

    Raises:
        InputError: Unknown factor, level or training setting; a duplicate; an empty block; a forbidden combination; a
            contrast between cells that the space does not have.
    """
    problems = list(dict.fromkeys(_problems(space)))
    if problems:
        raise InputError(f"search space '{space.name}' is not valid:\n" + "\n".join(f"  - {p}" for p in problems))
    ordered = {factor: space.baseline[factor] for factor in FACTORS}
    blocks = {name: {f: list(levels) for f, levels in block.items()} for name, block in space.blocks.items()}
    return Space(**{**vars(space), "baseline": ordered, "blocks": blocks})


def _problems(space: Space) -> Iterator[str]:
    yield from _training_problems(space.training)
    levels = list(_level_problems(space, "BASELINE", {f: [level] for f, level in space.baseline.items()}))
    yield from levels
    missing = [factor for factor in REQUIRED if factor not in space.baseline]
    if missing:
        yield f"BASELINE has no {', '.join(missing)}; it must give {', '.join(REQUIRED)}."
    for name in space.architectures:
        if not SAFE_NAME.fullmatch(name):
            yield f"ARCHITECTURES: {name!r}: allowed is a name of letters, digits, '_' and '.'."
    blocks = list(_block_problems(space))
    yield from blocks
    if not (levels or missing or blocks):
        for cell in space.cells().values():
            yield from _combination_problems(space, cell)
        yield from _family_problems(space)
        yield from _search_problems(space)


def _training_problems(training: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(set(training) - set(TRAINING)):
        yield f"TRAINING has an unknown setting '{key}'; allowed: {', '.join(TRAINING)}."
    for key, least in (("epochs", 1), ("seeds", 1), ("first_seed", 0)):
        value: Any = training.get(key, 0 if key == "first_seed" else None)
        if not (_is_int(value) and value >= least):
            yield f"TRAINING {key}={value!r}: allowed is a whole number of at least {least}."


def _block_problems(space: Space) -> Iterator[str]:
    if not isinstance(space.blocks, dict):
        yield f"BLOCKS must be a dict of blocks, not {type(space.blocks).__name__}."
        return
    for name, block in space.blocks.items():
        if not isinstance(block, dict) or not block:
            yield f"block '{name}' is empty; give it at least one factor with its levels, or take it out."
            continue
        for factor, levels in block.items():
            if not isinstance(levels, (list, tuple)) or not levels:
                yield f"block '{name}': {factor}={levels!r}: allowed is a list of at least one level."
            elif any(level in levels[:i] for i, level in enumerate(levels)):
                yield f"block '{name}': {factor}={levels!r} has a duplicate level; name each once."
            else:
                yield from _level_problems(space, f"block '{name}'", {factor: levels})
        twin = next((other for other in space.blocks if other != name and space.blocks[other] == block), None)
        if twin is not None and list(space.blocks).index(twin) < list(space.blocks).index(name):
            yield f"block '{name}' is a duplicate of block '{twin}'; take one out."


def _level_problems(space: Space, where: str, levels: Mapping[str, Any]) -> Iterator[str]:
    named = {
        "architecture": tuple(space.architectures),
        "loss": tuple(LOSSES),
        "regularizer": tuple(REGULARIZERS),
        "preprocessing": tuple(PREPROCESSINGS),
        "randomness": RANDOMNESS,
    }
    for factor, values in levels.items():
        if factor not in FACTORS:
            yield f"{where}: unknown factor '{factor}'; allowed: {', '.join(FACTORS)}."
            continue
        for value in values:
            if factor in named and value not in named[factor]:
                yield f"{where}: unknown {factor} {value!r}; allowed: {', '.join(named[factor])}."
            elif factor not in named and (allowed := _not_allowed(factor, value)):
                yield f"{where}: {factor}={value!r}; allowed is {allowed}."


def _not_allowed(factor: str, value: Any) -> str | None:
    """What would be allowed for a factor whose levels are not a list of names, or None if `value` is."""
    if factor == "dataset":
        fine = isinstance(value, str) and bool(SAFE_NAME.fullmatch(value))
        allowed = "a name of letters, digits, '_' and '.'"
    elif factor == "learning_rate":
        fine, allowed = _is_number(value) and value > 0, "a finite number over 0"
    else:
        least = 0 if factor == "normal_class" else 1
        optional = factor in DEFAULTS and DEFAULTS[factor] is None
        fine = (optional and value is None) or (_is_int(value) and value >= least)
        allowed = f"a whole number of at least {least}" + (", or None" if optional else "")
    return None if fine else allowed


def _combination_problems(space: Space, cell: Cell) -> Iterator[str]:
    build = space.architectures.get(cell["architecture"])
    loss = LOSSES.get(cell["loss"])
    if build is None or loss is None:
        return  # reported above, as an unknown level
    if has(build, "unbounded") and has(loss, "needs_unit_interval"):
        yield (
            f"cell {cell_name(cell)}: the loss '{cell['loss']}' is defined for outputs within [0, 1] only, and "
            f"'{cell['architecture']}' has outputs that leave it. Give it another loss (mse) in a block of its own."
        )
    regularizer, preprocessing = REGULARIZERS.get(cell["regularizer"]), PREPROCESSINGS.get(cell["preprocessing"])
    if has(build, "skips") and has(regularizer, "doubles_code"):
        yield (
            f"cell {cell_name(cell)}: '{cell['regularizer']}' draws the code from a distribution, and "
            f"'{cell['architecture']}' has skips that pass it by. Take one of the two out."
        )
    if has(loss, "needs_unit_interval") and has(preprocessing, "leaves_unit_interval"):
        yield (
            f"cell {cell_name(cell)}: the loss '{cell['loss']}' is defined for images within [0, 1] only, and "
            f"'{cell['preprocessing']}' lets test images leave it. Give it another loss (mse)."
        )
    if cell["depth"] is not None and cell["architecture"] in ARCHITECTURES and not has(build, "takes_depth"):
        yield f"cell {cell_name(cell)}: '{cell['architecture']}' takes no depth; leave depth at None for it."


def _family_problems(space: Space) -> Iterator[str]:
    metrics = [f"{split}_{metric}" for split in SPLITS for metric in COMMON_METRICS]
    cells = space.cells()
    for name, family in space.families.items():
        unknown = sorted(set(family) ^ {"metric", "contrasts"}) if isinstance(family, dict) else ["not a dict"]
        if unknown:
            yield f"family '{name}': needs exactly 'metric' and 'contrasts'; wrong or missing: {', '.join(unknown)}."
            continue
        if family["metric"] not in metrics:
            yield f"family '{name}': unknown metric {family['metric']!r}; allowed: SPLIT_METRIC, such as test_mse."
        if not family["contrasts"]:
            yield f"family '{name}' has no contrasts; declare at least one, or take it out."
        for pair in family["contrasts"]:
            yield from _contrast_problems(space, f"family '{name}', contrast {pair!r}", pair, cells)


def _contrast_problems(space: Space, where: str, pair: Any, cells: Mapping[str, Cell]) -> Iterator[str]:
    if not (isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(side, dict) for side in pair)):
        yield f"{where}: allowed is a pair of dicts, (levels, reference levels)."
        return
    if unknown := [factor for side in pair for factor in side if factor not in FACTORS]:
        yield f"{where}: unknown factor '{unknown[0]}'; allowed: {', '.join(FACTORS)}."
        return
    names = [cell_name(space.complete(side)) for side in pair]
    yield from (
        f"{where}: the cell {name} is in no block; add it, or take the contrast out."
        for name in names
        if name not in cells
    )
    if names[0] == names[1]:
        yield f"{where}: both sides are the cell {names[0]}."


def _search_problems(space: Space) -> Iterator[str]:
    if not isinstance(space.search, dict):
        yield f"SEARCH must be a dict of factors, not {type(space.search).__name__}."
        return
    for factor, levels in space.search.items():
        if isinstance(levels, tuple) and (
            len(levels) != 2 or factor not in ("latent_dim", "learning_rate", "batch_size")
        ):
            yield f"SEARCH: {factor}={levels!r}: a range is a (low, high) of latent_dim, learning_rate or batch_size."
        elif isinstance(levels, tuple) and not (all(map(_is_number, levels)) and 0 < levels[0] < levels[1]):
            yield (
                f"SEARCH: {factor}={levels!r}: allowed is 0 < low < high, finite numbers, since ranges are searched on "
                "a log scale."
            )
        elif not isinstance(levels, (list, tuple)) or not levels:
            yield f"SEARCH: {factor}={levels!r}: allowed is a pair (low, high) or a list of levels."
        else:
            yield from _level_problems(space, "SEARCH", {factor: levels})
    known = {"architecture": space.search.get("architecture"), "loss": space.search.get("loss")}
    for levels in combinations({f: values for f, values in known.items() if isinstance(values, list)}):
        yield from _combination_problems(space, {**space.baseline, **levels})
    if "depth" in space.search and not any(
        has(space.architectures[name], "takes_depth")
        for name in known["architecture"] or ()
        if name in space.architectures
    ):
        yield "SEARCH: depth is explored for architectures that take one; SEARCH's architecture lists none."


def _is_number(value: Any) -> bool:
    """A finite one: training with a rate of infinity or NaN would only diverge."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
