"""Negative binomial family: V(mu) = mu + alpha mu^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special, stats

from dglm._typing import Mask, Vector
from dglm.families.base import Family
from dglm.families.distribution import Distribution
from dglm.families.saddlepoint import relative_entropy, stirling_error
from dglm.links import Link, Log


@dataclass(frozen=True)
class NegativeBinomial(Family):
    """Negative binomial family, V(mu) = mu + alpha mu^2, for counts that vary more than Poisson's.

    Parameters
    ----------
    link : Link
        Log, unless given.
    alpha : float
        Above 0: the squared coefficient of variation of the Poisson means; 1 / theta in R's MASS.

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
    alpha: float = 1.0

    dispersion_fixed: ClassVar[bool] = True
    counts: ClassVar[bool] = True
    mean_bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    domain: ClassVar[str] = "be finite and at least 0"
    canonical: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.alpha) and self.alpha > 0):
            raise ValueError(
                f"alpha of NegativeBinomial must be finite and above 0; got {self.alpha!r}. "
                f"For counts whose variance is their mean, alpha = 0, use Poisson()"
            )

    @property
    def name(self) -> str:
        """The family's name with alpha."""
        return f"NegativeBinomial(alpha={self.alpha:.5g})"

    def variance(self, mu: Vector) -> Vector:
        return mu * (1 + self.alpha * mu)

    def variance_deriv(self, mu: Vector) -> Vector:
        return 1 + 2 * self.alpha * mu

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        # y and r = 1 / alpha, successes and failures, against what is expected of y + r trials
        a = self.alpha
        above = 1 + a * y
        share = above / (1 + a * mu)
        gap = np.divide(y - mu, mu * above, out=np.zeros_like(above), where=mu > 0)
        entropy = mu * relative_entropy(gap) + relative_entropy(a * (mu - y) / above) / a
        return np.where((mu > 0) | (y == 0), 2 * share * entropy, np.inf)

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        return var_weights / scale * (self._saturated(y) - self.unit_deviance(y, mu) / 2)

    def _saturated(self, y: Vector) -> Vector:
        """Return the log-likelihood at mu = y: Stirling's formula, and what it leaves."""
        r = 1 / self.alpha
        k = np.where(y > 0, y, 1.0)
        errors = stirling_error(k + r) - stirling_error(np.full_like(k, r)) - stirling_error(k)
        return np.where(y > 0, errors - 0.5 * np.log(2 * np.pi * self.variance(k)), 0.0)

    def in_domain(self, y: Vector) -> Mask:
        return (y >= 0) & np.isfinite(y)

    def starting_mu(self, y: Vector, weights: Vector) -> Vector:
        # as MASS has it
        del weights
        return np.where(y == 0, 1 / 6, y)

    def anscombe(self, mu: Vector) -> Vector:
        # the integral of (mu (1 + alpha mu))^(-1/3) from 0
        return 1.5 * np.cbrt(mu) ** 2 * special.hyp2f1(2 / 3, 1 / 3, 5 / 3, -self.alpha * mu)

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        del scale
        return stats.nbinom(var_weights / self.alpha, 1 / (1 + self.alpha * mu))
