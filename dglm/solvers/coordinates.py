"""Coordinates: the objective as first-order methods see it, columns centred and measured by their own curvature.

A gradient step does not know the columns' units and means; the diagonal of the information at the null model does.
Nothing here is p x p where the design is wide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

import numpy as np

from dglm._typing import Vector
from dglm.matrix import Basis
from dglm.objective import Curvature, DiagonalCurvature, FactoredCurvature, Gradient, Objective, Request
from dglm.penalties import Penalty, SparsePenalty
from dglm.solvers.base import dispersion
from dglm.solvers.start import null_start, null_sums
from dglm.solvers.state import moving

P = TypeVar("P", bound=Penalty, covariant=True)

#: Sums that hold the information, its diagonal at least.
Scaling = Curvature | FactoredCurvature | DiagonalCurvature


@dataclass(frozen=True)
class Point:
    """A point with the likelihood's part of the objective and its gradient, in centred coordinates.

    Attributes
    ----------
    theta : (p,) array
        Centred coefficients.
    sums : Gradient
        Evaluated there.
    smooth : float
        Average negative log-likelihood, up to a constant.
    gradient : (p,) array
        Its derivatives.
    """

    theta: Vector
    sums: Gradient
    smooth: float
    gradient: Vector


@dataclass(frozen=True)
class Coordinates(Generic[P]):
    """Centred coordinates, each with its curvature and what its score is known to.

    Attributes
    ----------
    objective : Objective
        To be minimised.
    basis : Basis
        Of the coordinates.
    information : (p,) array
        Average information about each coordinate at the null model; 1 where there is none.
    score_error : (p,) array
        Standard error of each coordinate of the average score there.
    """

    objective: Objective[P]
    basis: Basis
    information: Vector
    score_error: Vector

    @classmethod
    def begin(
        cls, objective: Objective[P], basis: Basis, start: Vector | None, want: type[Scaling]
    ) -> tuple[Self, Point, Scaling]:
        """Return the coordinates as the null model shows them, and where to begin: one pass, where it takes one.

        Parameters
        ----------
        objective : Objective
            To be minimised.
        basis : Basis
            Of the coordinates.
        start : (p,) array or None
            Where to begin; at the null model when None.
        want : type
            Which sum to scale the coordinates by.

        Returns
        -------
        tuple of Coordinates, Point and that sum
            Coordinates, the start in them, and the sum at the null model.
        """
        null = null_start(objective)
        beta = null if start is None else start
        if isinstance(objective.penalty, SparsePenalty):
            beta = objective.penalty.feasible(beta)
        known = null_sums(objective) if want is DiagonalCurvature else None
        requests: list[Request] = [] if known is not None else [(want, null)]
        if not np.array_equal(beta, null):
            requests.append((Gradient, beta))
        found = objective.together(*requests) if requests else ()
        if known is not None:
            found = (known, *found)
        at_null: Scaling = found[0]
        coordinates = cls.of(objective, basis, at_null)
        return coordinates, coordinates.point(basis.from_params(beta), found[-1]), at_null

    @classmethod
    def of(cls, objective: Objective[P], basis: Basis, at: Scaling) -> Self:
        """Return the coordinates as they are somewhere.

        Parameters
        ----------
        objective : Objective
            To be minimised.
        basis : Basis
            Of the coordinates.
        at : Curvature, FactoredCurvature or DiagonalCurvature
            Where.

        Returns
        -------
        Coordinates
            Of the same basis.
        """
        H = basis.diagonal(at.information) / objective.nobs
        # a column that is constant beside the intercept has no curvature and no gradient
        information = np.where(H > 0, H, 1.0)
        phi = dispersion(objective, at.pearson_chi2, 1)
        return cls(objective, basis, information, np.sqrt(information * phi / objective.nobs))

    def evaluate(self, *thetas: Vector, want: type[Gradient] = Gradient) -> list[Point]:
        """Return the points at some coordinates: one pass.

        Parameters
        ----------
        *thetas : (p,) array
            Centred coefficients.
        want : type
            Sums to evaluate.

        Returns
        -------
        list of Point
            In that order.
        """
        sums = self.objective.together(*((want, self.basis.to_params(theta)) for theta in thetas))
        return [self.point(theta, found) for theta, found in zip(thetas, sums, strict=True)]

    def point(self, theta: Vector, found: Gradient) -> Point:
        """Return the point that sums were evaluated at.

        Parameters
        ----------
        theta : (p,) array
            Centred coefficients.
        found : Gradient
            The sums there.

        Returns
        -------
        Point
            With the gradient in centred coordinates.
        """
        W = self.objective.nobs
        return Point(theta, found, found.deviance / (2 * W), -self.basis.cross(found.score) / W)

    def worst(self, violation: Vector) -> float:
        """Return the largest violation of an optimality condition, in standard errors of the score.

        Parameters
        ----------
        violation : (p,) array
            Not negative.

        Returns
        -------
        float
            Zero at the optimum; infinite where the objective is.
        """
        if not np.isfinite(violation).all():
            return np.inf
        worst = np.divide(violation, self.score_error, out=np.zeros_like(violation), where=violation > 0)
        return float(worst.max(initial=0.0))

    def value(self, at: Point) -> float:
        """Return the objective.

        Parameters
        ----------
        at : Point
            Where.

        Returns
        -------
        float
            Q.
        """
        return self.objective.value(at.sums.deviance, self.basis.to_params(at.theta))


def sparse_basis(objective: Objective[SparsePenalty]) -> Basis:
    """Return coordinates in which the penalty is the same function as of the coefficients themselves.

    Parameters
    ----------
    objective : Objective
        With a sparse penalty.

    Returns
    -------
    Basis
        Centred, unless the intercept is penalised: centring changes only that.
    """
    basis = objective.basis
    if basis.intercept is None or not objective.penalty.penalised()[basis.intercept]:
        return basis
    return replace(basis, centre=np.zeros_like(basis.centre))


def diverging(coordinates: Coordinates[SparsePenalty], x: Point) -> tuple[int, ...]:
    """Return the coefficients along which the likelihood keeps rising, at the price of a pass where there may be some.

    A score vanishes under separation, too: what tells is that the step to where it would be zero moves eta all the
    same. Only columns that the penalty does not limit can separate.

    Parameters
    ----------
    coordinates : Coordinates
        Of a sparse problem.
    x : Point
        Where its optimality conditions hold.

    Returns
    -------
    tuple of int
        Their positions.
    """
    objective, basis = coordinates.objective, coordinates.basis
    # (at a bound the gradient does not vanish, and moves nothing)
    free = objective.penalty.unlimited() & objective.penalty.free(x.theta)
    if not free[np.arange(len(free)) != basis.intercept].any():
        return ()
    here = Coordinates.of(objective, basis, objective.at(basis.to_params(x.theta), DiagonalCurvature))
    step = np.where(free, -x.gradient / here.information, 0.0)
    return moving(objective, basis.to_params(step))
