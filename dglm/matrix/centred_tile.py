"""CentredTile: a few thousand dense rows with the centre of their block taken off, and their products.

``np.dot`` throughout: unlike ``@`` it releases the GIL for small outputs, so that threads overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dglm._typing import AnyArray, Codes, Matrix, Vector
from dglm.matrix.base import DesignMatrix
from dglm.matrix.crosses import Crosses
from dglm.matrix.products import Cross, Gram, GramDiagonal, mass_of
from dglm.matrix.short_rows import compiled, linear, products

# Rows that are centred as if they were one: numpy's loops over a few columns are mostly overhead.
CENTRED_AT_ONCE = 64


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
            return Cross.of_sums(len(r), self.centre, products(self.values, self.centre, r, None).cross)
        return Cross(float(len(r)), self.centre, float(r.sum()), np.dot(self.deviations.T, r))

    def cross_and_gram(self, r: Vector, w: Vector) -> tuple[Cross, Gram]:
        if not compiled(self.values):
            return super().cross_and_gram(r, w)
        found = products(self.values, self.centre, r, w)
        return Cross.of_sums(len(r), self.centre, found.cross), Gram.of_sums(mass_of(w), self.centre, found.gram)

    def matmat(self, B: Matrix) -> Matrix:
        constants = np.dot(self.centre.astype(np.longdouble), B).astype(np.float64)
        eta: Matrix = np.dot(self.deviations, B) + constants
        return eta

    def crosses(self, R: Matrix) -> Crosses:
        return Crosses(float(len(R)), self.centre, R.sum(axis=0), np.dot(self.deviations.T, R))

    def gram(self, w: Vector) -> Gram:
        if compiled(self.values):
            return Gram.of_sums(mass_of(w), self.centre, products(self.values, self.centre, None, w).gram)
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
            return Gram.of_sums(float(sums[p, p]), self.centre, sums)
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
