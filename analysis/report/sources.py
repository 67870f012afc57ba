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

from analysis.report.blocks import Block, Bullets, Code, Paragraph, Span, Terms, Text

ROOT = Path(__file__).parent.parent.parent
_TERM = re.compile(r"^ {0,2}(?P<term>\S+(?: \S+)*) {2,}(?P<text>\S.*)$")
_ITEM = re.compile(r"^ *- (?P<text>.+)$")


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
    """A paragraph of a docstring: plain lines, lists of "term   text" lines, and of "- " lines, with continuations."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in text.split("\n"):
        term, item = _TERM.match(line), _ITEM.match(line)
        if not (term or item) and found and (found[-1][0] == "plain" or line.startswith("   ")):
            before = found[-1][1].pop()
            found[-1][1].append((before[0], f"{before[1]} {line.strip()}"))
            continue
        kind, head, said = "plain", "", line.strip()
        if term:
            kind, head, said = "terms", term["term"], term["text"]
        elif item:
            kind, said = "items", item["text"]
        if not found or found[-1][0] != kind:
            found.append((kind, []))
        found[-1][1].append((head, said))
    return [_block(kind, lines) for kind, lines in found]


def _block(kind: str, lines: list[tuple[str, str]]) -> Block:
    if kind == "terms":
        return Terms(tuple((quoted(head), (Paragraph(quoted(said)),)) for head, said in lines))
    if kind == "items":
        return Bullets(tuple((Paragraph(quoted(said)),) for _, said in lines))
    return Paragraph(quoted(lines[0][1]))
