"""The Tweedie distribution for 1 < p < 2, a Poisson number of gamma variables, with the methods of scipy.stats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from dglm._typing import Mask, Vector
from dglm.families.compound_poisson import NEGLIGIBLE, Nodes, bell, log_density_at_mean
from dglm.families.power_variance import power_deviance
from dglm.families.saddlepoint import relative_entropy, stirling_error

MAX_STEPS = 200
# Of the logarithm of a quantile: the last step, whose square is what is left.
TOLERANCE = 1e-9
LONGEST_STEP = 2.0


@dataclass(frozen=True)
class CompoundPoisson:
    """Compound Poisson-gamma variables, one a row: mean mu, variance phi mu^p, and a positive probability of 0.

    Source: Jorgensen (1997), "The Theory of Dispersion Models", section 4.2.

    Parameters
    ----------
    mu : (n,) array
        Means.
    phi : (n,) array
        Dispersions.
    power : float
        p, between 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> claims = CompoundPoisson(mu=np.array([2.0]), phi=np.array([1.0]), power=1.5)
    >>> claims.cdf(np.array([0.0])).round(4), claims.ppf(np.array([0.5])).round(4)
    (array([0.0591]), array([1.6332]))
    """

    mu: Vector
    phi: Vector
    power: float

    @property
    def _rate(self) -> Vector:
        """Expected number of gamma variables."""
        return self.mu ** (2 - self.power) / (self.phi * (2 - self.power))

    @property
    def _shape(self) -> float:
        """Shape of one of them."""
        return (2 - self.power) / (self.power - 1)

    @property
    def _unit(self) -> Vector:
        """Scale of one of them."""
        return self.phi * (self.power - 1) * self.mu ** (self.power - 1)

    def mean(self) -> Vector:
        """Return the means.

        Returns
        -------
        (n,) array
            As given.
        """
        return self.mu

    def var(self) -> Vector:
        """Return the variances, phi mu^p.

        Returns
        -------
        (n,) array
            One a row.
        """
        return self.phi * self.mu**self.power

    def logpdf(self, x: Vector) -> Vector:
        """Return the logarithms of the densities, at 0 of the probabilities.

        Parameters
        ----------
        x : (n,) array
            Values.

        Returns
        -------
        (n,) array
            Minus infinity below 0.
        """
        y, mu, phi = np.broadcast_arrays(np.asarray(x, dtype=np.float64), self.mu, self.phi)
        p, saturated, inside = self.power, np.zeros(y.shape), y > 0
        rate = y[inside] ** (2 - p) / (phi[inside] * (2 - p))
        saturated[inside] = log_density_at_mean(rate, self._shape) - np.log(y[inside])
        return np.where(y >= 0, saturated - power_deviance(np.maximum(y, 0.0), mu, p) / (2 * phi), -np.inf)

    def pdf(self, x: Vector) -> Vector:
        """Return the densities, at 0 the probabilities.

        Parameters
        ----------
        x : (n,) array
            Values.

        Returns
        -------
        (n,) array
            Zero below 0.
        """
        return np.exp(self.logpdf(x))

    def cdf(self, x: Vector) -> Vector:
        """Return P(Y <= x).

        Parameters
        ----------
        x : (n,) array
            Values.

        Returns
        -------
        (n,) array
            Probabilities.
        """
        y, none = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.exp(-self._rate))
        tail, lower = self._tail(y)
        return np.where(y < 0, 0.0, np.where(lower, none + tail, 1 - tail))

    def sf(self, x: Vector) -> Vector:
        """Return P(Y > x), accurate where it is small.

        Parameters
        ----------
        x : (n,) array
            Values.

        Returns
        -------
        (n,) array
            Probabilities.
        """
        y, some = np.broadcast_arrays(np.asarray(x, dtype=np.float64), -np.expm1(-self._rate))
        tail, lower = self._tail(y)
        return np.where(y < 0, 1.0, np.where(lower, some - tail, tail))

    def ppf(self, q: Vector) -> Vector:
        """Return the smallest value with P(Y <= value) >= q.

        Parameters
        ----------
        q : (n,) array
            Probabilities.

        Returns
        -------
        (n,) array
            Quantiles, zero where q <= P(Y = 0); nan outside of [0, 1].
        """
        q, mu, phi = np.broadcast_arrays(np.asarray(q, dtype=np.float64), self.mu, self.phi)
        found = np.where(q == 1, np.inf, np.where((q >= 0) & (q < 1), 0.0, np.nan))
        rows = (q > np.exp(-np.broadcast_to(self._rate, q.shape))) & (q < 1)
        if rows.any():
            found[rows] = CompoundPoisson(mu[rows], phi[rows], self.power)._positive_quantile(q[rows])
        return found

    def rvs(self, size: Any = None, random_state: Any = None) -> Vector:
        """Return draws.

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result; one draw a row when not given.
        random_state : None, int or numpy.random.Generator
            Where the randomness comes from.

        Returns
        -------
        array
            Values.
        """
        known = isinstance(random_state, np.random.Generator | np.random.RandomState)
        rng = random_state if known else np.random.default_rng(random_state)
        number = rng.poisson(self._rate, size)
        drawn: Vector = rng.gamma(self._shape * number, self._unit)
        return drawn

    def _tail(self, y: Vector) -> tuple[Vector, Mask]:
        """Return P(0 < Y <= y) for y below the mean, P(Y > y) for others, and which of the two."""
        mu, rate, unit = np.broadcast_arrays(self.mu, self._rate, self._unit, y)[:3]
        lower = y <= mu
        tail = np.where(np.isnan(y), np.nan, 0.0)
        inside = np.flatnonzero((y > 0) & np.isfinite(y))
        tail[inside] = _sum_of_tails(rate[inside], y[inside] / unit[inside], self._shape, lower[inside])
        return tail, lower

    def _positive_quantile(self, q: Vector) -> Vector:
        """Return quantiles of P(Y = 0) < q < 1: Newton's steps in log y, halved into a bracket where they leave it."""
        # near 0 the logarithm of P(0 < Y <= y) is linear in log y, and far out that of P(Y > y) is nearly so
        lower = q <= self.cdf(self.mu)
        target = np.log(np.where(lower, q - np.exp(-self._rate), 1 - q))
        x, low, high = np.log(self.mu), np.full_like(q, -np.inf), np.full_like(q, np.inf)
        active = np.arange(len(q))
        for _ in range(MAX_STEPS):
            here, at = CompoundPoisson(self.mu[active], self.phi[active], self.power), x[active]
            log_tail, slope = here._log_tail(at, lower[active])
            short = np.where(lower[active], target[active] - log_tail, log_tail - target[active])
            low[active], high[active] = np.where(short > 0, at, low[active]), np.where(short > 0, high[active], at)
            a, b = low[active], high[active]
            newton = np.clip(short / slope, -LONGEST_STEP, LONGEST_STEP)
            middle = np.where(np.isinf(a), b - LONGEST_STEP, np.where(np.isinf(b), a + LONGEST_STEP, (a + b) / 2))
            settled = np.abs(newton) <= TOLERANCE
            inside = settled | ((at + newton > a) & (at + newton < b))
            x[active] = np.where(inside, at + newton, middle)
            # no number between the ends of the bracket: the distribution function is flat here, to rounding
            active = active[~settled & (np.abs(b - a) > TOLERANCE * np.maximum(1.0, np.abs(at)))]
            if active.size == 0:
                break
        return np.exp(x)

    def _log_tail(self, log_y: Vector, lower: Mask) -> tuple[Vector, Vector]:
        """Return log P(0 < Y <= y) where lower, log P(Y > y) elsewhere, and the size of its derivative in log y."""
        y = np.exp(log_y)
        tail, nearer = self._tail(y)
        with np.errstate(divide="ignore"):
            log_tail = np.log(np.where(nearer == lower, tail, -np.expm1(-self._rate) - tail))
        return log_tail, np.exp(self.logpdf(y) + log_y - log_tail)


