"""Negative binomial family: V(mu) = mu + alpha mu^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import scipy
from scipy import special

from dglm._typing import Mask, Matrix, Vector
from dglm.families.distribution import Distribution
from dglm.families.saddlepoint import (
    relative_entropy,
    stirling_error,
    stirling_error_deriv,
    stirling_error_deriv2,
)
from dglm.families.shape import ShapeFamily, ShapePointwise, given
from dglm.links import Link, Log

# alpha times the mean, below which the family is Poisson's to rounding, and from which on the first pass looks.
POISSON = 1e-12
SMALLEST_SEEN = 0.01
LARGEST_SEEN = 10.0
# Steps of log alpha in between: Newton's method finds its way over half of one.
STEP = 1.5


@dataclass(frozen=True)
class NegativeBinomial(ShapeFamily):
    """Negative binomial family, V(mu) = mu + alpha mu^2, for counts that vary more than Poisson's.

    Parameters
    ----------
    link : Link
        Log, unless given.
    alpha : float or None
        Above 0: the squared coefficient of variation of the Poisson means; 1 / theta in R's MASS. None to estimate it
        by maximum likelihood, together with the coefficients.

    Raises
    ------
    ValueError
        If alpha is not finite and above 0.

    Examples
    --------
    >>> import numpy as np
    >>> NegativeBinomial(alpha=0.5).variance(np.array([4.0]))
    array([12.])
    """

    link: Link = Log()
    alpha: float | None = 1.0

    dispersion_fixed: ClassVar[bool] = True
    counts: ClassVar[bool] = True
    mean_bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    domain: ClassVar[str] = "be finite and at least 0"
    canonical: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.alpha is not None and not (np.isfinite(self.alpha) and self.alpha > 0):
            raise ValueError(
                f"alpha of NegativeBinomial must be finite and above 0, or None to estimate it; got {self.alpha!r}. "
                f"For counts whose variance is their mean, alpha = 0, use Poisson()"
            )

    @property
    def name(self) -> str:
        """The family's name with alpha."""
        return f"NegativeBinomial(alpha={'?' if self.alpha is None else f'{self.alpha:.5g}'})"

    @property
    def _alpha(self) -> float:
        return given(self.alpha, "alpha", "NegativeBinomial")

    def variance(self, mu: Vector) -> Vector:
        return mu * (1 + self._alpha * mu)

    def variance_deriv(self, mu: Vector) -> Vector:
        return 1 + 2 * self._alpha * mu

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        # y and r = 1 / alpha, successes and failures, against what is expected of y + r trials
        a = self._alpha
        above = 1 + a * y
        share = above / (1 + a * mu)
        gap = np.divide(y - mu, mu * above, out=np.zeros_like(above), where=mu > 0)
        entropy = mu * relative_entropy(gap) + relative_entropy(a * (mu - y) / above) / a
        return np.where((mu > 0) | (y == 0), 2 * share * entropy, np.inf)

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        return var_weights / scale * (self._saturated(y) - self.unit_deviance(y, mu) / 2)

    def _saturated(self, y: Vector) -> Vector:
        """Return the log-likelihood at mu = y: Stirling's formula, and what it leaves."""
        r = np.array([1 / self._alpha])
        # counts repeat themselves
        counts, places = np.unique(y, return_inverse=True)
        k = np.where(counts > 0, counts, 1.0)
        errors = stirling_error(k + r) - stirling_error(r) - stirling_error(k)
        return np.where(counts > 0, errors - 0.5 * np.log(2 * np.pi * self.variance(k)), 0.0)[places]

    def in_domain(self, y: Vector) -> Mask:
        return (y >= 0) & np.isfinite(y)

    def starting_mu(self, y: Vector, weights: Vector) -> Vector:
        # as MASS has it
        del weights
        return np.where(y == 0, 1 / 6, y)

    def anscombe(self, mu: Vector) -> Vector:
        # the integral of (mu (1 + alpha mu))^(-1/3) from 0
        return 1.5 * np.cbrt(mu) ** 2 * special.hyp2f1(2 / 3, 1 / 3, 5 / 3, -self._alpha * mu)

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        del scale
        return scipy.stats.nbinom(var_weights / self._alpha, 1 / (1 + self._alpha * mu))

    # alpha, estimated as psi = log alpha

    @property
    def free(self) -> tuple[str, ...]:
        """Alpha, where it is to be estimated."""
        return ("alpha",) if self.alpha is None else ()

    @property
    def provisional(self) -> Self:
        """The family with alpha = 1 where it is to be estimated."""
        return self.with_parameters(alpha=1.0) if self.alpha is None else self

    def at(self, psi: Vector) -> tuple[Self, float]:
        return self.with_parameters(alpha=float(np.exp(psi[0]))), 1.0

    def parameters(self, psi: Vector) -> tuple[Vector, Vector]:
        return np.exp(psi), np.exp(psi)

    def candidates(self, mean: float, null_deviance: float) -> Matrix:
        del null_deviance
        low, high = np.log(SMALLEST_SEEN / mean), np.log(LARGEST_SEEN * (1 + 1 / mean))
        inside = np.linspace(low, high, int(np.ceil((high - low) / STEP)) + 1)
        return np.append(self.limits(mean)[0], inside)[:, None]

    def limits(self, mean: float) -> tuple[Vector, Vector]:
        return np.array([np.log(POISSON / mean)]), np.array([np.log((1 + 1 / mean) / POISSON)])

    def beyond(self, *, low: bool) -> str:
        if low:
            return "the counts vary no more than Poisson's, for which alpha is 0: fit with Poisson()"
        return "the likelihood rises without end in alpha: the mean says next to nothing of the counts"

    def shape_pointwise(self, y: Vector, eta: Vector, var_weights: Vector, psi: Vector) -> ShapePointwise:
        family, _ = self.at(psi)
        a, r = family._alpha, 1 / family._alpha
        mu, dmu = self.link.inverse(eta), self.link.inverse_deriv(eta)
        above, fitted = 1 + a * y, 1 + a * mu
        # dl / dlog(alpha) = r h(u) / (1 + u) - y / (2 (y + r)) + r (e'(r) - e'(y + r)), 1 + u = (1 + a mu) / (1 + a y)
        entropy = r * relative_entropy(a * (mu - y) / above) * above / fitted
        # counts repeat themselves; zero is the first of them
        counts, places = np.unique(np.append(y, 0.0), return_inverse=True)
        e1, e2 = stirling_error_deriv(counts + r), stirling_error_deriv2(counts + r)
        first, second = (r * (e1[0] - e1))[places[:-1]], (r**2 * (e2[0] - e2))[places[:-1]]
        score = entropy - y / (2 * (y + r)) + first
        gap = (mu - y) / fitted
        hessian = -entropy + a * gap**2 / above - y * r / (2 * (y + r) ** 2) - first - second
        cross = a * gap * dmu / fitted
        v = var_weights
        return ShapePointwise(
            self.shape_loglike(y, eta, v, psi), (v * score)[None], (v * hessian)[None, None], (v * cross)[None]
        )
