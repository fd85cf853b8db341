"""Survey: what the first pass of every fit learns: counts, the null deviance, and where to start.

The null deviance costs no pass of its own: a unit deviance is a Bregman divergence, so within-block deviances about
the block's mean add up to the deviance about the overall mean as sums of squares do,
D(y, m) = D(y, m_a) + D(y, m_b) + W_a d(m_a, m) + W_b d(m_b, m).
Source: Banerjee, Merugu, Dhillon & Ghosh (2005), "Clustering with Bregman divergences", proposition 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dglm._typing import Vector
from dglm.data import Block, Dropped
from dglm.errors import TooWideError
from dglm.families import Family
from dglm.matrix import Basis, Cross, Gram, GramDiagonal, both
from dglm.objective.base import weighted_total
from dglm.objective.first_step import Responses


@dataclass(frozen=True)
class Survey:
    """What the first pass learns of the rows.

    Parameters
    ----------
    family : Family
        With its link.
    n_rows : int
        Rows used.
    dropped : Dropped
        Rows left out because something was missing.
    nobs : float
        Number of observations, sum_i f_i.
    counted : float
        Number of observations of positive weight.
    total_weight : float
        sum_i w_i.
    mean : float
        Weighted mean of y.
    offset_mean : float
        Weighted mean of the offset.
    null_deviance : float
        Deviance of y about its mean.
    saturated : float
        Log-likelihood at mu = y and unit scale.
    low, high : (p,) array
        The value of each column that is constant; -inf and inf for others.
    squares : float
        sum_i w_i (y_i - mean)^2.
    information : Gram or GramDiagonal
        X'WX, W the working weights at the family's starting means, or at those of a pilot; its diagonal alone where
        the design is wide.
    cross : Cross
        X'Wz, z the working response less the offset; nan when the starting means have no finite eta.
    with_offset : bool
        Whether rows have an offset.
    plain : bool
        Whether W and z are the weights and the responses themselves, as where no p x p matrix was made: they tell all
        of a model that has one mean for all rows, where these have no offset.
    """

    family: Family
    n_rows: int
    dropped: Dropped
    nobs: float
    counted: float
    total_weight: float
    mean: float
    offset_mean: float
    null_deviance: float
    saturated: float
    low: Vector
    high: Vector
    squares: float
    information: Gram | GramDiagonal
    cross: Cross
    with_offset: bool = False
    plain: bool = False

    @property
    def wide(self) -> bool:
        """Whether no p x p matrix was made, because there are so many columns."""
        return isinstance(self.information, GramDiagonal)

    @property
    def gram(self) -> Gram:
        """X'WX.

        Raises
        ------
        TooWideError
            If the survey was made for a fit that makes no p x p matrix.
        """
        if isinstance(self.information, GramDiagonal):
            p = len(self.low)
            raise TooWideError(f"products of {p:,} columns with one another, a {p:,} x {p:,} matrix, were not made")
        return self.information

    def without_products(self) -> Survey:
        """Return what a survey of a wide design knows.

        Returns
        -------
        Survey
            Of X'WX the diagonal alone.
        """
        if isinstance(self.information, GramDiagonal):
            return self
        gram = self.information
        return replace(self, information=GramDiagonal(gram.mass, gram.centre, gram.total, gram.first, gram.diagonal))

    @classmethod
    def of_responses(cls, block: Block, family: Family, of: Responses | None = None) -> Survey:
        """Return the survey of the responses, weights and offsets of a block, without any column.

        Parameters
        ----------
        block : Block
            The rows, possibly none.
        family : Family
            With its link.
        of : Responses, optional
            Of the rows, where they were looked at before.

        Returns
        -------
        Survey
            Over these rows.
        """
        of = Responses.of(block) if of is None else of
        w, f, none = block.row_weights, block.freq_weights, np.empty(0)
        total, nobs = (float(len(block)) if v is None else float(v.sum()) for v in (w, f))
        mean = weighted_total(of.counts, of.y) / total if total > 0 else 0.0
        null = family.unit_deviance(of.y, np.full_like(of.y, mean))
        return cls(
            family=family,
            n_rows=len(block),
            dropped=Dropped(),
            nobs=nobs,
            counted=nobs if block.var_weights is None else float(block.freq[block.var_weights > 0].sum()),
            total_weight=total,
            mean=mean,
            offset_mean=0.0 if block.offset is None or total == 0 else weighted_total(w, block.offset) / total,
            null_deviance=weighted_total(of.counts, null) if total > 0 else 0.0,
            saturated=weighted_total(of.freq, family.loglike_obs(of.y, of.y, of.var, 1.0)),
            low=none,
            high=none,
            squares=weighted_total(of.counts, (of.y - mean) ** 2) if total > 0 else 0.0,
            information=Gram(0.0, none, 0.0, none, np.empty((0, 0))),
            cross=Cross(0.0, none, 0.0, none),
            with_offset=block.offset is not None,
        )

    def with_columns(self, gram: Gram | GramDiagonal, cross: Cross, *, plain: bool) -> Survey:
        """Return what is known of responses and of columns.

        Parameters
        ----------
        gram : Gram or GramDiagonal
            X'WX, or its diagonal.
        cross : Cross
            X'Wz.
        plain : bool
            Whether W and z are the weights and the responses themselves.

        Returns
        -------
        Survey
            Of the same rows.
        """
        low, high = _constants(gram)
        return replace(self, low=low, high=high, information=gram, cross=cross, plain=plain)

    def __add__(self, other: Survey) -> Survey:
        total = self.total_weight + other.total_weight
        share = other.total_weight / total if total > 0 else 0.0
        mean = self.mean + share * (other.mean - self.mean)
        between = self._about(mean) + other._about(mean)
        return replace(
            self,
            n_rows=self.n_rows + other.n_rows,
            dropped=self.dropped + other.dropped,
            nobs=self.nobs + other.nobs,
            counted=self.counted + other.counted,
            total_weight=total,
            mean=mean,
            offset_mean=self.offset_mean + share * (other.offset_mean - self.offset_mean),
            null_deviance=self.null_deviance + other.null_deviance + between,
            saturated=self.saturated + other.saturated,
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
            squares=self.squares + other.squares + self._squares_about(mean) + other._squares_about(mean),
            information=both(self.information, other.information),
            cross=self.cross + other.cross,
            with_offset=self.with_offset or other.with_offset,
        )

    def _about(self, mean: float) -> float:
        """Return W d(own mean, mean)."""
        if self.total_weight == 0 or self.mean == mean:
            return 0.0
        return self.total_weight * float(self.family.unit_deviance(np.array([self.mean]), np.array([mean]))[0])

    def _squares_about(self, mean: float) -> float:
        """Return W (own mean - mean)^2."""
        return self.total_weight * (self.mean - mean) ** 2

    def constant_column(self) -> tuple[int | None, float]:
        """Return the first column that is constant and not zero, the intercept, and its value.

        Returns
        -------
        tuple of int or None, and float
            None where there is none.
        """
        constant = np.flatnonzero((self.low == self.high) & (self.low != 0))
        return (None, 1.0) if constant.size == 0 else (int(constant[0]), float(self.low[constant[0]]))

    def basis(self, intercept: int | None, constant: float) -> Basis:
        """Return the coordinates centred at the weighted means of the columns.

        Parameters
        ----------
        intercept : int or None
            Position of the constant column.
        constant : float
            Its value.

        Returns
        -------
        Basis
            The coordinates.
        """
        return Basis.of(self.information, intercept, constant)


def _constants(gram: Gram | GramDiagonal) -> tuple[Vector, Vector]:
    """Return the value of each column without spread as its range, every number as the range of the others.

    Tiles are anchored at one of their rows, so that the deviations of a constant column are exactly zero. No rows (of
    positive weight) are within every range.
    """
    if gram.mass == 0:
        return np.full_like(gram.centre, np.inf), np.full_like(gram.centre, -np.inf)
    constant = gram.diagonal == 0
    return np.where(constant, gram.centre, -np.inf), np.where(constant, gram.centre, np.inf)
