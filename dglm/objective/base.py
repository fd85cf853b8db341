"""Sum: a statistic that adds over rows. Everything a fit knows of the data is one of these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block, CompressedBlock
from dglm.families import Family
from dglm.matrix import InformationKind
from dglm.objective.sweep import in_one_sweep


class Sum(ABC):
    """A small frozen record with ``Sum.of(a ++ b) == Sum.of(a) + Sum.of(b)``."""

    #: Whether it is asked for a few thousand rows at a time; for the whole block if not.
    by_tile: ClassVar[bool] = True
    #: Whether it is asked for the whole block all the same where the rows are read in one sweep.
    by_sweep: ClassVar[bool] = False
    #: The record of the information that such a sweep is to bring; None for none.
    by_sweep_with: ClassVar[InformationKind] = None

    @classmethod
    def reads_tiles(cls, block: Block, family: Family) -> bool:
        """Return whether it is asked for a few thousand rows at a time, which stay in cache.

        Parameters
        ----------
        block : Block
            The rows.
        family : Family
            With its link.

        Returns
        -------
        bool
            False where the whole block is better.
        """
        return cls.by_tile and not (cls.by_sweep and in_one_sweep(block, family, cls.by_sweep_with))

    @classmethod
    @abstractmethod
    def of(cls, block: Block, point: Any, family: Family) -> Self:
        """Return the sum over the rows of a block.

        Parameters
        ----------
        block : Block
            The rows, possibly none.
        point : array
            Where to evaluate: the coefficients, unless the class says otherwise; small and picklable.
        family : Family
            With its link.

        Returns
        -------
        Sum
            Over these rows.
        """

    @classmethod
    def known_of_groups(cls, point: Any, *, even: bool) -> bool:
        """Return whether the sum over rows follows from groups of equal ones, as a `CompressedBlock` has them.

        Parameters
        ----------
        point : array
            Where to evaluate.
        even : bool
            Whether the rows of each group have equal variance weights and offsets.

        Returns
        -------
        bool
            False unless the class says otherwise: the rows are read.
        """
        del point, even
        return False

    @classmethod
    def of_groups(cls, block: CompressedBlock, point: Any, family: Family) -> Self:
        """Return the sum over the rows that groups stand for, where it is `known_of_groups`.

        Parameters
        ----------
        block : CompressedBlock
            The groups.
        point : array
            Where to evaluate.
        family : Family
            With its link.

        Returns
        -------
        Sum
            Over those rows.
        """
        del block, point, family
        raise TypeError(f"{cls.__name__} does not follow from groups of equal rows")

    @abstractmethod
    def __add__(self, other: Self) -> Self: ...

    @abstractmethod
    def reduced(self, L: Matrix) -> Self:
        """Return the same sum of the design matrix X L: what fits under constraints need.

        Parameters
        ----------
        L : (p, k) array
            Combinations of the columns of X.

        Returns
        -------
        Sum
            As if the rows had been summed with these columns; itself where it has no entries for the columns.
        """


def weighted_total(weights: Vector | None, values: Vector) -> float:
    """Return sum_i w_i v_i, where rows of zero weight count for nothing even if their value is infinite.

    Parameters
    ----------
    weights : (n,) array or None
        Non-negative; ones when None.
    values : (n,) array
        One a row.

    Returns
    -------
    float
        The total.
    """
    if weights is None:
        return float(values.sum())
    total = float(np.dot(weights, values))
    if np.isnan(total):
        counted = weights > 0
        total = float(np.dot(weights[counted], values[counted]))
    return total


def weighted(weights: Vector | None, values: Vector) -> Vector:
    """Return w_i v_i, zero for rows of zero weight even if their value is infinite.

    Parameters
    ----------
    weights : (n,) array or None
        Non-negative; ones when None.
    values : (n,) array
        One a row.

    Returns
    -------
    (n,) array
        The products; the values themselves where the weights are None.
    """
    if weights is None:
        return values
    products = weights * values
    if np.isnan(products.sum()):
        products = np.where(weights > 0, products, 0.0)
    return products
