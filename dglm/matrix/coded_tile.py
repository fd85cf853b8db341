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
from dglm.matrix.categorical import CentredColumns, CodedColumns
from dglm.matrix.centred_tile import CentredTile, level
from dglm.matrix.crosses import Crosses
from dglm.matrix.dense import tile_rows
from dglm.matrix.likelihood import InformationKind, Likelihood, LikelihoodSums
from dglm.matrix.products import Cross, Gram, GramDiagonal, mass_of
from dglm.matrix.short_rows import Levels, Products, compiled, products, sweep


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
    written : CentredTile
        Those columns.
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
    written: CentredTile
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
        eta = self.written.matvec(beta[self.positions])
        if self.held:
            effects = self._effects(beta)
            if self._compiled:
                self._by.effects(effects, eta)
            else:
                eta += self._levels.dot(effects)
        return eta

    def _effects(self, beta: Vector) -> Vector:
        """Return the effects of the levels of all parts."""
        slopes = beta.copy()
        slopes[self.positions] = 0.0
        return np.concatenate([part.of.effects(slopes) for part in self.held])

    def matmat(self, B: Matrix) -> Matrix:
        eta = self.written.matmat(B[self.positions])
        if self.held:
            eta += self._levels.dot(np.column_stack([self._effects(beta) for beta in B.T]))
        return eta

    def crosses(self, R: Matrix) -> Crosses:
        first = np.empty((self.shape[1], R.shape[1]))
        first[self.positions] = np.dot(self.written.deviations.T, R)
        if self.held:
            for part, of_levels in zip(self.held, self._by_part(np.asarray(self._levels.T.dot(R))), strict=True):
                first[part.columns] = part.coded(of_levels)
        # the mean moves without end, in every column
        first[:, ~np.isfinite(R.sum(axis=0))] = np.nan
        return Crosses(float(len(R)), self.centre, R.sum(axis=0), first)

    def cross(self, r: Vector) -> Cross:
        found = self._products(r, None) if self._compiled else self._products_of_arrays(r, None)
        return self._cross_of(float(r.sum()), found)

    def gram(self, w: Vector) -> Gram:
        return self._gram_of(w, self._products(None, w) if self._compiled else self._products_of_arrays(None, w))

    def cross_and_gram(self, r: Vector, w: Vector) -> tuple[Cross, Gram]:
        found = self._products(r, w) if self._compiled else self._products_of_arrays(r, w)
        return self._cross_of(float(r.sum()), found), self._gram_of(w, found)

    def in_one_sweep(self, information: InformationKind) -> bool:
        # numbers that multiply levels of a factor twice take a sum of their own
        numberless = all(part.of.by is None for part in self.held)
        return information is not GramDiagonal and self._compiled and numberless

    def swept(self, beta: Vector, likelihood: Likelihood) -> LikelihoodSums:
        written = self.written
        levels, effects = (self._by, self._effects(beta)) if self.held else (None, None)
        slopes = beta[self.positions]
        constant = level(written.centre, slopes)
        found = sweep(written.values, written.centre, slopes, constant, likelihood, levels, effects)
        score = self._cross_of(float(found.products.cross[-1]), found.products)
        information = self._gram_of(None, found.products) if likelihood.information is Gram else None
        return LikelihoodSums(found.deviance, found.pearson_chi2, score, information)

    @property
    def _compiled(self) -> bool:
        return compiled(self.written.values)

    def _products(self, r: Vector | None, w: Vector | None) -> Products:
        """Return sums over all rows and within levels, by compiled loops."""
        return products(self.written.values, self.written.centre, r, w, self._by if self.held else None)

    def _products_of_arrays(self, r: Vector | None, w: Vector | None) -> Products:
        """Return the same by numpy and scipy."""
        d, n_levels = len(self.positions), int(self._by.starts[-1])
        cross, totals = np.zeros(d + 1), np.zeros(n_levels)
        gram, within, tables = np.zeros((d + 1, d + 1)), np.zeros((n_levels, d + 1)), [np.empty(0)]
        if r is not None:
            of_written = self.written.cross(r)
            cross = np.append(of_written.deviations, of_written.total)
            totals = self._sums(r)
        if w is not None:
            found = self.written.gram(w)
            gram[:d, :d], gram[:d, d], gram[d, :d], gram[d, d] = found.second, found.first, found.first, found.total
            weighted = self.written.weighted
            np.multiply(self.written.deviations, w[:, None], out=weighted[:, :d])
            weighted[:, d] = w
            within = self._sums(weighted)
            for i, j in np.argwhere(self._by.tables):
                parts = self.held[i].of, self.held[j].of
                weights = reduce(lambda product, of: self._times(product, of), parts, w)
                shape = parts[0].n_levels, parts[1].n_levels
                tables.append(self.tables.summed(self._by.codes[i], self._by.codes[j], weights, shape).ravel())
        return Products(cross, gram, within, totals, np.concatenate(tables))

    def _times(self, w: Vector, of: CodedColumns) -> Vector:
        return w if of.by is None else w * self.numbers[of.by]

    def _cross_of(self, total: float, found: Products) -> Cross:
        return Cross(float(self.shape[0]), self.centre, total, self._first(total, found.cross[:-1], found.totals))

    def _gram_of(self, w: Vector | None, found: Products) -> Gram:
        """Return the record of sums; weights that are not negative, of levels that no number multiplies, may lack."""
        p, d = self.shape[1], len(self.positions)
        total = float(found.gram[d, d] if w is None else w.sum())
        if not np.isfinite(total):
            return Gram(total, self.centre, total, np.full(p, np.nan), np.full((p, p), np.nan))
        mass = total if w is None else mass_of(w)
        second = np.empty((p, p))
        second[:d, :d] = found.gram[:d, :d]
        for part, place, of_levels in zip(self.held, self._places, self._by_part(found.within), strict=True):
            second[place, :d] = part.coded(of_levels[:, :d])
            second[:d, place] = second[place, :d].T
        self._coded(second, w, found)
        # from the order in which products were taken to that of the design
        order = self._order
        if (order != np.arange(p)).any():
            second = second[np.ix_(order, order)]
        return Gram(mass, self.centre, total, self._first(total, found.gram[:d, d], found.within[:, d]), second)

    def gram_diagonal(self, w: Vector) -> GramDiagonal:
        diagonal, sums, deviations = np.empty(self.shape[1]), self._sums(w), self.written.deviations
        diagonal[self.positions] = np.dot(deviations.T**2, w)
        for j, (part, of_levels) in enumerate(zip(self.held, self._by_part(sums), strict=True)):
            squares: Vector = of_levels
            if part.of.by is not None:
                weights = w * self.numbers[part.of.by] ** 2
                squares = np.asarray(np.bincount(self._by.codes[j], weights, part.of.n_levels), dtype=np.float64)
            diagonal[part.columns] = part.squares(squares)
        mass, total = float(np.abs(w).sum()), float(w.sum())
        first = self._first(total, np.dot(deviations.T, w), sums)
        return GramDiagonal(mass, self.centre, total, first, diagonal, self.groups)

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
    def _by(self) -> Levels:
        """The level of every row for each part, and the number that multiplies its columns."""
        parts = [part.of for part in self.held]
        factors = np.array([part.factor for part in parts], dtype=np.intp)
        return Levels(
            tuple(self.codes[part.factor] for part in parts),
            tuple(None if part.by is None else self.numbers[part.by] for part in parts),
            tuple(part.n_levels for part in parts),
            np.tril(factors[:, None] != factors),
        )

    @cached_property
    def _levels(self) -> sparse.csr_array:
        """A row for each row, in it the number that multiplies the columns of each part, at the part's level."""
        by = self._by
        m, k = len(self.written.values), len(self.held)
        values, indices = np.ones((m, k)), np.empty((m, k), dtype=np.int32)
        for j, (codes, numbers) in enumerate(zip(by.codes, by.numbers, strict=True)):
            np.add(codes, by.starts[j], out=indices[:, j], casting="unsafe")
            if numbers is not None:
                values[:, j] = numbers
        pointers = np.arange(0, m * k + 1, k, dtype=np.int32)
        return sparse.csr_array((values.ravel(), indices.ravel(), pointers), shape=(m, int(by.starts[-1])))

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

    def _sums(self, r: Vector | Matrix) -> AnyArray:
        """Return sums within the levels of all parts."""
        return np.asarray(self._levels.T.dot(r)) if self.held else np.empty((0, *r.shape[1:]))

    def _first(self, total: float, of_written: Vector, of_levels: Vector) -> Vector:
        """Return sum_i r_i (x_i - centre) from the sums of the columns that are written out, and within levels."""
        if not np.isfinite(total):
            # the mean moves without end, in every column
            return np.full(self.shape[1], np.nan)
        first = np.empty(self.shape[1])
        first[self.positions] = of_written
        for part, sums in zip(self.held, self._by_part(of_levels[:, None]), strict=True):
            first[part.columns] = part.coded(sums)[:, 0]
        return first

    def _coded(self, second: Matrix, w: Vector | None, found: Products) -> None:
        """Write the products of coded columns with one another, C'GC, G a table of the levels of two parts."""
        weights = self._by_part(found.within[:, -1])
        for i, (part, place, of_levels) in enumerate(zip(self.held, self._places, weights, strict=True)):
            for j, (other, other_place) in enumerate(zip(self.held[: i + 1], self._places, strict=False)):
                if self._by.tables[i, j]:
                    start, shape = self._by.offsets[i, j], (part.of.n_levels, other.of.n_levels)
                    table = found.tables[start : start + shape[0] * shape[1]].reshape(shape)
                    block = part.coded(other.coded(table.T).T)
                else:
                    counted = of_levels
                    if w is not None and other.of.by is not None:
                        both = self._times(self._times(w, part.of), other.of)
                        counted = np.bincount(self._by.codes[i], both, part.of.n_levels)
                    block = part.coded(counted[:, None] * other.written())
                    block = (block + block.T) / 2 if i == j else block
                second[place, other_place] = block
                second[other_place, place] = block.T
