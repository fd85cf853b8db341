"""Folded concave penalties: SCAD and MCP shrink small coefficients as the lasso does and leave large ones alone."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.penalties.base import NonConvexPenalty, SparsePenalty
from dglm.penalties.l1 import L1
from dglm.penalties.weighted import Weighted, check_strength


@dataclass(frozen=True, repr=False)
class FoldedConcave(Weighted, NonConvexPenalty):
    """``P(beta) = sum_j rho(sd_j |beta_j|; alpha w_j)`` with rho concave, of slope ``alpha w_j`` at zero.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    weights : mapping of str to float, Series, or (p,) array, optional
        Multiply alpha for each coefficient, by its name or that of its term; one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    standardize : bool
        Whether the penalty acts on sd_j beta_j, the coefficients of columns of unit standard deviation.
    spread : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; filled in by `bound`.
    """

    alpha: float

    def __post_init__(self) -> None:
        check_strength(self.alpha)

    def value(self, beta: Vector) -> float:
        return float(np.sum(self._rho(self.units() * np.abs(beta), self.alpha * self.per_coefficient())))

    def majorant(self, beta: Vector) -> SparsePenalty:
        units = self.units()
        slope = units * self._slope(units * np.abs(beta), self.alpha * self.per_coefficient())
        return L1(1.0, weights=slope, spread=np.ones_like(slope))

    @abstractmethod
    def _rho(self, t: Vector, strength: Vector) -> Vector:
        """Return the penalty of sizes t >= 0."""

    @abstractmethod
    def _slope(self, t: Vector, strength: Vector) -> Vector:
        """Return its derivative, from the right at zero."""


@dataclass(frozen=True, repr=False)
class SCAD(FoldedConcave):
    """Smoothly clipped absolute deviation: slope alpha up to alpha, then falling to zero at a alpha.

    Source: Fan & Li (2001), equation 2.7.

    Parameters
    ----------
    alpha : float
        Strength, at least 0, and the size up to which coefficients are penalised as by the lasso.
    a : float
        Where the penalty ends, in units of alpha; above 2.
    weights : mapping of str to float, Series, or (p,) array, optional
        Multiply alpha for each coefficient, by its name or that of its term; one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    standardize : bool
        Whether the penalty acts on sd_j beta_j, the coefficients of columns of unit standard deviation.
    spread : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; filled in by `bound`.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import Coefficients
    >>> penalty = SCAD(alpha=1.0).bound(Coefficients.of(["x"]))
    >>> [round(penalty.value(np.array([b])), 3) for b in (0.5, 1.0, 3.7, 100.0)]
    [0.5, 1.0, 2.35, 2.35]
    """

    a: float = 3.7

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (np.isfinite(self.a) and self.a > 2):
            raise ValueError(f"a must be finite and above 2; got {self.a!r}")

    def _rho(self, t: Vector, strength: Vector) -> Vector:
        a, end = self.a, self.a * strength
        between = strength * t - (t - strength) ** 2 / (2 * (a - 1))
        return np.where(t <= strength, strength * t, np.where(t <= end, between, strength**2 * (a + 1) / 2))

    def _slope(self, t: Vector, strength: Vector) -> Vector:
        return np.where(t <= strength, strength, np.maximum(self.a * strength - t, 0.0) / (self.a - 1))


@dataclass(frozen=True, repr=False)
class MCP(FoldedConcave):
    """Minimax concave penalty: slope alpha at zero, falling steadily to zero at gamma alpha.

    Source: Zhang (2010), equation 2.1.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    gamma : float
        Where the penalty ends, in units of alpha; above 0. The smaller, the less convex is the problem.
    weights : mapping of str to float, Series, or (p,) array, optional
        Multiply alpha for each coefficient, by its name or that of its term; one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    standardize : bool
        Whether the penalty acts on sd_j beta_j, the coefficients of columns of unit standard deviation.
    spread : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; filled in by `bound`.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import Coefficients
    >>> penalty = MCP(alpha=1.0).bound(Coefficients.of(["x"]))
    >>> [round(penalty.value(np.array([b])), 3) for b in (0.5, 3.0, 100.0)]
    [0.458, 1.5, 1.5]
    """

    gamma: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (np.isfinite(self.gamma) and self.gamma > 0):
            raise ValueError(f"gamma must be finite and above 0; got {self.gamma!r}")

    def _rho(self, t: Vector, strength: Vector) -> Vector:
        end = self.gamma * strength
        return np.where(t <= end, strength * t - t**2 / (2 * self.gamma), self.gamma * strength**2 / 2)

    def _slope(self, t: Vector, strength: Vector) -> Vector:
        return np.maximum(strength - t / self.gamma, 0.0)
