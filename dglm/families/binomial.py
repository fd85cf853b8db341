"""Binomial family: V(mu) = mu (1 - mu), for 0/1 responses and proportions with trials as weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import scipy
from scipy import special

from dglm._typing import Mask, Vector
from dglm.families.base import Family, Pointwise
from dglm.families.distribution import Distribution
from dglm.families.logistic import logistic
from dglm.families.loops import address, contributions
from dglm.links import Link, Logit

# Log odds of this size are infinite: sums of their squares would be.
CERTAIN = 1e150


@dataclass(frozen=True)
class Binomial(Family):
    """Binomial family, V(mu) = mu (1 - mu); y is the proportion of successes, var_weights the trials.

    Parameters
    ----------
    link : Link
        Logit is canonical.

    Examples
    --------
    >>> import numpy as np
    >>> Binomial().variance(np.array([0.5]))
    array([0.25])
    """

    link: Link = Logit()

    dispersion_fixed: ClassVar[bool] = True
    counts: ClassVar[bool] = True
    mean_bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    domain: ClassVar[str] = "lie in [0, 1]"

    @property
    def canonical(self) -> bool:
        """Whether the link is the logit."""
        return isinstance(self.link, Logit)

    @property
    def loop(self) -> int | None:
        """Address of the compiled loop over rows; a subclass may have other equations."""
        return address("logistic") if self.canonical and type(self) is Binomial else None

    def variance(self, mu: Vector) -> Vector:
        return mu * (1 - mu)

    def variance_deriv(self, mu: Vector) -> Vector:
        return 1 - 2 * mu

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        return _minus_twice_loglike(y, mu) - _saturated(y)

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        # log C(m, m y) + m (y log mu + (1 - y) log(1 - mu)), m trials; the coefficient is 1 where y is 0 or 1
        del scale
        m, successes = var_weights, var_weights * y
        loglike = m * (special.xlogy(y, mu) + special.xlog1py(1 - y, -mu))
        if not _proportions(y):
            return np.asarray(loglike, dtype=np.float64)
        return loglike + special.gammaln(m + 1) - special.gammaln(successes + 1) - special.gammaln(m - successes + 1)

    def in_domain(self, y: Vector) -> Mask:
        return (y >= 0) & (y <= 1)

    def starting_mu(self, y: Vector, weights: Vector) -> Vector:
        # half a success and half a failure more, as R has it
        return (weights * y + 0.5) / (weights + 1)

    def anscombe(self, mu: Vector) -> Vector:
        # the integral of (mu (1 - mu))^(-1/3) from 0
        return special.beta(2 / 3, 2 / 3) * special.betainc(2 / 3, 2 / 3, mu)

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        del scale
        # draws need trials that are integers by type; no distribution has a fraction of a trial
        whole = np.all(np.rint(var_weights) == var_weights)
        return scipy.stats.binom(var_weights.astype(np.int64) if whole else var_weights, mu)

    def pointwise(self, y: Vector, eta: Vector) -> Pointwise:
        if self.canonical:
            return _logistic(y, eta)
        # by the chain rule from the log odds, which are finite where mu or 1 - mu underflows
        theta, slope = self.link.log_odds(eta), self.link.log_odds_deriv(eta)
        inside = np.abs(theta) < CERTAIN
        if inside.all():
            return _chained(_logistic(y, theta), slope)
        return _beyond_bounds(y, inside, theta, slope)

    def observed_information(self, y: Vector, eta: Vector) -> Vector:
        at = self.pointwise(y, eta)
        if self.canonical:
            return at.information
        # -d2l/deta2 = mu nu (dtheta/deta)^2 - (y - mu) d2theta/deta2
        residual = y * self.link.inverse_complement(eta) - (1 - y) * self.link.inverse(eta)
        correction = residual * self.link.log_odds_deriv2(eta)
        return at.information - np.where(np.abs(correction) < CERTAIN, correction, 0.0)


def _beyond_bounds(y: Vector, inside: Mask, theta: Vector, slope: Vector) -> Pointwise:
    """Return the contributions where some means are 0 or 1, at which another response is impossible, or beyond."""
    at = _chained(_logistic(y, np.where(inside, theta, 0.0)), np.where(inside, slope, 0.0))
    certain = ((y == 1) & (theta >= CERTAIN)) | ((y == 0) & (theta <= -CERTAIN))
    return Pointwise(
        np.where(inside, at.deviance, np.where(certain, 0.0, np.inf)),
        np.where(inside, at.score, 0.0),
        np.where(inside, at.information, 0.0),
    )


def _chained(at: Pointwise, slope: Vector) -> Pointwise:
    """Return the contributions to derivatives by eta, from those by theta and dtheta / deta."""
    # one slope at a time: its square may overflow where the information underflows
    return Pointwise(at.deviance, at.score * slope, at.information * slope * slope)


def _logistic(y: Vector, eta: Vector) -> Pointwise:
    """Return the contributions under the logit link."""
    compiled = contributions("logistic", y, eta)
    if compiled is not None:
        return compiled
    at = logistic(y, eta)
    return replace(at, deviance=at.deviance - _saturated(y)) if _proportions(y) else at


def _saturated(y: Vector) -> Vector | float:
    """Return -2 (y log y + (1 - y) log(1 - y)): nothing to compute for 0/1 responses."""
    return _minus_twice_loglike(y, y) if _proportions(y) else 0.0


def _proportions(y: Vector) -> bool:
    """Return whether any response is neither 0 nor 1."""
    # y = y^2 for these two alone
    return bool((y * y != y).any())


def _minus_twice_loglike(y: Vector, mu: Vector) -> Vector:
    return np.asarray(-2 * (special.xlogy(y, mu) + special.xlog1py(1 - y, -mu)), dtype=np.float64)
