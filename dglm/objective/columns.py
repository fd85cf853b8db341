"""ColumnCurvature: deviance, score, and the information about a few of the columns, what a working set needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Self

from dglm._typing import Codes, Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.matrix import Gram
from dglm.objective.base import weighted, weighted_total
from dglm.objective.gradient import Gradient, pearson


@dataclass(frozen=True)
class ColumnsAt:
    """Where a `ColumnCurvature` is evaluated.

    Parameters
    ----------
    beta : (p,) array
        Coefficients.
    columns : (k,) array of int
        Positions of the columns whose information is wanted.
    """

    beta: Vector
    columns: Codes


@dataclass(frozen=True)
class ColumnCurvature(Gradient):
    """Deviance, score and expected information about some columns, at some coefficients.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    pearson_chi2 : float
        sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    score : Cross
        X'r, r_i = w_i dl_i / deta_i, of all columns.
    information : Gram
        Z'WZ, Z the k columns, W_i = w_i (dmu_i / deta_i)^2 / V(mu_i).
    """

    information: Gram

    by_sweep: ClassVar[bool] = False

    @classmethod
    def of(cls, block: Block, point: Any, family: Family) -> Self:
        at = family.pointwise(block.y, block.eta(point.beta))
        w = block.row_weights
        return cls(
            weighted_total(w, at.deviance),
            weighted_total(w, pearson(at)),
            block.X.cross(weighted(w, at.score)),
            block.X.columns(point.columns).gram(weighted(w, at.information)),
        )

    @classmethod
    def coefficients(cls, point: Any) -> Vector:
        beta: Vector = point.beta
        return beta

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.deviance + other.deviance,
            self.pearson_chi2 + other.pearson_chi2,
            self.score + other.score,
            self.information + other.information,
        )

    def reduced(self, L: Matrix) -> NoReturn:
        del L
        raise TypeError("information about some columns does not tell that of their combinations; ask for Curvature")
