"""Markup: a summary as a table of HTML or LaTeX; text itself is what `Summary` makes."""

from __future__ import annotations

import html
from collections.abc import Sequence

Pairs = Sequence[tuple[str, str]]
Rows = Sequence[tuple[str, Sequence[str]]]

LATEX = {
    "\\": r"\textbackslash{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def html_table(title: str, facts: Pairs, header: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a summary as HTML.

    Parameters
    ----------
    title : str
        Caption.
    facts : sequence of (str, str)
        Names and values, in rows above the table.
    header : sequence of str
        Titles of the columns after the names.
    rows : sequence of (str, sequence of str)
        Name and cells of each row.
    notes : sequence of str
        Sentences below.

    Returns
    -------
    str
        Two tables and paragraphs; no style.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        first, *others = (html.escape(cell) for cell in cells)
        return f"<tr><th>{first}</th>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in others) + "</tr>"

    parts = [f"<h3>{html.escape(title)}</h3>"]
    if facts:
        parts += ["<table>", *(line(fact, "td") for fact in facts), "</table>"]
    parts += ["<table>", "<thead>", line(("", *header), "th"), "</thead>", "<tbody>"]
    parts += [*(line((name, *cells), "td") for name, cells in rows), "</tbody>", "</table>"]
    return "\n".join([*parts, *(f"<p>{html.escape(note)}</p>" for note in notes)])


def latex_table(title: str, facts: Pairs, header: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a summary as LaTeX, for the packages that every installation has.

    Parameters
    ----------
    title : str
        Caption.
    facts : sequence of (str, str)
        Names and values, below the caption.
    header : sequence of str
        Titles of the columns after the names.
    rows : sequence of (str, sequence of str)
        Name and cells of each row.
    notes : sequence of str
        Sentences below.

    Returns
    -------
    str
        A table environment.
    """

    def line(cells: Sequence[str]) -> str:
        return " & ".join(escaped(cell) for cell in cells) + r" \\"

    parts = [r"\begin{table}", rf"\caption{{{escaped(title)}}}", r"\centering"]
    if facts:
        parts += [r"\begin{tabular}{lr}", r"\hline", *(line(fact) for fact in facts), r"\hline", r"\end{tabular}", ""]
    parts += [rf"\begin{{tabular}}{{l{'r' * len(header)}}}", r"\hline", line(("", *header)), r"\hline"]
    parts += [*(line((name, *cells)) for name, cells in rows), r"\hline", r"\end{tabular}"]
    return "\n".join([*parts, *(f"\n{escaped(note)}" for note in notes), r"\end{table}"])


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
    return "".join(LATEX.get(c, c) for c in text)
