"""A search space: reads it, and spells out its cells and trials. Needs no Keras; `space_checks.py` validates it."""

import ast
import functools
import hashlib
import itertools
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from study.architectures import ARCHITECTURES
from study.errors import InputError

SPACES = Path(__file__).parent.parent / "search_spaces"
REQUIRED = ("dataset", "architecture", "latent_dim", "loss")
DEFAULTS: dict[str, Any] = dict(
    regularizer="none",
    depth=None,
    train_size=None,
    normal_class=None,
    preprocessing="unit",
    learning_rate=1e-3,
    batch_size=128,
    randomness="all",
)
FACTORS = (*REQUIRED, *DEFAULTS)
TRAINING = ("epochs", "seeds", "first_seed")
# How a factor away from its default reads in a trial's name.
NAME_PARTS = {
    "depth": "depth{}",
    "train_size": "n{}",
    "normal_class": "class{}",
    "batch_size": "b{}",
    "randomness": "only_{}",
}

Cell = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One trial to run: its name, its cell, its seed."""

    name: str
    cell: Cell
    seed: int


@dataclass(frozen=True)
class Space:
    """One search space.

    Attributes:
        name: How a study of it is called unless the user names it.
        source: The text of its file, kept with the study.
        baseline: The complete cell around which the blocks lie.
        blocks: Name → {factor: levels}; the full factorial of the levels, the rest at the baseline.
        training: `epochs`, `seeds`, and `first_seed` where the seeds do not begin at 0.
        families: Name → {"metric", "contrasts": [(levels, reference levels), …]}.
        architectures: Built-in ones and the space's own.
        tuned: "architecture/loss" → the levels (learning rate, batch size) that replace the baseline's there.
        search: What `--tuner` explores: factor → (low, high) of a range or [levels]; see `study/explore.py`.
    """

    name: str
    source: str
    baseline: Cell
    blocks: dict[str, dict[str, list]]
    training: dict[str, int]
    families: dict[str, dict] = field(default_factory=dict)
    architectures: Mapping[str, Callable] = field(default_factory=lambda: ARCHITECTURES)
    tuned: dict[str, dict] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)

    def complete(self, levels: Mapping[str, Any]) -> Cell:
        """The cell of some levels: the rest tuned where there is a choice for it, else at the baseline."""
        cell = {**self.baseline, **levels}
        return {**cell, **self.tuned.get(f"{cell['architecture']}/{cell['loss']}", {}), **levels}

    def cells(self) -> dict[str, Cell]:
        """Cell name → cell, the baseline first, then the blocks in order, each cell once."""
        cells = [
            self.complete({}),
            *(self.complete(levels) for b in self.blocks.values() for levels in combinations(b)),
        ]
        return {cell_name(cell): cell for cell in cells}

    def trials(self, seeds: int | None = None) -> Iterator[Task]:
        """Every cell with every seed, all cells of seed 0 first: an interrupted study still compares its cells."""
        cells, first = self.cells(), self.training.get("first_seed", 0)
        for seed in range(first, first + (seeds or self.training["seeds"])):
            for cell in cells.values():
                yield Task(trial_name(cell, seed), cell, seed)

    def plain(self) -> dict:
        """The part that defines the study, as plain data for the manifest."""
        own = sorted(set(self.architectures) - set(ARCHITECTURES))
        families = {
            name: {**family, "contrasts": [list(pair) for pair in family["contrasts"]]}
            for name, family in self.families.items()
        }
        return {
            "name": self.name,
            "baseline": self.baseline,
            "blocks": self.blocks,
            "training": self.training,
            "families": families,
            "own_architectures": {name: source_hash(self.source) for name in own},
            "tuned": self.tuned,
        }


def load(name_or_path: str) -> Space:
    """Reads a search space.

    Args:
        name_or_path: A name in `search_spaces/`, or the path of one's own `.py` file.

    Raises:
        InputError: No such space, or a file that does not run.
    """
    path = SPACES / f"{name_or_path}.py"
    if name_or_path.endswith(".py"):
        path = Path(name_or_path)
    if not path.is_file() or path.name == "__init__.py":
        known = ", ".join(sorted(p.stem for p in SPACES.glob("*.py") if p.stem != "__init__"))
        raise InputError(f"no search space '{name_or_path}'. Known: {known}; or give the path of your own .py file.")
    return parse(path.stem, path.read_text(encoding="utf-8"), str(path))


def parse(name: str, source: str, where: str) -> Space:
    """Runs a search space's text and takes what it defines; `where` is how errors call it."""
    values: dict[str, Any] = {"__name__": f"search_space_{name}", "__file__": where}
    try:
        exec(compile(source, where, "exec"), values)
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == where]
        line = frames[-1].lineno if frames else getattr(error, "lineno", "?")
        raise InputError(f"{where}, line {line}: {type(error).__name__}: {error}. Mend the search space.") from error
    missing = [key for key in ("BASELINE", "TRAINING") if not isinstance(values.get(key), dict)]
    if missing:
        raise InputError(f"{where}: {' and '.join(missing)} must be a dict; see search_spaces/quick.py for a model.")
    return Space(
        name=name,
        source=source,
        baseline={**DEFAULTS, **values["BASELINE"]},
        blocks=values.get("BLOCKS", {}),
        training=values["TRAINING"],
        families=values.get("FAMILIES", {}),
        architectures={**ARCHITECTURES, **values.get("ARCHITECTURES", {})},
        search=values.get("SEARCH", {}),
    )


