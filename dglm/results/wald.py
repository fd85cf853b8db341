"""Wald: what the covariance of the coefficients gives; standard errors, tests and intervals."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.inference import normal_intervals, normal_pvalues
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
        return self._estimate.expected_covariance()

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
            statistics = self._estimate.params / self._bse
        # a number that constraints fix was not estimated: there is nothing to test
        return np.where(self._estimate.fixed, np.nan, statistics)
