"""Survey: the first pass of every fit. It counts, checks, finds the null deviance and where to start.

The null deviance costs no pass of its own: a unit deviance is a Bregman divergence, so within-block deviances about
the block's mean add up to the deviance about the overall mean as sums of squares do,
D(y, m) = D(y, m_a) + D(y, m_b) + W_a d(m_a, m) + W_b d(m_b, m).
Source: Banerjee, Merugu, Dhillon & Ghosh (2005), "Clustering with Bregman divergences", proposition 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import TILE_ROWS, Block, BlockedData, Dropped
from dglm.errors import DataError, TooWideError
from dglm.families import Family, Gaussian
from dglm.matrix import Basis, Cross, Gram, GramDiagonal, both
from dglm.objective.base import weighted, weighted_total
from dglm.objective.first_step import Responses, first_step, step_from
from dglm.objective.refused import check_response, infinite_value
from dglm.objective.sweep import in_one_sweep, sweep


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
    def of(cls, block: Block, family: Family, *, wide: bool = False, near: Vector | None = None) -> Survey:
        """Return the survey of the rows of a block.

        Parameters
        ----------
        block : Block
            The rows, possibly none.
        family : Family
            With its link.
        wide : bool
            Whether to make no p x p matrix.
        near : (p,) array, optional
            Coefficients at whose means X'WX and X'Wz are taken; at the family's starting means when not given.

        Returns
        -------
        Survey
            Over these rows.
        """
        of = Responses.of(block)
        responses = cls._without_columns(block, of, family)
        if wide:
            return responses._with_columns(*_plain(block), plain=True)
        swept = None if near is None else _swept(block, family, near)
        return responses._with_columns(*(swept or _products(block, family, of, near=near)))

    @classmethod
    def of_response(cls, block: Block, family: Family) -> Survey:
        """Return the survey of the responses, weights and offsets of a block, without any column.

        Parameters
        ----------
        block : Block
            The rows, possibly none.
        family : Family
            With its link.

        Returns
        -------
        Survey
            Over these rows.
        """
        return cls._without_columns(block, Responses.of(block), family)

    @classmethod
    def _without_columns(cls, block: Block, of: Responses, family: Family) -> Survey:
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

    def _with_columns(self, gram: Gram | GramDiagonal, cross: Cross, *, plain: bool = False) -> Survey:
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


def _plain(block: Block) -> tuple[GramDiagonal, Cross]:
    """Return the diagonal of X'WX and X'Wz of the weights and the responses themselves."""
    cross, diagonal = block.X.cross_and_diagonal(weighted(block.row_weights, block.y), block.weights)
    return diagonal, cross


def _products(block: Block, family: Family, of: Responses, *, near: Vector | None) -> tuple[Gram, Cross]:
    """Return X'WX and X'Wz at the means of given coefficients, the family's starting means where there are none."""
    if near is None:
        W, Wz = (of.rows(values) for values in first_step(family, of, block.offset))
    else:
        W, Wz = step_from(family, block, block.X.matvec(near))
    cross, gram = block.X.cross_and_gram(Wz, W)
    return gram, cross


def _swept(block: Block, family: Family, near: Vector) -> tuple[Gram, Cross] | None:
    """Return X'WX and X'Wz at given coefficients from one sweep, if there is one, and all means are in range."""
    found = sweep(block, near, family, Gram)
    if found is None or not isinstance(found.information, Gram):
        return None
    # z = X b + W^-1 r
    cross = found.score + found.information.times(near)
    return (found.information, cross) if np.isfinite(cross.total) else None


def _constants(gram: Gram | GramDiagonal) -> tuple[Vector, Vector]:
    """Return the value of each column without spread as its range, every number as the range of the others.

    Tiles are anchored at one of their rows, so that the deviations of a constant column are exactly zero. No rows (of
    positive weight) are within every range.
    """
    if gram.mass == 0:
        return np.full_like(gram.centre, np.inf), np.full_like(gram.centre, -np.inf)
    constant = gram.diagonal == 0
    return np.where(constant, gram.centre, -np.inf), np.where(constant, gram.centre, np.inf)


