"""Gamma family: V(mu) = mu^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy
from scipy import special

from dglm._typing import Mask, Vector
from dglm.families.base import Family
from dglm.families.distribution import Distribution
from dglm.links import Inverse, Link


@dataclass(frozen=True)
class Gamma(Family):
    """Gamma family, V(mu) = mu^2, for a positive response.

    Parameters
    ----------
    link : Link
        Inverse is canonical up to its sign.

    Examples
    --------
    >>> import numpy as np
    >>> Gamma().unit_deviance(np.array([2.0]), np.array([2.0]))
    array([0.])
    """

    link: Link = Inverse()

    dispersion_fixed: ClassVar[bool] = False
    variance_power: ClassVar[float] = 2.0
    mean_bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    domain: ClassVar[str] = "be finite and above 0"

    @property
    def canonical(self) -> bool:
        """Whether the link is the inverse."""
        return isinstance(self.link, Inverse)

    def variance(self, mu: Vector) -> Vector:
        return mu**2

    def variance_deriv(self, mu: Vector) -> Vector:
        return 2 * mu

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        # log(y / mu), from the difference where the two are close and from the ratio where they are not
        excess = (y - mu) / mu
        close = np.abs(excess) < 0.5
        return 2 * (excess - np.where(close, np.log1p(np.where(close, excess, 0.0)), np.log(y / mu)))

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        # shape k = w / scale, rate k / mu
        weighted = var_weights > 0
        k = np.where(weighted, var_weights, 1.0) / scale
        return np.where(weighted, k * np.log(k * y / mu) - k * y / mu - special.gammaln(k) - np.log(y), 0.0)

    def in_domain(self, y: Vector) -> Mask:
        return (y > 0) & np.isfinite(y)

    def anscombe(self, mu: Vector) -> Vector:
        return 3 * np.cbrt(mu)

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        k = var_weights / scale
        return scipy.stats.gamma(k, scale=mu / k)
