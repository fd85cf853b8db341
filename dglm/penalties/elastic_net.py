"""Elastic net penalty, of which the lasso is the special case l1_ratio = 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.penalties.base import SparsePenalty
from dglm.penalties.separable import Separable, shrunk, slopes
from dglm.penalties.weighted import Weighted, check_strength


@dataclass(frozen=True, repr=False)
class ElasticNet(Weighted, Separable, SparsePenalty):
    """``P(beta) = alpha sum_j w_j (l1_ratio |beta_j| + (1 - l1_ratio) / 2 beta_j^2)``.

    Source: Zou & Hastie (2005), in the parametrisation of Friedman, Hastie & Tibshirani (2010), equation 2.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    l1_ratio : float
        Share of the absolute values, above 0 and at most 1.
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
    >>> penalty = ElasticNet(alpha=1.0, l1_ratio=0.5).bound(Coefficients.of(["x"]))
    >>> penalty.value(np.array([2.0]))
    2.0
    """

    alpha: float
    l1_ratio: float

    def __post_init__(self) -> None:
        check_strength(self.alpha)
        if not 0 < self.l1_ratio <= 1:
            raise ValueError(f"l1_ratio must be above 0 and at most 1; got {self.l1_ratio!r}; use L2(alpha) for 0")

    def value(self, beta: Vector) -> float:
        l1, l2 = self.strengths()
        return float(np.sum(l1 * np.abs(beta) + l2 / 2 * beta**2))

    def prox(self, z: Vector, step: Vector) -> Vector:
        return shrunk(z, step, *self.strengths())

    def violation(self, beta: Vector, gradient: Vector) -> Vector:
        low, high = slopes(beta, *self.strengths())
        return np.maximum(np.maximum(low + gradient, -high - gradient), 0.0)

    def slack(self, beta: Vector, gradient: Vector) -> Vector:
        l1, _ = self.strengths()
        return np.where((beta == 0) & (l1 > 0), l1 - np.abs(gradient), -self.violation(beta, gradient))

    def strengths(self) -> tuple[Vector, Vector]:
        strength, units = self.alpha * self.per_coefficient(), self.units()
        return strength * units * self.l1_ratio, strength * units**2 * (1 - self.l1_ratio)