def survey(
    data: BlockedData[Block],
    family: Family,
    exog_names: list[str],
    endog_name: str,
    *,
    wide: bool = False,
    near: Vector | None = None,
) -> Survey:
    """Make the first pass, and refuse data that cannot be fitted.

    Parameters
    ----------
    data : BlockedData
        The rows.
    family : Family
        With its link.
    exog_names : list of str
        Names of the columns, for messages.
    endog_name : str
        Name of the response, for messages.
    wide : bool
        Whether to make no p x p matrix.
    near : (p,) array, optional
        Coefficients that X'WX and X'Wz are taken at; the family's starting means when not given.

    Returns
    -------
    Survey
        Over all rows.

    Raises
    ------
    DomainError
        If a response is outside the family's domain.
    DataError
        If a value is infinite, or no row of positive weight is left.
    """
    return usable(data.sum(partial(survey_block, wide=wide, near=near), family, exog_names, endog_name))


def usable(found: Survey) -> Survey:
    """Return a survey, unless there is nothing in it to be fitted.

    Parameters
    ----------
    found : Survey
        Of all rows.

    Returns
    -------
    Survey
        The same.

    Raises
    ------
    DataError
        If no row of positive weight is left.
    """
    if found.n_rows == 0:
        n_dropped = found.dropped.n_rows
        lacking = found.dropped.in_words
        raise DataError(
            f"no rows left: all {n_dropped} have something missing{lacking}" if n_dropped else "the data has no rows"
        )
    if found.total_weight == 0:
        raise DataError(f"the weights of all {found.n_rows} rows are zero")
    return found


def survey_block(
    block: Block,
    family: Family,
    exog_names: list[str],
    endog_name: str,
    *,
    wide: bool = False,
    near: Vector | None = None,
) -> Survey:
    """Check one block's rows and survey them, tile by tile.

    Parameters
    ----------
    block : Block
        The rows, possibly none.
    family : Family
        With its link.
    exog_names : list of str
        Names of the columns, for messages.
    endog_name : str
        Name of the response, for messages.
    wide : bool
        Whether products of columns with one another are left out.
    near : (p,) array, optional
        Coefficients that X'WX and X'Wz are taken at.

    Returns
    -------
    Survey
        Of these rows.

    Raises
    ------
    DomainError
        If a response is outside the family's domain.
    DataError
        If a value is infinite.
    """
    of = Responses.of(block)
    check_response(block, family, endog_name, of.y)
    if near is None and isinstance(family, Gaussian) and family.canonical:
        # least squares have the same X'WX and X'Wz everywhere
        near = np.zeros(block.X.shape[1])
    with np.errstate(all="ignore"):
        # two kinds of responses are few numbers however many rows there are
        few = of.second is not None
        products = _of_whole_block(block, family, wide=wide, near=near)
        if products is not None:
            some = ((rows, Responses.of(rows)) for _, rows in block.responses(TILE_ROWS))
            responses = (Survey._without_columns(*each, family) for each in ([(block, of)] if few else some))
            found = reduce(add, responses)._with_columns(*products, plain=wide)
        else:
            whole = few and near is None and not wide and block.X.in_one_sweep(Gram)
            tiles = [block] if whole else block.tiles()
            found = reduce(add, (Survey.of(tile, family, wide=wide, near=near) for tile in tiles))
        if not np.isfinite(_sums_of(found.information)).all():
            raise infinite_value(block, exog_names)
    return replace(found, dropped=block.dropped)


def _of_whole_block(
    block: Block, family: Family, *, wide: bool, near: Vector | None
) -> tuple[Gram | GramDiagonal, Cross] | None:
    """Return X'WX, or its diagonal, and X'Wz where one sweep over the rows brings them; None where tiles do."""
    if wide:
        return _plain(block) if block.X.in_one_sweep(GramDiagonal) else None
    return _swept(block, family, near) if near is not None and in_one_sweep(block, family, Gram) else None


def _sums_of(gram: Gram | GramDiagonal) -> Matrix | Vector:
    return gram.second if isinstance(gram, Gram) else gram.diagonal
