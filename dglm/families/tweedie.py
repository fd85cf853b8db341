"""Tweedie family: V(mu) = mu^p, from the Poisson (p = 1) through the gamma (p = 2) to heavier tails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from scipy import special

from dglm._typing import Mask, Matrix, Vector
from dglm.families import compound_poisson, positive_stable
from dglm.families.base import Family
from dglm.families.compound_poisson_distribution import CompoundPoisson
from dglm.families.distribution import Distribution
from dglm.families.gamma import Gamma
from dglm.families.gaussian import Gaussian
from dglm.families.inverse_gaussian import InverseGaussian
from dglm.families.poisson import Poisson
from dglm.families.power_variance import power_deviance
from dglm.families.shape import ShapeFamily, ShapePointwise, given
from dglm.families.tweedie_shape import power_of, tweedie_shape
from dglm.links import Link, Log

# The powers whose densities have a closed form.
CLOSED_FORMS: dict[float, type[Family]] = {0.0: Gaussian, 1.0: Poisson, 2.0: Gamma, 3.0: InverseGaussian}
# An estimated power: what the first pass takes it for, what it may begin from, and where it ends. Closer to 1 densities
# are spikes at the multiples of phi, and the likelihood has a maximum wherever some of them hit some responses.
PROVISIONAL = 1.5
CANDIDATES = np.array([1.1, 1.3, 1.5, 1.7, 1.9])
LIMITS = (1.05, 1.99)


@dataclass(frozen=True)
class Tweedie(ShapeFamily):
    """Tweedie family, V(mu) = mu^p; for 1 < p < 2 a response that is positive or exactly zero.

    With 1 < p < 2 the response is a sum of a Poisson number of gamma variables (claims, rainfall); with p > 2 it is
    positive. Powers 0, 1, 2 and 3 are the Gaussian, Poisson, gamma and inverse Gaussian families; with power 1 and a
    dispersion other than 1 there is no density, and the log-likelihood is that of Poisson over the dispersion.

    Source: Jorgensen (1997), "The Theory of Dispersion Models", chapter 4.

    Parameters
    ----------
    link : Link
        Log, unless given.
    power : float or None
        p: 0, or 1 and above. None to estimate it between 1 and 2 by maximum likelihood, together with the coefficients
        and the dispersion.

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
    power: float | None = 1.5

    dispersion_fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (self.power is None or self.power == 0 or (np.isfinite(self.power) and self.power >= 1)):
            raise ValueError(
                f"power of Tweedie must be 0, or finite and at least 1, or None to estimate it; got {self.power!r}. "
                f"No Tweedie distribution has a power between 0 and 1, and those below 0 are not offered. For a "
                f"response that is positive or exactly zero choose it between 1 and 2"
            )

    @property
    def name(self) -> str:
        """The family's name with its power."""
        return f"Tweedie(power={'?' if self.power is None else f'{self.power:.5g}'})"

    @property
    def _power(self) -> float:
        return given(self.power, "power", "Tweedie")

    @property
    def _closed_form(self) -> Family | None:
        """The family of the same variance whose density has a closed form."""
        family = None if self.power is None else CLOSED_FORMS.get(self.power)
        return None if family is None else family(self.link)

    @property
    def counts(self) -> bool:
        """Whether the power is 1."""
        return self.power == 1

    @property
    def variance_power(self) -> float | None:
        """The power, None while it is to be estimated."""
        return self.power

    @property
    def mean_bounds(self) -> tuple[float, float]:
        """The positive numbers, all numbers for power 0."""
        return (-np.inf if self.power == 0 else 0.0, np.inf)

    @property
    def domain(self) -> str:
        """What `in_domain` asks of y, in words."""
        if self.power == 0:
            return "be finite"
        return "be finite and at least 0" if self._takes_zero else "be finite and above 0"

    @property
    def _takes_zero(self) -> bool:
        return self.power is None or self.power < 2

    @property
    def canonical(self) -> bool:
        """Whether the link is canonical: identity, log, inverse and inverse squared for powers 0 to 3."""
        return self._closed_form is not None and self._closed_form.canonical

    def variance(self, mu: Vector) -> Vector:
        return mu**self._power

    def variance_deriv(self, mu: Vector) -> Vector:
        return self._power * mu ** (self._power - 1)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        if self._closed_form is not None:
            return self._closed_form.unit_deviance(y, mu)
        return power_deviance(y, mu, self._power)

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
        p = self._power
        if p < 2:
            log_density = compound_poisson.log_density_at_mean(y ** (2 - p) / (phi * (2 - p)), (2 - p) / (p - 1))
        else:
            log_omega = (2 - p) * np.log(y) - np.log(phi * (p - 1) * (p - 2))
            log_density = positive_stable.log_density_at_mean(log_omega, p)
        return log_density - np.log(y)

    def in_domain(self, y: Vector) -> Mask:
        if self.power == 0:
            return np.isfinite(y)
        return ((y >= 0) if self._takes_zero else (y > 0)) & np.isfinite(y)

    def starting_mu(self, y: Vector, weights: Vector) -> Vector:
        # as statmod has it
        del weights
        return np.where(y == 0, 0.1, y)

    def likelihood_scale(self, scale: float, deviance: float, nobs: float) -> float:
        return Gaussian().likelihood_scale(scale, deviance, nobs) if self.power == 0 else scale

    def anscombe(self, mu: Vector) -> Vector:
        if self._closed_form is not None:
            return self._closed_form.anscombe(mu)
        c = 1 - self._power / 3
        return mu**c / c

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        if self._closed_form is not None:
            return self._closed_form.distribution(mu, var_weights, scale)
        if self._power > 2:
            raise NotImplementedError(
                f"the distribution function of {self.name} is not offered; it is for powers 0, 1 to 2, and 3. Use "
                f"Gamma() or InverseGaussian(), or residuals that need none (Pearson, deviance, Anscombe)"
            )
        return CompoundPoisson(mu, scale / var_weights, self._power)

    # power and dispersion, estimated as psi = (logit(power - 1), log phi)

    @property
    def free(self) -> tuple[str, ...]:
        """The power, where it is to be estimated."""
        return ("power",) if self.power is None else ()

    @property
    def provisional(self) -> Self:
        """The family with power 1.5 where it is to be estimated."""
        return self.with_parameters(power=PROVISIONAL) if self.power is None else self

    def at(self, psi: Vector) -> tuple[Self, float]:
        return self.with_parameters(power=power_of(psi)), float(np.exp(psi[1]))

    def parameters(self, psi: Vector) -> tuple[Vector, Vector]:
        p = power_of(psi)
        return np.array([p]), np.array([(p - 1) * (2 - p)])

    def candidates(self, mean: float, null_deviance: float) -> Matrix:
        # the dispersion that leaves the same variance at the mean
        phi = null_deviance * mean ** (PROVISIONAL - CANDIDATES)
        return np.column_stack([special.logit(CANDIDATES - 1), np.log(phi)])

    def limits(self, mean: float) -> tuple[Vector, Vector]:
        del mean
        low, high = special.logit(np.array(LIMITS) - 1)
        return np.array([low, -np.inf]), np.array([high, np.inf])

    def beyond(self, *, low: bool) -> str:
        if low:
            return "the response is close to a multiple of counts: fit with Poisson() or NegativeBinomial()"
        return "too few responses are zero for a power below 2: fit with Gamma(), or give a power of 2 or more"

    def shape_pointwise(self, y: Vector, eta: Vector, var_weights: Vector, psi: Vector) -> ShapePointwise:
        mu, dmu = self.link.inverse(eta), self.link.inverse_deriv(eta)
        found = tweedie_shape(y, mu, dmu, var_weights, psi)
        return replace(found, loglike=np.where(mu > 0, found.loglike, -np.inf))
