"""Penalty: what is added to the average negative log-likelihood, and the operators that solvers need of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np

from dglm._typing import Codes, Mask, Matrix, Vector
from dglm.penalties.coefficients import Coefficients


class Penalty(ABC):
    """A function of the coefficients that is least at zero, unless they are bounded."""

    #: What messages call this kind of penalty.
    kind: ClassVar[str]

    @property
    def needs_spread(self) -> bool:
        """Whether `bound` must be told the standard deviations of the columns."""
        return False

    @abstractmethod
    def bound(self, coefficients: Coefficients) -> Self:
        """Return the penalty of a model's coefficients.

        Parameters
        ----------
        coefficients : Coefficients
            Of the model; the intercept is not penalised unless asked.

        Returns
        -------
        Penalty
            Ready to be evaluated; binding it once more gives the same.

        Raises
        ------
        ValueError
            If it names an unknown coefficient, or does not fit the number of coefficients.
        """

    @abstractmethod
    def value(self, beta: Vector) -> float:
        """Return P(beta).

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        float
            Non-negative; infinite where the coefficients are not allowed.
        """


class SmoothPenalty(Penalty):
    """Convex and twice differentiable: estimates are shrunk, none is exactly zero."""

    kind: ClassVar[str] = "smooth"

    @abstractmethod
    def gradient(self, beta: Vector) -> Vector:
        """Return dP / dbeta.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (p,) array
            The gradient.
        """

    @abstractmethod
    def hessian(self, beta: Vector) -> Matrix:
        """Return d2P / dbeta2.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (p, p) array
            Positive semi-definite.
        """

    def hessian_diagonal(self, beta: Vector) -> Vector:
        """Return d2P / dbeta_j2, without the matrix where that is possible.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (p,) array
            Not negative.
        """
        return np.diag(self.hessian(beta))


class SparsePenalty(Penalty):
    """Convex and not differentiable everywhere: some estimates are exactly zero, or exactly at a bound."""

    kind: ClassVar[str] = "sparse"

    @abstractmethod
    def penalised(self) -> Mask:
        """Return which coefficients the penalty acts on.

        Returns
        -------
        (p,) array of bool
            False for the intercept unless asked.
        """

    def blocks(self) -> tuple[Codes, ...]:
        """Return the sets of coefficients that the penalty is a sum over, each alone unless coupled.

        Returns
        -------
        tuple of (k,) arrays of int
            Positions; together all coefficients, once each.
        """
        return tuple(np.arange(len(self.penalised()))[:, None])

    def free(self, beta: Vector) -> Mask:
        """Return which coefficients are not held where they are by the penalty.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (p,) array of bool
            False for exact zeros, and at bounds.
        """
        free: Mask = beta != 0
        return free

    def feasible(self, beta: Vector) -> Vector:
        """Return the nearest coefficients that are allowed.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (p,) array
            Themselves, unless there are bounds.
        """
        return beta

    @abstractmethod
    def prox(self, z: Vector, step: Vector) -> Vector:
        """Return argmin_b sum_j (b_j - z_j)^2 / (2 step_j) + P(b).

        Parameters
        ----------
        z : (p,) array
            Where to be near.
        step : (p,) array
            Step of each coefficient; zero steps stay at z.

        Returns
        -------
        (p,) array
            With exact zeros.
        """

    @abstractmethod
    def violation(self, beta: Vector, gradient: Vector) -> Vector:
        """Return by how much each coefficient misses its optimality condition.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.
        gradient : (p,) array
            Of the smooth part of the objective, at beta.

        Returns
        -------
        (p,) array
            Distance of -gradient from the subdifferential of P; all zero at the optimum.
        """

    def slack(self, beta: Vector, gradient: Vector) -> Vector:
        """Return how much steeper the smooth part may become along each coefficient that is zero before it moves.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.
        gradient : (p,) array
            Of the smooth part of the objective, at beta.

        Returns
        -------
        (p,) array
            Minus the violation where a coefficient is not zero, or the penalty does not say; what is below zero is not
            optimal.
        """
        return -self.violation(beta, gradient)


class NonConvexPenalty(Penalty):
    """Concave in the size of each coefficient: large ones are shrunk less, and minima may be local ones.

    It is minimised through the sparse penalties that touch it from above.
    Source: Zou & Li (2008), "One-step sparse estimates in nonconcave penalized likelihood models", section 2.
    """

    kind: ClassVar[str] = "non-convex"

    @abstractmethod
    def penalised(self) -> Mask:
        """Return which coefficients the penalty acts on.

        Returns
        -------
        (p,) array of bool
            False for the intercept unless asked.
        """

    @abstractmethod
    def majorant(self, beta: Vector) -> SparsePenalty:
        """Return the sparse penalty that is tangent to this one, up to a constant, and nowhere below it.

        Parameters
        ----------
        beta : (p,) array
            Where they touch.

        Returns
        -------
        SparsePenalty
            Bound to the coefficients.
        """
