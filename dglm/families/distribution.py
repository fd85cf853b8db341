"""Distribution: what `Family.distribution` returns, be it frozen by scipy.stats or written here."""

from __future__ import annotations

from typing import Any, Protocol

from dglm._typing import Vector


class Distribution(Protocol):
    """One distribution a row, in the words of scipy.stats."""

    def cdf(self, x: Vector, /) -> Any:
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

    def sf(self, x: Vector, /) -> Any:
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

    def ppf(self, q: Vector, /) -> Any:
        """Return the smallest value with P(Y <= value) >= q.

        Parameters
        ----------
        q : (n,) array
            Probabilities.

        Returns
        -------
        (n,) array
            Quantiles.
        """

    def rvs(self, *, random_state: Any = None) -> Any:
        """Return a draw from each.

        Parameters
        ----------
        random_state : None, int or numpy.random.Generator
            Where the randomness comes from.

        Returns
        -------
        (n,) array
            One value a row.
        """

    def mean(self) -> Any:
        """Return the means.

        Returns
        -------
        (n,) array
            One a row.
        """

    def var(self) -> Any:
        """Return the variances.

        Returns
        -------
        (n,) array
            One a row.
        """
