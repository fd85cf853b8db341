"""Gaussian family: V(mu) = 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from dglm._typing import Mask, Vector
from dglm.families.base import Family, Pointwise
from dglm.families.distribution import Distribution
from dglm.families.loops import address, contributions
from dglm.links import Identity, Link


@dataclass(frozen=True)
class Gaussian(Family):
    """Gaussian family, V(mu) = 1, for a real response.

    Parameters
    ----------
    link : Link
        Identity is canonical.

    Examples
    --------
    >>> import numpy as np
    >>> Gaussian().unit_deviance(np.array([1.0]), np.array([3.0]))
    array([4.])
    """

    link: Link = Identity()

    dispersion_fixed: ClassVar[bool] = False
    variance_power: ClassVar[float] = 0.0
    mean_bounds: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    domain: ClassVar[str] = "be finite"

    @property
    def canonical(self) -> bool:
        """Whether the link is the identity."""
        return isinstance(self.link, Identity)

    @property
    def loop(self) -> int | None:
        """Address of the compiled loop over rows; a subclass may have other equations."""
        return address("gaussian") if self.canonical and type(self) is Gaussian else None

    def variance(self, mu: Vector) -> Vector:
        return np.ones_like(mu)

    def variance_deriv(self, mu: Vector) -> Vector:
        return np.zeros_like(mu)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        return (y - mu) ** 2

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        weighted = var_weights > 0
        variance = scale / np.where(weighted, var_weights, 1.0)
        return np.where(weighted, -((y - mu) ** 2 / variance + np.log(2 * np.pi * variance)) / 2, 0.0)

    def saturated_loglike(self, at_one: float, counted: float, scale: float) -> float | None:
        return at_one - counted * float(np.log(scale)) / 2 if scale > 0 else None

    def in_domain(self, y: Vector) -> Mask:
        return np.isfinite(y)

    def pointwise(self, y: Vector, eta: Vector) -> Pointwise:
        compiled = contributions("gaussian", y, eta) if self.canonical and type(self) is Gaussian else None
        return super().pointwise(y, eta) if compiled is None else compiled

    def anscombe(self, mu: Vector) -> Vector:
        return mu

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        return scipy.stats.norm(mu, np.sqrt(scale / var_weights))

    def likelihood_scale(self, scale: float, deviance: float, nobs: float) -> float:
        # the variance that maximises the likelihood, as R's logLik and statsmodels' llf have it
        del scale
        return deviance / nobs
