"""PathResults: the estimates of a penalty at many strengths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Matrix, Vector
from dglm.design import by_name
from dglm.plots import axes_of, path_axes
from dglm.results.base import Results
from dglm.results.dispatch import results_of
from dglm.results.drawing import path_drawing
from dglm.results.finishing import Finishing
from dglm.results.path_page import PathReport
from dglm.results.summary import Column, Summarised, Summary, count, percent
from dglm.solvers import PathFit, Status

# Relative distance at which a strength is one of the path's.
SAME = 1e-9


@dataclass(frozen=True, kw_only=True, repr=False)
class PathResults(Summarised):
    """Estimates at many strengths of a penalty, the strongest first; ``path[i]`` is the result of one.

    Attributes
    ----------
    fit : PathFit
        Where the fits ended.
    finishing : Finishing
        What turns one into results, and what is known of the rows.
    null_deviance : float
        Deviance of the null model.
    pass_seconds : tuple of float
        Wall time of each pass that was made for all of them.

    Examples
    --------
    >>> import numpy as np, dglm
    >>> x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 4.0]])
    >>> path = dglm.GLM(np.array([1.0, 3.0, 5.0, 9.5]), x).fit_path(dglm.L1(alpha=1.0), alphas=[2.0, 1.0, 0.5])
    >>> path.params.round(3)
    array([[2.5  , 1.7  , 1.3  ],
           [1.214, 1.671, 1.9  ]])
    """

    fit: PathFit
    finishing: Finishing
    null_deviance: float
    pass_seconds: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.fit.alphas)

    def __iter__(self) -> Iterator[Results]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> Results:
        position = range(len(self))[i]
        if position not in self._results:
            self._results[position] = self._finished(position)
        return self._results[position]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_results"}

    def __repr__(self) -> str:
        kind = type(self.fit.penalty).__name__
        return f"<PathResults: {len(self)} strengths of {kind}; converged={self.converged}, {self.n_passes} passes>"

    def at(self, alpha: float) -> Results:
        """Return the result at one of the strengths.

        Parameters
        ----------
        alpha : float
            One of `alphas`.

        Returns
        -------
        L1Results, L2Results or others by the kind of penalty
            As `GLM.fit` returns it. No pass for families without a dispersion and Gaussian ones, under a sparse
            penalty; at most two for others.

        Raises
        ------
        ValueError
            If it is none of them.
        """
        i = int(np.argmin(np.abs(self.alphas - alpha)))
        if not abs(self.alphas[i] - alpha) <= SAME * self.alphas[i]:
            raise ValueError(
                f"alpha={alpha!r} is not on the path; the nearest is {float(self.alphas[i])!r}. Take that, pass "
                f"alphas=[...] to fit_path, or fit it alone with fit(penalty=...)"
            )
        return self[i]

    @property
    def alphas(self) -> Vector:
        """Strengths, the largest first."""
        return self.fit.alphas

    @property
    def params(self) -> pd.DataFrame | Matrix:
        """Coefficients by name and strength; a (p, m) array for models of arrays."""
        values = np.column_stack([each.params for each in self.fit.fits])
        named: pd.DataFrame | Matrix = by_name(self.finishing.design, values, list(self.alphas))
        return named

    @property
    def deviance(self) -> Vector:
        """Deviance at each strength."""
        return np.array([each.sums.deviance for each in self.fit.fits])

    @property
    def deviance_ratio(self) -> Vector:
        """Share of the null deviance that is explained at each strength."""
        return 1 - self.deviance / self.null_deviance

    @property
    def df(self) -> Vector:
        """Coefficients that are not zero at each strength; effective ones under a smooth penalty.

        Effective ones are of the information interpolated along the path, but for Gaussian models, where it is exact;
        ``path[i].effective_df`` is exact.
        """
        return self.fit.df

    @property
    def entry(self) -> pd.Series:
        """The largest strength at which each coefficient is not zero, by name and in the order of entry."""
        values = np.column_stack([each.params for each in self.fit.fits]) != 0
        first = [self.alphas[row.argmax()] if row.any() else np.nan for row in values]
        entry = pd.Series(first, index=list(self.finishing.design.exog_names), name="alpha")
        return entry.sort_values(ascending=False, kind="stable", na_position="last")

    @property
    def certificate(self) -> Vector:
        """How far from optimal each fit is, against the standard error of the score."""
        return np.array([each.certificate.value for each in self.fit.fits])

    @property
    def status(self) -> tuple[Status, ...]:
        """Why each fit stopped."""
        return tuple(each.status for each in self.fit.fits)

    @property
    def converged(self) -> bool:
        """Whether every certificate holds."""
        return all(each.converged for each in self.fit.fits)

    @property
    def n_passes(self) -> int:
        """Passes over the data that all fits made together, those of a cross-validation included."""
        return len(self.pass_seconds)

    def summary(self) -> Summary:
        """Return a report of the path: a line for each strength at which the number of coefficients changes.

        Returns
        -------
        Summary
            Prints as text.
        """
        shown = _turns(self.df)
        columns = (
            Column("alpha", self.alphas[shown]),
            Column("Df", self.df[shown], count),
            Column("Deviance explained", self.deviance_ratio[shown], percent),
            Column("Deviance", self.deviance[shown]),
        )
        held = sum(each.converged for each in self.fit.fits)
        left = (
            ("Dep. Variable:", self.finishing.design.response.label),
            ("Penalty:", type(self.fit.penalty).__name__),
            ("Strengths:", str(len(self))),
        )
        right = (
            ("Certificates that hold:", f"{held} of {len(self)}"),
            ("Largest certificate:", f"{self.certificate.max():.2g}"),
            ("Passes:", str(self.n_passes)),
        )
        names = tuple(f"path[{i}]" for i in shown)
        note = f"Shown are {len(shown)} of {len(self)} strengths: those at which Df changes, the first and the last."
        drawing = path_drawing(self.alphas, *self._drawn)
        return Summary("Generalized Linear Model: Path of a Penalty", left, right, names, columns, (note,), drawing)

    def plot(self, ax: Any = None) -> Any:
        """Draw the coefficients that are penalised against the strength.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.

        Returns
        -------
        matplotlib Axes
            With a line for each coefficient that is ever different from zero, the intercept apart.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return path_axes(axes_of(ax), self.alphas, *self._drawn, self.df)

    def report(self, path: str | os.PathLike[str]) -> None:
        """Write a page about the path: one file of HTML that needs no network and no script to be read.

        It has the figure of the path and its summary, the order in which coefficients enter under a sparse penalty, the
        rows and what became of them, the model, every strength with its certificate, and versions. No pass is made.

        Parameters
        ----------
        path : str or path
            Of the file; what is there is written over.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        PathReport(
            fit=self.fit,
            fitted=self.finishing,
            summary=self.summary(),
            explained=self.deviance_ratio,
            entry=self.entry,
            pass_seconds=self.pass_seconds,
        ).write(path)

    @property
    def _drawn(self) -> tuple[Matrix, list[str]]:
        """The coefficients that figures show, (q, m), and their names: not the intercept, nor what is always zero."""
        values = np.column_stack([each.params for each in self.fit.fits])
        names = list(self.finishing.design.exog_names)
        drawn = [j for j in range(len(names)) if values[j].any() and j != self.fit.intercept]
        return values[drawn], [names[j] for j in drawn]

    @cached_property
    def _results(self) -> dict[int, Results]:
        """The results that were asked for."""
        return {}

    def _finished(self, i: int) -> Results:
        """Return the result of one strength."""
        estimate = self.finishing.estimate(self.fit.fits[i], float(self.alphas[i]))
        # rows that were sorted by fold are sealed in that order, in which nothing else reads them
        seals = () if self.fit.fold_status else estimate.seals
        return results_of(replace(estimate, seals=seals, pass_seconds=(*self.pass_seconds, *estimate.pass_seconds)))


def _turns(df: Vector) -> list[int]:
    """Return where whole numbers of coefficients change, with both ends."""
    rounded = np.round(df)
    turns = [i for i in range(len(df)) if i == 0 or rounded[i] != rounded[i - 1]]
    return sorted({*turns, len(df) - 1})
