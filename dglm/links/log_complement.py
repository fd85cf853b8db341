"""Log-complement link, eta = log(1 - mu)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class LogComplement(Link):
    """Log-complement link, eta = log(1 - mu), for eta <= 0: slopes are log relative risks of the other outcome.

    It falls where the mean rises, so that coefficients have the opposite sign of a log link's.

    Examples
    --------
    >>> import numpy as np
    >>> LogComplement().inverse(np.array([np.log(0.25)]))
    array([0.75])
    """

    def link(self, mu: Vector) -> Vector:
        return np.log1p(-mu)

    def inverse(self, eta: Vector) -> Vector:
        return -np.expm1(eta)

    def inverse_complement(self, eta: Vector) -> Vector:
        return np.exp(eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        return -np.exp(eta)

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return -np.exp(eta)

    def log_odds(self, eta: Vector) -> Vector:
        return np.log(-np.expm1(eta)) - eta

    def log_odds_deriv(self, eta: Vector) -> Vector:
        # dmu/deta = -nu, so that what is left of it is -1 / mu
        return 1.0 / np.expm1(eta)

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        mu: Vector = -np.expm1(eta)
        return -np.exp(eta) / (mu * mu)
