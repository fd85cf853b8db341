"""Page of a path: every strength with its certificate, and what entered when."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.penalties import SmoothPenalty
from dglm.results.convergence import lead, pass_facts
from dglm.results.facts import NAMED, sheet_of
from dglm.results.page import Section, versions, write_page
from dglm.results.provenance import Fitted, data_part, heading, model_part
from dglm.results.sheet import Fact
from dglm.results.summary import Column, Summary, count, percent
from dglm.solvers import PathFit, of_strength


@dataclass(frozen=True, kw_only=True)
class PathReport:
    """What is written about a path.

    Attributes
    ----------
    fit : PathFit
        Where the fits ended.
    fitted : Fitted
        Rows and model.
    summary : Summary
        Of the path, with its drawing.
    explained : (m,) array
        Share of the null deviance at each strength.
    entry : Series
        The largest strength at which each coefficient is not zero, in the order of entry.
    pass_seconds : tuple of float
        Wall time of each pass that was made for all of them.
    """

    fit: PathFit
    fitted: Fitted
    summary: Summary
    explained: Vector
    entry: pd.Series
    pass_seconds: tuple[float, ...]

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a page, over whatever is there.

        Parameters
        ----------
        path : str or path
            Of the file.
        """
        m = len(self.fit.alphas)
        what = f", at {m:,} strength{'s' if m > 1 else ''} of {type(self.fit.penalty).__name__}"
        sections = [
            Section("Path", self._strengths()),
            *([] if self._smooth else [Section("Order of entry", self._entries())]),
            data_part(self.fitted),
            model_part(self.fitted, self._penalty),
            Section("Convergence", sheet_of(self._fit_facts())),
            versions(),
        ]
        above = lead(self.fitted, self._verdict, converged=not self._failed, what=what)
        write_page(path, heading(self.fitted.design), above, sections)

    @property
    def _smooth(self) -> bool:
        return isinstance(self.fit.penalty, SmoothPenalty)

    @property
    def _failed(self) -> list[str]:
        """Why fits stopped that did not converge, each reason once."""
        return list(dict.fromkeys(each.status.value for each in self.fit.fits if not each.converged))

    @property
    def _held(self) -> str:
        fits = self.fit.fits
        return f"{sum(each.converged for each in fits)} of {len(fits)}"

    @property
    def _worst(self) -> int:
        # what is not a number comes first
        return int(np.argmax([each.certificate.value for each in self.fit.fits]))

    @property
    def _verdict(self) -> str:
        worst = self.fit.fits[self._worst].certificate
        where = f"that of path[{self._worst}], alpha={_strength(self.fit.alphas[self._worst])}"
        known = f"{self._held} certificates hold; the largest, {where}, is {worst}"
        if self._failed:
            return f"NOT CONVERGED: {'; '.join(self._failed)}. {known}; it should be below {worst.tol:.2g}."
        return f"Converged: {known}, below {worst.tol:.2g}."

    @property
    def _penalty(self) -> str:
        """The strongest and the weakest, as they are written, to four digits."""
        ends = (float(_strength(alpha)) for alpha in self.fit.alphas[[0, -1]])
        return " to ".join(dict.fromkeys(repr(of_strength(self.fit.penalty, alpha)) for alpha in ends))

    def _fit_facts(self) -> list[Fact]:
        worst = self.fit.fits[self._worst].certificate
        return [
            ("Strengths:", f"{len(self.fit.fits):,}"),
            ("Certificates that hold:", self._held),
            ("Largest certificate:", f"{worst} at path[{self._worst}]"),
            ("must be below:", f"{worst.tol:.2g}"),
            *pass_facts(self.pass_seconds),
        ]

    def _strengths(self) -> str:
        """Return the figure of the path, and where the fit of every strength ended."""
        fits = self.fit.fits
        columns = (
            Column("alpha", self.fit.alphas, _strength),
            Column("Df" if self._smooth else "not zero", self.fit.df, count),
            Column("deviance", [each.sums.deviance for each in fits]),
            Column("explained", self.explained, percent),
            Column("iterations", [each.n_iter for each in fits], str),
            Column("certificate", [each.certificate.value for each in fits], "{:.2g}".format),
            Column("status", [each.status.value for each in fits], str),
        )
        names = tuple(f"path[{i}]" for i in range(len(fits)))
        notes = ("The fits of all strengths share their passes over the rows.",)
        return replace(self.summary, names=names, columns=columns, notes=notes).as_html()

    def _entries(self) -> str:
        """Return when coefficients enter, the first of many."""
        entered = self.entry.dropna()
        shown, never = entered.iloc[:NAMED], len(self.entry) - len(entered)
        at = [int(np.argmax(self.fit.alphas == alpha)) for alpha in shown]
        notes = []
        if len(entered) > len(shown):
            notes.append(f"Shown are the first {len(shown)} of {len(entered):,} coefficients.")
        if never:
            notes.append(f"Zero at every strength: {never:,} of {len(self.entry):,} coefficients.")
        columns = (
            Column("not zero from alpha", shown.to_numpy(), _strength),
            Column("first in", [f"path[{i}]" for i in at], str),
        )
        return sheet_of((), list(map(str, shown.index)), columns, notes)


def _strength(alpha: float) -> str:
    return f"{alpha:.4g}"
