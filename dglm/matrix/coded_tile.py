"""CodedTile: a few thousand rows of dense and coded columns, and their products; `side_by_side` yields them.

Products of dense columns are left to BLAS, those of dense with coded ones are sums within levels, those of coded ones
are tables of two factors. A table costs a row the same whatever the number of levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise

import numpy as np
from scipy import sparse

from dglm._typing import AnyArray, Codes, Matrix, Vector
from dglm.matrix.base import DesignMatrix, StoredMatrix
from dglm.matrix.categorical import CentredColumns
from dglm.matrix.crosses import Crosses
from dglm.matrix.dense import tile_rows
from dglm.matrix.products import Cross, Gram, GramDiagonal


class Tables(dict[tuple[int, int], sparse.coo_array]):
    """Where tables of two factors are summed, by their shape; made once a block, as that takes longer than a sum."""

    def __missing__(self, shape: tuple[int, int]) -> sparse.coo_array:
        self[shape] = sparse.coo_array(shape)
        return self[shape]

    def summed(self, rows: AnyArray, columns: AnyArray, w: Vector, shape: tuple[int, int]) -> Matrix:
        """Return sums of weights by two codes.

        Parameters
        ----------
        rows, columns : (n,) array of int
            Codes.
        w : (n,) array
            Weights.
        shape : tuple of int
            How many codes there are.

        Returns
        -------
        array
            Of that shape.
        """
        cells = self[shape]
        # assigned, not passed: the constructor would look for the largest of each
        cells.coords, cells.data = (rows, columns), w
        return np.asarray(cells.toarray())


@dataclass(frozen=True)
class CodedTile(DesignMatrix):
    """A few thousand rows with the centre of their block taken off.

    Parameters
    ----------
    rows : StoredMatrix, (m, p)
        The rows, as the block has them.
    codes : tuple of (m,) array of int
        The level of every row, for each factor.
    numbers : tuple of (m,) array
        What multiplies coded columns.
    centre : (p,) array
        What is taken off.
    positions : (d,) array of int
        Where the columns that are written out stand in the design.
    deviations : (m, d) array
        Those columns, less the centre; a view of a buffer that the next tile overwrites.
    weighted : (m, d) array
        Room for them times weights: an array of this size, made anew for each tile, costs as much as filling it.
    held : tuple of CentredColumns
        The other columns.
    groups : (p,) array of int
        The part that a column of indicators belongs to; -1 for other columns.
    tables : Tables
        What sums weights by two codes.
    """

    rows: StoredMatrix
    codes: tuple[AnyArray, ...]
    numbers: tuple[Vector, ...]
    centre: Vector
    positions: Codes
    deviations: Matrix
    weighted: Matrix
    held: tuple[CentredColumns, ...]
    groups: Codes
    tables: Tables

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.rows.shape

    @property
    def nbytes(self) -> int:
        """Bytes that the stored values take."""
        return self.rows.nbytes

    def matvec(self, beta: Vector) -> Vector:
        # one number for every row: what rounds in it shifts whole blocks against one another
        written = beta[self.positions]
        constant = float(np.dot(self.centre[self.positions].astype(np.longdouble), written))
        eta: Vector = np.dot(self.deviations, written) + constant
        if self.held:
            slopes = beta.copy()
            slopes[self.positions] = 0.0
            eta += self._levels.dot(np.concatenate([part.of.effects(slopes) for part in self.held]))
        return eta

    def matmat(self, B: Matrix) -> Matrix:
        written = B[self.positions]
        constants = np.dot(self.centre[self.positions].astype(np.longdouble), written).astype(np.float64)
        eta: Matrix = np.dot(self.deviations, written) + constants
        if self.held:
            slopes = B.copy()
            slopes[self.positions] = 0.0
            effects = [np.concatenate([part.of.effects(beta) for part in self.held]) for beta in slopes.T]
            eta += self._levels.dot(np.column_stack(effects))
        return eta

    def crosses(self, R: Matrix) -> Crosses:
        first = np.empty((self.shape[1], R.shape[1]))
        first[self.positions] = np.dot(self.deviations.T, R)
        if self.held:
            for part, of_levels in zip(self.held, self._by_part(np.asarray(self._levels.T.dot(R))), strict=True):
                first[part.columns] = part.coded(of_levels)
        # the mean moves without end, in every column
        first[:, ~np.isfinite(R.sum(axis=0))] = np.nan
        return Crosses(float(len(R)), self.centre, R.sum(axis=0), first)

    def cross(self, r: Vector) -> Cross:
        return Cross(float(len(r)), self.centre, float(r.sum()), self._first(r, self._sums(r)))

    def gram(self, w: Vector) -> Gram:
        p, d, total = self.shape[1], len(self.positions), float(w.sum())
        if not np.isfinite(total):
            return Gram(total, self.centre, total, np.full(p, np.nan), np.full((p, p), np.nan))
        second = np.empty((p, p))
        if w.min(initial=0.0) >= 0:
            # sqrt(W) X on both sides, half the flops
            mass, root = total, np.sqrt(w)[:, None]
            weighted = np.multiply(self.deviations, root, out=self.weighted)
            second[:d, :d] = np.dot(weighted.T, weighted)
            weighted *= root
        else:
            mass = float(np.abs(w).sum())
            weighted = np.multiply(self.deviations, w[:, None], out=self.weighted)
            dense = np.dot(weighted.T, self.deviations)
            second[:d, :d] = (dense + dense.T) / 2
        sums = self._sums(w)
        if self.held:
            self._mixed(second, weighted)
            self._coded(second, w, sums)
        # from the order in which products were taken to that of the design
        second = second[self._order][:, self._order]
        return Gram(mass, self.centre, total, self._first(w, sums), second)

    def gram_diagonal(self, w: Vector) -> GramDiagonal:
        diagonal, sums = np.empty(self.shape[1]), self._sums(w)
        diagonal[self.positions] = np.dot(self.deviations.T**2, w)
        for part, codes, of_levels in zip(self.held, self._codes, self._by_part(sums), strict=True):
            squares: Vector = of_levels
            if part.of.by is not None:
                weights = w * self.numbers[part.of.by] ** 2
                squares = np.asarray(np.bincount(codes, weights, part.of.n_levels), dtype=np.float64)
            diagonal[part.columns] = part.squares(squares)
        mass, total = float(np.abs(w).sum()), float(w.sum())
        return GramDiagonal(mass, self.centre, total, self._first(w, sums), diagonal, self.groups)

    def less(self, centre: Vector) -> Matrix:
        return self.rows.less(centre)

    def columns(self, columns: Codes) -> DesignMatrix:
        return self.rows.columns(columns)

    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, DesignMatrix]]:
        m, p = self.shape
        if expanded and m > tile_rows(p):
            yield from self.rows.tiles(expanded=True)
        else:
            yield slice(0, m), self

    def toarray(self) -> Matrix:
        return self.rows.toarray()

    @cached_property
    def _levels(self) -> sparse.csr_array:
        """A row for each row, in it the number that multiplies the columns of each part, at the part's level."""
        m, k = len(self.deviations), len(self.held)
        values, indices = np.ones((m, k)), np.empty((m, k), dtype=np.int32)
        starts = np.cumsum([0, *(part.of.n_levels for part in self.held)])
        for j, (part, start) in enumerate(zip(self.held, starts, strict=False)):
            np.add(self._codes[j], start, out=indices[:, j], casting="unsafe")
            if part.of.by is not None:
                values[:, j] = self.numbers[part.of.by]
        pointers = np.arange(0, m * k + 1, k, dtype=np.int32)
        return sparse.csr_array((values.ravel(), indices.ravel(), pointers), shape=(m, int(starts[-1])))

    @cached_property
    def _codes(self) -> list[AnyArray]:
        """Codes of each part in the type that products take."""
        return [self.codes[part.of.factor].astype(np.int32) for part in self.held]

    @cached_property
    def _order(self) -> Codes:
        """Where each column of the design is among those that are written out and those of the parts."""
        return np.argsort(np.concatenate([self.positions, *(part.columns for part in self.held)]))

    @cached_property
    def _places(self) -> list[slice]:
        """Where the columns of each part are in that order."""
        edges = np.cumsum([len(self.positions), *(len(part.held) for part in self.held)]).tolist()
        return [slice(a, b) for a, b in pairwise(edges)]

    def _by_part(self, sums: AnyArray) -> Iterator[AnyArray]:
        """Yield what is of the levels of each part."""
        start = 0
        for part in self.held:
            yield sums[start : start + part.of.n_levels]
            start += part.of.n_levels

    def _sums(self, r: Vector) -> Vector:
        """Return sums within the levels of all parts."""
        return np.asarray(self._levels.T.dot(r)) if self.held else np.empty(0)

    def _first(self, r: Vector, sums: Vector) -> Vector:
        """Return sum_i r_i (x_i - centre) from the sums within levels."""
        if not np.isfinite(r.sum()):
            # the mean moves without end, in every column
            return np.full(self.shape[1], np.nan)
        first = np.empty(self.shape[1])
        first[self.positions] = np.dot(self.deviations.T, r)
        for part, of_levels in zip(self.held, self._by_part(sums[:, None]), strict=True):
            first[part.columns] = part.coded(of_levels)[:, 0]
        return first

    def _mixed(self, second: Matrix, weighted: Matrix) -> None:
        """Write the products of coded columns with those that are written out."""
        d = weighted.shape[1]
        sums = np.asarray(self._levels.T.dot(weighted))
        for part, place, of_levels in zip(self.held, self._places, self._by_part(sums), strict=True):
            second[place, :d] = part.coded(of_levels)
            second[:d, place] = second[place, :d].T

    def _coded(self, second: Matrix, w: Vector, sums: Vector) -> None:
        """Write the products of coded columns with one another, C'GC, G a table of the levels of two parts."""
        for i, (part, place, of_levels) in enumerate(zip(self.held, self._places, self._by_part(sums), strict=True)):
            for j, (other, other_place) in enumerate(zip(self.held[: i + 1], self._places, strict=False)):
                by = [number for number in (part.of.by, other.of.by) if number is not None]
                weights = reduce(lambda product, number: product * self.numbers[number], by, w)
                if part.of.factor != other.of.factor:
                    shape = part.of.n_levels, other.of.n_levels
                    table = self.tables.summed(self._codes[i], self._codes[j], weights, shape)
                    block = part.coded(other.coded(table.T).T)
                else:
                    counted = np.bincount(self._codes[i], weights, part.of.n_levels) if by else of_levels
                    block = part.coded(counted[:, None] * other.written())
                    block = (block + block.T) / 2 if i == j else block
                second[place, other_place] = block
                second[other_place, place] = block.T
