"""Trials: many coefficient vectors evaluated in one pass, each fitted on all rows or on all but those of a fold.

Rows are read, encoded and centred once for all of them, and their products are products of matrices. Curvature, which
costs as much as all of them together, is brought of a few vectors only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, ClassVar, Self

import numpy as np

from dglm._typing import Codes, Matrix, Vector
from dglm.data import Block, FoldedBlock
from dglm.families import Family
from dglm.matrix import Crosses, Gram
from dglm.objective.base import Sum, weighted
from dglm.objective.gradient import pearson

# Rows times vectors that are evaluated at once: a few arrays of them stay near the core.
CELLS = 2**15
FEWEST = 4
# Of the expected information of a row, what its observed one may not be below: it would be negative for some.
LEAST = 0.1


@dataclass(frozen=True)
class TrialsAt:
    """Where to evaluate.

    Parameters
    ----------
    B : (p, m) array
        Coefficients, a vector a column.
    held_out : (m,) array of int
        Position of the fold whose rows a vector is not fitted on; -1 for none.
    curved : tuple of int
        The vectors whose information is wanted.
    labels : tuple
        Of the folds, in order; a single None where there are none.
    """

    B: Matrix
    held_out: Codes
    curved: tuple[int, ...]
    labels: tuple[Any, ...]


@dataclass(frozen=True)
class Trials(Sum):
    """Deviances, scores and some informations of many coefficient vectors; the point is a `TrialsAt`.

    Parameters
    ----------
    deviance : (k, m) array
        sum_i w_i d(y_i, mu_i) over the rows of each fold.
    pearson_chi2 : (m,) array
        sum_i w_i (y_i - mu_i)^2 / V(mu_i) over the rows that the vector is fitted on.
    score : Crosses
        X'r over those rows, r_i = w_i dl_i / deta_i.
    information : dict of (int, int) to Gram
        X'WX by vector and fold, W_i = -w_i d2l_i / deta_i^2, but at least a tenth of what is expected of it; without
        what has no rows.
    """

    deviance: Matrix
    pearson_chi2: Vector
    score: Crosses
    information: dict[tuple[int, int], Gram]

    by_tile: ClassVar[bool] = False

    @classmethod
    def of(cls, block: Block, point: TrialsAt, family: Family) -> Self:
        folds = block.folds() if isinstance(block, FoldedBlock) else {None: block}
        of_folds = (
            # tiles of a fold have the same centre, so that adding them up is adding up
            reduce(add, (cls._of_tile(tile, point, family, point.labels.index(label)) for tile in rows.tiles()))
            for label, rows in folds.items()
        )
        return reduce(add, of_folds) if folds else cls._of_nothing(point)

    @classmethod
    def _of_nothing(cls, point: TrialsAt) -> Self:
        p, m = point.B.shape
        products = Crosses(0.0, np.zeros(p), np.zeros(m), np.zeros((p, m)))
        return cls(np.zeros((len(point.labels), m)), np.zeros(m), products, {})

    @classmethod
    def _of_tile(cls, tile: Block, point: TrialsAt, family: Family, fold: int) -> Self:
        p, m = point.B.shape
        w, information = tile.weights, {}
        deviance, chi2 = np.zeros((len(point.labels), m)), np.zeros(m)
        totals, deviations = np.zeros(m), np.zeros((p, m))
        width = max(FEWEST, CELLS // max(len(tile), 1))
        products = Crosses(0.0, np.zeros(p), totals, deviations)
        for start in range(0, m, width):
            chunk = slice(start, min(start + width, m))
            eta = tile.X.matmat(point.B[:, chunk])
            shape = eta.shape
            if tile.offset is not None:
                eta = eta + tile.offset[:, None]
            at = family.pointwise(np.repeat(tile.y, shape[1]), eta.ravel())
            fitted = point.held_out[chunk] != fold
            deviance[fold, chunk] = _totals(w, at.deviance.reshape(shape))
            chi2[chunk] = np.where(fitted, _totals(w, pearson(at).reshape(shape)), 0.0)
            residuals = weighted(w[:, None], at.score.reshape(shape))
            products = tile.X.crosses(residuals if fitted.all() else np.where(fitted, residuals, 0.0))
            totals[chunk], deviations[:, chunk] = products.totals, products.deviations
            for j in (j for j in point.curved if chunk.start <= j < chunk.stop):
                expected = at.information.reshape(shape)[:, j - start]
                weights = (
                    expected
                    if family.canonical
                    else np.maximum(family.observed_information(tile.y, eta[:, j - start]), LEAST * expected)
                )
                information[j, fold] = tile.X.gram(weighted(w, weights))
        return cls(deviance, chi2, Crosses(products.count, products.centre, totals, deviations), information)

    def __add__(self, other: Self) -> Self:
        information = dict(self.information)
        for key, gram in other.information.items():
            information[key] = information[key] + gram if key in information else gram
        return type(self)(
            self.deviance + other.deviance,
            self.pearson_chi2 + other.pearson_chi2,
            self.score + other.score,
            information,
        )

    def reduced(self, L: Matrix) -> Self:
        information = {key: gram.reduced(L) for key, gram in self.information.items()}
        return replace(self, score=self.score.reduced(L), information=information)


def _totals(w: Vector, values: Matrix) -> Vector:
    """Return sum_i w_i v_ij, where rows of zero weight count for nothing even if their value is infinite."""
    totals: Vector = np.dot(w, values)
    if np.isnan(totals).any():
        counted = w > 0
        totals = np.dot(w[counted], values[counted])
    return totals
