"""Negative binomial link, eta = log(mu / (mu + 1 / alpha))."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class NegativeBinomial(Link):
    """Negative binomial link, eta = log(mu / (mu + 1 / alpha)), for mu > 0 and eta < 0.

    The canonical link of the negative binomial family with the same alpha.

    Source: Hilbe (2011), "Negative Binomial Regression", chapter 8.

    Parameters
    ----------
    alpha : float
        Ancillary parameter of the family, V(mu) = mu + alpha mu^2; finite and above 0.

    Raises
    ------
    ValueError
        If alpha is not positive and finite.

    Examples
    --------
    >>> import numpy as np
    >>> NegativeBinomial(alpha=0.5).inverse(np.array([-np.log(2)]))
    array([2.])
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.alpha) and self.alpha > 0):
            raise ValueError(f"alpha must be finite and above 0; got {self.alpha!r}")

    @property
    def name(self) -> str:
        """The link's name with its alpha."""
        return repr(self)

    def link(self, mu: Vector) -> Vector:
        # the quotient inside the logarithm would round to 1 for large means
        return -np.log1p(1 / (self.alpha * mu))

    def inverse(self, eta: Vector) -> Vector:
        return -np.exp(eta) / (self.alpha * np.expm1(eta))

    def inverse_deriv(self, eta: Vector) -> Vector:
        complement: Vector = -np.expm1(eta)
        return np.exp(eta) / (self.alpha * complement * complement)

    def inverse_deriv2(self, eta: Vector) -> Vector:
        # (1 + t) / (1 - t) dmu/deta, t = e^eta
        ratio: Vector = (1 + np.exp(eta)) / -np.expm1(eta)
        return self.inverse_deriv(eta) * ratio
