"""Power link, eta = mu^power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class Power(Link):
    """Power link, eta = mu^power, for mu > 0 and eta > 0; with power 1 the identity, for all mu.

    Source: McCullagh & Nelder (1989), section 2.2.3.

    Parameters
    ----------
    power : float
        Finite and not 0; the limit at 0 is the log link's.

    Raises
    ------
    ValueError
        If the power is 0 or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> Power(3.0).inverse(np.array([8.0]))
    array([2.])
    """

    power: float

    def __post_init__(self) -> None:
        if self.power == 0 or not np.isfinite(self.power):
            raise ValueError(f"power must be finite and not 0; got {self.power!r}. The limit at 0 is Log().")

    @property
    def name(self) -> str:
        """The link's name with its power."""
        return repr(self)

    def link(self, mu: Vector) -> Vector:
        return self._raised(mu, self.power)

    def inverse(self, eta: Vector) -> Vector:
        return self._raised(eta, 1 / self.power)

    def inverse_deriv(self, eta: Vector) -> Vector:
        return self._raised(eta, 1 / self.power - 1) / self.power

    def inverse_deriv2(self, eta: Vector) -> Vector:
        if self.power == 1:
            return np.zeros_like(eta)
        return (1 / self.power - 1) * self._raised(eta, 1 / self.power - 2) / self.power

    def _raised(self, x: Vector, exponent: float) -> Vector:
        """Return x^exponent; nan below zero, where whole exponents are numbers but the link has no inverse."""
        return np.power(x if self.power == 1 else np.where(x >= 0, x, np.nan), exponent)
