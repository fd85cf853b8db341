"""Inverse squared link, eta = 1 / mu^2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class InverseSquared(Link):
    """Inverse squared link, eta = 1 / mu^2: the inverse Gaussian family's canonical link up to a factor.

    The inverse goes on below zero as an odd function, so that an eta out of range has a mean out of range.

    Examples
    --------
    >>> import numpy as np
    >>> InverseSquared().link(np.array([4.0]))
    array([0.0625])
    """

    def link(self, mu: Vector) -> Vector:
        return 1.0 / mu**2

    def inverse(self, eta: Vector) -> Vector:
        return np.sign(eta) / np.sqrt(np.abs(eta))

    def inverse_deriv(self, eta: Vector) -> Vector:
        return -0.5 / np.abs(eta) ** 1.5

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return 0.75 * np.sign(eta) / np.abs(eta) ** 2.5
