"""Are two files the same: to the byte, or within a tolerance?"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

SAME, CLOSE, DIFFERS, MISSING = "same to the byte", "within tolerance", "DIFFERS", "not recomputed"
RELATIVE = 1e-6  # of numbers in tables and texts
PIXEL = 2  # of 255
POINT = 0.01  # of a coordinate in a drawing, in points


def compare(shipped: Path, again: Path) -> tuple[str, str]:
    """How a recomputed file agrees with the one that is there.

    Args:
        shipped: The file that is there.
        again: The file that was computed anew.

    Returns:
        One of `SAME`, `CLOSE`, `DIFFERS`, `MISSING`, and in words what differs or is missing.
    """
    if not shipped.is_file() or not again.is_file():
        return MISSING, "it is not there" if not shipped.is_file() else "the command no longer writes it"
    if shipped.read_bytes() == again.read_bytes():
        return SAME, ""
    try:
        kinds = {".csv": _tables, ".json": _values, ".png": _pictures, ".svg": _drawings}
        return kinds.get(shipped.suffix, _bytes)(shipped, again)
    except (ValueError, OSError) as error:
        return DIFFERS, f"cannot be read: {error}"


def _bytes(shipped: Path, again: Path) -> tuple[str, str]:
    return DIFFERS, f"{shipped.stat().st_size} bytes there, {again.stat().st_size} anew, not the same"


def _tables(shipped: Path, again: Path) -> tuple[str, str]:
    import pandas as pd

    old, new = (pd.read_csv(path, comment="#") for path in (shipped, again))
    if list(old.columns) != list(new.columns) or len(old) != len(new):
        return DIFFERS, f"{old.shape[0]} × {old.shape[1]} there, {new.shape[0]} × {new.shape[1]} anew"
    for name in old.columns:
        for number, pair in enumerate(zip(old[name], new[name], strict=True)):
            if (found := _apart(*pair)) > RELATIVE:
                return DIFFERS, f"column {name}, row {number}: {pair[0]} there, {pair[1]} anew ({found:.1e} relative)"
    return CLOSE, f"numbers within {RELATIVE:g} relative"


def _values(shipped: Path, again: Path) -> tuple[str, str]:
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (shipped, again))
    where = _first_difference(old, new, "")
    return (DIFFERS, f"at {where}") if where else (CLOSE, f"numbers within {RELATIVE:g} relative")


def _first_difference(old: Any, new: Any, where: str) -> str:
    """The place where two JSON values differ by more than the tolerance, or ""."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        pairs = [(f"{where}.{key}", old[key], new[key]) for key in old]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(old, new, strict=True))]
    else:
        return "" if _apart(old, new) <= RELATIVE else where or "the top"
    return next((found for place, a, b in pairs if (found := _first_difference(a, b, place))), "")


def _apart(old: Any, new: Any) -> float:
    """Relative distance of two numbers; of anything else 0 where they are equal, infinite where not."""
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        if old == new or (math.isnan(old) and math.isnan(new)):
            return 0.0
        return abs(old - new) / max(abs(old), abs(new))
    return 0.0 if old == new else math.inf


def _pictures(shipped: Path, again: Path) -> tuple[str, str]:
    return _pixels(shipped.read_bytes(), again.read_bytes())


def _pixels(shipped: bytes, again: bytes) -> tuple[str, str]:
    from PIL import Image

    old, new = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int16) for png in (shipped, again))
    if old.shape != new.shape:
        return DIFFERS, f"{old.shape[1]}×{old.shape[0]} pixels there, {new.shape[1]}×{new.shape[0]} anew"
    apart = int(np.abs(old - new).max())
    return (CLOSE if apart <= PIXEL else DIFFERS), f"pixels up to {apart} of 255 apart"


def _drawings(shipped: Path, again: Path) -> tuple[str, str]:
    """Coordinates may differ by `POINT`, pictures inside by `PIXEL`, and what is left of the text by nothing."""
    (old, old_pictures), (new, new_pictures) = (_drawing(path) for path in (shipped, again))
    if old[::2] != new[::2] or len(old_pictures) != len(new_pictures):
        return DIFFERS, "another drawing"
    apart = max((abs(float(a) - float(b)) for a, b in zip(old[1::2], new[1::2], strict=True)), default=0.0)
    if apart > POINT:
        return DIFFERS, f"coordinates up to {apart:.3g} points apart"
    compared = [_pixels(*pair) for pair in zip(old_pictures, new_pictures, strict=True)]
    differing = [found for found in compared if found[0] == DIFFERS]
    return differing[0] if differing else (CLOSE, f"coordinates up to {apart:.2g} points apart")


def _drawing(path: Path) -> tuple[list[str], list[bytes]]:
    """Text and numbers in turn, and the pictures inside. Names that Matplotlib derives from coordinates are counted."""
    text = path.read_text(encoding="utf-8")
    pictures = [base64.b64decode(found) for found in re.findall(r'base64,\s*([^"]+)"', text)]
    names: dict[str, str] = {}
    text = re.sub(r'base64,[^"]+"', "", text)
    text = re.sub(
        r"""(?<=id=")[^"]+|(?<=href="#)[^"]+|(?<=url\(#)[^)]+""",
        lambda found: names.setdefault(found[0], f"name{len(names)}"),
        text,
    )
    return re.split(r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)", text), pictures
