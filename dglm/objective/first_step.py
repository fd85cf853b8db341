"""First step: working weights and responses from which a weighted least squares problem has the first step of IRLS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Mask, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.objective.base import weighted


@dataclass(frozen=True)
class Responses:
    """What functions of the response are evaluated at: the rows, or each kind of response and how many rows have it.

    Zeros and ones without weights and offset are two kinds, and elementary functions of every row much of a survey.

    Attributes
    ----------
    y, w, var : (m,) array
        Responses, with the weights and the variance weights of one row.
    counts, freq : (m,) array or None
        Weights, and frequency weights, of all rows that they stand for; None for ones.
    second : (n,) array of bool or None
        Rows of the second of two kinds; None where every row stands for itself.
    """

    y: Vector
    w: Vector
    var: Vector
    counts: Vector | None
    freq: Vector | None
    second: Mask | None

    @classmethod
    def of(cls, block: Block) -> Responses:
        """Return the kinds of response where there are two, every row where there are more.

        Parameters
        ----------
        block : Block
            The rows.

        Returns
        -------
        Responses
            Of them.
        """
        y = block.y
        if block.row_weights is None and block.offset is None and len(y) > 2:
            kinds = np.array([y.min(), y.max()])
            second = y == kinds[1]
            n_second = float(np.count_nonzero(second))
            if kinds[0] < kinds[1] and np.count_nonzero(y == kinds[0]) + n_second == len(y):
                counts = np.array([len(y) - n_second, n_second])
                return cls(kinds, np.ones(2), np.ones(2), counts, counts, second)
        return cls(y, block.weights, block.var, block.row_weights, block.freq_weights, None)

    def rows(self, values: Vector) -> Vector:
        """Return the value of every row.

        Parameters
        ----------
        values : (m,) array
            Of what the responses stand for.

        Returns
        -------
        (n,) array
            Of the rows.
        """
        return values if self.second is None else np.where(self.second, values[1], values[0])


def first_step(family: Family, of: Responses, offset: Vector | None) -> tuple[Vector, Vector]:
    """Return W and Wz, the working weights and responses at the family's starting means.

    Parameters
    ----------
    family : Family
        With its link.
    of : Responses
        Of m rows, or kinds of rows.
    offset : (n,) array or None
        In units of eta; there is none where there are kinds.

    Returns
    -------
    tuple of two (m,) arrays
        Weights of 1 where a starting mean has no finite eta; there Wz is nan.
    """
    y, w = of.y, of.w
    # not of the frequency weights: a row that counts twice starts where the row twice does
    eta = family.link.link(family.starting_mu(y, of.var))
    at = family.pointwise(y, eta)
    # working response: eta + (y - mu) deta/dmu = eta + score / information
    usable = np.isfinite(eta) & np.isfinite(at.information) & (at.information > 0)
    W = w * np.where(usable, at.information, 1.0)
    z = np.where(usable, eta + at.score / at.information - (0.0 if offset is None else offset), 0.0)
    unusable = np.nan if np.any(~usable & (w > 0)) else 0.0
    return W, W * z + unusable


def step_from(family: Family, block: Block, eta: Vector) -> tuple[Vector, Vector]:
    """Return W and Wz at the means of given coefficients.

    Parameters
    ----------
    family : Family
        With its link.
    block : Block
        The rows.
    eta : (n,) array
        Linear predictors, without the offset.

    Returns
    -------
    tuple of two (n,) arrays
        Where one of the means is out of range, the weights of the rows stand for those that are not finite.
    """
    at = family.pointwise(block.y, eta if block.offset is None else eta + block.offset)
    W = weighted(block.row_weights, at.information)
    Wz = W * eta + weighted(block.row_weights, at.score)
    if np.isfinite(Wz.sum()):
        return W, Wz
    # a mean out of range: the columns are surveyed all the same, and the fit begins elsewhere
    return np.where(np.isfinite(Wz), W, block.weights), Wz
