"""Meat: the sum of squared scores, what heteroscedasticity-robust covariances have between two inverse informations.

Scores are those of rows at unit scale, s_i = v_i dl_i / deta_i; the dispersion cancels from the sandwich.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block, CompressedBlock
from dglm.families import Family
from dglm.matrix import Basis, Gram
from dglm.objective.base import Sum

# 1 - h below which a row's residual is rounding: the fit goes through it whatever it is.
DETERMINED = 1e-8


@dataclass(frozen=True)
class Leverages:
    """What the leverage of a row is computed from.

    Parameters
    ----------
    basis : Basis
        Centred coordinates z_i.
    inverse : (p, p) array
        (X'WX)^-1 in them, W the expected working weights; zero where aliased.
    """

    basis: Basis
    inverse: Matrix

    def of(self, block: Block, information: Vector) -> Vector:
        """Return h_i = v_i W_i z_i' (X'WX)^-1 z_i, of one of the f_i observations that a row stands for.

        Source: McCullagh & Nelder (1989), section 12.7.1.

        Parameters
        ----------
        block : Block
            Rows.
        information : (n,) array
            (dmu/deta)^2 / V(mu), at unit weight.

        Returns
        -------
        (n,) array
            Between 0 and 1, up to rounding.
        """
        h: Vector = block.var * information * self.basis.forms(block.X, self.inverse)
        return h


@dataclass(frozen=True)
class MeatAt:
    """Where to evaluate the meat.

    Parameters
    ----------
    beta : (p,) array
        Coefficients.
    leverages : Leverages, optional
        For HC2 and HC3; scores are not inflated when not given.
    power : int
        Of 1 - h_i in the denominator: 1 for HC2, 2 for HC3.
    """

    beta: Vector
    leverages: Leverages | None = None
    power: int = 0


@dataclass(frozen=True)
class Meat(Sum):
    """X' diag(f_i s_i^2 / (1 - h_i)^d) X; the point is a `MeatAt`.

    A row that stands for f_i observations counts f_i times (not f_i^2 times), with the leverage of one of them.
    Source: MacKinnon & White (1985), "Some heteroskedasticity-consistent covariance matrix estimators with improved
    finite sample properties".

    Parameters
    ----------
    gram : Gram
        The product.
    n_determined : int
        Rows of leverage 1, whose residual is zero by construction so that nothing can be divided by 1 - h_i.
    """

    gram: Gram
    n_determined: int

    @classmethod
    def of(cls, block: Block, point: MeatAt, family: Family) -> Self:
        at = family.pointwise(block.y, block.eta(point.beta))
        return cls._of_squares(block, point, at.information, block.freq * (block.var * at.score) ** 2)

    @classmethod
    def known_of_groups(cls, point: Any, *, even: bool) -> bool:
        # rows of equal X have equal leverages where their weights and offsets are equal
        return even or point.leverages is None

    @classmethod
    def of_groups(cls, block: CompressedBlock, point: MeatAt, family: Family) -> Self:
        eta, robust = block.eta(point.beta), block.robust
        at = family.pointwise(robust.mean, eta)
        # sum_i f_i v_i^2 (y_i - mu)^2 (dmu / V)^2, about the mean of the y_i
        slope = np.divide(
            at.information, family.link.inverse_deriv(eta), out=np.zeros_like(eta), where=robust.squares > 0
        )
        return cls._of_squares(block, point, at.information, robust.total * at.score**2 + robust.squares * slope**2)

    @classmethod
    def _of_squares(cls, block: Block, point: MeatAt, information: Vector, squares: Vector) -> Self:
        """Return the sum for squared scores, weights included."""
        counted, weights = block.weights > 0, squares
        if point.leverages is not None:
            left = 1 - point.leverages.of(block, information)
            determined = left < DETERMINED
            weights = np.where(determined, 0.0, weights / left**point.power)
        else:
            determined = np.zeros(len(block), dtype=bool)
        # a row of zero weight counts for nothing, even where its score is infinite
        return cls(block.X.gram(np.where(counted, weights, 0.0)), int(np.count_nonzero(determined & counted)))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.gram + other.gram, self.n_determined + other.n_determined)

    def reduced(self, L: Matrix) -> Self:
        return replace(self, gram=self.gram.reduced(L))
