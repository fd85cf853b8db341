"""Printed: what has a table, and prints it as text, HTML, LaTeX and CSV."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import pandas as pd

from dglm.results import hypertext, latex, sheet

#: Rows of a table that a notebook shows; of longer ones half as many, the first and the last.
SHOWN = 200


class Printed(ABC):
    """A table with a title, facts and notes. Nothing in it depends on when or where it was made."""

    @property
    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """The table as a dataframe, numbers as they are and not as they are written."""

    @property
    @abstractmethod
    def _sheet(self) -> sheet.Sheet:
        """Everything as it is written."""

    def as_text(self) -> str:
        """Return everything as lines of text.

        Returns
        -------
        str
            As `print` shows it.
        """
        return sheet.as_text(self._sheet)

    def as_html(self) -> str:
        """Return everything as HTML.

        Returns
        -------
        str
            A ``div`` of class ``dglm`` with its style, which takes its colours from the page around it.
        """
        return hypertext.as_html(self._sheet)

    def as_latex(self) -> str:
        r"""Return everything as LaTeX.

        Returns
        -------
        str
            A table environment, for a preamble with ``\usepackage{booktabs}``.
        """
        return latex.as_latex(self._sheet)

    def as_csv(self) -> str:
        """Return the table as comma-separated values, without facts and notes.

        Returns
        -------
        str
            The lines of `frame`, every digit of its numbers.
        """
        return self.frame.to_csv(lineterminator="\n")

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        whole = self._sheet
        rows = whole.rows
        if len(rows) <= SHOWN:
            return hypertext.as_html(whole)
        # what has no name belongs to the row above it
        starts = [i for i, (name, _) in enumerate(rows) if name]
        ends = rows[: starts[SHOWN // 4]] + rows[starts[-SHOWN // 4] :]
        note = f"Shown are the first and the last of {len(starts):,} rows; as_html() has all of them."
        return hypertext.as_html(replace(whole, rows=ends, notes=(note, *whole.notes)))