def _sum_of_tails(rate: Vector, x: Vector, a: float, lower: Mask) -> Vector:
    """Return sum_j Poisson(j; rate) P(a j, x), or Q where not lower: the terms that are not negligible.

    With m = x / a, the number of variables whose mean is x, a term is below exp(-D(j, rate) - a D(j, m)) between rate
    and m, a bell about the weighted geometric mean of the two; on the far side of m the gamma tail is 1.
    """
    m = x / a
    centre = rate ** (1 / (1 + a)) * m ** (a / (1 + a))
    narrow, wide = bell(centre, NEGLIGIBLE / (1 + a)), bell(m, NEGLIGIBLE)
    low = np.where(lower, m + wide[0], centre + narrow[0])
    high = np.where(lower, centre + narrow[1], m + wide[1])
    least = np.minimum(m, rate)
    found = np.empty_like(rate)
    for nodes in Nodes.between(least, low - least, high - least, np.sqrt(least / (1 + a))):
        r, at, below, j = rate[nodes.rows, None], x[nodes.rows, None], lower[nodes.rows, None], nodes.j
        log_poisson = -r * relative_entropy((j - r) / r) - stirling_error(j) - 0.5 * np.log(2 * np.pi * j)
        gamma = np.where(below, special.gammainc(a * j, at), special.gammaincc(a * j, at))
        found[nodes.rows] = (np.exp(log_poisson) * gamma).sum(axis=1) * nodes.step
    return found
