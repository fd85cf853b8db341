"""L2 (ridge) penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.penalties.base import SmoothPenalty, Weighted, check_strength


@dataclass(frozen=True)
class L2(Weighted, SmoothPenalty):
    """``P(beta) = alpha / 2 sum_j w_j beta_j^2``, added to the average negative log-likelihood.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    weights : mapping of str to float, or (p,) array, optional
        Relative strength for each coefficient, one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.

    Examples
    --------
    >>> import numpy as np
    >>> L2(alpha=0.5).bound(["Intercept", "x"], intercept=0).value(np.array([7.0, 2.0]))
    1.0
    """

    alpha: float

    def __post_init__(self) -> None:
        check_strength(self.alpha)

    def value(self, beta: Vector) -> float:
        return float(self.alpha / 2 * np.sum(self.per_coefficient() * beta**2))

    def gradient(self, beta: Vector) -> Vector:
        return self.alpha * self.per_coefficient() * beta

    def hessian(self, beta: Vector) -> Matrix:
        return np.diag(self.hessian_diagonal(beta))

    def hessian_diagonal(self, beta: Vector) -> Vector:
        del beta
        return self.alpha * self.per_coefficient()
