"""The code of a modification against what it replaces, taken from the sources at run time: what one must read of it.

Of a level that is a function (an architecture, a loss, a regularizer, a preprocessing), the function against the one
that it replaces, and whole the functions and constants of the project that it uses and the other does not. What only
the other uses is not shown again: the lines that call it are, as taken away. Of any other level, the line of the cell.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.effects_families import Contrast
from study.losses import LOSSES
from study.preprocessing import PREPROCESSINGS
from study.regularizers import REGULARIZERS
from study.space import DEFAULTS, FACTORS, Cell, Space

CONTEXT = 2  # lines around a change
PROJECT = ("study.", "search_space_")  # module names of built-in code, and of one's own in a search space


@dataclass(frozen=True)
class Change:
    """What one factor changes in code.

    Attributes:
        factor: Its name.
        old, new: Where the two sides stand: files, or "search space".
        diff: Unified, without file names.
    """

    factor: str
    old: str
    new: str
    diff: str


def changes(contrast: Contrast, space: Space) -> list[Change]:
    """The code of every changed factor that is a function, then one line for all the others.

    Args:
        contrast: A cell and its reference.
        space: The study's, for its own architectures.
    """
    functions = registries(space)
    found = [
        _functions(factor, functions[factor][old], functions[factor][new], space.source)
        for factor, (old, new) in contrast.changed.items()
        if factor in functions
    ]
    if set(contrast.changed) - set(functions):
        lines = [line(levels) for levels in (contrast.reference_levels, contrast.levels)]
        plain = ", ".join(factor for factor in contrast.changed if factor not in functions)
        found.append(Change(plain, "search space", "search space", _diff([lines[0]], [lines[1]])))
    return found


def registries(space: Space) -> dict[str, Mapping[str, Callable]]:
    """The factors whose levels are functions: factor → name → function."""
    return {
        "architecture": space.architectures,
        "loss": LOSSES,
        "regularizer": REGULARIZERS,
        "preprocessing": PREPROCESSINGS,
    }


def line(cell: Cell) -> str:
    """A cell as a search space writes it: `dict(dataset="digits", latent_dim=2, …)`; what is at its default is left."""
    given = {f: cell[f] for f in FACTORS if f not in DEFAULTS or cell[f] != DEFAULTS[f]}
    return f"dict({', '.join(f'{factor}={_literal(level)}' for factor, level in given.items())})"


def source(function: Callable, own: str = "") -> dict[str, str]:
    """The text of a function and of all that it uses of the project.

    Args:
        function: Top-level, of a module of the project or of a search space.
        own: The text of the search space, where functions of it are found.

    Returns:
        "MODULE.NAME" → text without decorators, the function itself first.
    """
    found: dict[str, str] = {}
    waiting = [function]
    while waiting:
        one = waiting.pop(0)
        if _key(one) not in found:
            node, text = _definition(one, own)
            found[_key(one)] = text
            waiting += _used_functions(node, one)
            found |= _constants(node, one, own)
    return found


def _functions(factor: str, old: Callable, new: Callable, own: str) -> Change:
    before, after = source(old, own), source(new, own)
    found = _diff(before[_key(old)].splitlines(), after[_key(new)].splitlines())
    already = set(before) - {_key(old)}  # the old function itself, where the new one calls it, is shown whole
    added = [text for key, text in after.items() if key not in already and key != _key(new)]
    lines = [f"+{line}" for text in added for line in ["", *text.splitlines()]]
    return Change(factor, _file(old), _file(new), "\n".join([found, *lines]))


def _diff(old: list[str], new: list[str]) -> str:
    """The unified diff without its two lines of file names."""
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=CONTEXT))[2:])


def _definition(function: Callable, own: str) -> tuple[ast.FunctionDef, str]:
    text = _module_text(function, own)
    name = getattr(function, "__name__", "")
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name]
    node = nodes[-1]  # the last definition of a name is the one that counts
    return node, "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])


def _module_text(function: Callable, own: str) -> str:
    return inspect.getsource(sys.modules[function.__module__]) if function.__module__ in sys.modules else own


def _used_functions(node: ast.FunctionDef, function: Callable) -> list[Callable]:
    """The project's functions that are named in the body, in the order of their first use."""
    used = dict.fromkeys(_resolved(node, getattr(function, "__globals__", {})))
    return [one for one in used if isinstance(one, types.FunctionType) and one.__module__.startswith(PROJECT)]


def _resolved(node: ast.FunctionDef, known: Mapping[str, Any]) -> Iterator[Any]:
    names = [part for statement in node.body for part in ast.walk(statement)]
    for part in sorted(names, key=lambda part: (getattr(part, "lineno", 0), getattr(part, "col_offset", 0))):
        if isinstance(part, ast.Name) and isinstance(known.get(part.id), types.FunctionType):
            yield known[part.id]
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            holder = known.get(part.value.id)
            if isinstance(holder, types.ModuleType) and holder.__name__.startswith(PROJECT):
                yield getattr(holder, part.attr, None)


def _constants(node: ast.FunctionDef, function: Callable, own: str) -> dict[str, str]:
    """The module's own constants that the body names: "MODULE.NAME" → the assignment."""
    text = _module_text(function, own)
    named = {part.id for statement in node.body for part in ast.walk(statement) if isinstance(part, ast.Name)}
    found = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in named and name.isupper():
                lines = text.splitlines()[statement.lineno - 1 : statement.end_lineno]
                found[f"{function.__module__}.{name}"] = "\n".join(lines)
    return found


def _key(function: Callable) -> str:
    return f"{function.__module__}.{getattr(function, '__name__', '')}"


def _file(function: Callable) -> str:
    if function.__module__ not in sys.modules:
        return "search space"
    return function.__module__.replace(".", "/") + ".py"


def _literal(level: Any) -> str:
    return f'"{level}"' if isinstance(level, str) else repr(level)
