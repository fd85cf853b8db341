"""Curvatures: second derivatives along a path, known at a few strengths and interpolated between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np

from dglm._typing import Codes, Matrix
from dglm.matrix import Gram
from dglm.solvers.path_problem import PathProblem

# Strengths at which the information is brought: as many as cost what the scores of all strengths cost, within limits.
FEWEST = 3
MOST = 10
SCORES_TO_INFORMATION = 4


@dataclass(frozen=True)
class Curvatures:
    """Of every sample, at some strengths.

    Attributes
    ----------
    first : tuple of (p, p) array
        Of each sample, from its survey: until something better is known.
    known : dict of int to tuple of (p, p) array
        Of each sample, by position of the strength.
    """

    first: tuple[Matrix, ...]
    known: dict[int, tuple[Matrix, ...]]

    @classmethod
    def of(cls, problem: PathProblem) -> Curvatures:
        """Return what the surveys know.

        Parameters
        ----------
        problem : PathProblem
            With its samples.

        Returns
        -------
        Curvatures
            Of the working weights at the family's starting means.
        """
        return cls(tuple(problem.basis.gram(each.survey.gram) / each.nobs for each in problem.samples), {})

    def learned(self, problem: PathProblem, at: int, by_fold: dict[int, Gram]) -> Curvatures:
        """Return the same with those at a strength.

        Parameters
        ----------
        problem : PathProblem
            With its samples.
        at : int
            Position of the strength.
        by_fold : dict of int to Gram
            The information over the rows of each fold.

        Returns
        -------
        Curvatures
            Unchanged where one is not finite.
        """
        new = tuple(sample_curvature(problem, sample, by_fold) for sample in range(len(problem.samples)))
        return replace(self, known={**self.known, at: new}) if all(np.isfinite(H).all() for H in new) else self

    def near(self, sample: int, at: int) -> Matrix:
        """Return the second derivatives of a fit, linear between the strengths where they are known.

        Parameters
        ----------
        sample : int
            Which rows are fitted.
        at : int
            Position of the strength.

        Returns
        -------
        (p, p) array
            Positive semi-definite.
        """
        if not self.known:
            return self.first[sample]
        left = max((i for i in self.known if i <= at), default=min(self.known))
        right = min((i for i in self.known if i >= at), default=max(self.known))
        H = self.known[left][sample]
        if right <= left:
            return H
        return H + (at - left) / (right - left) * (self.known[right][sample] - H)


def anchors(n_alphas: int, p: int) -> list[int]:
    """Return the strengths at which the information is brought.

    Parameters
    ----------
    n_alphas : int
        Number of strengths.
    p : int
        Number of coefficients.

    Returns
    -------
    list of int
        Positions, evenly spaced, the first and the last among them.
    """
    wanted = int(np.clip(SCORES_TO_INFORMATION * n_alphas // max(p, 1), FEWEST, MOST))
    spread: Codes = np.linspace(0, n_alphas - 1, min(wanted, n_alphas)).round().astype(np.intp)
    return sorted({int(i) for i in spread})


def sample_curvature(problem: PathProblem, sample: int, by_fold: dict[int, Gram]) -> Matrix:
    """Return the second derivatives of a sample's average negative log-likelihood.

    Parameters
    ----------
    problem : PathProblem
        With its samples.
    sample : int
        Which rows are fitted.
    by_fold : dict of int to Gram
        The information over the rows of each fold.

    Returns
    -------
    (p, p) array
        In the problem's coordinates.
    """
    parts: Iterable[Gram] = (gram for fold, gram in sorted(by_fold.items()) if fold != sample - 1)
    return problem.basis.gram(reduce(add, parts)) / problem.samples[sample].nobs
