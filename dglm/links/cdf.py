"""CDF link: eta is a quantile, mu the distribution function, of any continuous distribution of scipy.stats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy

from dglm._typing import Vector
from dglm.links.base import Link
from dglm.links.log_density import Frozen, slope

# A probability below this is taken by its logarithm.
TINY = 1e-290


@dataclass(frozen=True, eq=False, repr=False)
class CDF(Link):
    """Quantile link, eta = F^-1(mu), F the distribution function of a continuous distribution of scipy.stats.

    Two of them are equal if their distributions have the same class and parameters. Its accuracy is that of the
    distribution's methods. The second derivative is f d log f / deta, from closed forms for norm, logistic, hypsecant,
    genlogistic, t, cauchy, skewnorm, gumbel_r, gumbel_l, loggamma, laplace, uniform, expon, gamma, weibull_min,
    lognorm and beta; for others d log f / deta is extrapolated from differences of logpdf, to 1e-11 of the larger of
    itself and the reciprocal of the interquartile range. Where they exist, `Logit`, `Probit`, `Cauchit`, `CLogLog` and
    `LogLog` are many times as fast and hold in farther tails.

    Source: Koenker & Yoon (2009), "Parametric links for binary choice models", for Student's t.

    Parameters
    ----------
    distribution : frozen continuous distribution of scipy.stats
        As ``stats.t(5)``; without shape parameters ``stats.norm`` is as good as ``stats.norm()``. Its density should be
        smooth and positive on its support.

    Raises
    ------
    TypeError
        If it is no continuous distribution of scipy.stats with scalar parameters.
    ValueError
        If its parameters are out of their range.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> CDF(stats.t(5)).link(np.array([0.975]))
    array([2.57058184])
    >>> CDF(stats.t(5)) == CDF(stats.t(df=5.0))
    True
    """

    distribution: Frozen
    _median: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "distribution", _frozen(self.distribution))
        object.__setattr__(self, "_median", float(self.distribution.median()))
        if np.isnan(self._median):
            raise ValueError(f"{self!r}: the parameters are out of their range")

    @property
    def name(self) -> str:
        """The link's name with its distribution."""
        return repr(self)

    def __repr__(self) -> str:
        defaults = {"loc": 0.0, "scale": 1.0}
        given = {name: value for name, value in _parameters(self.distribution).items() if value != defaults.get(name)}
        arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return f"{type(self).__name__}(stats.{self.distribution.dist.name}({arguments}))"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CDF) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[object, ...]:
        """Return what tells distributions apart: scipy compares them by identity."""
        dist = self.distribution.dist
        return type(dist), dist.name, self.distribution.support(), tuple(_parameters(self.distribution).items())

    def link(self, mu: Vector) -> Vector:
        # 1 - mu is exact above one half, and so is the survival function's inverse
        low = mu <= 0.5
        eta = np.empty_like(mu)
        eta[low], eta[~low] = self.distribution.ppf(mu[low]), self.distribution.isf(1.0 - mu[~low])
        return eta

    def inverse(self, eta: Vector) -> Vector:
        return np.asarray(self.distribution.cdf(eta))

    def inverse_complement(self, eta: Vector) -> Vector:
        return np.asarray(self.distribution.sf(eta))

    def inverse_deriv(self, eta: Vector) -> Vector:
        return np.asarray(self.distribution.pdf(eta))

    def inverse_deriv2(self, eta: Vector) -> Vector:
        density = self.inverse_deriv(eta)
        # beyond the support there is no slope
        return np.where(density == 0, 0.0, density * self._slope(eta))

    def log_odds(self, eta: Vector) -> Vector:
        mu, nu = self._probabilities(eta)
        odds: Vector = np.log(mu) - np.log(nu)
        far = np.minimum(mu, nu) < TINY
        if far.any():
            odds[far] = self.distribution.logcdf(eta[far]) - self.distribution.logsf(eta[far])
        return odds

    def log_odds_deriv(self, eta: Vector) -> Vector:
        mu, nu = self._probabilities(eta)
        q = self.inverse_deriv(eta) / (mu * nu)
        far = np.minimum(mu, nu) < TINY
        if far.any():
            # f / F + f / (1 - F), in logarithms: f and the smaller of the two underflow together
            d, x = self.distribution, eta[far]
            q[far] = np.exp(d.logpdf(x) - d.logcdf(x)) + np.exp(d.logpdf(x) - d.logsf(x))
        return q

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        # q (d log f / deta - q (1 - 2 F)), q the first derivative
        q, (mu, nu) = self.log_odds_deriv(eta), self._probabilities(eta)
        return q * (self._slope(eta) - q * (nu - mu))

    def _probabilities(self, eta: Vector) -> tuple[Vector, Vector]:
        """Return F and 1 - F, the greater from the smaller, which costs half and loses nothing."""
        below = eta <= self._median
        small = np.empty_like(eta)
        small[below], small[~below] = self.distribution.cdf(eta[below]), self.distribution.sf(eta[~below])
        return np.where(below, small, 1.0 - small), np.where(below, 1.0 - small, small)

    def _slope(self, eta: Vector) -> Vector:
        return slope(self.distribution, _parameters(self.distribution), eta)


def _frozen(distribution: Any) -> Frozen:
    """Return the frozen distribution, checked."""
    wanted = "CDF needs a frozen continuous distribution of scipy.stats, as CDF(stats.t(5))"
    if isinstance(distribution, scipy.stats.rv_continuous):
        if distribution.shapes:
            raise TypeError(f"{wanted}; {distribution.name} has the shape parameters {distribution.shapes}")
        distribution = distribution()
    if not (
        isinstance(distribution, scipy.stats.distributions.rv_frozen)
        and isinstance(distribution.dist, scipy.stats.rv_continuous)
    ):
        raise TypeError(f"{wanted}; got {distribution!r}")
    if isinstance(distribution.dist, scipy.stats.rv_histogram):
        raise TypeError(f"{wanted}; the density of a histogram has jumps")
    if any(np.ndim(value) for value in (*distribution.args, *distribution.kwds.values())):
        raise TypeError(f"{wanted}; got a {distribution.dist.name} with an array as a parameter")
    return distribution


def _parameters(distribution: Frozen) -> dict[str, float]:
    """Return the parameters by name: the shapes in their order, loc and scale."""
    names = [*(distribution.dist.shapes or "").replace(",", " ").split(), "loc", "scale"]
    given = {"loc": 0.0, "scale": 1.0} | dict(zip(names, distribution.args, strict=False)) | distribution.kwds
    return {name: float(given[name]) for name in names}
