"""Inverse Gaussian family: V(mu) = mu^3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from dglm._typing import Mask, Vector
from dglm.families.base import Family
from dglm.families.distribution import Distribution
from dglm.links import InverseSquared, Link


@dataclass(frozen=True)
class InverseGaussian(Family):
    """Inverse Gaussian family, V(mu) = mu^3, for a positive response with a long right tail.

    Parameters
    ----------
    link : Link
        InverseSquared is canonical up to a factor.

    Examples
    --------
    >>> import numpy as np
    >>> InverseGaussian().unit_deviance(np.array([1.0]), np.array([2.0]))
    array([0.25])
    """

    link: Link = InverseSquared()

    dispersion_fixed: ClassVar[bool] = False
    variance_power: ClassVar[float] = 3.0
    mean_bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    domain: ClassVar[str] = "be finite and above 0"

    @property
    def canonical(self) -> bool:
        """Whether the link is the inverse squared."""
        return isinstance(self.link, InverseSquared)

    def variance(self, mu: Vector) -> Vector:
        return mu**3

    def variance_deriv(self, mu: Vector) -> Vector:
        return 3 * mu**2

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        # the ratio first: mu^2 y overflows where the deviance does not
        return ((y - mu) / mu) ** 2 / y

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        weighted = var_weights > 0
        phi = scale / np.where(weighted, var_weights, 1.0)
        return np.where(weighted, -(self.unit_deviance(y, mu) / phi + np.log(2 * np.pi * phi) + 3 * np.log(y)) / 2, 0.0)

    def saturated_loglike(self, at_one: float, counted: float, scale: float) -> float | None:
        return at_one - counted * float(np.log(scale)) / 2 if scale > 0 else None

    def in_domain(self, y: Vector) -> Mask:
        return (y > 0) & np.isfinite(y)

    def anscombe(self, mu: Vector) -> Vector:
        return np.log(mu)

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        phi = scale / var_weights
        return scipy.stats.invgauss(mu * phi, scale=1 / phi)
