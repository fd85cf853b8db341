"""Complementary log-log link, eta = log(-log(1 - mu))."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class CLogLog(Link):
    """Complementary log-log link, eta = log(-log(1 - mu)).

    Examples
    --------
    >>> import numpy as np
    >>> CLogLog().inverse_complement(np.array([0.0]))
    array([0.36787944])
    """

    def link(self, mu: Vector) -> Vector:
        return np.log(-np.log1p(-mu))

    def inverse(self, eta: Vector) -> Vector:
        return -np.expm1(-np.exp(eta))

    def inverse_complement(self, eta: Vector) -> Vector:
        return np.exp(-np.exp(eta))

    def inverse_deriv(self, eta: Vector) -> Vector:
        # in one exponent: exp(eta) alone overflows at 709, where the derivative has long been zero
        return np.exp(eta - np.exp(eta))

    def inverse_deriv2(self, eta: Vector) -> Vector:
        # (1 - e^eta) dmu/deta, the limit 0 where e^eta overflows
        rate = np.exp(np.minimum(eta, 700.0))
        return -np.expm1(np.minimum(eta, 700.0)) * np.exp(eta - rate)
