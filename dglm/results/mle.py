"""GLMResults: maximum likelihood, with inference."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.inference import aic, bic, expected_covariance, normal_intervals, normal_pvalues
from dglm.results.base import Results
from dglm.results.summary import Summary, number


class GLMResults(Results):
    """Maximum likelihood estimates: unpenalised, with standard errors, tests and intervals.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
    >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
    >>> result.params.round(4).to_dict()
    {'Intercept': -0.5533, 'dose': 0.7061}
    """

    @cached_property
    def _covariance(self) -> Matrix:
        e = self._estimate
        if e.information is None:
            return np.full((len(e.params), len(e.params)), np.nan)
        return expected_covariance(e.information, e.basis, ~e.fit.aliased, e.scale)

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
    def aic(self) -> float:
        """Akaike's criterion, -2 llf + 2 p; the dispersion is not counted as a parameter."""
        return aic(self.llf, int(self._estimate.df))

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 llf + p log(nobs)."""
        return bic(self.llf, int(self._estimate.df), self.nobs)

    @property
    def _bse(self) -> Vector:
        return np.sqrt(np.diag(self._covariance))

    @property
    def _tvalues(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._estimate.params / self._bse

    @property
    def _penalty(self) -> str | None:
        return None

    def summary(self) -> Summary:
        """Return a report of the fit: maximum likelihood with inference.

        Returns
        -------
        Summary
            Prints as text.
        """
        e, intervals = self._estimate, normal_intervals(self._estimate.params, self._bse, 0.05)
        columns = zip(e.params, self._bse, self._tvalues, normal_pvalues(self._tvalues), intervals, strict=True)
        table = [
            (
                name,
                (
                    number(b),
                    number(se),
                    f"{z:.3f}",
                    f"{p:.3f}" if p >= 5e-4 or p != p else f"{p:.1e}",
                    number(lo),
                    number(hi),
                ),
            )
            for name, (b, se, z, p, (lo, hi)) in zip(e.design.exog_names, columns, strict=True)
        ]
        return self._summary(
            "Generalized Linear Model Regression Results",
            ("coef", "std err", "z", "P>|z|", "[0.025", "0.975]"),
            table,
            ["Maximum likelihood. Standard errors from the expected information."],
        )
