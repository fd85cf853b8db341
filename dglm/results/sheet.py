"""Sheet: a report as strings, title, facts, table and notes; here as plain text, in statsmodels' layout."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

Fact = tuple[str, str]
Row = tuple[str, tuple[str, ...]]

WIDTH = 88
GAP = 2


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What is written, whatever the markup.

    Attributes
    ----------
    title : str
        First line.
    left, right : tuple of (str, str)
        Facts, side by side: what each is called, and its value.
    header : tuple of str
        Titles of the table's columns after the names.
    rows : tuple of (str, tuple of str)
        Name and cells of each row.
    foot : tuple of (str, tuple of str)
        Rows below a rule, which are of whole columns.
    notes : tuple of str
        Sentences below the table.
    brackets : bool
        Whether some cells are in brackets below the number that they are about.
    drawing : str
        A figure as SVG, which HTML shows above the table; empty where there is none.
    """

    title: str
    left: tuple[Fact, ...] = ()
    right: tuple[Fact, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    foot: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    brackets: bool = False
    drawing: str = ""


def as_text(sheet: Sheet) -> str:
    """Return a sheet as lines of text.

    Parameters
    ----------
    sheet : Sheet
        What is written.

    Returns
    -------
    str
        As `print` shows it.
    """
    header, rows, foot = (_hung(group, sheet) for group in ([("", sheet.header)], sheet.rows, sheet.foot))
    body = [*header, *rows, *foot]
    columns = [max(len(cells[j]) for _, cells in body) for j in range(len(sheet.header))]
    names = max(len(name) for name, _ in body)
    facts = max([len(name) + 1 + len(value) for name, value in (*sheet.left, *sheet.right)], default=0)
    width = max(WIDTH, names + sum(c + GAP for c in columns), 2 * facts + GAP)
    double, single = "=" * width, "-" * width
    lines = [sheet.title.center(width).rstrip(), double]
    if sheet.left or sheet.right:
        lines += [*_facts(sheet, width), double]
    # cells are right-aligned against the rule's end; what is left over widens the gaps
    cell = max(width - names - sum(columns), 0) // max(len(columns), 1)
    padded = [c + cell for c in columns]
    first = width - sum(padded)

    def line(name: str, cells: Sequence[str]) -> str:
        return (name.ljust(first) + "".join(c.rjust(w) for c, w in zip(cells, padded, strict=True))).rstrip()

    if sheet.header:
        for group in (header, rows, foot):
            lines += [*(line(*row) for row in group), single] if group else []
        lines[-1] = double
    for note in sheet.notes:
        lines += textwrap.wrap(note, width, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines)


def _hung(rows: Sequence[Row], sheet: Sheet) -> list[Row]:
    """Return rows in which digits stand below digits, the bracket beside them."""
    if not sheet.brackets:
        return list(rows)
    return [(name, tuple(c if c.endswith(")") else f"{c} " for c in cells)) for name, cells in rows]


def _facts(sheet: Sheet, width: int) -> list[str]:
    half = (width - GAP) // 2
    blank = ("", "")
    lines = []
    for i in range(max(len(sheet.left), len(sheet.right))):
        left = sheet.left[i] if i < len(sheet.left) else blank
        right = sheet.right[i] if i < len(sheet.right) else blank
        lines.append((_fact(left, half) + " " * GAP + _fact(right, width - GAP - half)).rstrip())
    return lines


def _fact(pair: Fact, width: int) -> str:
    name, value = pair
    return f"{name}{value.rjust(width - len(name))}" if name else " " * width
