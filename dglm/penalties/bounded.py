"""Bounded: a penalty between bounds on the coefficients, such as non-negative ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from dglm._typing import Mask, Vector
from dglm.penalties.base import Penalty, SparsePenalty
from dglm.penalties.coefficients import Coefficients
from dglm.penalties.separable import Separable, shrunk, slopes
from dglm.penalties.unpenalised import Unpenalised

# Relative distance from a bound that is rounding: b + (bound - b) need not be the bound.
ROUNDING = 4 * float(np.finfo(np.float64).eps)

#: Pairs (lower, upper) by name, None being no bound; or two arrays.
Bounds = Mapping[str, Any] | tuple[Any, Any]


@dataclass(frozen=True)
class Bounded(SparsePenalty):
    """``P(beta)`` within ``lower <= beta <= upper``, infinite outside.

    Of a function of one coefficient, the minimum between bounds is the nearest point to the minimum that lies between
    them. That holds for every convex function, hence for penalties that are sums over coefficients.

    Source: Lawson & Hanson (1974), chapter 23, for the optimality conditions.

    Parameters
    ----------
    penalty : Penalty or None
        None, L2, L1 or ElasticNet.
    bounds : mapping of str to (lower, upper), or two (p,) arrays
        By the name of a coefficient or of a term, None being no bound; or the lower and the upper ones of all.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import Coefficients, L1
    >>> penalty = Bounded(L1(alpha=0.5), {"x": (0, 1)}).bound(Coefficients.of(["x"]))
    >>> [float(penalty.prox(np.array([z]), step=np.ones(1))[0]) for z in (-1.0, 1.0, 3.0)]
    [0.0, 0.5, 1.0]
    """

    penalty: Penalty | None
    bounds: Bounds = field(repr=False)

    def __post_init__(self) -> None:
        if not (self.penalty is None or isinstance(self.penalty, Separable | Unpenalised)):
            raise ValueError(
                f"bounds go with penalties that are sums over coefficients: none, L2, L1 or ElasticNet; got "
                f"{self.penalty!r}"
            )

    @property
    def needs_spread(self) -> bool:
        """Whether `bound` must be told the standard deviations of the columns."""
        return self.penalty is not None and self.penalty.needs_spread

    def bound(self, coefficients: Coefficients) -> Self:
        lower, upper = _bounds(self.bounds, coefficients)
        for name, low, high in zip(coefficients.names, lower, upper, strict=True):
            if not (low <= high and low < np.inf and high > -np.inf):
                raise ValueError(f"no coefficient of {name!r} is at least {low:g} and at most {high:g}")
        penalty = None if self.penalty is None else self.penalty.bound(coefficients)
        return replace(self, penalty=penalty, bounds=(lower, upper))

    @property
    def lower(self) -> Vector:
        """The least value of each coefficient; -inf where there is no bound."""
        return np.asarray(self._ends[0], dtype=np.float64)

    @property
    def upper(self) -> Vector:
        """The greatest value of each coefficient; inf where there is no bound."""
        return np.asarray(self._ends[1], dtype=np.float64)

    def penalised(self) -> Mask:
        l1, l2 = self._strengths()
        acts: Mask = (l1 > 0) | (l2 > 0) | np.isfinite(self.lower) | np.isfinite(self.upper)
        return acts

    def at_lower(self, beta: Vector) -> Mask:
        """Return which coefficients are at their lower bound.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (p,) array of bool
            True also below it.
        """
        return _reaches(self.lower, beta)

    def at_upper(self, beta: Vector) -> Mask:
        """Return which coefficients are at their upper bound.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (p,) array of bool
            True also above it.
        """
        return _reaches(-self.upper, -beta)

    def value(self, beta: Vector) -> float:
        allowed = ((beta >= self.lower) | _rounds_to(self.lower, beta)) & (
            (beta <= self.upper) | _rounds_to(self.upper, beta)
        )
        if not allowed.all():
            return np.inf
        return 0.0 if self.penalty is None else self.penalty.value(beta)

    def feasible(self, beta: Vector) -> Vector:
        found = np.where(self.at_lower(beta), self.lower, np.where(self.at_upper(beta), self.upper, beta))
        # a bound of -0.0 is zero
        return found + 0.0

    def free(self, beta: Vector) -> Mask:
        l1, _ = self._strengths()
        free: Mask = ~self.at_lower(beta) & ~self.at_upper(beta) & ((beta != 0) | (l1 == 0))
        return free

    def prox(self, z: Vector, step: Vector) -> Vector:
        return np.where(step > 0, self.feasible(shrunk(z, step, *self._strengths())), z)

    def violation(self, beta: Vector, gradient: Vector) -> Vector:
        # at a bound the subdifferential goes on without end: no slope outwards can move a coefficient
        low, high = slopes(beta, *self._strengths())
        low = np.where(self.at_lower(beta), -np.inf, low)
        high = np.where(self.at_upper(beta), np.inf, high)
        return np.maximum(np.maximum(low + gradient, -high - gradient), 0.0)

    @property
    def _ends(self) -> tuple[Any, Any]:
        if isinstance(self.bounds, Mapping):
            raise TypeError("bounds by name are for coefficients that are not known yet; use bound(coefficients)")
        return self.bounds

    def _strengths(self) -> tuple[Vector, Vector]:
        if isinstance(self.penalty, Separable):
            return self.penalty.strengths()
        return np.zeros_like(self.lower), np.zeros_like(self.lower)


def _rounds_to(bound: Vector, beta: Vector) -> Mask:
    finite = np.isfinite(bound)
    return finite & (np.abs(beta - np.where(finite, bound, 0.0)) <= ROUNDING * np.where(finite, np.abs(bound), 0.0))


def _reaches(lower: Vector, beta: Vector) -> Mask:
    reaches: Mask = (beta <= lower) | _rounds_to(lower, beta)
    return reaches


def _bounds(given: Any, coefficients: Coefficients) -> tuple[Vector, Vector]:
    """Return the lower and the upper bound of each coefficient."""
    if isinstance(given, Mapping):
        for label, pair in given.items():
            if isinstance(pair, str) or np.shape(pair) != (2,):
                raise ValueError(f"bounds of {label!r} must be (lower, upper), None where there is none; got {pair!r}")
        sides = tuple({label: end[i] for label, end in given.items()} for i in (0, 1))
    elif isinstance(given, tuple) and len(given) == 2:
        sides = given
    else:
        raise ValueError(f"bounds must be by name, or arrays (lower, upper) for all coefficients; got {given!r}")
    ends = []
    for side, none, what in zip(sides, (-np.inf, np.inf), ("lower bounds", "upper bounds"), strict=True):
        by_name = isinstance(side, Mapping)
        numbers = {label: none if end is None else end for label, end in side.items()} if by_name else side
        found = coefficients.each(numbers, none, what)
        if np.isnan(found).any():
            raise ValueError(f"{what} must be numbers, or None where there is none; found {found}")
        ends.append(found)
    return ends[0], ends[1]
