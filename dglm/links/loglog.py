"""Log-log link, eta = -log(-log mu)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link
from dglm.links.cloglog import CLogLog

#: The same link for 1 - mu and -eta.
MIRROR = CLogLog()


@dataclass(frozen=True)
class LogLog(Link):
    """Log-log link, eta = -log(-log mu): the complementary log-log link of the other outcome, increasing in mu.

    Examples
    --------
    >>> import numpy as np
    >>> LogLog().inverse(np.array([0.0]))
    array([0.36787944])
    """

    def link(self, mu: Vector) -> Vector:
        return -np.log(-np.log(mu))

    def inverse(self, eta: Vector) -> Vector:
        return MIRROR.inverse_complement(-eta)

    def inverse_complement(self, eta: Vector) -> Vector:
        return MIRROR.inverse(-eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        return MIRROR.inverse_deriv(-eta)

    def inverse_deriv2(self, eta: Vector) -> Vector:
        return -MIRROR.inverse_deriv2(-eta)

    def log_odds(self, eta: Vector) -> Vector:
        return -MIRROR.log_odds(-eta)

    def log_odds_deriv(self, eta: Vector) -> Vector:
        return MIRROR.log_odds_deriv(-eta)

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        return -MIRROR.log_odds_deriv2(-eta)
