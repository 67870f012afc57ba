"""From a command's options to the job: which search space, with what data, as which study; bad input ends here."""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from study import datasets, records, space_checks, tuned
from study import manifest as manifests
from study import space as spaces
from study.errors import InputError
from study.files import to_json
from study.job import Job


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which study is meant."""
    add = parser.add_argument
    what = "a name in search_spaces/, your own .py file, or the name of a study here"
    add("space", nargs="?", default="quick", metavar="SPACE", help=what)
    add("--data-dir", default=os.environ.get("STUDY_DATA_DIR"), help="where your data files are (or STUDY_DATA_DIR)")
    add("--artifacts", type=Path, default=records.ARTIFACTS, help="where studies are kept (default: artifacts)")
    add("--seeds", type=positive, help="how many seeds (default: what space and study say); more extend a study")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="another setting, level, or FACTOR.LEVEL=OTHER")
    add("--tuned", nargs="?", const="nuisance", metavar="STUDY", help="use the settings that a study chose (nuisance)")
    add("--name", help="the study's name (default: the space's); needed with --set")


def positive(text: str) -> int:
    """An option's value: a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return number


def job(options: argparse.Namespace) -> Job:
    """The job that the options ask for, checked against the data and against what the study holds already.

    Raises:
        InputError: Anything the user can mend.
    """
    if (looked_at := _looked_at(options)) is not None:
        return looked_at
    chosen = space(options)
    if (begun := _begun_otherwise(chosen, options)) is not None:
        print(
            f"note: '{chosen.name}' goes on as it was begun, not as its search space stands: "
            f"{_differences(begun, chosen)}. For a study of the space as it stands: --name NAME."
        )
        chosen = _with_seeds(begun, options)
    return job_of(chosen, study_name(options), options)


def _looked_at(options: argparse.Namespace) -> Job | None:
    """The job of a study that is there, for `--status` and `--rebuild`: as its manifest has it, and no other.

    Neither adds to a study, so that what its search space says by now does not matter, nor need all its data be here.
    """
    name = study_name(options)
    asked = getattr(options, "status", False) or getattr(options, "rebuild", None) is not None
    if not asked or (options.set and not options.name) or not (options.artifacts / name / "manifest.json").is_file():
        return None
    manifest = records.manifest(name, options.artifacts)
    seeds = options.seeds or manifest["space"]["training"]["seeds"]
    return Job(str(options.artifacts), name, manifest, seeds, _absolute(options.data_dir))


def study_name(options: argparse.Namespace) -> str:
    """What the study that the options mean is called."""
    return options.name or Path(options.space).stem + ("_tuned" if options.tuned else "")


def space(options: argparse.Namespace) -> spaces.Space:
    """The search space that the options ask for, validated.

    Raises:
        InputError: No such space, or one that is not valid with these settings.
    """
    settings = _settings(options.set)
    if (recorded := _recorded(options)) is not None:
        if settings or options.tuned or options.name not in (None, options.space):
            raise InputError(
                f"'{options.space}' is a study, and no search space: it goes on as it was begun, without --set, "
                "--tuned and --name. For another study give the search space it came from."
            )
        options.name = options.space
        return _with_seeds(recorded, options)
    chosen = spaces.load(options.space)
    if options.tuned:
        chosen = _tuned(chosen, options)
    if settings and not options.name:
        raise InputError("--set changes what the search space says, so the study needs a name of its own: --name NAME")
    if options.name and not space_checks.SAFE_NAME.fullmatch(options.name.replace("-", "_")):
        raise InputError(f"--name {options.name!r}: allowed are letters, digits, '_', '-' and '.'.")
    return _with_seeds(space_checks.validate(spaces.override(chosen, settings)), options)


def job_of(chosen: spaces.Space, study: str, options: argparse.Namespace) -> Job:
    """The job of a space as a study of this name.

    Raises:
        InputError: Data that cannot be had, or a study of that name that says otherwise.
    """
    manifest = manifests.describe(chosen, study, _describe_data(chosen, options.data_dir))
    if (options.artifacts / study / "manifest.json").is_file():
        manifest = _extended(manifest, study, options.artifacts)
    seeds = (chosen.training if options.seeds else manifest["space"]["training"])["seeds"]
    return Job(str(options.artifacts), study, manifest, seeds, _absolute(options.data_dir))


def _absolute(data_dir: str | None) -> str | None:
    return str(Path(data_dir).resolve()) if data_dir else None


