"""Inverse squared link, eta = 1 / mu^2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class InverseSquared(Link):
    """Inverse squared link, eta = 1 / mu^2, for mu > 0: the inverse Gaussian family's canonical link up to a factor.

    Examples
    --------
    >>> import numpy as np
    >>> InverseSquared().link(np.array([2.0]))
    array([0.25])
    """

    def link(self, mu: Vector) -> Vector:
        return np.where(mu >= 0, 1.0 / mu**2, np.nan)

    def inverse(self, eta: Vector) -> Vector:
        return 1.0 / np.sqrt(eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        return -0.5 / (eta * np.sqrt(eta))

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return 0.75 / (eta**2 * np.sqrt(eta))
