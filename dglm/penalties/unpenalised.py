"""Unpenalised: nothing added, maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.penalties.base import SmoothPenalty
from dglm.penalties.coefficients import Coefficients


@dataclass(frozen=True)
class Unpenalised(SmoothPenalty):
    """P(beta) = 0, what ``penalty=None`` means.

    Examples
    --------
    >>> import numpy as np
    >>> Unpenalised().value(np.array([3.0]))
    0.0
    """

    def bound(self, coefficients: Coefficients) -> Self:
        del coefficients
        return self

    def value(self, beta: Vector) -> float:
        del beta
        return 0.0

    def gradient(self, beta: Vector) -> Vector:
        return np.zeros_like(beta)

    def hessian(self, beta: Vector) -> Matrix:
        return np.zeros((len(beta), len(beta)))

    def hessian_diagonal(self, beta: Vector) -> Vector:
        return np.zeros_like(beta)