def combinations(block: Mapping[str, list]) -> Iterator[dict[str, Any]]:
    """The full factorial of a block's levels: factor → level."""
    for levels in itertools.product(*block.values()):
        yield dict(zip(block, levels, strict=True))


def cell_name(cell: Cell) -> str:
    """The readable name of a cell: `mnist-keras_io-k2-bce`; a factor away from its default adds a part."""
    parts = [cell["dataset"], cell["architecture"], f"k{cell['latent_dim']}", cell["loss"]]
    for factor, default in DEFAULTS.items():
        if cell[factor] != default:
            level = cell[factor]
            parts.append(f"lr{level:g}" if factor == "learning_rate" else NAME_PARTS.get(factor, "{}").format(level))
    return "-".join(parts)


def trial_name(cell: Cell, seed: int) -> str:
    """The readable name of a trial, and of its folder: `mnist-keras_io-k2-bce-s03`."""
    return f"{cell_name(cell)}-s{seed:02d}"


def trial_hash(space: Space, cell: Cell, seed: int, data_hashes: Mapping[str, str]) -> str:
    """A hash (16 hexadecimal digits) of all that determines a trial's result on a given machine."""
    own = cell["architecture"] not in ARCHITECTURES
    determines = {
        "cell": cell,
        "seed": seed,
        "training": {"epochs": space.training["epochs"]},
        "data": dict(data_hashes),
        "architecture": source_hash(space.source) if own else None,
    }
    return hashlib.sha256(json.dumps(determines, sort_keys=True).encode()).hexdigest()[:16]


@functools.cache
def source_hash(source: str) -> str:
    """A hash of what a search space's text defines beside its declarations: one's own architectures."""
    declarations = {"BASELINE", "BLOCKS", "TRAINING", "FAMILIES", "SEARCH"}
    kept = [
        node
        for node in ast.parse(source).body
        if not (isinstance(node, ast.Assign) and declarations & {getattr(t, "id", "") for t in node.targets})
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    return hashlib.sha256(ast.unparse(kept).encode()).hexdigest()[:16]  # type: ignore[arg-type]


def override(space: Space, settings: Mapping[str, str]) -> Space:
    """The space with settings replaced, as `--set KEY=VALUE` asks.

    KEY is a training setting; a factor, whose level in the baseline is replaced; or FACTOR.LEVEL, which replaces that
    level everywhere: `dataset.cifar10=my_photographs`.

    Raises:
        InputError: A key that is none of these, or a level that the space does not have.
    """
    for key, text in settings.items():
        factor, _, level = key.partition(".")
        if key in TRAINING:
            space = replace(space, training={**space.training, key: _literal(text)})
        elif key in FACTORS:
            space = replace(space, baseline={**space.baseline, key: _literal(text)})
        elif factor in FACTORS:
            space = _exchanged(space, factor, _literal(level), _literal(text))
        else:
            allowed = ", ".join((*TRAINING, *FACTORS, "FACTOR.LEVEL"))
            raise InputError(f"--set {key}={text}: there is no setting '{key}'. Allowed: {allowed}.")
    return space


def _exchanged(space: Space, factor: str, old: Any, new: Any) -> Space:
    """The space with one level of a factor replaced in baseline, blocks and families."""

    def other(levels: Mapping[str, Any]) -> dict[str, Any]:
        return {f: new if f == factor and level == old else level for f, level in levels.items()}

    blocks = {
        name: {f: [new if f == factor and level == old else level for level in levels] for f, levels in block.items()}
        for name, block in space.blocks.items()
    }
    families = {
        name: {**family, "contrasts": [tuple(other(side) for side in pair) for pair in family["contrasts"]]}
        for name, family in space.families.items()
    }
    changed = replace(space, baseline=other(space.baseline), blocks=blocks, families=families)
    if changed == space:
        raise InputError(f"--set {factor}.{old}={new}: the space '{space.name}' has no level {old!r} of {factor}.")
    return changed


def _literal(text: str) -> Any:
    if text == "None":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
