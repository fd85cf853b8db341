"""Square root link, eta = sqrt(mu)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class Sqrt(Link):
    """Square root link, eta = sqrt(mu), for eta >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> Sqrt().inverse(np.array([3.0]))
    array([9.])
    """

    def link(self, mu: Vector) -> Vector:
        return np.sqrt(mu)

    def inverse(self, eta: Vector) -> Vector:
        return eta**2

    def inverse_deriv(self, eta: Vector) -> Vector:
        return 2.0 * eta

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return np.full_like(eta, 2.0)
