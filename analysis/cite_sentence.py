"""A statistic as a sentence to paste, in the form that `analysis.cite_check` reads back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.cite_statistics import Statistic, p_value

STYLES = ("text", "markdown", "latex")
_LATEX = {
    **{sign: f"\\{sign}" for sign in "%&#$_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "∞": r"$\infty$",
    "σ": r"$\sigma$",
    "τ": r"$\tau$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "→": r"$\to$",
    "−": "$-$",
    "²": "$^2$",
    "₂": "$_2$",
}


def sentence(one: Statistic, commits: Sequence[str], style: str = "text") -> str:
    """What the number is, the number with its interval and mark, and in brackets n, p, method, data and commit.

    Args:
        one: The statistic.
        commits: Of the software, as the study's records note them.
        style: One of `STYLES`. In LaTeX and Markdown, what would be markup is escaped.
    """
    write = _WRITERS[style]
    mark = {"text": "[{}]", "markdown": "`[{}]`", "latex": r"\texttt{{[{}]}}"}[style]
    p = [] if one.p is None else [p_value(one.p)]
    data = [f"data set {one.dataset}"] if one.dataset else []
    source = f"study {one.study}, commit {' and '.join(commits) or 'unknown'}"
    behind = "; ".join([f"n = {one.n}", *p, one.method, *data, source])
    key = latex(one.key) if style == "latex" else one.key
    return f"{write(one.what)}: {write(one.numbers)} {mark.format(key)} ({write(behind)})."


def latex(text: str) -> str:
    """The text for LaTeX: what would be markup is escaped, signs of mathematics are set as such."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _markdown(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\`*_{}<>#|~" else sign for sign in text)


_WRITERS: dict[str, Callable[[str], str]] = {"text": str, "markdown": _markdown, "latex": latex}
