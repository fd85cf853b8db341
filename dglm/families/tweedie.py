"""Tweedie family: V(mu) = mu^p, from the Poisson (p = 1) through the gamma (p = 2) to heavier tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dglm._typing import Mask, Vector
from dglm.families import compound_poisson, positive_stable
from dglm.families.base import Family
from dglm.families.compound_poisson_distribution import CompoundPoisson
from dglm.families.distribution import Distribution
from dglm.families.gamma import Gamma
from dglm.families.gaussian import Gaussian
from dglm.families.inverse_gaussian import InverseGaussian
from dglm.families.poisson import Poisson
from dglm.families.power_variance import power_deviance
from dglm.links import Link, Log

# The powers whose densities have a closed form.
CLOSED_FORMS: dict[float, type[Family]] = {0.0: Gaussian, 1.0: Poisson, 2.0: Gamma, 3.0: InverseGaussian}


@dataclass(frozen=True)
class Tweedie(Family):
    """Tweedie family, V(mu) = mu^p; for 1 < p < 2 a response that is positive or exactly zero.

    With 1 < p < 2 the response is a sum of a Poisson number of gamma variables (claims, rainfall); with p > 2 it is
    positive. Powers 0, 1, 2 and 3 are the Gaussian, Poisson, gamma and inverse Gaussian families; with power 1 and a
    dispersion other than 1 there is no density, and the log-likelihood is that of Poisson over the dispersion.

    Source: Jorgensen (1997), "The Theory of Dispersion Models", chapter 4.

    Parameters
    ----------
    link : Link
        Log, unless given.
    power : float
        p: 0, or 1 and above.

    Raises
    ------
    ValueError
        If the power is not one for which the family exists here.

    Examples
    --------
    >>> import numpy as np
    >>> Tweedie(power=1.5).unit_deviance(np.array([0.0, 4.0]), np.array([1.0, 4.0]))
    array([4., 0.])
    """

    link: Link = Log()
    power: float = 1.5

    dispersion_fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (self.power == 0 or (np.isfinite(self.power) and self.power >= 1)):
            raise ValueError(
                f"power of Tweedie must be 0, or finite and at least 1; got {self.power!r}. No Tweedie distribution "
                f"has a power between 0 and 1, and those below 0 are not offered. For a response that is positive or "
                f"exactly zero choose it between 1 and 2"
            )

    @property
    def name(self) -> str:
        """The family's name with its power."""
        return f"Tweedie(power={self.power:.5g})"

    @property
    def _closed_form(self) -> Family | None:
        """The family of the same variance whose density has a closed form."""
        family = CLOSED_FORMS.get(self.power)
        return None if family is None else family(self.link)

    @property
    def counts(self) -> bool:
        """Whether the power is 1."""
        return self.power == 1

    @property
    def mean_bounds(self) -> tuple[float, float]:
        """The positive numbers, all numbers for power 0."""
        return (-np.inf if self.power == 0 else 0.0, np.inf)

    @property
    def domain(self) -> str:
        """What `in_domain` asks of y, in words."""
        if self.power == 0:
            return "be finite"
        return "be finite and at least 0" if self.power < 2 else "be finite and above 0"

    @property
    def canonical(self) -> bool:
        """Whether the link is canonical: identity, log, inverse and inverse squared for powers 0 to 3."""
        return self._closed_form is not None and self._closed_form.canonical

    def variance(self, mu: Vector) -> Vector:
        return mu**self.power

    def variance_deriv(self, mu: Vector) -> Vector:
        return self.power * mu ** (self.power - 1)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        if self._closed_form is not None:
            return self._closed_form.unit_deviance(y, mu)
        return power_deviance(y, mu, self.power)

    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        if self._closed_form is not None:
            return self._closed_form.loglike_obs(y, mu, var_weights, scale)
        weighted = var_weights > 0
        phi = scale / np.where(weighted, var_weights, 1.0)
        saturated = np.zeros_like(y)
        counted = weighted & (y > 0)
        saturated[counted] = self._saturated(y[counted], phi[counted])
        return np.where(weighted, saturated - self.unit_deviance(y, mu) / (2 * phi), 0.0)

    def _saturated(self, y: Vector, phi: Vector) -> Vector:
        """Return the log-likelihood of positive responses at mu = y."""
        p = self.power
        if p < 2:
            log_density = compound_poisson.log_density_at_mean(y ** (2 - p) / (phi * (2 - p)), (2 - p) / (p - 1))
        else:
            log_omega = (2 - p) * np.log(y) - np.log(phi * (p - 1) * (p - 2))
            log_density = positive_stable.log_density_at_mean(log_omega, p)
        return log_density - np.log(y)

    def in_domain(self, y: Vector) -> Mask:
        if self.power == 0:
            return np.isfinite(y)
        return ((y >= 0) if self.power < 2 else (y > 0)) & np.isfinite(y)

    def starting_mu(self, y: Vector, weights: Vector) -> Vector:
        # as statmod has it
        del weights
        return np.where(y == 0, 0.1, y)

    def likelihood_scale(self, scale: float, deviance: float, nobs: float) -> float:
        return Gaussian().likelihood_scale(scale, deviance, nobs) if self.power == 0 else scale

    def anscombe(self, mu: Vector) -> Vector:
        if self._closed_form is not None:
            return self._closed_form.anscombe(mu)
        c = 1 - self.power / 3
        return mu**c / c

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        if self._closed_form is not None:
            return self._closed_form.distribution(mu, var_weights, scale)
        if self.power > 2:
            raise NotImplementedError(
                f"the distribution function of {self.name} is not offered; it is for powers 0, 1 to 2, and 3. Use "
                f"Gamma() or InverseGaussian(), or residuals that need none (Pearson, deviance, Anscombe)"
            )
        return CompoundPoisson(mu, scale / var_weights, self.power)
