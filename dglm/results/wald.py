"""Wald: what the covariance of the coefficients gives; standard errors, tests and intervals."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.inference import expected_covariance, inverse_information, normal_critical, normal_intervals, normal_pvalues
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
        return expected_covariance(e.information, e.basis, ~e.fit.aliased, e.scale)

    @cached_property
    def _inverse_information(self) -> Matrix:
        """(X'WX)^-1 in centred coordinates, zero where aliased: what leverages need."""
        e = self._estimate
        if e.information is None:
            return np.full((len(e.params), len(e.params)), np.nan)
        return inverse_information(e.information, e.basis, ~e.fit.aliased)

    @property
    def _centred_covariance(self) -> Matrix:
        """The covariance in centred coordinates, zero where aliased: what standard errors of a row's mean need."""
        return self._estimate.scale * self._inverse_information

    def _critical(self, alpha: float) -> float:
        """Return half the width of an interval, in standard errors."""
        return normal_critical(alpha)

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
