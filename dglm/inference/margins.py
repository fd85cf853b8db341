"""Marginal effects summed over rows, with the derivatives by the coefficients that the delta method needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from dglm._typing import AnyArray, Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.inference.columns import ColumnSums
from dglm.inference.effects import EffectsAt
from dglm.matrix import DenseMatrix


@dataclass(frozen=True)
class EffectSums:
    """Effects and their derivatives by the coefficients of centred columns, summed over observations.

    Attributes
    ----------
    total : float
        Number of observations.
    slope : (p,) array
        Effects of varying a column, over its coefficient.
    bend : (p, p) array
        Derivatives of `slope`; one row where all are equal.
    change : (2, p) array
        Effects of going from 0 to 1, and halves of those of going from one below to one above.
    change_by : (2, p, p) array
        Derivatives of `change`.
    """

    total: float
    slope: Vector
    bend: Matrix
    change: Matrix
    change_by: AnyArray

    @classmethod
    def of(cls, at: EffectsAt, X: Matrix, offset: Vector, freq: Vector, family: Family, seen: ColumnSums) -> EffectSums:
        """Return the sums over some rows.

        Parameters
        ----------
        at : EffectsAt
            Which effects.
        X : (n, p) array
            Rows.
        offset : (n,) array
            In units of eta.
        freq : (n,) array
            How many times each counts.
        family : Family
            With its link.
        seen : ColumnSums
            Of rows among which these are, or of these: what no longer can be 0 and 1, or a count, is left out.

        Returns
        -------
        EffectSums
            Over these rows.
        """
        X = at.held(X)
        Z, p = at.basis.rows(DenseMatrix(X)), X.shape[1]
        eta = np.dot(X, at.params) + offset
        first, second = at.derivatives(eta, family)
        A = X if at.by_logarithm else np.ones((len(X), 1))
        slope, bend = np.dot(A.T, freq * first), np.dot((A * (freq * second)[:, None]).T, Z)
        change, change_by = np.zeros((2, p)), np.zeros((2, p, p))
        countable = seen.whole & (seen.low >= 0)
        for j in np.flatnonzero(countable).tolist():
            x, one = X[:, j], np.ones(len(X))
            if at.dummy and seen.high[j] <= 1:
                change[0, j], change_by[0, j] = _change(at, Z, eta, freq, family, j, -x, one - x)
            if at.count:
                change[1, j], change_by[1, j] = _change(at, Z, eta, freq, family, j, -one, one)
        halves = np.array([1.0, 0.5])
        return cls(
            float(freq.sum()),
            np.broadcast_to(slope, p),
            bend,
            change * halves[:, None],
            change_by * halves[:, None, None],
        )

    def __add__(self, other: EffectSums) -> EffectSums:
        return EffectSums(
            self.total + other.total,
            self.slope + other.slope,
            self.bend + other.bend,
            self.change + other.change,
            self.change_by + other.change_by,
        )

    def averaged(self, at: EffectsAt, columns: ColumnSums) -> tuple[Vector, Matrix]:
        """Return the mean effects and their derivatives by the coefficients of centred columns.

        Parameters
        ----------
        at : EffectsAt
            Which effects.
        columns : ColumnSums
            Of all rows.

        Returns
        -------
        tuple of (p,) array and (p, p) array
            Meaningless for constant columns.
        """
        effects = at.params * self.slope
        # d (beta_j g_j) / d theta_k = [j = k] g_j + beta_j dg_j / d theta_k; slopes are the same in both coordinates
        jacobian = np.diag(self.slope) + at.params[:, None] * self.bend
        for kind, wanted in enumerate((columns.binary & at.dummy, columns.counted & at.count)):
            effects[wanted], jacobian[wanted] = self.change[kind, wanted], self.change_by[kind, wanted]
        return effects / self.total, jacobian / self.total


@dataclass(frozen=True)
class MarginSums:
    """What one pass brings back.

    Attributes
    ----------
    columns : ColumnSums
        Of the rows.
    effects : EffectSums or None
        In the rows, where they are wanted.
    """

    columns: ColumnSums
    effects: EffectSums | None

    def __add__(self, other: MarginSums) -> MarginSums:
        effects = None if self.effects is None or other.effects is None else self.effects + other.effects
        return MarginSums(self.columns + other.columns, effects)


def margin_sums(block: Block, at: EffectsAt, family: Family) -> MarginSums:
    """Return the sums over a block: the kernel of the pass.

    Parameters
    ----------
    block : Block
        Rows; those of zero weight count for nothing.
    at : EffectsAt
        Which effects.
    family : Family
        With its link.

    Returns
    -------
    MarginSums
        Over the rows.
    """
    with np.errstate(all="ignore"):
        return reduce(add, (_sums_of_tile(tile, at, family) for tile in block.tiles(expanded=True)))


def _sums_of_tile(tile: Block, at: EffectsAt, family: Family) -> MarginSums:
    weighted = tile.weights > 0
    X, freq = tile.X.toarray()[weighted], tile.freq[weighted]
    offset = np.zeros(len(X)) if tile.offset is None else tile.offset[weighted]
    columns = ColumnSums.of(X, freq, offset)
    return MarginSums(columns, EffectSums.of(at, X, offset, freq, family, columns) if at.in_rows else None)


def _change(
    at: EffectsAt, Z: Matrix, eta: Vector, freq: Vector, family: Family, j: int, down: Vector, up: Vector
) -> tuple[float, Vector]:
    """Return what the response gains, over all rows, from moving column j from x + down to x + up, and its slope."""
    low, high = (eta + step * at.params[j] for step in (down, up))
    gain = float(np.dot(freq, at.response(high, family) - at.response(low, family)))
    at_low, at_high = (freq * at.derivatives(end, family)[0] for end in (low, high))
    by = np.dot(Z.T, at_high - at_low)
    by[j] += np.dot(at_high, up) - np.dot(at_low, down)
    return gain, by
