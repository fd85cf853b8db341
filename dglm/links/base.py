"""Link: g(mu) = eta, its inverse and the derivatives that fits and covariances need."""

from __future__ import annotations

from abc import ABC, abstractmethod

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
            Means, inside the link's domain; nan or infinite outside of it.

        Returns
        -------
        (n,) array
            Linear predictors.
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
