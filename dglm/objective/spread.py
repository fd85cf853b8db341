"""The standard deviations of the columns, for penalties that act on standardised ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.data import Block, BlockedData
from dglm.families import Gaussian
from dglm.links import Identity
from dglm.matrix import DenseMatrix
from dglm.objective.survey import Survey

# A column whose spread is this small beside its mean is constant: its deviations are rounding.
CONSTANT_SPREAD = 1e-13


@dataclass(frozen=True)
class Moments:
    """Weighted sums of squares of columns about their means.

    Source: Chan, Golub & LeVeque (1983), "Algorithms for computing the sample variance", equations 1.5.

    Parameters
    ----------
    total : float
        sum_i w_i.
    mean : (p,) array
        Weighted means.
    squares : (p,) array
        sum_i w_i (x_i - mean)^2.
    """

    total: float
    mean: Vector
    squares: Vector

    @classmethod
    def of(cls, block: Block) -> Moments:
        """Return the moments of the rows of a block.

        Parameters
        ----------
        block : Block
            The rows, possibly none.

        Returns
        -------
        Moments
            Over these rows.
        """
        p = block.X.shape[1]
        if not isinstance(block.X, DenseMatrix):
            # nothing is written out
            gram = block.X.gram_diagonal(block.weights).centred()
            return cls(gram.total, gram.centre, np.maximum(gram.diagonal, 0.0))
        found = cls(0.0, np.zeros(p), np.zeros(p))
        for rows, tile in block.X.tiles():
            counted = block.weights[rows] > 0
            w, D = block.weights[rows][counted], tile.less(np.zeros(p))[counted]
            if len(w) > 0:
                # anchored at a row, so that a constant column has no deviations at all
                anchor, total = D[0].copy(), float(w.sum())
                D -= anchor
                mean = np.dot(w, D) / total
                D -= mean
                found = found + cls(total, anchor + mean, np.dot(w, D**2))
        return found

    def __add__(self, other: Moments) -> Moments:
        total = self.total + other.total
        if total == 0:
            return self
        gap = other.mean - self.mean
        share = other.total / total
        return Moments(total, self.mean + share * gap, self.squares + other.squares + self.total * share * gap**2)

    def deviations(self) -> Vector:
        """Return the standard deviations, with the sum of the weights as divisor.

        Returns
        -------
        (p,) array
            Exactly zero for columns that are constant up to rounding.
        """
        sd: Vector = np.sqrt(self.squares / self.total)
        return np.where(sd <= CONSTANT_SPREAD * np.abs(self.mean), 0.0, sd)


def column_spread(data: BlockedData[Block], survey: Survey) -> Vector:
    """Return the standard deviation of each column, weighted by freq_weights times var_weights.

    These are the weights that glmnet standardises by. Trials count, so that proportions have the same standard
    deviations as the rows of 0 and 1 that they were made of.

    Parameters
    ----------
    data : BlockedData
        The rows.
    survey : Survey
        Of these.

    Returns
    -------
    (p,) array
        One pass; none for Gaussian models with the identity link, whose survey has these weights.
    """
    if isinstance(survey.family, Gaussian) and isinstance(survey.family.link, Identity):
        gram = survey.information.centred()
        return Moments(gram.total, gram.centre, np.maximum(gram.diagonal, 0.0)).deviations()
    return data.sum(_moments).deviations()


def _moments(block: Block) -> Moments:
    return Moments.of(block)
