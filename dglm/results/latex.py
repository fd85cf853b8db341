r"""LaTeX: a sheet as a table for publication, with the rules of booktabs: the preamble needs \usepackage{booktabs}."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dglm.results.sheet import Row, Sheet

ESCAPES = {
    "\\": r"\textbackslash{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
# Whose hyphens are minus signs; those of words are not.
NUMBER = re.compile(r"\(?-?(\d[\d.]*(e[-+]?\d+)?|inf)\)?")
END = r" \\"


def as_latex(sheet: Sheet) -> str:
    """Return a sheet as LaTeX.

    Parameters
    ----------
    sheet : Sheet
        What is written.

    Returns
    -------
    str
        A table environment with a caption.
    """
    parts = [r"\begin{table}", r"\centering", rf"\caption{{{escaped(sheet.title)}}}"]
    facts = [(name, (value,)) for name, value in (*sheet.left, *sheet.right)]
    if facts:
        parts += [*_tabular("lr", [facts]), r"\par\medskip"]
    if sheet.header:
        align = "c" if sheet.brackets else "r"
        body = [[("", sheet.header)], sheet.rows, sheet.foot]
        parts += _tabular("l" + align * len(sheet.header), [rows for rows in body if rows])
    if sheet.notes:
        notes = (r"\par" + "\n").join(map(escaped, sheet.notes))
        parts += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", notes, r"\end{minipage}"]
    return "\n".join([*parts, r"\end{table}"])


def escaped(text: str) -> str:
    """Return text in which no character means anything to LaTeX.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        For text mode.
    """
    return "".join(ESCAPES.get(c, c) for c in text)


def _tabular(columns: str, groups: Sequence[Sequence[Row]]) -> list[str]:
    """Return groups of rows with a rule between them."""
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    for i, rows in enumerate(groups):
        lines += [r"\midrule"] if i else []
        lines += [" & ".join([escaped(name), *map(_cell, cells)]) + END for name, cells in rows]
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _cell(text: str) -> str:
    return text.replace("-", "$-$") if NUMBER.fullmatch(text) else escaped(text)
