"""Gradient: deviance, Pearson's X2 and score, what first-order methods ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block, CompressedBlock
from dglm.families import Family, Pointwise
from dglm.matrix import Cross
from dglm.objective.base import Sum, weighted, weighted_total
from dglm.objective.sweep import sweep


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

    by_sweep: ClassVar[bool] = True

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        swept = sweep(block, point, family, None)
        if swept is not None:
            return cls(swept.deviance, swept.pearson_chi2, swept.score)
        at = family.pointwise(block.y, block.eta(point))
        w = block.row_weights
        return cls(weighted_total(w, at.deviance), weighted_total(w, pearson(at)), block.X.cross(weighted(w, at.score)))

    @classmethod
    def known_of_groups(cls, point: Any, *, even: bool) -> bool:
        del point, even
        return True

    @classmethod
    def of_groups(cls, block: CompressedBlock, point: Any, family: Family) -> Self:
        found, eta = cls.of(block, point, family), block.eta(cls.coefficients(point))
        # score and information are linear in y; deviance and X2 differ from those of the means by what is within groups
        return replace(
            found,
            deviance=found.deviance + float(block.deviance.sum()),
            pearson_chi2=found.pearson_chi2 + pearson_within(block, eta, family),
        )

    @classmethod
    def coefficients(cls, point: Any) -> Vector:
        """Return the coefficients of a point.

        Parameters
        ----------
        point : array
            Where to evaluate.

        Returns
        -------
        (p,) array
            The point itself, unless the class says otherwise.
        """
        beta: Vector = point
        return beta

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


def pearson_within(block: CompressedBlock, eta: Vector, family: Family) -> float:
    """Return sum_i w_i (y_i - mean)^2 / V(mu_i), means those of the groups: what X2 has beside that of the means.

    Parameters
    ----------
    block : CompressedBlock
        Groups.
    eta : (G,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    float
        Over all groups.
    """
    spread = block.squares > 0
    # 1 / V = information / (dmu/deta)^2, which is accurate where V(mu) cancels
    slope = family.link.inverse_deriv(eta)[spread]
    precision = family.pointwise(block.y, eta).information[spread] / slope / slope
    return weighted_total(block.squares[spread], precision)
