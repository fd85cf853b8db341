"""``cr``, ``cs`` and ``cc``: cubic splines, natural and cyclic, with knots at quantiles of the distinct values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from formulaic.transforms import TRANSFORMS

from dglm._typing import Matrix, Vector
from dglm.design.learner import Learner, State, as_column
from dglm.design.statistics import DistinctValues, Moments
from dglm.design.statistics.quantiles import LIMIT, MAX_EXACT
from dglm.design.transforms.spline import Sample, Spline, check_df_or_knots, extrapolation_of
from dglm.errors import DataError, FormulaError


@dataclass(frozen=True, kw_only=True, eq=False)
class CubicSpline(Spline[DistinctValues]):
    """Bounds, knots and constraints of ``cr``, ``cs`` and ``cc``.

    Parameters
    ----------
    lower_bound, upper_bound : float, optional
        To be learned where not given.
    knots : tuple of float, optional
        To be learned where not given.
    n_knots : int
        How many knots to learn.
    extrapolation : str
        What becomes of values out of bounds.
    exact : bool
        Whether learned knots must be exact quantiles, however many values there are.
    cyclic : bool
        Whether the ends are joined.
    constraints : array, ``"center"`` or None
        On the coefficients.
    """

    cyclic: bool
    constraints: Matrix | Literal["center"] | None

    @property
    def only_within_bounds(self) -> bool:
        """True: values out of given bounds place no knots."""
        return True

    def sampled(self, x: Vector) -> DistinctValues:
        return DistinctValues.of(x, MAX_EXACT if self.exact else LIMIT)

    def finish(self, total: Sample[DistinctValues]) -> State | Learner:
        lower, upper = self.bounds(total.range)
        inner = self._given_knots(lower, upper) if total.values is None else self._quantiles(total.values)
        knots = np.unique([lower, upper, *inner])
        if len(knots) != len(inner) + 2:
            raise DataError(f"cannot place {len(inner)} distinct knots between {lower} and {upper}; lower df")
        state: dict[str, Any] = {
            "lower_bound": lower,
            "upper_bound": upper,
            "constraints": None,
            "cyclic": self.cyclic,
            "knots": knots.tolist(),
        }
        if total.values is not None and total.values.thinned:
            state["rank_error"] = total.values.rank_error
        if isinstance(self.constraints, str):
            return Centring(state, self.extrapolation)
        free = len(knots) - self.cyclic
        if self.constraints is not None and self.constraints.shape[1] != free:
            raise FormulaError(f"needs constraints of {free} columns; got {self.constraints.shape[1]}")
        return {**state, "constraints": self.constraints}

    def _given_knots(self, lower: float, upper: float) -> Vector:
        knots = np.unique(self.knots or ())
        outside = knots[(knots < lower) | (knots > upper)]
        if len(outside):
            raise FormulaError(f"has knots {outside.tolist()} outside its bounds {lower} and {upper}")
        return knots

    def _quantiles(self, sample: DistinctValues) -> Vector:
        if self.exact and sample.thinned:
            raise FormulaError(f"has more than {MAX_EXACT:,} distinct values, too many for exact knots; give knots=")
        if not len(sample.values):
            raise DataError("has no value within its bounds to place knots by")
        return np.percentile(sample.values, np.linspace(0, 100, self.n_knots + 2)[1:-1])


@dataclass(frozen=True, eq=False)
class Centring(Learner):
    """Second pass of a centred spline: the means of the columns that the knots give.

    Parameters
    ----------
    state : mapping
        What is known, without constraints.
    extrapolation : str
        What becomes of values out of bounds.
    """

    state: State
    extrapolation: str

    @property
    def keeps_missing(self) -> bool:
        """True, unless values out of bounds become missing."""
        return self.extrapolation != "na"

    def observe(self, values: Any) -> Moments:
        transform = TRANSFORMS["cc" if self.state["cyclic"] else "cr"]
        # rows out of bounds are centred before they are set to 0, and refused when they are encoded
        how = "extend" if self.extrapolation in {"zero", "raise"} else self.extrapolation
        columns = transform(as_column(values), _state=dict(self.state), extrapolation=how)
        return Moments.of(np.column_stack(list(columns.values())))

    def finish(self, total: Moments) -> State:
        if not total.count.all():
            raise DataError("has no row with a value to learn from")
        return {**self.state, "constraints": (total.mean + total.rest).reshape(1, -1)}


def cubic_spline(arguments: Mapping[str, Any], *, exact_knots: bool) -> State | Learner:
    """Return what a call learns.

    Parameters
    ----------
    arguments : mapping
        Of the call, defaults included.
    exact_knots : bool
        Whether learned knots must be exact quantiles.

    Returns
    -------
    mapping or Learner
        The state, where knots and bounds are given and nothing is centred.

    Raises
    ------
    FormulaError
        If the arguments contradict each other.
    """
    check_df_or_knots(arguments)
    df, knots, cyclic, constraints = (arguments[name] for name in ("df", "knots", "cyclic", "constraints"))
    if isinstance(constraints, str) and constraints != "center":
        raise FormulaError(f'takes constraints="center", or an array of them; got {constraints!r}')
    if constraints is not None and not isinstance(constraints, str):
        constraints = np.atleast_2d(np.asarray(constraints, dtype=np.float64))
    n_constraints = 0 if constraints is None else 1 if isinstance(constraints, str) else len(constraints)
    n_knots = 0
    if df is not None:
        least = 1 if cyclic or n_constraints else 2
        n_knots = df - 2 + n_constraints + cyclic
        if df < least or n_knots < 0:
            raise FormulaError(f"needs df of at least {max(least, 2 - n_constraints - cyclic)}; got {df}")
    elif knots is None:
        raise FormulaError("needs df or knots")
    return CubicSpline(
        lower_bound=arguments["lower_bound"],
        upper_bound=arguments["upper_bound"],
        knots=None if n_knots else tuple(map(float, () if knots is None else knots)),
        n_knots=n_knots,
        extrapolation=extrapolation_of(arguments),
        exact=exact_knots,
        cyclic=cyclic,
        constraints=constraints,
    ).known()
