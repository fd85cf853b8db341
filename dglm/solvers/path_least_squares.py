"""Paths of least squares: the surveys of the folds hold all that fits and their scores need, so that no pass is made.

The deviance is a quadratic form in the products of the columns and the response, also over rows that were not fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.families import Gaussian
from dglm.matrix import Cross
from dglm.objective import Objective, Survey
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.path_problem import TIGHTEST, PathProblem, Point, model_minimum
from dglm.solvers.path_track import Track

# A minimum that is not near enough, for its standard errors were smaller than those of the last, is sought again.
ATTEMPTS = 3


@dataclass(frozen=True)
class LeastSquares:
    """Sums of squares about the means of some rows.

    Attributes
    ----------
    mass : float
        sum_i w_i.
    centre : (p,) array
        Means of the columns.
    mean : float
        Mean of the response.
    second : (p, p) array
        sum_i w_i (x_i - centre)(x_i - centre)'.
    cross : (p,) array
        sum_i w_i (x_i - centre)(y_i - mean).
    square : float
        sum_i w_i (y_i - mean)^2.
    """

    mass: float
    centre: Vector
    mean: float
    second: Matrix
    cross: Vector
    square: float

    @classmethod
    def of(cls, survey: Survey) -> LeastSquares:
        """Return the sums of a survey.

        Parameters
        ----------
        survey : Survey
            Of a Gaussian model with identity link and no offset.

        Returns
        -------
        LeastSquares
            Of the same rows.
        """
        gram = survey.gram.centred()
        return cls(
            mass=gram.total,
            centre=gram.centre,
            mean=survey.mean,
            second=gram.second,
            cross=survey.cross.about(gram.centre),
            square=survey.null_deviance,
        )

    def deviance(self, beta: Vector) -> float:
        """Return sum_i w_i (y_i - x_i'beta)^2.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        float
            Not negative.
        """
        spread = self.square - 2 * float(self.cross @ beta) + float(beta @ self.second @ beta)
        return max(spread, 0.0) + self.mass * self._residual(beta) ** 2

    def score(self, beta: Vector) -> Cross:
        """Return X'W (y - X beta).

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        Cross
            About the means of the columns.
        """
        return Cross(self.mass, self.centre, self.mass * self._residual(beta), self.cross - self.second @ beta)

    def _residual(self, beta: Vector) -> float:
        """Return the mean residual."""
        return self.mean - float(self.centre @ beta)


def is_least_squares(objective: Objective[Any]) -> bool:
    """Return whether the surveys hold all there is to know.

    Parameters
    ----------
    objective : Objective
        Of all rows.

    Returns
    -------
    bool
        For Gaussian models with identity link and no offset.
    """
    family = objective.family
    return isinstance(family, Gaussian) and family.canonical and objective.null_model is None


def walk(problem: PathProblem, sample: int, tol: float) -> list[Track]:
    """Return the fits of a path, from the strongest penalty to the weakest.

    Parameters
    ----------
    problem : PathProblem
        Of least squares.
    sample : int
        Which rows are fitted.
    tol : float
        What certificates must be below.

    Returns
    -------
    list of Track
        One for each strength.
    """
    objective, basis = problem.samples[sample], problem.basis
    fitted = LeastSquares.of(objective.survey)
    left_out = None
    if problem.folds is not None and sample > 0:
        left_out = LeastSquares.of(problem.folds.surveys[sample - 1])
    H = basis.gram(objective.survey.gram) / objective.nobs

    def evaluated(at: int, theta: Vector) -> Point:
        beta = basis.to_params(theta)
        deviance = fitted.deviance(beta)
        held_out = np.nan if left_out is None else left_out.deviance(beta)
        return problem.point(sample, at, theta, (deviance, deviance, held_out), fitted.score(beta), H)

    tracks: list[Track] = []
    theta = np.zeros(len(basis.centre))
    for at, penalty in enumerate(problem.penalties):
        point, trace = evaluated(at, theta), []
        for _ in range(ATTEMPTS):
            theta = model_minimum(H, point.gradient, penalty, point.theta, TIGHTEST * tol * point.unit)
            point = evaluated(at, theta)
            trace.append(Iteration(point.objective, point.certificate, 1.0))
            if point.certificate <= tol:
                break
        status = Status.CONVERGED if point.certificate <= tol else Status.ROUNDING
        tracks.append(Track(sample, at, tol, point, theta, trace=tuple(trace), status=status))
    return tracks
