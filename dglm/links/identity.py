"""Identity link, eta = mu."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class Identity(Link):
    """Identity link, eta = mu.

    Examples
    --------
    >>> import numpy as np
    >>> Identity().inverse(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    def link(self, mu: Vector) -> Vector:
        return mu

    def inverse(self, eta: Vector) -> Vector:
        return eta

    def inverse_deriv(self, eta: Vector) -> Vector:
        return np.ones_like(eta)

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return np.zeros_like(eta)
