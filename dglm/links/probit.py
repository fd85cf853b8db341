"""Probit link, eta = Phi^-1(mu)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from dglm._typing import Vector
from dglm.links.base import Link

SQRT_2 = float(np.sqrt(2))
SQRT_2_BY_PI = float(np.sqrt(2 / np.pi))
INVERSE_SQRT_2PI = float(1 / np.sqrt(2 * np.pi))
# Phi(-10) is 1e-23: 1 - Phi(-10) rounds to 1.
FAR = 10.0


@dataclass(frozen=True)
class Probit(Link):
    """Probit link, eta = Phi^-1(mu), Phi the standard normal distribution function.

    Examples
    --------
    >>> import numpy as np
    >>> Probit().inverse(np.array([0.0]))
    array([0.5])
    """

    def link(self, mu: Vector) -> Vector:
        return special.ndtri(mu)

    def inverse(self, eta: Vector) -> Vector:
        return special.ndtr(eta)

    def inverse_complement(self, eta: Vector) -> Vector:
        return special.ndtr(-eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        return np.exp(-(eta**2) / 2) * INVERSE_SQRT_2PI

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return -eta * self.inverse_deriv(eta)

    def log_odds(self, eta: Vector) -> Vector:
        distance = np.abs(eta)
        tail = special.ndtr(-np.minimum(distance, FAR))
        odds: Vector = np.log1p(-tail) - np.log(tail)
        far = distance > FAR
        if far.any():
            # what is beyond underflows at 38; on this side of it there is 1 to rounding
            odds[far] = -special.log_ndtr(-distance[far])
        return np.copysign(odds, eta)

    def log_odds_deriv(self, eta: Vector) -> Vector:
        # the density over Phi (1 - Phi)
        distance = np.abs(eta)
        tail = special.ndtr(-np.minimum(distance, FAR))
        slope = self.inverse_deriv(distance) / (tail * (1.0 - tail))
        far = distance > FAR
        if far.any():
            slope[far] = _hazard(distance[far])
        return slope

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        # q (q (2 Phi - 1) - t), q the first derivative
        distance = np.abs(eta)
        q = _hazard(distance) / special.ndtr(distance)
        return np.copysign(q * (q * special.erf(distance / SQRT_2) - distance), eta)


def _hazard(distance: Vector) -> Vector:
    """Return the density over 1 - Phi, where both underflow, too."""
    hazard: Vector = SQRT_2_BY_PI / special.erfcx(distance / SQRT_2)
    return hazard