def _recorded(options: argparse.Namespace) -> spaces.Space | None:
    """The search space of the study that SPACE names, as its manifest has it; None where SPACE names a space."""
    if options.space.endswith(".py") or (spaces.SPACES / f"{options.space}.py").is_file():
        return None
    if not (options.artifacts / options.space / "manifest.json").is_file():
        return None
    return manifests.space_of(records.manifest(options.space, options.artifacts))


def _begun_otherwise(chosen: spaces.Space, options: argparse.Namespace) -> spaces.Space | None:
    """The recorded search space of a study that has its space's name but was begun with other settings.

    Every message and README names a study alone, as in `study.search STUDY`. A study that `--set … --name STUDY` began
    goes on by that name as well, although a space is called the same; not where the space itself was edited since.
    """
    if options.name or options.set or options.tuned:
        return None
    try:
        recorded = manifests.space_of(records.manifest(chosen.name, options.artifacts))
    except InputError:  # there is none, or one that cannot be read and is written anew
        return None
    definition = spaces.parse(recorded.name, recorded.source, f"the search space of study {chosen.name}")
    if not _same_but_seeds(definition, chosen) or _same_but_seeds(recorded, chosen):
        return None
    return recorded


def _differences(begun: spaces.Space, chosen: spaces.Space) -> str:
    """The settings of a study that its space has otherwise, in words."""
    was, now = begun.plain(), chosen.plain()
    said = [
        f"{key} {value} instead of {now[part].get(key)}"
        for part in ("training", "baseline")
        for key, value in was[part].items()
        if key != "seeds" and value != now[part].get(key)
    ]
    if was["blocks"] != now["blocks"]:
        said.append("other levels in its blocks")
    if was["tuned"] != now["tuned"]:
        said.append("tuned settings")
    return ", ".join(said)


def _with_seeds(chosen: spaces.Space, options: argparse.Namespace) -> spaces.Space:
    return spaces.override(chosen, {"seeds": str(options.seeds)}) if options.seeds else chosen


def _same_but_seeds(one: spaces.Space, other: spaces.Space) -> bool:
    plain = [json.loads(to_json(spaces.override(space, {"seeds": "1"}).plain())) for space in (one, other)]
    return bool(plain[0] == plain[1])


def _tuned(chosen: spaces.Space, options: argparse.Namespace) -> spaces.Space:
    """The space with the learning rates and batch sizes that another study chose."""
    tuned_space = dataclasses.replace(chosen, tuned=tuned.choices(options.tuned, options.artifacts))
    left = tuned.untuned(tuned_space)
    if not set(tuned.pairs(tuned_space)) - set(left):
        raise InputError(
            f"--tuned {options.tuned}: it has no choice for any of {', '.join(left)}, so that nothing would change. "
            f"Add them to its search space, or leave out --tuned."
        )
    if left:
        print(f"note: '{options.tuned}' has no choice for {', '.join(left)}; they stay as the space has them.")
    return tuned_space


def make_folder(job: Job) -> None:
    """Makes the study's folder.

    Raises:
        InputError: It cannot be written to.
    """
    try:
        (job.folder / "trials").mkdir(parents=True, exist_ok=True)
        probe = job.folder / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write to {job.folder} ({error}). Choose another folder with --artifacts DIR."
        ) from error


def _describe_data(space: spaces.Space, data_dir: str | None) -> dict[str, Any]:
    """What the manifest says of each data set; loads it, and so finds what is wrong with it."""
    described: dict[str, Any] = {}
    loaded: dict[str, datasets.Dataset] = {}
    for cell in space.cells().values():
        name = cell["dataset"]
        if name not in loaded:
            data = loaded[name] = datasets.load(name, data_dir)
            sizes = [len(data.x_train), len(data.x_test)]
            described[name] = {
                "shape": list(data.shape),
                "sizes": sizes,
                "source": data.source,
                "hashes": data.hashes(),
            }
    for name, train_size, normal_class in {
        (c["dataset"], c["train_size"], c["normal_class"]) for c in space.cells().values()
    }:
        datasets.split(loaded[name], 0, train_size, normal_class)
    return described


def _extended(manifest: dict[str, Any], study: str, artifacts: Path) -> dict[str, Any]:
    try:
        old = records.manifest(study, artifacts)
    except InputError as error:
        print(f"note: {error} It is written anew.", file=sys.stderr)
        return manifest
    return manifests.extend(old, manifest)


def _settings(pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise InputError(f"--set {pair}: write KEY=VALUE, such as --set epochs=2")
    return dict(pair.split("=", 1) for pair in pairs)
