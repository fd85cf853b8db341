"""Logit link, eta = log(mu / (1 - mu))."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class Logit(Link):
    """Logit link, eta = log(mu / (1 - mu)).

    Examples
    --------
    >>> import numpy as np
    >>> Logit().inverse(np.array([0.0, -800.0]))
    array([0.5, 0. ])
    """

    def link(self, mu: Vector) -> Vector:
        return np.log(mu) - np.log1p(-mu)

    def inverse(self, eta: Vector) -> Vector:
        # exp of the negative side only: it underflows quietly where the other overflows
        t = np.exp(-np.abs(eta))
        return np.where(eta >= 0, 1.0, t) / (1.0 + t)

    def inverse_complement(self, eta: Vector) -> Vector:
        return self.inverse(-eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        t = np.exp(-np.abs(eta))
        return t / (1.0 + t) ** 2

    def inverse_deriv2(self, eta: Vector) -> Vector:
        # mu (1 - mu) (1 - 2 mu), and 1 - 2 mu = -tanh(eta / 2)
        return -self.inverse_deriv(eta) * np.tanh(eta / 2)

    def log_odds(self, eta: Vector) -> Vector:
        return eta

    def log_odds_deriv(self, eta: Vector) -> Vector:
        return np.ones_like(eta)

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        return np.zeros_like(eta)
