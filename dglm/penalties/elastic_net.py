"""Elastic net penalty, of which the lasso is the special case l1_ratio = 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.penalties.base import SparsePenalty, Weighted, check_strength


@dataclass(frozen=True)
class ElasticNet(Weighted, SparsePenalty):
    """``P(beta) = alpha sum_j w_j (l1_ratio |beta_j| + (1 - l1_ratio) / 2 beta_j^2)``.

    Source: Zou & Hastie (2005), in the parametrisation of Friedman, Hastie & Tibshirani (2010), equation 2.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    l1_ratio : float
        Share of the absolute values, above 0 and at most 1.
    weights : mapping of str to float, or (p,) array, optional
        Relative strength for each coefficient, one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.

    Examples
    --------
    >>> import numpy as np
    >>> ElasticNet(alpha=1.0, l1_ratio=0.5).bound(["x"], intercept=None).value(np.array([2.0]))
    2.0
    """

    alpha: float
    l1_ratio: float

    def __post_init__(self) -> None:
        check_strength(self.alpha)
        if not 0 < self.l1_ratio <= 1:
            raise ValueError(f"l1_ratio must be above 0 and at most 1; got {self.l1_ratio!r}; use L2(alpha) for 0")

    def value(self, beta: Vector) -> float:
        l1, l2 = self._strengths()
        return float(np.sum(l1 * np.abs(beta) + l2 / 2 * beta**2))

    def prox(self, z: Vector, step: Vector) -> Vector:
        # soft threshold, then shrink: sign(z) (|z| - s l1)_+ / (1 + s l2)
        l1, l2 = self._strengths()
        # (+ 0.0 turns the negative zero that a sign leaves into zero)
        return np.sign(z) * np.maximum(np.abs(z) - step * l1, 0.0) / (1 + step * l2) + 0.0

    def violation(self, beta: Vector, gradient: Vector) -> Vector:
        l1, l2 = self._strengths()
        g = gradient + l2 * beta
        at_zero = np.maximum(np.abs(g) - l1, 0.0)
        return np.where(beta == 0, at_zero, np.abs(g + l1 * np.sign(beta)))

    def _strengths(self) -> tuple[Vector, Vector]:
        """Return the strength on |beta_j| and on beta_j^2 / 2, per coefficient."""
        strength = self.alpha * self.per_coefficient()
        return strength * self.l1_ratio, strength * (1 - self.l1_ratio)
