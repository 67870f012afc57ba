"""What the report quotes of the project's own sources, as they are when it is built: code, and what a module does.

Read as text: nothing is imported.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

from analysis.report.blocks import Block, Code, Paragraph, Span, Terms, Text

ROOT = Path(__file__).parent.parent.parent
_TERM = re.compile(r"^  (?P<term>\S+(?: \S+)*)  +(?P<text>\S.*)$")


def code(place: str) -> list[Block]:
    """A function of the project, without docstring and decorators, and before it why it is as it is, where it says so.

    Args:
        place: "MODULE:NAME", such as "study.corruptions:masks".

    Raises:
        ValueError: There is no such function.
    """
    module, _, name = place.partition(":")
    path = module_path(module)
    text = (ROOT / path).read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return [*map(Paragraph, map(quoted, _why(node))), Code(_body(text, node), f"{name}, from {path}")]
    raise ValueError(f"{path} has no function {name}")


def method(module: str) -> list[Block]:
    """What a module says of its method: its docstring, less the first paragraph (the question) and its commands."""
    path = ROOT / module_path(module)
    if not path.is_file():
        return []
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraphs = said.split("\n\n")[1:]
    return [block for text in paragraphs if not text.strip().startswith("python -m") for block in _set(text)]


def quoted(text: str) -> Text:
    """A line in which `backticks` enclose code."""
    parts = re.split(r"`([^`\n]+)`", text)
    return tuple(Span(part, "code" if place % 2 else "text") for place, part in enumerate(parts) if part)


def module_path(module: str) -> str:
    """The file of a module, from the project's root on."""
    return module.replace(".", "/") + ".py"


@cache
def software() -> tuple[str, str]:
    """The project's name with its version, and its commit; "+" where files differ from it, "" outside git."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    revision = git("rev-parse", "--short=12", "HEAD").strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "*.py", "*.lock") if revision else ""
    return f"{project['name']} {project['version']}", revision + ("+" if changed.strip() else "")


def git(*arguments: str) -> str:
    """What a git command prints; "" where there is no git, or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _why(node: ast.FunctionDef) -> list[str]:
    """The reason that `@level(why=...)` gives, where it is written out."""
    keywords = [keyword for d in node.decorator_list if isinstance(d, ast.Call) for keyword in d.keywords]
    return [str(k.value.value) for k in keywords if k.arg == "why" and isinstance(k.value, ast.Constant)]


def _body(text: str, node: ast.FunctionDef) -> str:
    lines, said = text.splitlines(), node.body[0]
    if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str):
        return "\n".join(
            lines[node.lineno - 1 : said.lineno - 1] + lines[said.end_lineno or said.lineno : node.end_lineno]
        )
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _set(text: str) -> list[Block]:
    """A paragraph of a docstring: plain lines, then a list of "  term   text" lines with their continuations."""
    said: list[str] = []
    terms: list[tuple[str, str]] = []
    for line in text.split("\n"):
        if match := _TERM.match(line):
            terms.append((match["term"], match["text"]))
        elif terms:
            terms[-1] = (terms[-1][0], f"{terms[-1][1]} {line.strip()}")
        else:
            said.append(line.strip())
    return [*([Paragraph(quoted(" ".join(said)))] if any(said) else []), *([_terms(terms)] if terms else [])]


def _terms(found: list[tuple[str, str]]) -> Terms:
    return Terms(tuple((quoted(term), (Paragraph(quoted(text)),)) for term, text in found))
