"""Likelihood: what the maximised likelihood gives; information criteria, and shares of deviance explained."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm.data import one_blas_thread
from dglm.inference import aic, bic, log_likelihood, pseudo_rsquared
from dglm.objective import SaturatedLoglike
from dglm.results.base import Results
from dglm.results.rows_again import objective_again


class Likelihood(Results):
    """Maximum likelihood estimates with a likelihood that can be compared.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 llf + 2 p; counts the family's parameters that were estimated, not the dispersion."""
        return aic(self.llf, self._estimate.n_estimated)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 llf + p log(nobs), with the p of `aic`."""
        return bic(self.llf, self._estimate.n_estimated, self.nobs)

    @property
    def bic_deviance(self) -> float:
        """Schwarz's criterion from the deviance, deviance - df_resid log(nobs)."""
        return float(self.deviance - self.df_resid * np.log(self.nobs))

    def info_criteria(self, crit: str, *, scale: float | None = None, dk_params: float = 0) -> float:
        """Return an information criterion.

        Parameters
        ----------
        crit : ``"aic"``, ``"bic"`` or ``"qaic"``
            Akaike's, Schwarz's, or the quasi-likelihood criterion -2 llf / scale + 2 p for overdispersed counts.
        scale : float, optional
            Dispersion for ``"qaic"``: one number for all models that are compared, estimated from the largest.
        dk_params : float
            Parameters to count beside the coefficients: 1 for a dispersion that was estimated.

        Returns
        -------
        float
            Smaller is better.

        Raises
        ------
        ValueError
            If there is no such criterion, or it and `scale` do not go together.
        """
        k_params = self._estimate.n_estimated + dk_params
        if crit == "qaic":
            if scale is None or not self._estimate.family.dispersion_fixed:
                raise ValueError(
                    "qaic is for families whose dispersion is 1 by definition, at a scale= that was estimated from the "
                    f"largest model; got the {self.model_family} family and scale={scale!r}"
                )
            return aic(self.llf / scale, k_params)
        if crit not in {"aic", "bic"}:
            raise ValueError(f"crit must be 'aic', 'bic' or 'qaic'; got {crit!r}")
        if scale is not None:
            raise ValueError(f"scale= is for qaic; {crit} is of the likelihood at the fit's own dispersion")
        return aic(self.llf, k_params) if crit == "aic" else bic(self.llf, k_params, self.nobs)

    @property
    def llnull(self) -> float:
        """Log-likelihood of the model with an intercept (and the offset) only, at the dispersion of this one.

        For the Gaussian family each is at its own maximum likelihood variance, as `llf` is.
        """
        return self._estimate.llnull

    def llf_scaled(self, scale: float | None = None) -> float:
        """Return the log-likelihood of the coefficients at another dispersion.

        Parameters
        ----------
        scale : float, optional
            Dispersion; that of `llf` when not given.

        Returns
        -------
        float
            For families whose dispersion is 1 by definition, the quasi-log-likelihood llf / scale. For others one pass
            is made over the rows, which the constants depend on.

        Raises
        ------
        ValueError
            If the scale is not above 0.
        DataError
            If the rows are needed, and did not travel with the result.
        """
        if scale is None:
            return self.llf
        if not (np.isfinite(scale) and scale > 0):
            raise ValueError(f"scale must be a number above 0; got {scale!r}")
        if self._estimate.family.dispersion_fixed:
            return self.llf / scale
        with one_blas_thread():
            saturated = objective_again(self._estimate, persist=False).at(np.array([scale]), SaturatedLoglike)
        return log_likelihood(saturated.loglike, self.deviance, scale)

    def pseudo_rsquared(self, kind: str = "cs") -> float:
        """Return how much better the model predicts than its mean alone.

        Parameters
        ----------
        kind : ``"cs"``, ``"nagelkerke"``, ``"mcf"`` or ``"deviance"``
            Cox and Snell's 1 - exp(2 (llnull - llf) / nobs), which is the usual R-squared for the Gaussian family with
            the identity link; Nagelkerke's, that over its largest value, and McFadden's 1 - llf / llnull, for
            binomial and count responses; or the share of the deviance, 1 - deviance / null_deviance.

        Returns
        -------
        float
            0 for the null model.

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        e = self._estimate
        return pseudo_rsquared(
            kind, llf=e.llf, llnull=e.llnull, deviance=self.deviance, null_deviance=e.null_deviance, nobs=self.nobs
        )

    def _glance(self) -> dict[str, Any]:
        fit = super()._glance()
        criteria = {"aic": self.aic, "bic": self.bic}
        # where broom has them
        first = {name: fit.pop(name) for name in ("null_deviance", "df_null", "log_lik")}
        return {**first, **criteria, **fit}
