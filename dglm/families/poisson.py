"""Poisson family: V(mu) = mu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy
from scipy import special

from dglm._typing import Mask, Vector
from dglm.families.base import Family, Pointwise
from dglm.families.distribution import Distribution
from dglm.families.loops import address, contributions
from dglm.links import Link, Log


@dataclass(frozen=True)
class Poisson(Family):
    """Poisson family, V(mu) = mu, for counts.

    Parameters
    ----------
    link : Link
        Log is canonical.

    Examples
    --------
    >>> import numpy as np
    >>> Poisson().unit_deviance(np.array([0.0, 2.0]), np.array([1.0, 2.0]))
    array([2., 0.])
    """

    link: Link = Log()

    dispersion_fixed: ClassVar[bool] = True
    counts: ClassVar[bool] = True
    variance_power: ClassVar[float] = 1.0
    mean_bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    domain: ClassVar[str] = "be finite and at least 0"

    @property
    def canonical(self) -> bool:
        """Whether the link is the log."""
        return isinstance(self.link, Log)

    @property
    def loop(self) -> int | None:
        """Address of the compiled loop over rows; a subclass may have other equations."""
        return address("poisson") if self.canonical and type(self) is Poisson else None

    def variance(self, mu: Vector) -> Vector:
        return mu

    def variance_deriv(self, mu: Vector) -> Vector:
        return np.ones_like(mu)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        # the ratio inside the logarithm: y log y - y log mu cancels for large counts
        return 2 * (special.xlogy(y, np.where(y > 0, y / mu, 1.0)) - (y - mu))

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        return var_weights / scale * (special.xlogy(y, mu) - mu - _log_factorial(y))

    def in_domain(self, y: Vector) -> Mask:
        return (y >= 0) & np.isfinite(y)

    def starting_mu(self, y: Vector, weights: Vector) -> Vector:
        del weights
        return y + 0.1

    def anscombe(self, mu: Vector) -> Vector:
        return 1.5 * np.cbrt(mu) ** 2

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        del scale
        return scipy.stats.poisson(var_weights * mu)

    def pointwise(self, y: Vector, eta: Vector) -> Pointwise:
        if not self.canonical:
            return super().pointwise(y, eta)
        compiled = contributions("poisson", y, eta) if type(self) is Poisson else None
        if compiled is not None:
            return compiled
        mu = np.exp(eta)
        return Pointwise(self.unit_deviance(y, mu), y - mu, mu)


def _log_factorial(y: Vector) -> Vector:
    """Return log y!; of counts smaller than there are rows from a table, as they repeat themselves."""
    largest = y.max(initial=0.0)
    if largest < len(y) and y.min(initial=0.0) >= 0 and (np.rint(y) == y).all():
        of_counts: Vector = special.gammaln(np.arange(largest + 1) + 1)
        return of_counts[y.astype(np.intp)]
    return np.asarray(special.gammaln(y + 1))
