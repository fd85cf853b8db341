"""Wald: what the covariance of the coefficients gives; standard errors, tests and intervals."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.inference import expected_covariance, minimum_norm_covariance, normal_intervals, normal_pvalues
from dglm.results.base import Results


class Wald(Results):
    """Maximum likelihood estimates with a covariance matrix.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    @cached_property
    def _covariance(self) -> Matrix:
        e = self._estimate
        if e.information is None:
            return np.full((len(e.params), len(e.params)), np.nan)
        covariance = expected_covariance(e.information, e.basis, ~e.fit.aliased, e.scale)
        if e.collinear == "pinv":
            return minimum_norm_covariance(covariance, e.fit.dependencies, e.fit.aliased)
        return covariance

    def cov_params(self) -> Any:
        """Return the covariance matrix of the coefficients, scale times the inverse of the expected information.

        Returns
        -------
        (p, p) DataFrame or array
            nan where aliased.
        """
        return self._framed(self._covariance)

    @property
    def bse(self) -> Any:
        """Standard errors of the coefficients."""
        return self._named(self._bse)

    @property
    def tvalues(self) -> Any:
        """Coefficients over their standard errors; z statistics."""
        return self._named(self._tvalues)

    @property
    def pvalues(self) -> Any:
        """Two-sided p-values of the z statistics."""
        return self._named(normal_pvalues(self._tvalues))

    def conf_int(self, alpha: float = 0.05) -> Any:
        """Return confidence intervals.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        (p, 2) DataFrame or array
            Lower and upper bounds, columns 0 and 1.
        """
        return self._framed(normal_intervals(self._estimate.params, self._bse, alpha), [0, 1])

    @property
    def _bse(self) -> Vector:
        return np.sqrt(np.diag(self._covariance))

    @property
    def _tvalues(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._estimate.params / self._bse
