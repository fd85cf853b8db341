"""Likelihood: what the maximised likelihood gives; information criteria."""

from __future__ import annotations

from typing import Any

from dglm.inference import aic, bic
from dglm.results.base import Results


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

    def _glance(self) -> dict[str, Any]:
        fit = super()._glance()
        criteria = {"aic": self.aic, "bic": self.bic}
        # where broom has them
        first = {name: fit.pop(name) for name in ("null_deviance", "df_null", "log_lik")}
        return {**first, **criteria, **fit}
