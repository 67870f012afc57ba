"""A study's frozen description: written once, afterwards only extended."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from study.errors import InputError
from study.files import to_json
from study.space import FACTORS, Space, parse


def describe(space: Space, study: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a study.

    Args:
        space: The validated search space.
        study: The study's name.
        data: Data set name → {"shape": [H, W, C], "source": …, "hashes": {array: sha256}}.
    """
    described = {
        "manifest_version": 1,
        "study": study,
        "space": space.plain(),
        "cells": space.cells(),
        "data": dict(data),
        "search_space_source": space.source,
    }
    return json.loads(to_json(described))  # as it will be read back: tuples are lists


def space_of(described: Mapping[str, Any]) -> Space:
    """The search space as a manifest froze it, own architectures included."""
    plain = described["space"]
    own = parse(plain["name"], described["search_space_source"], f"the search space of study {described['study']}")
    names = ("name", "baseline", "blocks", "training", "families", "tuned")
    return Space(
        source=described["search_space_source"], architectures=own.architectures, **{n: plain[n] for n in names}
    )


def extend(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new manifest where it only adds to the old one: blocks, contrasts, seeds.

    Raises:
        InputError: The new one changes what the old one says; the message shows the differences.
    """
    changed = [*_changed_parts(old, new)]
    if changed:
        other_images = any("other images" in line for line in changed)
        files = "the files that it was started with (--data-dir), or " if other_images else ""
        raise InputError(
            f"the study '{old['study']}' was started with another search space:\n"
            + "\n".join(f"  - {line}" for line in changed)
            + "\nMore seeds, blocks or contrasts extend a study; for anything else give it "
            + f"{files}a new name: --name NAME"
        )
    seeds = max(old["space"]["training"]["seeds"], new["space"]["training"]["seeds"])
    training = {**new["space"]["training"], "seeds": seeds}
    return {**new, "space": {**new["space"], "training": training}}


def _changed_parts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    was, now = old["space"], new["space"]
    for factor in FACTORS:
        if was["baseline"][factor] != now["baseline"][factor]:
            yield f"baseline {factor}: was {was['baseline'][factor]!r}, now {now['baseline'][factor]!r}"
    for key in ("epochs", "first_seed"):
        if was["training"].get(key) != now["training"].get(key):
            yield f"{key}: was {was['training'].get(key)}, now {now['training'].get(key)}"
    for name in old["cells"]:
        if name not in new["cells"]:
            yield f"the cell {name} is no longer there"
    for name, family in was["families"].items():
        other = now["families"].get(name, {"metric": None, "contrasts": []})
        if family["metric"] != other["metric"]:
            yield f"family {name}: metric was {family['metric']}, now {other['metric']}"
        if any(contrast not in other["contrasts"] for contrast in family["contrasts"]):
            yield f"family {name}: a contrast was taken out"
    for name, data in old["data"].items():
        if name in new["data"] and data["hashes"] != new["data"][name]["hashes"]:
            yield f"the data set {name} holds other images than before"
    for name, source in was["own_architectures"].items():
        if now["own_architectures"].get(name) != source:
            yield f"the search space that defines the architecture {name} has changed"
