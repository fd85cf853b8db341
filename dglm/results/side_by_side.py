"""SideBySide: estimates in one table, as publications print them, with what the numbers of each mean under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dglm.results.base import Results
from dglm.results.debiased import DebiasedResults
from dglm.results.printed import Printed
from dglm.results.sheet import Row, Sheet
from dglm.results.summary import count, number

#: What can stand beside one another.
Comparable = Results | DebiasedResults

ERRORS = "std err"
# What is said of whole fits, and how it is written.
MEASURES = {
    "nobs": ("No. Observations", count),
    "deviance": ("Deviance", number),
    "aic": ("AIC", number),
    "n_passes": ("Passes", count),
}
BLANKS = "Blank: not in the model, or nothing that this kind of estimate has."
SET = "A number of maximum likelihood without brackets was set, not estimated."


@dataclass(frozen=True, eq=False)
class Beside:
    """One of the estimates.

    Attributes
    ----------
    label : str
        What the table calls it.
    meaning : str
        What its numbers are.
    what : str
        Title of what is said of each coefficient; empty where nothing is.
    table : DataFrame
        Columns ``coef`` and `what`, by coefficient.
    measures : dict of str to float
        Of the whole fit; nan where they do not exist.
    """

    label: str
    meaning: str
    what: str
    table: pd.DataFrame
    measures: dict[str, float]

    @classmethod
    def of(cls, result: Comparable, label: str) -> Beside:
        """Return what the table has of a result.

        Parameters
        ----------
        result : Results or DebiasedResults
            Fitted.
        label : str
            What the table calls it.

        Returns
        -------
        Beside
            Of its coefficients.
        """
        what, values = result._beside
        columns = {"coef": np.asarray(result.params)} | ({what: list(values)} if what else {})
        table = pd.DataFrame(columns, index=list(result._estimate.design.exog_names))
        return cls(label, result._meaning, what, table, result._measures)

    def cell(self, term: str) -> str:
        """Return how a coefficient is written: exact zeros as such, and blank if it is not in the model.

        Parameters
        ----------
        term : str
            Its name.

        Returns
        -------
        str
            No padding.
        """
        if term not in self.table.index:
            return ""
        value = float(self.table["coef"][term])
        return "aliased" if np.isnan(value) else "0" if value == 0 else number(value)

    def error(self, term: str) -> str:
        """Return how its standard error is written, in brackets; blank where it has none.

        Parameters
        ----------
        term : str
            Its name.

        Returns
        -------
        str
            No padding.
        """
        if self.what != ERRORS or term not in self.table.index:
            return ""
        error = float(self.table[ERRORS][term])
        return f"({number(error)})" if error > 0 else ""


@dataclass(frozen=True, eq=False, repr=False)
class SideBySide(Printed):
    """A table of estimates, coefficient by coefficient: standard errors in brackets, where there are any.

    Attributes
    ----------
    estimates : tuple of Beside
        In order.
    """

    estimates: tuple[Beside, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """For each estimate a column of coefficients and one of what can be said of them, in two levels.

        A row for each coefficient of any of them; nan where a model does not have it.
        """
        frame = pd.concat({each.label: each.table for each in self.estimates}, axis=1)
        return frame.reindex(list(self._terms))

    @property
    def fits(self) -> pd.DataFrame:
        """A row for each estimate: `nobs`, `deviance`, `aic` and `n_passes`, nan where there is none."""
        return pd.DataFrame({each.label: each.measures for each in self.estimates}).T

    @property
    def meanings(self) -> tuple[tuple[str, str], ...]:
        """Each estimate, and what its numbers mean."""
        return tuple((each.label, each.meaning) for each in self.estimates)

    @property
    def _terms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term for each in self.estimates for term in each.table.index))

    @property
    def _sheet(self) -> Sheet:
        rows: list[Row] = []
        for term in self._terms:
            rows.append((str(term), tuple(each.cell(term) for each in self.estimates)))
            errors = tuple(each.error(term) for each in self.estimates)
            rows += [("", errors)] if any(errors) else []
        foot = tuple(
            (title, tuple("" if np.isnan(c.measures[name]) else write(c.measures[name]) for c in self.estimates))
            for name, (title, write) in MEASURES.items()
        )
        meanings: dict[str, list[str]] = {}
        for label, meaning in self.meanings:
            meanings.setdefault(meaning, []).append(label)
        notes = [f"{', '.join(labels)}: {meaning}" for meaning, labels in meanings.items()]
        if any(each.what == ERRORS and (each.table[ERRORS] == 0).any() for each in self.estimates):
            notes.append(SET)
        if any("" in cells for _, cells in (*rows, *foot)):
            notes.append(BLANKS)
        return Sheet(
            title="Estimates Side by Side",
            header=tuple(each.label for each in self.estimates),
            rows=tuple(rows),
            foot=foot,
            notes=tuple(notes),
            brackets=True,
        )


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
    labels = _distinct([result._label for result in results])
    return SideBySide(tuple(Beside.of(result, label) for result, label in zip(results, labels, strict=True)))


def _distinct(labels: Sequence[str]) -> list[str]:
    """Return the labels, those that occur more than once numbered."""
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(f"{label} ({seen[label]})" if labels.count(label) > 1 else label)
    return found
