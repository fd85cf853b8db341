"""Probit link, eta = Phi^-1(mu)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from dglm._typing import Vector
from dglm.links.base import Link

INVERSE_SQRT_2PI = float(1 / np.sqrt(2 * np.pi))


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
