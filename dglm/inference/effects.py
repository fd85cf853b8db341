"""EffectsAt: which marginal effects are asked for, and what a row contributes to them.

Source: Greene (2012), "Econometric Analysis", section 17.3.2, for any link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.matrix import Basis

EffectMethod = Literal["dydx", "eyex", "dyex", "eydx"]


@dataclass(frozen=True)
class EffectsAt:
    """Which effects of which estimate.

    Parameters
    ----------
    basis : Basis
        Centred coordinates.
    params : (p,) array
        Coefficients, zero where aliased.
    method : str
        ``"dydx"``, ``"eyex"``, ``"dyex"`` or ``"eydx"``: e stands for the logarithm of what follows.
    fixed : tuple of (int, float)
        Columns held at a value.
    dummy : bool
        Whether columns of 0 and 1 are to be switched rather than varied.
    count : bool
        Whether columns of other whole numbers are to be raised and lowered by one.
    in_rows : bool
        Whether effects in the rows are wanted, or at a point that is made up from what the columns are like.
    """

    basis: Basis
    params: Vector
    method: EffectMethod
    fixed: tuple[tuple[int, float], ...]
    dummy: bool
    count: bool
    in_rows: bool

    def held(self, X: Matrix) -> Matrix:
        """Return the rows with the fixed columns at their values.

        Parameters
        ----------
        X : (n, p) array
            Rows.

        Returns
        -------
        (n, p) array
            The same array if nothing is fixed.
        """
        if not self.fixed:
            return X
        X = X.copy()
        for j, value in self.fixed:
            X[:, j] = value
        return X

    def slopes(self, block: Block, eta: Vector, family: Family) -> Matrix:
        """Return the effect of varying each column in each row, a quantity of rows.

        Parameters
        ----------
        block : Block
            Rows.
        eta : (n,) array
            Linear predictors; computed anew where columns are fixed.
        family : Family
            With its link.

        Returns
        -------
        (n, p) array
            d mu / dx_j, or of and by logarithms.
        """
        X = self.held(block.X.toarray())
        if self.fixed:
            eta = np.dot(X, self.params) + (0.0 if block.offset is None else block.offset)
        first, _ = self.derivatives(eta, family)
        return first[:, None] * (X if self.by_logarithm else np.ones_like(X)) * self.params

    @property
    def by_logarithm(self) -> bool:
        """Whether effects are per relative change of a column."""
        return self.method.endswith("ex")

    @property
    def of_logarithm(self) -> bool:
        """Whether effects are on the logarithm of the mean."""
        return self.method.startswith("ey")

    def response(self, eta: Vector, family: Family) -> Vector:
        """Return what effects are on: the mean, or its logarithm.

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.
        family : Family
            With its link.

        Returns
        -------
        (n,) array
            One a row.
        """
        mu = family.link.inverse(eta)
        return np.log(mu) if self.of_logarithm else mu

    def derivatives(self, eta: Vector, family: Family) -> tuple[Vector, Vector]:
        """Return the first and second derivative of `response` by eta.

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.
        family : Family
            With its link.

        Returns
        -------
        tuple of (n,) array
            One a row.
        """
        first, second = family.link.inverse_deriv(eta), family.link.inverse_deriv2(eta)
        if not self.of_logarithm:
            return first, second
        mu = family.link.inverse(eta)
        return first / mu, second / mu - (first / mu) ** 2
