"""Family: the equations of an exponential dispersion model, and what a row contributes to score and information.

Notation as in McCullagh & Nelder (1989), chapter 2: l is the log-likelihood of a row of unit weight and unit scale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from dglm._typing import Mask, Vector
from dglm.families.distribution import Distribution
from dglm.links import Link


@dataclass(frozen=True)
class Pointwise:
    """What rows of unit weight and unit scale contribute.

    Parameters
    ----------
    deviance : (n,) array
        Unit deviances, infinite where the mean is outside the family's range.
    score : (n,) array
        dl / deta = (y - mu) (dmu/deta) / V(mu).
    information : (n,) array
        -E d2l / deta2 = (dmu/deta)^2 / V(mu).
    """

    deviance: Vector
    score: Vector
    information: Vector


@dataclass(frozen=True)
class Family(ABC):
    """An exponential dispersion family with a link; frozen, so that models can share it.

    Parameters
    ----------
    link : Link
        Carries the mean to the linear predictor.
    """

    link: Link

    #: Whether the dispersion is 1 by definition.
    dispersion_fixed: ClassVar[bool]

    @property
    def name(self) -> str:
        """The family's name, as summaries print it."""
        return type(self).__name__

    @property
    @abstractmethod
    def mean_bounds(self) -> tuple[float, float]:
        """Open interval of the mean."""

    @property
    @abstractmethod
    def domain(self) -> str:
        """What `in_domain` asks of y, in words."""

    @property
    @abstractmethod
    def canonical(self) -> bool:
        """Whether the link is canonical, so that observed and expected information are equal."""

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters of the family that are to be estimated with the mean; none, unless it has such."""
        return ()

    @property
    def provisional(self) -> Self:
        """The family that the first pass looks at the rows with: free parameters have a value to begin from."""
        return self

    @property
    def loop(self) -> int | None:
        """Address of a compiled loop over rows, which a design matrix can sum by; None where there is none.

        ``contributions`` in ``dglm/_contributions.h`` is its signature. It says what `pointwise` says.
        """
        return None

    @property
    def counts(self) -> bool:
        """Whether responses are counts, or counts over the variance weights (proportions, rates)."""
        return False

    @property
    def variance_power(self) -> float | None:
        """The p of V(mu) = mu^p; None where the variance is no power of the mean."""
        return None

    @abstractmethod
    def variance(self, mu: Vector) -> Vector:
        """Return V(mu).

        Parameters
        ----------
        mu : (n,) array
            Means.

        Returns
        -------
        (n,) array
            Variances at unit dispersion.
        """

    @abstractmethod
    def variance_deriv(self, mu: Vector) -> Vector:
        """Return dV / dmu.

        Parameters
        ----------
        mu : (n,) array
            Means.

        Returns
        -------
        (n,) array
            Derivatives of the variance function.
        """

    @abstractmethod
    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        """Return d(y, mu) = 2 (l(y; y) - l(mu; y)).

        Parameters
        ----------
        y : (n,) array
            Responses.
        mu : (n,) array
            Means; boundary values are allowed where the limit exists.

        Returns
        -------
        (n,) array
            Non-negative, zero where y = mu.
        """

    @abstractmethod
    def loglike_obs(self, y: Vector, mu: Vector, var_weights: Vector, scale: float) -> Vector:
        """Return the log-likelihood of each row, every constant included.

        Parameters
        ----------
        y : (n,) array
            Responses.
        mu : (n,) array
            Means.
        var_weights : (n,) array
            Variance weights.
        scale : float
            Dispersion.

        Returns
        -------
        (n,) array
            Log-likelihoods; zero for rows of zero weight.
        """

    @abstractmethod
    def in_domain(self, y: Vector) -> Mask:
        """Return which responses the family can have.

        Parameters
        ----------
        y : (n,) array
            Responses.

        Returns
        -------
        (n,) array of bool
            True where the value is allowed.
        """

    def starting_mu(self, y: Vector, weights: Vector) -> Vector:
        """Return means near the data, strictly inside the mean's range, to start the fit from.

        Parameters
        ----------
        y : (n,) array
            Responses.
        weights : (n,) array
            Variance weights of the rows: trials, where responses are proportions.

        Returns
        -------
        (n,) array
            The responses, unless the family moves them off its bounds.
        """
        del weights
        return y

    def anscombe(self, mu: Vector) -> Vector:
        """Return A(mu), the integral of V^(-1/3), so that (A(y) - A(mu)) / V(mu)^(1/6) is close to normal.

        Source: Pierce & Schafer (1986), "Residuals in generalized linear models", section 2.

        Parameters
        ----------
        mu : (n,) array
            Means, or responses.

        Returns
        -------
        (n,) array
            Up to a constant.

        Raises
        ------
        NotImplementedError
            If the family has none.
        """
        raise NotImplementedError(f"{self.name} has no anscombe(mu); define it as the integral of variance(mu)^(-1/3)")

    def distribution(self, mu: Vector, var_weights: Vector, scale: float) -> Distribution:
        """Return the distribution of rows that were observed once.

        Where responses are counts (`counts`) it is that of the count ``var_weights * y``: of successes out of
        ``var_weights`` trials, of events in a time of ``var_weights``. Its mean is ``var_weights * mu``, and a
        prediction for y is what it predicts divided by the weight. Elsewhere it is that of y.

        Parameters
        ----------
        mu : (n,) array
            Means of y.
        var_weights : (n,) array
            Variance weights, above 0.
        scale : float
            Dispersion; ignored where it is 1 by definition.

        Returns
        -------
        Distribution
            With ``cdf``, ``sf``, ``ppf``, ``rvs``, ``mean`` and ``var``, over the rows.

        Raises
        ------
        NotImplementedError
            If the family has none.
        """
        del mu, var_weights, scale
        raise NotImplementedError(f"{self.name} has no distribution(mu, var_weights, scale); define it to use it")

    def likelihood_scale(self, scale: float, deviance: float, nobs: float) -> float:
        """Return the dispersion at which the log-likelihood of a fit is evaluated.

        Parameters
        ----------
        scale : float
            Dispersion that the standard errors use.
        deviance : float
            Deviance of the fit.
        nobs : float
            Number of observations.

        Returns
        -------
        float
            1 where the dispersion is fixed, `scale` elsewhere, unless the family profiles it out.
        """
        del deviance, nobs
        return 1.0 if self.dispersion_fixed else scale

    def saturated_loglike(self, at_one: float, counted: float, scale: float) -> float | None:
        """Return the log-likelihood at mu = y and a dispersion from that at 1, where no row has to be read for it.

        Parameters
        ----------
        at_one : float
            Log-likelihood at mu = y and unit dispersion.
        counted : float
            Number of observations of positive weight.
        scale : float
            Dispersion.

        Returns
        -------
        float or None
            None where the rows have to be read.
        """
        del at_one, counted, scale
        return None

    def pointwise(self, y: Vector, eta: Vector) -> Pointwise:
        """Return what each row contributes to deviance, score and information.

        Parameters
        ----------
        y : (n,) array
            Responses.
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        Pointwise
            For unit weights and unit scale.
        """
        mu, dmu = self.link.inverse(eta), self.link.inverse_deriv(eta)
        V = self.variance(mu)
        low, high = self.mean_bounds
        deviance = np.where((mu > low) & (mu < high), self.unit_deviance(y, mu), np.inf)
        return Pointwise(deviance, (y - mu) * dmu / V, dmu**2 / V)

    def observed_information(self, y: Vector, eta: Vector) -> Vector:
        """Return -d2l / deta2, which may be negative unless the link is canonical.

        Parameters
        ----------
        y : (n,) array
            Responses.
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            For unit weights and unit scale.
        """
        at = self.pointwise(y, eta)
        if self.canonical:
            return at.information
        mu, dmu, d2mu = self.link.inverse(eta), self.link.inverse_deriv(eta), self.link.inverse_deriv2(eta)
        V, dV = self.variance(mu), self.variance_deriv(mu)
        # -d2l/deta2 = (dmu)^2 / V - (y - mu) (d2mu V - (dmu)^2 V') / V^2
        correction = (y - mu) * (d2mu / V - dmu**2 * dV / V**2)
        return at.information - np.where(np.isfinite(correction), correction, 0.0)
