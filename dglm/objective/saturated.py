"""SaturatedLoglike: the log-likelihood of the data at themselves, from which that of any fit follows.

l(mu; y, phi) = l(y; y, phi) - w d(y, mu) / (2 phi) for every exponential dispersion model, so a fit whose dispersion
is known after the last pass needs this sum over y and the weights, and nothing of X.
Source: Jorgensen (1997), "The Theory of Dispersion Models", section 1.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.objective.base import Sum


@dataclass(frozen=True)
class SaturatedLoglike(Sum):
    """Log-likelihood at mu = y; the point is the dispersion, an array of one number.

    Parameters
    ----------
    loglike : float
        sum_i f_i l(y_i; y_i, phi / v_i), f and v the frequency and variance weights.
    """

    loglike: float

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        rows = family.loglike_obs(block.y, block.y, block.var, float(point[0]))
        return cls(float(np.dot(block.freq, rows)))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.loglike + other.loglike)

    def reduced(self, L: Matrix) -> Self:
        del L
        return self
