"""DenseMatrix: columns of numbers, read in one sweep, or in centred float64 tiles that fit in a core's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector
from dglm.matrix.base import StoredMatrix, rows_among
from dglm.matrix.centred_tile import CENTRED_AT_ONCE, CentredTile, level
from dglm.matrix.likelihood import InformationKind, Likelihood, LikelihoodSums
from dglm.matrix.missing import missing_rows
from dglm.matrix.products import Cross, Gram, GramDiagonal, mass_of
from dglm.matrix.short_rows import compiled, products, sweep

# A tile and its weighted copy are read several times each; two megabytes apiece keep both in cache, and what a tile
# costs beside its arithmetic small: threads take turns there.
TILE_BYTES = 2**21
MIN_TILE_ROWS = 256
# A vector of these rows is below 128 KB, from which on malloc, as dask sets it for workers, maps pages anew each time.
MAX_TILE_ROWS = 15_872
# Rows, evenly spread over the block, whose mean is the block's centre.
CENTRE_ROWS = 64


@dataclass(frozen=True)
class DenseMatrix(StoredMatrix):
    """A two-dimensional array of numbers, of any width and layout; products are accumulated in float64.

    Parameters
    ----------
    values : (n, p) array
        The design matrix.
    """

    values: AnyArray

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        n, p = self.values.shape
        return n, p

    @property
    def nbytes(self) -> int:
        """Bytes that the stored values take."""
        return self.values.nbytes

    def matvec(self, beta: Vector) -> Vector:
        eta: Vector = np.dot(self.values, beta)
        return eta

    def cross(self, r: Vector) -> Cross:
        return reduce(add, (tile.cross(r[rows]) for rows, tile in self.tiles()))

    def gram(self, w: Vector) -> Gram:
        return reduce(add, (tile.gram(w[rows]) for rows, tile in self.tiles()))

    def cross_and_gram(self, r: Vector, w: Vector) -> tuple[Cross, Gram]:
        if not compiled(self.values):
            return super().cross_and_gram(r, w)
        centre = sampled_centre(self.values)
        found = products(self.values, centre, r, w)
        return Cross.of_sums(len(r), centre, found.cross), Gram.of_sums(mass_of(w), centre, found.gram)

    def in_one_sweep(self, information: InformationKind) -> bool:
        return information is not GramDiagonal and compiled(self.values)

    def swept(self, beta: Vector, likelihood: Likelihood) -> LikelihoodSums:
        centre = sampled_centre(self.values)
        found = sweep(self.values, centre, beta, level(centre, beta), likelihood)
        n, total = len(self.values), float(found.products.gram[-1, -1])
        score = Cross.of_sums(n, centre, found.products.cross)
        information = Gram.of_sums(total, centre, found.products.gram) if likelihood.information is Gram else None
        return LikelihoodSums(found.deviance, found.pearson_chi2, score, information)

    def gram_diagonal(self, w: Vector) -> GramDiagonal:
        return reduce(add, (tile.gram_diagonal(w[rows]) for rows, tile in self.tiles()))

    def less(self, centre: Vector) -> Matrix:
        deviations: Matrix = self.values - centre
        return deviations

    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, CentredTile]]:
        del expanded
        n, p = self.shape
        rows = tile_rows(p)
        # the tile has the layout of the block: a copy that transposes costs more than the products
        columns_first = abs(self.values.strides[0]) < abs(self.values.strides[1])
        buffer, scratch = (np.empty((k, rows) if columns_first else (rows, k)) for k in (p, p + 1))
        centre = sampled_centre(self.values)
        centres = np.tile(centre, CENTRED_AT_ONCE)
        for start in range(0, max(n, 1), rows):
            part = self.values[start : start + rows]
            m = len(part)
            room, weighted = (a[:, :m].T if columns_first else a[:m] for a in (buffer, scratch))
            yield slice(start, start + m), CentredTile(part, centre, centres, room, weighted)

    def columns(self, columns: Codes) -> DenseMatrix:
        return DenseMatrix(self.values[:, columns])

    def toarray(self) -> Matrix:
        return np.asarray(self.values, dtype=np.float64)

    def missing(self) -> Mask:
        return missing_rows(self.values)

    def finite(self) -> Mask:
        return np.asarray(np.isfinite(self.values).all(axis=1))

    def where(self, rows: Mask | Codes | slice) -> DenseMatrix:
        return DenseMatrix(self.values[rows])

    def among(self, kept: Mask) -> DenseMatrix:
        return DenseMatrix(rows_among(self.values, kept))

    def identity(self) -> list[AnyArray]:
        return list(self.values.T)

    def above(self, *below: StoredMatrix) -> StoredMatrix:
        others = [other.values for other in below if isinstance(other, DenseMatrix)]
        if len(others) < len(below):
            return super().above(*below)
        return DenseMatrix(np.concatenate([self.values, *others]))

    def beside(self, more: Matrix) -> DenseMatrix:
        return DenseMatrix(np.hstack([self.values, more]))


def sampled_centre(values: AnyArray) -> Vector:
    """Return the mean of a few rows spread over a block: near the true mean even where rows are sorted.

    Parameters
    ----------
    values : (n, p) array
        All of its rows.

    Returns
    -------
    (p,) array
        Of a constant column, that constant to the last bit.
    """
    if len(values) == 0:
        return np.zeros(values.shape[1])
    sample = sampled(values)
    # anchored at a row, so that the mean of a constant column is that constant to the last bit
    centre: Vector = sample[0] + (sample - sample[0].astype(np.float64)).mean(axis=0)
    return centre


def sampled(values: AnyArray) -> AnyArray:
    """Return a few rows, evenly spread over a block.

    Parameters
    ----------
    values : (n, ...) array
        All of its rows.

    Returns
    -------
    (m, ...) array
        A view.
    """
    return values[:: max(1, len(values) // CENTRE_ROWS)]


def tile_rows(p: int) -> int:
    """Return how many rows of p float64 columns make a tile.

    Parameters
    ----------
    p : int
        Number of columns.

    Returns
    -------
    int
        Between MIN_TILE_ROWS and MAX_TILE_ROWS.
    """
    return min(MAX_TILE_ROWS, max(MIN_TILE_ROWS, TILE_BYTES // (8 * max(p, 1))))
