"""Summary: a report of a fit as text, in statsmodels' layout. Nothing in it depends on when or where it was made."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from dglm.results.markup import html_table, latex_table

WIDTH = 88
GAP = 2


@dataclass(frozen=True)
class Summary:
    """A title, pairs of facts, a table and notes.

    Attributes
    ----------
    title : str
        First line.
    left, right : tuple of (str, str)
        Facts, side by side.
    header : tuple of str
        Titles of the table's columns after the names.
    rows : tuple of (str, tuple of str)
        Name and cells of each row.
    notes : tuple of str
        Sentences below the table.
    """

    title: str
    left: tuple[tuple[str, str], ...]
    right: tuple[tuple[str, str], ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]

    def as_text(self) -> str:
        """Return the summary as lines of text.

        Returns
        -------
        str
            As `print` shows it.
        """
        columns = [max(len(row[1][j]) for row in (("", self.header), *self.rows)) for j in range(len(self.header))]
        names = max([len(name) for name, _ in self.rows], default=0)
        facts = max([len(name) + 1 + len(value) for name, value in (*self.left, *self.right)], default=0)
        width = max(WIDTH, names + sum(c + GAP for c in columns), 2 * facts + GAP)
        double, single = "=" * width, "-" * width
        lines = [self.title.center(width).rstrip(), double]
        if self.left or self.right:
            lines += [*self._facts(width), double]
        # cells are right-aligned against the rule's end; what is left over widens the gaps
        cell = max(width - names - sum(columns), 0) // max(len(columns), 1)
        padded = [c + cell for c in columns]
        first = width - sum(padded)

        def line(name: str, cells: Sequence[str]) -> str:
            return (name.ljust(first) + "".join(c.rjust(w) for c, w in zip(cells, padded, strict=True))).rstrip()

        lines += [line("", self.header), single, *(line(*row) for row in self.rows), double]
        for note in self.notes:
            lines += textwrap.wrap(note, width, subsequent_indent="  ", break_on_hyphens=False)
        return "\n".join(lines)

    def as_html(self) -> str:
        """Return the summary as HTML, which notebooks show.

        Returns
        -------
        str
            Tables and paragraphs, without style.
        """
        return html_table(self.title, self._pairs, self.header, self.rows, self.notes)

    def as_latex(self) -> str:
        """Return the summary as LaTeX.

        Returns
        -------
        str
            A table environment.
        """
        return latex_table(self.title, self._pairs, self.header, self.rows, self.notes)

    def _repr_html_(self) -> str:
        return self.as_html()

    @property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        return (*self.left, *self.right)

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _facts(self, width: int) -> list[str]:
        half = (width - GAP) // 2
        blank = ("", "")
        lines = []
        for i in range(max(len(self.left), len(self.right))):
            left = self.left[i] if i < len(self.left) else blank
            right = self.right[i] if i < len(self.right) else blank
            lines.append((_fact(left, half) + " " * GAP + _fact(right, width - GAP - half)).rstrip())
        return lines


def number(value: float, width: int = 10) -> str:
    """Format a number as summaries do: five significant digits, fixed point where it is readable.

    Parameters
    ----------
    value : float
        Any, nan included.
    width : int
        Most characters in fixed point.

    Returns
    -------
    str
        No padding.
    """
    size = abs(value)
    if size == 0 or 1e-3 <= size < 1e6 or value != value:
        text = f"{value:.4f}"
        return text if len(text) <= width else f"{value:.5g}"
    return f"{value:.4g}"


def probability(value: float) -> str:
    """Format a p-value: three decimals, or its magnitude where they would be zeros.

    Parameters
    ----------
    value : float
        Between 0 and 1, or nan.

    Returns
    -------
    str
        No padding.
    """
    if value == 0:
        return "<1e-307"
    return f"{value:.1e}" if value < 5e-4 else f"{value:.3f}"


def count(value: float) -> str:
    """Format a number of things: whole where it is whole.

    Parameters
    ----------
    value : float
        A count, or an effective one.

    Returns
    -------
    str
        No padding.
    """
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"


def _fact(pair: tuple[str, str], width: int) -> str:
    name, value = pair
    return f"{name}{value.rjust(width - len(name))}" if name else " " * width
