"""FactoredCurvature: what second-order methods ask for where columns are nearly collinear; slower than `Curvature`.

Newton's step solves R'R d = X'r. R is found without forming X'WX, and X'r, like the linear predictor that it takes, in
twice the precision: what then limits the estimate is its own rounding and that of the entries of X.
Source: Bjorck (1987), "Stability analysis of the method of seminormal equations for linear least squares problems",
with the residual in higher precision as in Golub & Wilkinson (1966), "Note on the iterative refinement of least squares
solution".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import ClassVar, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.matrix import SplitMatrix, TriangularFactor
from dglm.objective.base import weighted, weighted_total
from dglm.objective.curvature import Curvature
from dglm.objective.gradient import Gradient, pearson


@dataclass(frozen=True)
class FactoredCurvature(Gradient):
    """Deviance, score and the triangular factor of the expected information at some coefficients.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    pearson_chi2 : float
        sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    score : Cross
        X'r, r_i = w_i dl_i / deta_i, in twice the precision.
    information : TriangularFactor
        R with R'R = X'WX, W_i = w_i (dmu_i / deta_i)^2 / V(mu_i).
    """

    information: TriangularFactor

    by_sweep: ClassVar[bool] = False

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        return reduce(add, (cls._of_tile(tile, point, family) for tile in block.tiles(expanded=True)))

    @classmethod
    def _of_tile(cls, block: Block, point: Vector, family: Family) -> Self:
        # column by column is how all that follows reads them
        rows = np.asfortranarray(block.X.toarray())
        X = SplitMatrix.of(rows)
        eta = X.matvec(point)
        at = family.pointwise(block.y, eta if block.offset is None else eta + block.offset)
        w = block.row_weights
        return cls(
            weighted_total(w, at.deviance),
            weighted_total(w, pearson(at)),
            X.cross(weighted(w, at.score)),
            TriangularFactor.of(rows, weighted(w, at.information)),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.deviance + other.deviance,
            self.pearson_chi2 + other.pearson_chi2,
            self.score + other.score,
            self.information + other.information,
        )

    def reduced(self, L: Matrix) -> Self:
        return replace(self, score=self.score.reduced(L), information=self.information.reduced(L))


#: Sums that hold the information, one way or the other.
SecondOrder = Curvature | FactoredCurvature
