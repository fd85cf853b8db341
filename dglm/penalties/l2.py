"""L2 (ridge) penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.penalties.base import SmoothPenalty
from dglm.penalties.separable import Separable
from dglm.penalties.weighted import Weighted, check_strength


@dataclass(frozen=True, repr=False)
class L2(Weighted, Separable, SmoothPenalty):
    """``P(beta) = alpha / 2 sum_j w_j beta_j^2``, added to the average negative log-likelihood.

    Source: Hoerl & Kennard (1970).

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    weights : mapping of str to float, Series, or (p,) array, optional
        Relative strength for each coefficient, by its name or that of its term; one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    standardize : bool
        Whether the penalty acts on sd_j beta_j, the coefficients of columns of unit standard deviation.
    spread : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; filled in by `bound`.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import Coefficients
    >>> L2(alpha=0.5).bound(Coefficients.of(["Intercept", "x"], intercept=0)).value(np.array([7.0, 2.0]))
    1.0
    """

    alpha: float

    def __post_init__(self) -> None:
        check_strength(self.alpha)

    def value(self, beta: Vector) -> float:
        return float(np.sum(self.strengths()[1] / 2 * beta**2))

    def gradient(self, beta: Vector) -> Vector:
        return self.strengths()[1] * beta

    def hessian(self, beta: Vector) -> Matrix:
        return np.diag(self.hessian_diagonal(beta))

    def hessian_diagonal(self, beta: Vector) -> Vector:
        del beta
        return self.strengths()[1]

    def strengths(self) -> tuple[Vector, Vector]:
        l2 = self.alpha * self.per_coefficient() * self.units() ** 2
        return np.zeros_like(l2), l2
