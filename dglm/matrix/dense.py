"""DenseMatrix: columns of numbers, read in centred float64 tiles that fit in a core's cache.

``np.dot`` throughout: unlike ``@`` it releases the GIL for small outputs, so that threads overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

import numpy as np

from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector
from dglm.matrix.base import DesignMatrix, StoredMatrix, rows_among
from dglm.matrix.crosses import Crosses
from dglm.matrix.likelihood import InformationKind, Likelihood, LikelihoodSums
from dglm.matrix.missing import missing_rows
from dglm.matrix.products import Cross, Gram, GramDiagonal
from dglm.matrix.short_rows import compiled, linear, products, sweep

# A tile and its weighted copy are read several times each; two megabytes apiece keep both in cache, and what a tile
# costs beside its arithmetic small: threads take turns there.
TILE_BYTES = 2**21
MIN_TILE_ROWS = 256
# A vector of these rows is below 128 KB, from which on malloc, as dask sets it for workers, maps pages anew each time.
MAX_TILE_ROWS = 15_872
# Rows, evenly spread over the block, whose mean is the block's centre.
CENTRE_ROWS = 64
# Rows that are centred as if they were one: numpy's loops over a few columns are mostly overhead.
CENTRED_AT_ONCE = 64


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
        return cross_of(len(r), centre, found.cross), gram_of(mass_of(w), centre, found.gram)

    def in_one_sweep(self, information: InformationKind) -> bool:
        return information is not GramDiagonal and compiled(self.values)

    def swept(self, beta: Vector, likelihood: Likelihood) -> LikelihoodSums:
        centre = sampled_centre(self.values)
        found = sweep(self.values, centre, beta, level(centre, beta), likelihood)
        n, total = len(self.values), float(found.products.gram[-1, -1])
        score = cross_of(n, centre, found.products.cross)
        information = gram_of(total, centre, found.products.gram) if likelihood.information is Gram else None
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


@dataclass(frozen=True)
class CentredTile(DesignMatrix):
    """A few thousand rows with the centre of their block taken off.

    Parameters
    ----------
    values : (m, p) array
        The rows, as the block has them.
    centre : (p,) array
        What is taken off.
    centres : (p * CENTRED_AT_ONCE,) array
        The same, repeated.
    room : (m, p) array
        For deviations, where something asks for them; the next tile writes over it.
    weighted : (m, p + 1) array
        Room for the weighted deviations and the weights: one product of matrices then brings all sums of both.
    """

    values: AnyArray
    centre: Vector
    centres: Vector
    room: Matrix
    weighted: Matrix

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        m, p = self.values.shape
        return m, p

    @property
    def nbytes(self) -> int:
        """Bytes that the stored values take."""
        return self.values.nbytes

    @cached_property
    def deviations(self) -> Matrix:
        """What is left of the rows; (m, p)."""
        subtract(self.values, self.centres, self.room)
        return self.room

    def matvec(self, beta: Vector) -> Vector:
        constant = level(self.centre, beta)
        if compiled(self.values):
            return linear(self.values, self.centre, beta, constant)
        eta: Vector = np.dot(self.deviations, beta) + constant
        return eta

    def cross(self, r: Vector) -> Cross:
        if compiled(self.values):
            return cross_of(len(r), self.centre, products(self.values, self.centre, r, None).cross)
        return Cross(float(len(r)), self.centre, float(r.sum()), np.dot(self.deviations.T, r))

    def cross_and_gram(self, r: Vector, w: Vector) -> tuple[Cross, Gram]:
        if not compiled(self.values):
            return super().cross_and_gram(r, w)
        found = products(self.values, self.centre, r, w)
        return cross_of(len(r), self.centre, found.cross), gram_of(mass_of(w), self.centre, found.gram)

    def matmat(self, B: Matrix) -> Matrix:
        constants = np.dot(self.centre.astype(np.longdouble), B).astype(np.float64)
        eta: Matrix = np.dot(self.deviations, B) + constants
        return eta

    def crosses(self, R: Matrix) -> Crosses:
        return Crosses(float(len(R)), self.centre, R.sum(axis=0), np.dot(self.deviations.T, R))

    def gram(self, w: Vector) -> Gram:
        if compiled(self.values):
            return gram_of(mass_of(w), self.centre, products(self.values, self.centre, None, w).gram)
        p = len(self.centre)
        if len(w) > 0 and w[0] > 0 and (w == w[0]).all():
            # least squares, say: multiplying the rows would be a sixth of the time
            each, total = float(w[0]), float(w.sum())
            first = np.dot(self.deviations.T, w)
            return Gram(total, self.centre, total, first, each * np.dot(self.deviations.T, self.deviations))
        if w.min(initial=0.0) >= 0:
            # sqrt(W) [X 1] on both sides, half the flops
            root = np.sqrt(w)
            np.multiply(self.deviations, root[:, None], out=self.weighted[:, :p])
            self.weighted[:, p] = root
            sums = np.dot(self.weighted.T, self.weighted)
            return gram_of(float(sums[p, p]), self.centre, sums)
        np.multiply(self.deviations, w[:, None], out=self.weighted[:, :p])
        self.weighted[:, p] = w
        sums = np.dot(self.deviations.T, self.weighted)
        second = (sums[:, :p] + sums[:, :p].T) / 2
        return Gram(float(np.abs(w).sum()), self.centre, float(w.sum()), sums[:, p].copy(), second)

    def gram_diagonal(self, w: Vector) -> GramDiagonal:
        squares = self.weighted[:, :-1]
        np.square(self.deviations, out=squares)
        mass, total = float(np.abs(w).sum()), float(w.sum())
        return GramDiagonal(mass, self.centre, total, np.dot(self.deviations.T, w), np.dot(squares.T, w))

    def less(self, centre: Vector) -> Matrix:
        deviations: Matrix = self.values - centre
        return deviations

    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, CentredTile]]:
        del expanded
        yield slice(0, len(self.values)), self

    def columns(self, columns: Codes) -> CentredTile:
        values, centre = self.values[:, columns], self.centre[columns]
        room, weighted = (np.empty((len(values), k)) for k in (len(centre), len(centre) + 1))
        return CentredTile(values, centre, np.tile(centre, CENTRED_AT_ONCE), room, weighted)

    def toarray(self) -> Matrix:
        return np.asarray(self.values, dtype=np.float64)


def cross_of(n: int, centre: Vector, sums: Vector) -> Cross:
    """Return the record of sums about a centre, of which the last one is of the numbers themselves.

    Parameters
    ----------
    n : int
        Number of rows.
    centre : (p,) array
        What was taken off them.
    sums : (p + 1,) array
        sum_i r_i (x_i - centre, 1).

    Returns
    -------
    Cross
        A copy of the sums.
    """
    return Cross(float(n), centre, float(sums[-1]), sums[:-1].copy())


def gram_of(mass: float, centre: Vector, sums: Matrix) -> Gram:
    """Return the record of sums about a centre, of which the last ones are of the weights themselves.

    Parameters
    ----------
    mass : float
        Of the weights, as `mass_of` has it.
    centre : (p,) array
        What was taken off the rows.
    sums : (p + 1, p + 1) array
        sum_i w_i z_i z_i', z_i = (x_i - centre, 1).

    Returns
    -------
    Gram
        A copy of the sums.
    """
    return Gram(mass, centre, float(sums[-1, -1]), sums[:-1, -1].copy(), sums[:-1, :-1].copy())


def mass_of(w: Vector) -> float:
    """Return sum_i |w_i|.

    Parameters
    ----------
    w : (n,) array
        Weights of either sign.

    Returns
    -------
    float
        Where none is negative, without a copy.
    """
    return float(w.sum() if w.min(initial=0.0) >= 0 else np.abs(w).sum())


def level(centre: Vector, beta: Vector) -> float:
    """Return centre'beta, in the longest numbers that there are.

    It is one number for every row: what rounds in it shifts whole blocks against one another, which costs Longley's
    data two digits.

    Parameters
    ----------
    centre, beta : (p,) array
        What was taken off rows, and coefficients.

    Returns
    -------
    float
        Rounded once.
    """
    return float(np.dot(centre.astype(np.longdouble), beta))


def subtract(part: AnyArray, centres: Vector, tile: Matrix) -> None:
    """Write rows less their centre to a tile.

    Parameters
    ----------
    part : (m, p) array
        The rows; possibly the tile itself.
    centres : (p * CENTRED_AT_ONCE,) array
        Their centre, so often.
    tile : (m, p) array
        Where to.
    """
    m, p = part.shape
    grouped = 0
    if part.flags.c_contiguous and tile.flags.c_contiguous:
        grouped = m - m % CENTRED_AT_ONCE
        shape = (m // CENTRED_AT_ONCE, CENTRED_AT_ONCE * p)
        np.subtract(part[:grouped].reshape(shape), centres, out=tile[:grouped].reshape(shape))
    np.subtract(part[grouped:], centres[:p], out=tile[grouped:])


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
