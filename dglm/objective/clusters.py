"""ClusterScores: the score of every cluster, what cluster-robust covariances are made of.

A cluster may have rows in many partitions, so that what adds over rows is a table of totals by group. Groups are
matched by their values, never by a hash of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from dglm._typing import Codes, Matrix, Vector
from dglm.data import Block, GroupedBlock, Keys, distinct, joined
from dglm.families import Family
from dglm.matrix import Basis
from dglm.objective.base import Sum


@dataclass(frozen=True)
class ScoresAt:
    """Where to evaluate scores, and in which coordinates.

    Parameters
    ----------
    beta : (p,) array
        Coefficients.
    basis : Basis
        Centred coordinates.
    """

    beta: Vector
    basis: Basis


@dataclass(frozen=True)
class ClusterScores(Sum):
    """Totals by group of the scores at unit scale, w_i dl_i / deta_i z_i; the point is a `ScoresAt`.

    Parameters
    ----------
    keys : tuple of Index
        Each group once, in order of appearance: its value along every way, all of length G.
    totals : (G, p) array
        In centred coordinates.
    """

    keys: Keys
    totals: Matrix

    by_tile: ClassVar[bool] = False

    @classmethod
    def of(cls, block: Block, point: ScoresAt, family: Family) -> Self:
        if not isinstance(block, GroupedBlock):
            raise TypeError(f"clusters need a GroupedBlock; got a {type(block).__name__}")
        totals = np.zeros((len(block.keys[0]), block.X.shape[1]))
        for tile in block.tiles(expanded=True):
            counted = tile.codes >= 0
            at = family.pointwise(tile.y, tile.eta(point.beta))
            r = (tile.weights * at.score)[counted]
            scores = r[:, None] * point.basis.rows(tile.X)[counted]
            # the groups of the tile alone, so that its cost does not depend on how many there are in all
            present, codes = np.unique(tile.codes[counted], return_inverse=True)
            totals[present] += totals_by_code(codes, scores, len(present))
        return cls(block.keys, totals)

    def __add__(self, other: Self) -> Self:
        keys, codes = distinct(joined(self.keys, other.keys))
        return type(self)(keys, totals_by_code(codes, np.concatenate([self.totals, other.totals]), len(keys[0])))

    def reduced(self, L: Matrix) -> Self:
        # of the coordinates that were asked for: L combines these
        return replace(self, totals=np.dot(self.totals, L))

    def along(self, way: int) -> Self:
        """Return the totals by group along one way, where there are several.

        Parameters
        ----------
        way : int
            Which.

        Returns
        -------
        ClusterScores
            Of one way.
        """
        keys, codes = distinct((self.keys[way],))
        return type(self)(keys, totals_by_code(codes, self.totals, len(keys[0])))

    def meat(self) -> Matrix:
        """Return the sum over groups of the outer products of their scores.

        Returns
        -------
        (p, p) array
            In centred coordinates.
        """
        meat: Matrix = np.dot(self.totals.T, self.totals)
        return meat


def totals_by_code(codes: Codes, values: Matrix, n_codes: int) -> Matrix:
    """Return the sums of rows that have the same code.

    Parameters
    ----------
    codes : (n,) array of int
        From 0.
    values : (n, p) array
        Rows.
    n_codes : int
        How many codes there are.

    Returns
    -------
    (n_codes, p) array
        The sums.
    """
    totals = np.empty((n_codes, values.shape[1]))
    for j, column in enumerate(values.T):
        totals[:, j] = np.bincount(codes, weights=column, minlength=n_codes)
    return totals
