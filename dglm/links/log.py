"""Log link, eta = log mu."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class Log(Link):
    """Log link, eta = log mu.

    Examples
    --------
    >>> import numpy as np
    >>> Log().link(np.array([1.0, np.e]))
    array([0., 1.])
    """

    def link(self, mu: Vector) -> Vector:
        return np.log(mu)

    def inverse(self, eta: Vector) -> Vector:
        return np.exp(eta)

    def inverse_complement(self, eta: Vector) -> Vector:
        return -np.expm1(eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        return np.exp(eta)

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return np.exp(eta)

    def log_odds(self, eta: Vector) -> Vector:
        return eta - np.log(-np.expm1(eta))

    def log_odds_deriv(self, eta: Vector) -> Vector:
        # dmu/deta = mu, so that what is left of it is 1 / nu
        return -1.0 / np.expm1(eta)

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        nu: Vector = -np.expm1(eta)
        return np.exp(eta) / (nu * nu)
