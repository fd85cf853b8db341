"""Columns of a categorical factor, held as codes: what they are made of, and their deviations from a centre.

Products with such columns are sums within levels first, X'WX a table of levels by levels; the coding turns tables of
levels into columns at the end, C'GC, whose size no longer depends on the number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dglm._typing import AnyArray, Codes, Matrix, Vector


@dataclass(frozen=True)
class CodedColumns:
    """Columns that are a function of the level of one factor, possibly times a number.

    Parameters
    ----------
    factor : int
        Which of the factors of the matrix.
    coding : (levels,) array of int, or (levels, k) array
        Which column is 1 at each level, -1 for none; or the value of every column at each level, for other contrasts.
    columns : (k,) array of int
        Where the columns stand in the design.
    by : int, optional
        Which of the numbers of the matrix multiplies them.

    Examples
    --------
    >>> import numpy as np
    >>> treatment = CodedColumns(0, np.array([-1, 0, 1]), np.array([1, 2]))
    >>> treatment.effects(np.array([5.0, 0.5, 0.25]))
    array([0.  , 0.5 , 0.25])
    """

    factor: int
    coding: AnyArray
    columns: Codes
    by: int | None = None

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.coding)

    @cached_property
    def levels(self) -> Codes:
        """The level at which each column is 1, where that is the coding."""
        levels = np.flatnonzero(self.coding >= 0)
        return levels[np.argsort(self.coding[levels], kind="stable")]

    @property
    def indicators(self) -> bool:
        """Whether every column is 1 at one level and 0 at the others."""
        return self.coding.ndim == 1

    def effects(self, beta: Vector) -> Vector:
        """Return what each level adds to the linear predictor.

        Parameters
        ----------
        beta : (p,) array
            Coefficients of all columns of the design.

        Returns
        -------
        (levels,) array
            For a number of one, where there is one.
        """
        slopes = beta[self.columns]
        if self.indicators:
            effects: Vector = np.append(slopes, 0.0)[self.coding]
            return effects
        return np.asarray(np.dot(self.coding, slopes))

    def among(self, columns: Codes) -> CodedColumns:
        """Return those of the columns that are among some columns of the design.

        Parameters
        ----------
        columns : (k,) array of int
            Positions in this design, of what will be the columns of another one in that order.

        Returns
        -------
        CodedColumns
            In the other design; possibly of no columns.
        """
        place = {int(column): j for j, column in enumerate(columns)}
        chosen = np.array([j for j, column in enumerate(self.columns) if int(column) in place], dtype=np.intp)
        positions = np.array([place[int(self.columns[j])] for j in chosen], dtype=np.intp)
        if not self.indicators:
            return CodedColumns(self.factor, self.coding[:, chosen], positions, self.by)
        coding = np.full(self.n_levels, -1, dtype=self.coding.dtype)
        coding[self.levels[chosen]] = np.arange(len(chosen))
        return CodedColumns(self.factor, coding, positions, self.by)

    def of_levels(self, chosen: Sequence[int] | Codes, codes: AnyArray) -> Matrix:
        """Return some of the columns for rows of some levels, before they are multiplied by a number.

        Parameters
        ----------
        chosen : sequence of int
            Which of the columns, counted within these.
        codes : (n,) array of int
            Levels of the rows; -1 where it is missing.

        Returns
        -------
        (n, len(chosen)) array
            nan where the level is missing.
        """
        positions = np.asarray(chosen, dtype=np.intp)
        if self.indicators:
            values = np.where(self.coding[codes][:, None] == positions, 1.0, 0.0)
        else:
            values = self.coding[codes][:, positions]
        if codes.min(initial=0) < 0:
            values[codes < 0] = np.nan
        return values

    def centred(self, codes: AnyArray) -> CentredColumns:
        """Return the deviations of the columns from a centre near their mean.

        Columns that are the same at all rows have deviations of exactly zero there, as those of dense ones have.

        Parameters
        ----------
        codes : (m,) array of int
            Levels of a few rows spread over the block.

        Returns
        -------
        CentredColumns
            Which of them are sums within levels, and which must be written out.
        """
        k, everything = len(self.columns), np.arange(len(self.columns))
        counts = np.bincount(codes, minlength=self.n_levels)
        common = int(np.argmax(counts))
        dominated = 2 * counts[common] > len(codes)
        if self.by is not None:
            # about zero, numbers times a level that nearly all rows have would lose what centring is for
            if not dominated:
                return CentredColumns(self, everything, everything[:0], np.zeros(k))
            apart = np.array([self.coding[common]]) if self.indicators else everything
            apart = apart[apart >= 0]
            return CentredColumns(self, np.setdiff1d(everything, apart), apart, np.zeros(k - len(apart)))
        if self.indicators:
            # 1 for a column that is mostly 1: what rounds is then the smaller of its two groups, never their difference
            centre = (everything == self.coding[common]) & dominated
            return CentredColumns(self, everything, everything[:0], centre.astype(np.float64))
        anchor = self.coding[common] if len(codes) else np.zeros(k)
        centre = anchor + np.dot(counts, self.coding - anchor) / max(len(codes), 1)
        return CentredColumns(self, everything, everything[:0], centre)


@dataclass(frozen=True)
class CentredColumns:
    """Coded columns less a centre, as functions of the level.

    Parameters
    ----------
    of : CodedColumns
        The columns.
    held : (h,) array of int
        Those among them that are summed within levels.
    apart : (a,) array of int
        Those that are written out, row by row.
    centre : (h,) array
        What is taken off those that are held; zero where a number multiplies them.
    """

    of: CodedColumns
    held: Codes
    apart: Codes
    centre: Vector

    @cached_property
    def columns(self) -> Codes:
        """Where the columns that are held stand in the design."""
        return self.of.columns[self.held]

    def coded(self, table: Matrix) -> Matrix:
        """Return D'T, D the deviations at each level.

        Parameters
        ----------
        table : (levels, m) array
            Sums within levels.

        Returns
        -------
        (h, m) array
            Sums of deviations; no differences are taken where columns are indicators.
        """
        if not self.of.indicators:
            return np.asarray(np.dot(self._deviations.T, table))
        coded: Matrix = table[self._run]
        if self._common is not None:
            level = int(self._levels[self._common])
            coded = coded.copy()
            coded[self._common] = -(table[:level].sum(axis=0) + table[level + 1 :].sum(axis=0))
        return coded

    def squares(self, sums: Vector) -> Vector:
        """Return the diagonal of D'TD, T a diagonal of sums within levels.

        Parameters
        ----------
        sums : (levels,) array
            Sums within levels.

        Returns
        -------
        (h,) array
            Sums of squared deviations.
        """
        if not self.of.indicators:
            return np.asarray(np.dot(self._deviations.T**2, sums))
        # deviations of indicators are -1, 0 and 1
        signed = self.coded(sums[:, None])[:, 0]
        return np.where(self.centre == 1, -signed, signed)

    def written(self) -> Matrix:
        """Return D, the deviations at each level.

        Returns
        -------
        (levels, h) array
            A new array.
        """
        if not self.of.indicators:
            return self._deviations
        deviations = np.zeros((self.of.n_levels, len(self.held)))
        deviations -= self.centre
        deviations[self._levels, np.arange(len(self.held))] += 1.0
        return deviations

    @cached_property
    def _deviations(self) -> Matrix:
        deviations: Matrix = self.of.coding[:, self.held] - self.centre
        return deviations

    @cached_property
    def _levels(self) -> Codes:
        """The level of each indicator."""
        return self.of.levels[self.held]

    @cached_property
    def _run(self) -> Codes | slice:
        return _as_run(self._levels)

    @cached_property
    def _common(self) -> int | None:
        """The indicator that is centred at 1."""
        centred = np.flatnonzero(self.centre)
        return int(centred[0]) if len(centred) else None


def _as_run(positions: Codes) -> Codes | slice:
    """Return positions that follow one another as a slice, which picks them without a copy."""
    if len(positions) and np.array_equal(positions, np.arange(positions[0], positions[0] + len(positions))):
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions
