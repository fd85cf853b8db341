"""SmoothProblem: a smooth objective in centred and scaled coordinates, its gradient and its certificate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dglm._typing import Mask, Vector
from dglm.objective import Curvature, DiagonalCurvature, FactoredCurvature, Gradient, Objective
from dglm.penalties import SmoothPenalty
from dglm.solvers.coordinates import Coordinates, Point, Scaling
from dglm.solvers.metric import Metric
from dglm.solvers.state import SMALLEST_PIVOT, ridge

# Standard errors of the score at the null model, down to this share of which those on the way are taken: where the data
# are separated they vanish as fast as the score, which would never be small beside them.
LEAST_OF_NULL = 1e-2


@dataclass(frozen=True)
class Iterate:
    """A point with the whole objective.

    Attributes
    ----------
    theta : (p,) array
        Centred coefficients.
    value : float
        Q; infinite where a mean is out of range.
    gradient : (p,) array
        Of Q; zero for aliased columns.
    certificate : float
        Largest derivative against the standard error of that coordinate of the score: there, where the pass brought a
        diagonal of the information; where one was brought last, if not.
    sums : Gradient
        Evaluated there.
    metric : Metric or None
        Second derivatives there, where the pass brought a diagonal of the information.
    """

    theta: Vector
    value: float
    gradient: Vector
    certificate: float
    sums: Gradient
    metric: Metric | None = None


@dataclass(frozen=True)
class SmoothProblem:
    """A smooth objective as first-order methods see it.

    Attributes
    ----------
    coordinates : Coordinates
        Centred.
    kept : (p,) array of bool
        Columns that are no combinations of earlier ones; all where the design is wide.
    penalty : (p,) array
        Second derivatives of the penalty along each coordinate.
    metric : Metric
        Those of Q at the null model.
    want : type
        Sums with which to close: they bring the information, or what there is of it.
    least_error : (p,) array
        Standard errors of the score below which none is taken on the way.
    """

    coordinates: Coordinates[SmoothPenalty]
    kept: Mask
    penalty: Vector
    metric: Metric
    want: type[Scaling]
    least_error: Vector

    @property
    def objective(self) -> Objective[SmoothPenalty]:
        """Q."""
        return self.coordinates.objective

    @classmethod
    def begin(cls, objective: Objective[SmoothPenalty], start: Vector | None) -> tuple[SmoothProblem, Iterate]:
        """Return the problem as the null model shows it, and where to begin: one pass, where it takes one.

        Parameters
        ----------
        objective : Objective
            To be minimised.
        start : (p,) array or None
            Where to begin; at the null model when None.

        Returns
        -------
        tuple of SmoothProblem and Iterate
            Aliased columns at zero.
        """
        basis, survey = objective.basis, objective.survey
        kept: Mask = np.ones(len(basis.centre), dtype=bool)
        want: type[Scaling] = DiagonalCurvature
        if not survey.wide:
            seen = basis.factor(survey.gram, ridge=ridge(objective))
            # products cannot tell a combination of columns from what is nearly one: a triangular factor decides
            collinear = min(seen.smallest_pivot, objective.cancellation) < SMALLEST_PIVOT
            kept, want = seen.kept, FactoredCurvature if collinear else Curvature
        coordinates, point, at_null = Coordinates.begin(objective, basis, start, want)
        if isinstance(at_null, FactoredCurvature) and np.isfinite(basis.gram(at_null.information)).all():
            kept = basis.factor(at_null.information, ridge=ridge(objective)).kept
        penalty = basis.hessian_diagonal(objective.penalty.hessian_diagonal(np.zeros_like(basis.centre)))
        metric = _metric(coordinates, at_null, penalty) or Metric(coordinates.information + penalty)
        problem = cls(coordinates, kept, penalty, metric, want, LEAST_OF_NULL * coordinates.score_error)
        if (point.theta[~kept] == 0).all():
            return problem, problem.iterate(point)
        return problem, problem.evaluate(np.where(kept, point.theta, 0.0))[0]

    def evaluate(self, *thetas: Vector, want: type[Gradient] = Gradient) -> list[Iterate]:
        """Return iterates: one pass.

        Parameters
        ----------
        *thetas : (p,) array
            Centred coefficients.
        want : type
            Sums to evaluate.

        Returns
        -------
        list of Iterate
            In that order.
        """
        return [self.iterate(point) for point in self.coordinates.evaluate(*thetas, want=want)]

    def iterate(self, point: Point) -> Iterate:
        """Return a point with the penalty's part added.

        Parameters
        ----------
        point : Point
            Evaluated.

        Returns
        -------
        Iterate
            With an infinite objective where a sum is not finite.
        """
        basis = self.objective.basis
        penalty = basis.gradient(self.objective.penalty.gradient(basis.to_params(point.theta)))
        gradient = np.where(self.kept, point.gradient + penalty, 0.0)
        value = self.coordinates.value(point)
        value = value if np.isfinite(value) and np.isfinite(gradient).all() else np.inf
        metric = _metric(self.coordinates, point.sums, self.penalty)
        certificate = self.measured_by(point.sums).coordinates.worst(np.abs(gradient))
        return Iterate(point.theta, value, gradient, certificate, point.sums, metric)

    def measured_by(self, sums: Gradient) -> SmoothProblem:
        """Return the problem with certificates measured by other standard errors of the score.

        Parameters
        ----------
        sums : Gradient
            Of which a diagonal of the information, if there is one, tells them.

        Returns
        -------
        SmoothProblem
            The same where it does not.
        """
        if not isinstance(sums, DiagonalCurvature):
            return self
        here = Coordinates.of(self.objective, self.coordinates.basis, sums)
        if not np.isfinite(here.score_error).all():
            return self
        here = replace(here, score_error=np.maximum(here.score_error, self.least_error))
        return replace(self, coordinates=here)

    def params(self, theta: Vector) -> Vector:
        """Return coefficients of the columns themselves.

        Parameters
        ----------
        theta : (p,) array
            Centred coefficients.

        Returns
        -------
        (p,) array
            Zero where aliased.
        """
        return np.where(self.kept, self.objective.basis.to_params(theta), 0.0)


def _metric(coordinates: Coordinates[SmoothPenalty], sums: Gradient, penalty: Vector) -> Metric | None:
    """Return second derivatives from a diagonal of the information; None where there is none, or it is not finite."""
    if not (isinstance(sums, DiagonalCurvature) and np.isfinite(sums.information.diagonal).all()):
        return None
    return Metric.of(coordinates.basis, sums.information, coordinates.objective.nobs, penalty)
