"""Link: g(mu) = eta, its inverse and the derivatives that fits and covariances need."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from dglm._typing import Vector


class Link(ABC):
    """A smooth, strictly monotone function of the mean; elementwise, stable in the tails.

    Source: McCullagh & Nelder (1989), section 2.2.3.
    """

    @property
    def name(self) -> str:
        """The link's name, as summaries print it."""
        return type(self).__name__

    @abstractmethod
    def link(self, mu: Vector) -> Vector:
        """Return eta = g(mu).

        Parameters
        ----------
        mu : (n,) array
            Means, inside the link's domain.

        Returns
        -------
        (n,) array
            Linear predictors; at a bound of the domain the end of their range, outside of it nan or infinite.
        """

    @abstractmethod
    def inverse(self, eta: Vector) -> Vector:
        """Return mu = g^-1(eta).

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            Means.
        """

    def inverse_complement(self, eta: Vector) -> Vector:
        """Return 1 - mu, accurate where mu rounds to 1; for families whose mean is a probability.

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            Complements of the means.
        """
        return 1.0 - self.inverse(eta)

    @abstractmethod
    def inverse_deriv(self, eta: Vector) -> Vector:
        """Return dmu / deta.

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            First derivatives.
        """

    @abstractmethod
    def inverse_deriv2(self, eta: Vector) -> Vector:
        """Return d2mu / deta2.

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            Second derivatives.
        """

    def log_odds(self, eta: Vector) -> Vector:
        """Return log(mu / (1 - mu)); for families whose mean is a probability.

        Links override it where mu or 1 - mu underflows before eta is out of range: likelihoods need its logarithm.

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            Log odds; infinite where the mean is 0 or 1, nan where it is not in [0, 1].
        """
        return np.log(self.inverse(eta) / self.inverse_complement(eta))

    def log_odds_deriv(self, eta: Vector) -> Vector:
        """Return the derivative of the log odds, dmu / deta / (mu (1 - mu)).

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            First derivatives.
        """
        return self.inverse_deriv(eta) / (self.inverse(eta) * self.inverse_complement(eta))

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        """Return the second derivative of the log odds.

        Parameters
        ----------
        eta : (n,) array
            Linear predictors.

        Returns
        -------
        (n,) array
            Second derivatives.
        """
        mu, nu, slope = self.inverse(eta), self.inverse_complement(eta), self.log_odds_deriv(eta)
        return self.inverse_deriv2(eta) / (mu * nu) - slope**2 * (nu - mu)
