"""Penalty: what is added to the average negative log-likelihood, and the operators that solvers need of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from dglm._typing import Codes, Mask, Matrix, Vector


class Penalty(ABC):
    """A convex function of the coefficients."""

    @abstractmethod
    def bound(self, names: Sequence[str], intercept: int | None) -> Self:
        """Return the penalty with one weight per coefficient.

        Parameters
        ----------
        names : sequence of str
            Of the coefficients.
        intercept : int or None
            Position of the intercept, which is not penalised unless asked.

        Returns
        -------
        Penalty
            Ready to be evaluated.

        Raises
        ------
        ValueError
            If the weights name an unknown coefficient, are negative, or are not one per coefficient.
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
            Non-negative.
        """


class SmoothPenalty(Penalty):
    """Twice differentiable: estimates are shrunk, none is exactly zero."""

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
    """Not differentiable at zero: some estimates are exactly zero."""

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

    @abstractmethod
    def prox(self, z: Vector, step: Vector) -> Vector:
        """Return argmin_b sum_j (b_j - z_j)^2 / (2 step_j) + P(b).

        Parameters
        ----------
        z : (p,) array
            Where to be near.
        step : (p,) array
            Step of each coefficient; zero steps stay at z. The same within a block.

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


@dataclass(frozen=True, kw_only=True)
class Weighted:
    """Weights per coefficient, shared by the penalties that are sums over coefficients.

    Parameters
    ----------
    weights : mapping of str to float, or (p,) array, optional
        Relative strength for each coefficient, one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    """

    weights: Mapping[str, float] | Vector | None = field(default=None, repr=False)
    penalize_intercept: bool = field(default=False, repr=False)

    def bound(self, names: Sequence[str], intercept: int | None) -> Self:
        """Return the penalty with one weight per coefficient.

        Parameters
        ----------
        names : sequence of str
            Of the coefficients.
        intercept : int or None
            Position of the intercept.

        Returns
        -------
        Penalty
            With ``weights`` an array of p numbers.

        Raises
        ------
        ValueError
            If the weights name an unknown coefficient, are negative, or are not one per coefficient.
        """
        w = np.ones(len(names))
        if isinstance(self.weights, Mapping):
            unknown = [name for name in self.weights if name not in names]
            if unknown:
                raise ValueError(f"penalty weights name {unknown}, but the coefficients are {list(names)}")
            w = np.array([float(self.weights.get(name, 1.0)) for name in names])
        elif self.weights is not None:
            w = np.array(self.weights, dtype=np.float64)
            if w.shape != (len(names),):
                raise ValueError(f"penalty weights have shape {w.shape}, but there are {len(names)} coefficients")
        if not (np.isfinite(w).all() and (w >= 0).all()):
            raise ValueError(f"penalty weights must be finite and at least 0; found {w[~(w >= 0)]}")
        if intercept is not None and not self.penalize_intercept:
            w[intercept] = 0.0
        return replace(self, weights=w)

    def penalised(self) -> Mask:
        """Return which coefficients the penalty acts on.

        Returns
        -------
        (p,) array of bool
            False for the intercept unless asked.
        """
        return self.per_coefficient() > 0

    def per_coefficient(self) -> Vector:
        """Return the bound weights.

        Returns
        -------
        (p,) array
            One per coefficient.
        """
        return np.asarray(self.weights, dtype=np.float64)


def check_strength(alpha: float) -> None:
    """Refuse a penalty strength that is not a number of at least 0.

    Parameters
    ----------
    alpha : float
        Strength.

    Raises
    ------
    ValueError
        If it is negative, nan or infinite.
    """
    if not (np.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha must be finite and at least 0; got {alpha!r}")
