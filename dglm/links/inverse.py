"""Inverse link, eta = 1 / mu."""

from __future__ import annotations

from dataclasses import dataclass

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class Inverse(Link):
    """Inverse link, eta = 1 / mu: the Gamma family's canonical link up to its sign.

    Examples
    --------
    >>> import numpy as np
    >>> Inverse().link(np.array([4.0]))
    array([0.25])
    """

    def link(self, mu: Vector) -> Vector:
        return 1.0 / mu

    def inverse(self, eta: Vector) -> Vector:
        return 1.0 / eta

    def inverse_deriv(self, eta: Vector) -> Vector:
        return -1.0 / eta**2

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return 2.0 / eta**3
