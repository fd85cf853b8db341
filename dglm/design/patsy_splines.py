"""patsy's ``bs``, ``cr`` and ``cc``: knots are learned as those of formulaic's, and patsy makes the columns.

patsy's objects are taught what is known already, knots and bounds, by their own protocol. They see the rows that have a
value: one nan among them would switch the check of bounds off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from patsy.mgcv_cubic_splines import CC, CR
from patsy.splines import BS

from dglm._typing import AnyArray, Matrix
from dglm.design.learner import Learner, State
from dglm.design.patsy_protocol import Arguments, PatsyTransform
from dglm.design.times import refuse_times
from dglm.design.transforms.bspline import bspline
from dglm.design.transforms.cubic import cubic_spline
from dglm.errors import FormulaError


class BSplines(PatsyTransform):
    """``bs``."""

    def learner(self, arguments: Arguments, *, exact_knots: bool) -> State | Learner:
        degree, df = arguments["degree"], arguments["df"]
        if not (isinstance(degree, (int, np.integer)) and degree >= 0):
            raise FormulaError(f"needs a degree that is a whole number, at least 0; got {degree!r}")
        least = degree + bool(arguments["include_intercept"])
        given = _df_or_knots(arguments, least, None if df is None else df - least)
        return bspline({**given, "extrapolation": "raise"}, exact_knots=exact_knots)

    def apply(self, state: State, data: Any, arguments: Arguments) -> Any:
        lower, upper, outer = state["lower_bound"], state["upper_bound"], arguments["degree"] + 1
        learned = BS()
        _memorise(learned, lower, upper, knots=state["knots"][outer:-outer], degree=arguments["degree"])

        def basis(values: AnyArray) -> Matrix:
            outside = values[(values < lower) | (values > upper)]
            if len(outside):
                raise FormulaError(
                    f"was learned between {lower} and {upper}, and patsy's bs does not go beyond: found {outside[0]}; "
                    f"give lower_bound= and upper_bound= that hold all values, or clip the column"
                )
            return np.asarray(learned.transform(values, include_intercept=arguments["include_intercept"]))

        return _of_present(basis, data, lower)


@dataclass(frozen=True)
class CubicSplines(PatsyTransform):
    """``cr`` and ``cc``.

    Parameters
    ----------
    cyclic : bool
        Whether the ends are joined, as those of ``cc`` are.
    """

    cyclic: bool

    def learner(self, arguments: Arguments, *, exact_knots: bool) -> State | Learner:
        df, constraints = arguments["df"], arguments["constraints"]
        centred = isinstance(constraints, str)
        n_constraints = 0 if constraints is None else 1 if centred else len(np.atleast_2d(constraints))
        least = 1 if self.cyclic or n_constraints else 2
        given = _df_or_knots(arguments, least, None if df is None else df - 2 + n_constraints + self.cyclic)
        return cubic_spline({**given, "cyclic": self.cyclic, "extrapolation": "extend"}, exact_knots=exact_knots)

    def apply(self, state: State, data: Any, arguments: Arguments) -> Any:
        del arguments
        lower, *inner, upper = state["knots"]
        learned = (CC if self.cyclic else CR)()
        _memorise(learned, lower, upper, knots=inner, constraints=state["constraints"])
        return _of_present(lambda values: np.asarray(learned.transform(values)), data, lower)


def _df_or_knots(arguments: Arguments, least: int, n_knots: int | None) -> dict[str, Any]:
    """Return the arguments of a spline with df or knots, of which patsy takes both where they agree."""
    df, knots = arguments["df"], arguments["knots"]
    if df is None and knots is None:
        raise FormulaError("needs df or knots")
    if df is not None and df < least:
        raise FormulaError(f"needs df of at least {least}; got {df}")
    if df is None or knots is None:
        return dict(arguments)
    if len(knots) != n_knots:
        raise FormulaError(f"has {len(knots)} knots, but df={df} means {n_knots}; give one of them")
    return {**arguments, "df": None}


def _memorise(learned: Any, lower: float, upper: float, **arguments: Any) -> None:
    """Teach one of patsy's splines what is known already."""
    try:
        learned.memorize_chunk(np.array([lower, upper]), lower_bound=lower, upper_bound=upper, **arguments)
        learned.memorize_finish()
    except ValueError as error:
        raise FormulaError(f"cannot be built: {error}") from error


def _of_present(basis: Callable[[AnyArray], Matrix], data: Any, inside: float) -> Any:
    """Return a basis of the values that are there, nan elsewhere; a value inside the bounds shows its columns."""
    name = getattr(data, "name", None)
    # numpy would count them in the unit that they are stored in, another one in other rows perhaps
    refuse_times(getattr(data, "dtype", None), "the data" if name is None else str(name))
    values = np.asarray(data, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise FormulaError(f"takes one column; got values of shape {values.shape}")
    present = ~np.isnan(values)
    found = basis(values[present] if present.any() else np.array([inside]))
    columns = np.full((len(values), found.shape[1]), np.nan)
    if present.any():
        columns[present] = found
    return pd.DataFrame(columns, index=data.index) if isinstance(data, (pd.Series, pd.DataFrame)) else columns
