"""Curvature: deviance, Pearson's X2, score and information in one sweep, what second-order methods ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family, Pointwise
from dglm.matrix import Gram, InformationKind
from dglm.objective.base import weighted, weighted_total
from dglm.objective.gradient import Gradient, pearson
from dglm.objective.sweep import sweep


@dataclass(frozen=True)
class Curvature(Gradient):
    """Deviance, score and expected information at some coefficients.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    pearson_chi2 : float
        sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    score : Cross
        X'r, r_i = w_i dl_i / deta_i.
    information : Gram
        X'WX, W_i = w_i (dmu_i / deta_i)^2 / V(mu_i).
    """

    information: Gram

    by_sweep_with: ClassVar[InformationKind] = Gram

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        swept = sweep(block, point, family, Gram)
        if swept is not None and isinstance(swept.information, Gram):
            return cls(swept.deviance, swept.pearson_chi2, swept.score, swept.information)
        eta = block.eta(point)
        at = family.pointwise(block.y, eta)
        w = block.row_weights
        weights = cls.working_weights(family, block.y, eta, at)
        return cls(
            weighted_total(w, at.deviance),
            weighted_total(w, pearson(at)),
            *block.X.cross_and_gram(weighted(w, at.score), weighted(w, weights)),
        )

    @staticmethod
    def working_weights(family: Family, y: Vector, eta: Vector, at: Pointwise) -> Vector:
        """Return what weighs a row in the information.

        Parameters
        ----------
        family : Family
            With its link.
        y : (n,) array
            Responses.
        eta : (n,) array
            Linear predictors.
        at : Pointwise
            Contributions at eta.

        Returns
        -------
        (n,) array
            For unit weights.
        """
        del family, y, eta
        return at.information

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.deviance + other.deviance,
            self.pearson_chi2 + other.pearson_chi2,
            self.score + other.score,
            self.information + other.information,
        )

    def reduced(self, L: Matrix) -> Self:
        return replace(self, score=self.score.reduced(L), information=self.information.reduced(L))


@dataclass(frozen=True)
class ObservedCurvature(Curvature):
    """Deviance, score and observed information, minus the Hessian of the log-likelihood, at some coefficients.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    pearson_chi2 : float
        sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    score : Cross
        X'r, r_i = w_i dl_i / deta_i.
    information : Gram
        X'WX, W_i = -w_i d2l_i / deta_i^2.
    """

    @staticmethod
    def working_weights(family: Family, y: Vector, eta: Vector, at: Pointwise) -> Vector:
        return at.information if family.canonical else family.observed_information(y, eta)
