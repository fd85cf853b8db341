"""SideBySide: estimates of different kinds of one model in one table, with what the numbers of each mean under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dglm.results.base import Results
from dglm.results.debiased import DebiasedResults
from dglm.results.summary import Summary, number

#: What can stand beside one another.
Comparable = Results | DebiasedResults


@dataclass(frozen=True, eq=False)
class SideBySide:
    """A table of estimates, coefficient by coefficient.

    Attributes
    ----------
    frame : DataFrame
        A row for each coefficient of any of them; for each estimate a column of coefficients and one of what can be
        said of them: columns in two levels. nan where a model does not have the coefficient.
    meanings : tuple of (str, str)
        Each estimate, and what its numbers mean.
    """

    frame: pd.DataFrame
    meanings: tuple[tuple[str, str], ...]

    def summary(self) -> Summary:
        """Return the table with the meanings below it, for text, HTML and LaTeX.

        Returns
        -------
        Summary
            Prints as text.
        """
        columns = [[_cell(value) for value in self.frame[column]] for column in self.frame]
        titles = [label[0] if label[1] == "coef" else label[1] for label in self.frame.columns.to_list()]
        rows = zip(map(str, self.frame.index), zip(*columns, strict=True), strict=True)
        notes = tuple(f"{name}: {meaning}" for name, meaning in self.meanings)
        return Summary("Estimates Side by Side", (), (), tuple(titles), tuple(rows), notes)

    def as_text(self) -> str:
        """Return the table as lines of text.

        Returns
        -------
        str
            As `print` shows it.
        """
        return self.summary().as_text()

    def as_html(self) -> str:
        """Return the table as HTML, which notebooks show.

        Returns
        -------
        str
            A table and paragraphs, without style.
        """
        return self.summary().as_html()

    def as_latex(self) -> str:
        """Return the table as LaTeX.

        Returns
        -------
        str
            A table environment.
        """
        return self.summary().as_latex()

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def side_by_side(results: Sequence[Comparable]) -> SideBySide:
    """Return the table of some estimates.

    Parameters
    ----------
    results : sequence of Results or DebiasedResults
        Of the same rows and family.

    Returns
    -------
    SideBySide
        In their order.
    """
    names = _distinct([result._label for result in results])
    parts, meanings = {}, []
    for name, result in zip(names, results, strict=True):
        what, values = result._beside
        terms = list(result._estimate.design.exog_names)
        parts[name, "coef"] = pd.Series(np.asarray(result.params), index=terms)
        if what:
            parts[name, what] = pd.Series(list(values), index=terms)
        meanings.append((name, result._meaning))
    order = dict.fromkeys(term for part in parts.values() for term in part.index)
    return SideBySide(pd.DataFrame(parts).reindex(list(order)), tuple(meanings))


def _distinct(labels: Sequence[str]) -> list[str]:
    """Return the labels, those that occur more than once numbered."""
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(f"{label} ({seen[label]})" if labels.count(label) > 1 else label)
    return found


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else number(value)
