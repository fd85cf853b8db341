"""Groups: the rows of a model, equal ones put together; what of the responses in a group a fit needs.

Score and information are linear in the response, Pearson's X2 and squared scores quadratic, and the deviance is a
Bregman divergence: its part within a group is the same at every mean. A row of the design matrix with the total weight,
the mean and the squares about it therefore gives what all rows equal to it give.
Source: Wong, Forsell, Lewis, Mao & Wardrop (2021), "You Only Compress Once: Optimal Data Compression for Estimating
Linear Models", arXiv 2102.11297, on conditionally sufficient statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np

from dglm._typing import AnyArray, Codes, Vector
from dglm.data import (
    TILE_ROWS,
    Block,
    BlockedData,
    CompressedBlock,
    CompressedData,
    Spread,
    block_starts,
    equal_rows,
    sum_by_group,
)
from dglm.errors import DataError
from dglm.families import Family
from dglm.links import Log
from dglm.matrix import DenseMatrix, StoredMatrix
from dglm.objective.base import weighted
from dglm.objective.refused import check_response, infinite_value
from dglm.objective.survey import Survey

# Groups that are few whatever the number of rows.
FEW = 2**15
# Bytes of groups that one process is to hold.
MOST_BYTES = 2**27
# Exponents of offsets that are far from overflow; rows beyond keep their offset, and are equal only where it is.
LARGEST_SHIFT = 200.0


@dataclass(frozen=True)
class Groups:
    """Groups of equal rows, which add over partitions.

    Parameters
    ----------
    share : float
        The most groups there may be for each row, beyond a few: with more there is nothing gained.
    response : Survey
        Of the rows, without columns.
    X : StoredMatrix, (G, p)
        The design matrix, a row for each group.
    offset : (G,) array
        In units of eta.
    y : Spread
        Of the responses, under the weights of the rows.
    robust : Spread
        Of the responses under the weights f_i v_i^2, which squared scores have.
    deviance : (G,) array
        sum_i w_i d(y_i, mean).
    even : bool
        Whether no row has a variance weight, or an exposure that became one.
    given_up : int
        How many groups there were when they became too many; 0 if they did not. There are none from there on.
    """

    share: float
    response: Survey
    X: StoredMatrix
    offset: Vector
    y: Spread
    robust: Spread
    deviance: Vector
    even: bool = True
    given_up: int = 0

    @classmethod
    def of(cls, block: Block, family: Family, exog_names: list[str], endog_name: str, share: float) -> Groups:
        """Check one block's rows as `survey_block` does, and group them.

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
        share : float
            The most groups for each row.

        Returns
        -------
        Groups
            Of these rows.

        Raises
        ------
        DomainError
            If a response is outside the family's domain.
        DataError
            If a value is infinite, or rows of the matrix cannot be compared.
        """
        check_response(block, family, endog_name, block.y)
        with np.errstate(all="ignore"):
            of_tiles = (Survey.of_responses(tile, family) for _, tile in block.responses(TILE_ROWS))
            response = replace(reduce(add, of_tiles), dropped=block.dropped)
            rates = at_rates(block, family)
            offset = np.zeros(len(block)) if rates.offset is None else rates.offset
            matrix, columns = identity(rates)
            groups, first = equal_rows([*columns, offset])
            X = matrix.where(first)
            weights, even = rates.weights, rates.var_weights is None
            y = Spread.of(rates.y, weights, groups, first)
            counted = X.where(y.total > 0)
            squares = counted.gram_diagonal(np.ones(counted.shape[0])).diagonal
            if not (X.finite().all() and np.isfinite(squares).all()):
                raise infinite_value(block, exog_names)
            robust = y if even else Spread.of(rates.y, weights * rates.var, groups, first)
            deviance = np.zeros(len(first))
            for rows, tile in rates.responses(max(TILE_ROWS, len(first))):
                unit = family.unit_deviance(tile.y, y.mean[groups[rows]])
                deviance += sum_by_group(weighted(tile.weights, unit), groups[rows], len(first))
        return cls(share, response, X, offset[first], y, robust, deviance, even)._or_given_up()

    def __add__(self, other: Groups) -> Groups:
        response = self.response + other.response
        if self.given_up or other.given_up:
            return replace(self, response=response)._empty(self.given_up + other.given_up)
        if len(self) == 0 or len(other) == 0:
            # a partition of no rows need not be stored like others
            return replace(other if len(self) == 0 else self, response=response)
        X, offset = self.X.above(other.X), np.append(self.offset, other.offset)
        y, robust = self.y.above(other.y), self.robust.above(other.robust)
        deviance = np.append(self.deviance, other.deviance)
        groups, first = equal_rows([*(X.identity() or ()), offset])
        merged, even = y.merged(groups, first), self.even and other.even
        with np.errstate(all="ignore"):
            # D(y, m) = D(y, m_a) + W_a d(m_a, m) over the parts a of a group
            between = weighted(y.total, response.family.unit_deviance(y.mean, merged.mean[groups]))
        return Groups(
            share=self.share,
            response=response,
            X=X.where(first),
            offset=offset[first],
            y=merged,
            robust=merged if even else robust.merged(groups, first),
            deviance=sum_by_group(deviance + between, groups, len(first)),
            even=even,
        )._or_given_up()

    def __len__(self) -> int:
        return len(self.offset)

    def data(self, rows: BlockedData[Block]) -> CompressedData:
        """Return the groups as data that a fit can be made of.

        Parameters
        ----------
        rows : BlockedData
            What they were made of.

        Returns
        -------
        CompressedData
            In this process; without groups of zero weight, which count for nothing.
        """
        counted = np.flatnonzero(self.y.total > 0)
        parts = [self._part(counted[start:stop]) for start, stop in pairwise(block_starts(len(counted)))]
        return CompressedData(parts, rows, even=self.even)

    def _part(self, rows: Codes) -> CompressedBlock:
        offset = self.offset[rows] if self.offset.any() else None
        return CompressedBlock(
            X=self.X.where(rows),
            y=self.y.mean[rows],
            freq_weights=self.y.total[rows],
            offset=offset,
            squares=self.y.squares[rows],
            deviance=self.deviance[rows],
            robust=self.robust.where(rows),
        )

    def _or_given_up(self) -> Groups:
        """Return the groups, unless they are too many."""
        many = len(self) > max(FEW, self.share * self.response.n_rows) or len(self) > most_groups(self.X)
        return self._empty(len(self)) if many else self

    def _empty(self, given_up: int) -> Groups:
        none = np.empty(0)
        spread = Spread(none, none, none)
        X = DenseMatrix(np.empty((0, self.X.shape[1])))
        return Groups(self.share, self.response, X, none, spread, spread, none, given_up=given_up)


def most_groups(X: StoredMatrix) -> float:
    """Return how many groups of rows such as these one process is to hold.

    Parameters
    ----------
    X : StoredMatrix, (n, p)
        Some rows.

    Returns
    -------
    float
        inf for no rows.
    """
    n = X.shape[0]
    # and eight numbers beside each
    return MOST_BYTES * n / (X.nbytes + 8 * 8 * n) if n else np.inf


def identity(block: Block) -> tuple[StoredMatrix, list[AnyArray]]:
    """Return the design matrix of a block, and what tells its rows apart.

    Parameters
    ----------
    block : Block
        The rows.

    Returns
    -------
    tuple of StoredMatrix and list of (n,) array
        Rows of the matrix are equal where all of the arrays are.

    Raises
    ------
    DataError
        If there are too many columns to compare: sparse ones.
    """
    X = block.X
    found = X.identity() if isinstance(X, StoredMatrix) else None
    if not isinstance(X, StoredMatrix) or found is None:
        raise DataError(f"rows of a {type(X).__name__} are not compared with one another; use compress=False")
    return X, found


def at_rates(block: Block, family: Family) -> Block:
    """Return rows that fit as these do and have no offset, where V(mu) = mu^p and the link is the log.

    Responses in units of the exposure e^o have means e^(x b), and variances that its power takes into the weights:
    w d(y, e^o m) = w e^((2 - p) o) d(y e^-o, m), and so X2, score and information.
    Source: Jorgensen (1997), "The Theory of Dispersion Models", section 4.1.1, scale invariance.

    Parameters
    ----------
    block : Block
        The rows.
    family : Family
        With its link.

    Returns
    -------
    Block
        Themselves where the family is another one, or there is no offset.
    """
    p = family.variance_power
    if block.offset is None or p is None or not isinstance(family.link, Log):
        return block
    shift = np.where(np.abs(block.offset) * max(1.0, abs(2 - p)) <= LARGEST_SHIFT, block.offset, 0.0)
    var_weights = block.var_weights if p == 2 else block.var * np.exp((2 - p) * shift)
    return replace(block, y=block.y * np.exp(-shift), var_weights=var_weights, offset=block.offset - shift)


def group_block(block: Block, family: Family, exog_names: list[str], endog_name: str, share: float) -> Groups:
    """Group one block's rows: the kernel of the pass that compresses.

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
    share : float
        The most groups for each row.

    Returns
    -------
    Groups
        Of these rows.
    """
    return Groups.of(block, family, exog_names, endog_name, share)
