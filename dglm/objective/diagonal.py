"""DiagonalCurvature: deviance, score and the diagonal of the information, in memory linear in the columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NoReturn, Self

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.matrix import GramDiagonal, InformationKind
from dglm.objective.base import weighted, weighted_total
from dglm.objective.gradient import Gradient, pearson
from dglm.objective.sweep import sweep


@dataclass(frozen=True)
class DiagonalCurvature(Gradient):
    """Deviance, score and the diagonal of the expected information at some coefficients.

    What a first-order method scales its columns by, and standard errors of the score, where the information itself
    would be too large.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    pearson_chi2 : float
        sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    score : Cross
        X'r, r_i = w_i dl_i / deta_i.
    information : GramDiagonal
        Of X'WX, W_i = w_i (dmu_i / deta_i)^2 / V(mu_i).
    """

    information: GramDiagonal

    by_sweep_with: ClassVar[InformationKind] = GramDiagonal

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        swept = sweep(block, point, family, GramDiagonal)
        if swept is not None and isinstance(swept.information, GramDiagonal):
            return cls(swept.deviance, swept.pearson_chi2, swept.score, swept.information)
        at = family.pointwise(block.y, block.eta(point))
        w = block.row_weights
        return cls(
            weighted_total(w, at.deviance),
            weighted_total(w, pearson(at)),
            *block.X.cross_and_diagonal(weighted(w, at.score), weighted(w, at.information)),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.deviance + other.deviance,
            self.pearson_chi2 + other.pearson_chi2,
            self.score + other.score,
            self.information + other.information,
        )

    def reduced(self, L: Matrix) -> NoReturn:
        del L
        raise TypeError("the diagonal of X'WX does not tell that of L'X'WX L; ask for Curvature under constraints")
