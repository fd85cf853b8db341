"""Generalised ridge: a quadratic penalty with a matrix, such as the roughness of a spline's coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.penalties.base import SmoothPenalty
from dglm.penalties.coefficients import Coefficients
from dglm.penalties.weighted import check_strength

# An eigenvalue below zero by this share of the largest is rounding.
NEGATIVE = 1e-10


@dataclass(frozen=True)
class GeneralizedRidge(SmoothPenalty):
    """``P(beta) = alpha / 2 beta' S beta``, added to the average negative log-likelihood.

    Source: Wood (2017), "Generalized Additive Models", section 4.2.2.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    matrix : (p, p) array, or mapping of str to (k, k) array
        S, symmetric and positive semi-definite; or its diagonal blocks by the names of terms or coefficients, zero for
        those that are not named.
    penalize_intercept : bool
        Whether S may act on the intercept.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import Coefficients
    >>> smooth = GeneralizedRidge(2.0, {"s": difference_penalty(3, order=1)})
    >>> coefficients = Coefficients.of(["Intercept", "s[0]", "s[1]", "s[2]"], 0, terms={"s": (1, 2, 3)})
    >>> smooth.bound(coefficients).value(np.array([9.0, 1.0, 2.0, 4.0]))
    5.0
    """

    alpha: float
    matrix: Matrix | Mapping[str, Matrix] = field(repr=False)
    penalize_intercept: bool = field(default=False, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        check_strength(self.alpha)
        if isinstance(self.matrix, Mapping):
            for label, block in self.matrix.items():
                _checked(block, f"the matrix of {label!r}")
        else:
            _checked(self.matrix, "the matrix")

    def bound(self, coefficients: Coefficients) -> Self:
        p, intercept = len(coefficients.names), coefficients.intercept
        if isinstance(self.matrix, Mapping):
            coefficients.check(list(self.matrix), "penalty matrices name")
            S = np.zeros((p, p))
            for label, block in self.matrix.items():
                at = list(coefficients.positions(label))
                S[np.ix_(at, at)] += _of_size(block, len(at), f"the matrix of {label!r}")
        else:
            S = _of_size(self.matrix, p, "the matrix")
        if intercept is not None and S[intercept].any() and not self.penalize_intercept:
            raise ValueError(
                f"the matrix penalises the intercept, {coefficients.names[intercept]!r}; make its row and column zero, "
                f"or pass penalize_intercept=True"
            )
        return replace(self, matrix=S)

    def value(self, beta: Vector) -> float:
        # rounding may take it below zero where S is singular
        return max(float(beta @ self.gradient(beta)) / 2, 0.0)

    def gradient(self, beta: Vector) -> Vector:
        gradient: Vector = self.hessian(beta) @ beta
        return gradient

    def hessian(self, beta: Vector) -> Matrix:
        del beta
        S = np.asarray(self.matrix)
        H: Matrix = self.alpha * (S + S.T) / 2
        return H


def difference_penalty(k: int, order: int = 2) -> Matrix:
    """Return D'D with D the differences of k neighbouring coefficients: the roughness penalty of P-splines.

    A formula leaves the first column of a B-spline basis out, beside an intercept. The columns add up to one, so that
    the coefficients that are left are differences from the first, which is zero: their penalty is
    ``difference_penalty(k + 1)[1:, 1:]``.

    Source: Eilers & Marx (1996), equation 4.

    Parameters
    ----------
    k : int
        Number of coefficients, more than `order`.
    order : int
        Of the differences: polynomials of a lower degree are not penalised.

    Returns
    -------
    (k, k) array
        Of rank k - order.

    Raises
    ------
    ValueError
        If there are no such differences.

    Examples
    --------
    >>> difference_penalty(3, order=1)
    array([[ 1., -1.,  0.],
           [-1.,  2., -1.],
           [ 0., -1.,  1.]])
    """
    if not 0 < order < k:
        raise ValueError(f"order must be at least 1 and less than the {k} coefficients; got {order!r}")
    D = np.diff(np.eye(k), order, axis=0)
    S: Matrix = D.T @ D
    return S


def _checked(matrix: Any, what: str) -> Matrix:
    """Return a matrix of floats, or say what is wrong with it."""
    S = np.asarray(matrix, dtype=np.float64)
    if S.ndim != 2 or S.shape[0] != S.shape[1] or not np.isfinite(S).all():
        raise ValueError(f"{what} must be square and finite; got shape {S.shape}")
    size = np.abs(S).max(initial=0.0)
    gap = np.abs(S - S.T)
    if gap.max(initial=0.0) > NEGATIVE * size:
        i, j = np.unravel_index(int(np.argmax(gap)), S.shape)
        raise ValueError(f"{what} must be symmetric; entries [{i}, {j}] and [{j}, {i}] are {S[i, j]:g} and {S[j, i]:g}")
    lowest = float(np.linalg.eigvalsh((S + S.T) / 2).min(initial=0.0))
    if lowest < -NEGATIVE * size:
        raise ValueError(
            f"{what} must be positive semi-definite, or there may be no minimum; its most negative eigenvalue is "
            f"{lowest:.6g}"
        )
    return S


def _of_size(matrix: Any, k: int, what: str) -> Matrix:
    S = np.asarray(matrix, dtype=np.float64)
    if S.shape != (k, k):
        raise ValueError(f"{what} has shape {S.shape}, but there are {k} coefficients")
    return S
