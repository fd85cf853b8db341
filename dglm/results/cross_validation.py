"""CVResults: a path, and how well the fits without each fold predict it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Matrix, Vector
from dglm.plots import axes_of, scores_axes
from dglm.results.base import Results
from dglm.results.drawing import scores_drawing
from dglm.results.page import Section
from dglm.results.path import PathResults
from dglm.results.reporting import Report, Reported
from dglm.results.summary import Column, Summarised, Summary, count
from dglm.solvers import Status

Select = Literal["min", "1se"]


@dataclass(frozen=True, kw_only=True, repr=False)
class CVResults(Summarised, Reported):
    """Scores of a path on rows that were held out, and the strength that they select.

    Attributes
    ----------
    path : PathResults
        The fits to all rows.
    fold_scores : (k, m) array
        Score of each fold, by strength.
    fold_weights : (k,) array
        Total weight of the rows of each fold.
    folds : tuple
        Labels of the folds.
    scoring : str
        What the score is.
    greater_is_better : bool
        Whether a larger score is a better one.
    select : str
        ``"min"``: the best mean score; ``"1se"``: the strongest penalty within one standard error of it.

    Examples
    --------
    >>> import numpy as np, dglm
    >>> rng = np.random.default_rng(0)
    >>> X = np.column_stack([np.ones(60), rng.normal(size=(60, 3))])
    >>> cv = dglm.GLM(X @ [1.0, 2.0, 0.0, 0.0] + rng.normal(size=60), X).fit_cv(dglm.L1(alpha=1.0))
    >>> cv.n_passes
    1
    >>> bool(cv.alpha_1se >= cv.alpha_min)
    True
    """

    path: PathResults
    fold_scores: Matrix
    fold_weights: Vector
    folds: tuple[Any, ...]
    scoring: str
    greater_is_better: bool
    select: Select

    def _repr_html_(self) -> str | None:
        # where no strength has a score, there is none to report
        return super()._repr_html_() if np.isfinite(self._loss).any() else None

    def __repr__(self) -> str:
        of = f"{len(self.path)} strengths of {type(self.path.fit.penalty).__name__}, {len(self.folds)} folds"
        return f"<CVResults: {of}; converged={self.converged}, {self.n_passes} passes>"

    @property
    def alphas(self) -> Vector:
        """Strengths, the largest first."""
        return self.path.alphas

    @property
    def scores(self) -> pd.DataFrame:
        """Score of each fold by strength: a line for each fold."""
        index = pd.Index(list(self.folds), name="fold", tupleize_cols=False)
        return pd.DataFrame(self.fold_scores, index=index, columns=pd.Index(self.alphas, name="alpha"))

    @property
    def mean(self) -> Vector:
        """Mean score at each strength, folds weighted by their rows."""
        mean: Vector = np.average(self.fold_scores, axis=0, weights=self.fold_weights)
        return mean

    @property
    def standard_error(self) -> Vector:
        """Standard error of that mean, as if folds were independent.

        Source: Friedman, Hastie & Tibshirani (2010), as glmnet computes it: the weighted variance over folds, divided
        by the number of folds less one.
        """
        squares = (self.fold_scores - self.mean) ** 2
        variance = np.average(squares, axis=0, weights=self.fold_weights) / (len(self.folds) - 1)
        return np.asarray(np.sqrt(variance), dtype=np.float64)

    @property
    def alpha_min(self) -> float:
        """Strength of the best mean score; the largest of equally good ones."""
        return float(self.alphas[self._best])

    @property
    def alpha_1se(self) -> float:
        """The largest strength whose mean score is within one standard error of the best."""
        loss, best = self._loss, self._best
        return float(self.alphas[np.flatnonzero(loss <= loss[best] + self.standard_error[best])[0]])

    @property
    def alpha(self) -> float:
        """The strength that is selected."""
        return self.alpha_min if self.select == "min" else self.alpha_1se

    @property
    def best(self) -> Results:
        """The result of all rows at the strength that is selected."""
        return self.path.at(self.alpha)

    @property
    def fold_params(self) -> AnyArray:
        """Coefficients of the fits without each fold, (k, p, m): by fold, coefficient and strength."""
        return self.path.fit.fold_params

    @property
    def fold_status(self) -> tuple[tuple[Status, ...], ...]:
        """Why those fits stopped, by fold and strength."""
        return self.path.fit.fold_status

    @property
    def converged(self) -> bool:
        """Whether every certificate holds, of the path and of the fits without each fold."""
        return self.path.converged and all(s is Status.CONVERGED for each in self.fold_status for s in each)

    @property
    def n_passes(self) -> int:
        """Passes over the data that all fits and scores made together."""
        return self.path.n_passes

    def summary(self) -> Summary:
        """Return a report: the best strength, and the strongest one within a standard error.

        Returns
        -------
        Summary
            Prints as text.
        """
        at = [int(np.flatnonzero(self.alphas == alpha)[0]) for alpha in (self.alpha_min, self.alpha_1se)]
        columns = (
            Column("alpha", self.alphas[at]),
            Column("mean score", self.mean[at]),
            Column("std err", self.standard_error[at]),
            Column("Df", self.path.df[at], count),
        )
        left = (
            ("Dep. Variable:", self.path.finishing.design.response.label),
            ("Penalty:", type(self.path.fit.penalty).__name__),
            ("Strengths:", str(len(self.path))),
        )
        right = (
            ("Folds:", str(len(self.folds))),
            ("Passes:", str(self.n_passes)),
            ("All converged:", str(self.converged)),
        )
        notes = (
            f"Score: {self.scoring} of rows held out, {'larger' if self.greater_is_better else 'smaller'} is better. "
            f"Selected: {self.select}. The score of the selected strength is optimistic, for it was selected by it.",
        )
        marks = {"alpha_min": self.alpha_min, "alpha_1se": self.alpha_1se}
        drawing = scores_drawing(self.alphas, self.mean, self.standard_error, marks, self.scoring)
        title = "Generalized Linear Model: Cross-Validation"
        return Summary(title, left, right, tuple(marks), columns, notes, drawing)

    def plot(self, ax: Any = None) -> Any:
        """Draw the mean scores with their standard errors against the strength.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.

        Returns
        -------
        matplotlib Axes
            With the two strengths marked.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        marks = {"best mean": self.alpha_min, "within one standard error": self.alpha_1se}
        label = f"{self.scoring} of rows held out"
        return scores_axes(axes_of(ax), self.alphas, self.mean, self.standard_error, marks, label)

    @property
    def _report(self) -> Report:
        before = Section("Choice of the strength", f"{self.summary().as_html()}\n{self.path.summary().as_html()}")
        return replace(self.best._report, before=(before,))

    @property
    def _loss(self) -> Vector:
        """Smaller is better, infinite where a fold has no score."""
        mean = -self.mean if self.greater_is_better else self.mean
        return np.where(np.isnan(mean), np.inf, mean)

    @property
    def _best(self) -> int:
        loss = self._loss
        if not np.isfinite(loss).any():
            raise ValueError(f"no strength has a finite {self.scoring} in every fold: see scores and fold_status")
        return int(np.argmin(loss))
