"""Influence: how far the estimate moves, to one step, when an observation is left out.

A row of frequency weight f stands for f observations, and what is left out is one of them (the whole row where f is
below one): every measure is that of one copy of a repeated row.
Source: Pregibon (1981), "Logistic regression diagnostics"; Cook & Weisberg (1982), section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family, Pointwise
from dglm.inference.residuals import unit_deviance_residuals, unit_pearson
from dglm.matrix import Basis
from dglm.objective import DETERMINED


@dataclass(frozen=True)
class InfluenceAt:
    """What the influence of an observation is computed from.

    Parameters
    ----------
    basis : Basis
        Centred coordinates z.
    inverse : (p, p) array
        H = (X'WX)^-1 in these coordinates, zero where aliased.
    covariance : (p, p) array
        Of the coefficients, in these coordinates.
    params, bse : (p,) array
        Coefficients and their standard errors, nan where aliased.
    scale : float
        Dispersion phi.
    n_params : float
        Number of coefficients p.
    df_resid : float
        Residual degrees of freedom.
    observed : bool
        Whether W is the observed information of a row, not the expected one.
    """

    basis: Basis
    inverse: Matrix
    covariance: Matrix
    params: Vector
    bse: Vector
    scale: float
    n_params: float
    df_resid: float
    observed: bool

    def of(self, block: Block, eta: Vector, family: Family) -> RowInfluence:
        """Return the measures of the rows of a block.

        Parameters
        ----------
        block : Block
            Rows.
        eta : (n,) array
            Linear predictors.
        family : Family
            With its link.

        Returns
        -------
        RowInfluence
            Computed when they are read.
        """
        return RowInfluence(self, block, eta, family)


@dataclass(frozen=True)
class RowInfluence:
    """Measures of influence of rows; nan where leverage is 1, because there the fit has nothing to say.

    Parameters
    ----------
    at : InfluenceAt
        The estimate.
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.
    """

    at: InfluenceAt
    block: Block
    eta: Vector
    family: Family

    @cached_property
    def hat(self) -> Vector:
        """Leverages h = v W z'Hz; over all observations they sum to the number of coefficients."""
        observed = self.at.observed and not self.family.canonical
        W = self.family.observed_information(self.block.y, self.eta) if observed else self._pointwise.information
        return _product(self._weight, W * self._length)

    @property
    def studentized(self) -> Vector:
        """Pearson residuals over sqrt(phi (1 - h))."""
        pearson = unit_pearson(self._pointwise, self.eta, self.family)
        return _product(np.sqrt(self.block.var), pearson) / np.sqrt(self.at.scale * self._left)

    @property
    def standardized_deviance(self) -> Vector:
        """Deviance residuals over sqrt(phi (1 - h)), as R's ``rstandard``."""
        deviance = unit_deviance_residuals(self._pointwise, self.eta, self.family)
        return _product(np.sqrt(self.block.var), deviance) / np.sqrt(self.at.scale * self._left)

    @cached_property
    def cooks(self) -> Vector:
        """Cook's distances d'(X'WX)d / (p phi), d the change of the coefficients."""
        return _product(self._change**2, self._length) / (self.at.n_params * self.at.scale)

    @property
    def cooks_pvalues(self) -> Vector:
        """Share of an F distribution with p and n - p degrees of freedom beyond Cook's distances."""
        return np.asarray(special.fdtrc(self.at.n_params, self.at.df_resid, self.cooks), dtype=np.float64)

    @property
    def d_params(self) -> Matrix:
        """Changes of the coefficients, beta - beta_(i) = H z s / (1 - h), s the score; nan where aliased."""
        Z = self.at.basis.rows(self.block.X)
        change: Matrix = np.dot(Z, self.at.basis.to_params(self.at.inverse).T) * self._change[:, None]
        change[:, np.isnan(self.at.params)] = np.nan
        return change

    @property
    def dfbetas(self) -> Matrix:
        """Changes of the coefficients over their standard errors."""
        return self.d_params / self.at.bse

    @property
    def params_one(self) -> Matrix:
        """Coefficients without the observation, to one step."""
        return self.at.params - self.d_params

    @cached_property
    def d_linpred(self) -> Vector:
        """Changes of the row's own linear predictor, x'(beta - beta_(i))."""
        return _product(self._change, self._length)

    @property
    def d_linpred_scaled(self) -> Vector:
        """Changes of the linear predictor over its standard error."""
        se = np.sqrt(self.at.basis.forms(self.block.X, self.at.covariance))
        return np.divide(self.d_linpred, se, out=np.zeros_like(se), where=self.d_linpred != 0)

    @property
    def d_fittedvalues(self) -> Vector:
        """Changes of the fitted mean, to first order."""
        return self.family.link.inverse_deriv(self.eta) * self.d_linpred

    @property
    def d_fittedvalues_scaled(self) -> Vector:
        """Changes of the fitted mean over its standard error: dffits."""
        return np.sign(self.family.link.inverse_deriv(self.eta)) * self.d_linpred_scaled

    @property
    def columns(self) -> Matrix:
        """The dfbetas, Cook's distance, studentised residual, leverage and dffits, one beside the other."""
        measures = [self.cooks, self.studentized, self.hat, self.d_fittedvalues_scaled]
        return np.column_stack([self.dfbetas, *measures])

    @cached_property
    def _pointwise(self) -> Pointwise:
        return self.family.pointwise(self.block.y, self.eta)

    @cached_property
    def _length(self) -> Vector:
        """Squared length of the row, z'Hz."""
        return self.at.basis.forms(self.block.X, self.at.inverse)

    @property
    def _weight(self) -> Vector:
        """What is left out: the weight of one of the f observations, or of a row that counts less than once."""
        return np.minimum(self.block.freq, 1.0) * self.block.var

    @cached_property
    def _left(self) -> Vector:
        """1 - h, nan where it is rounding."""
        left = 1 - self.hat
        return np.where(left < DETERMINED, np.nan, left)

    @cached_property
    def _change(self) -> Vector:
        """What H z is multiplied by, s / (1 - h), s the score of what is left out."""
        return _product(self._weight, self._pointwise.score) / self._left


def _product(weights: Vector, values: Vector) -> Vector:
    """Return w v, zero where w is, even if v is infinite there."""
    return np.where(weights == 0, 0.0, weights * values)
