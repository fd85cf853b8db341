"""Gradient: deviance, Pearson's X2 and score, what first-order methods ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family, Pointwise
from dglm.matrix import Cross
from dglm.objective.base import Sum, weighted, weighted_total


@dataclass(frozen=True)
class Gradient(Sum):
    """Deviance, Pearson's X2 and score at some coefficients.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    pearson_chi2 : float
        sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    score : Cross
        X'r, r_i = w_i dl_i / deta_i.
    """

    deviance: float
    pearson_chi2: float
    score: Cross

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        at = family.pointwise(block.y, block.eta(point))
        w = block.row_weights
        return cls(weighted_total(w, at.deviance), weighted_total(w, pearson(at)), block.X.cross(weighted(w, at.score)))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.deviance + other.deviance, self.pearson_chi2 + other.pearson_chi2, self.score + other.score
        )

    def reduced(self, L: Matrix) -> Self:
        return replace(self, score=self.score.reduced(L))


def pearson(at: Pointwise) -> Vector:
    """Return (y - mu)^2 / V = score^2 / information, zero for a row fitted so well that both underflow.

    Parameters
    ----------
    at : Pointwise
        Contributions of the rows.

    Returns
    -------
    (n,) array
        Squared Pearson residuals at unit weight.
    """
    residual = at.score / at.information
    residual *= at.score
    if np.isnan(residual.sum()):
        residual = np.where((at.score == 0) & (at.information == 0), 0.0, residual)
    return residual
