"""``bs``: B-splines with knots at quantiles of the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import Vector
from dglm.design.learner import Learner, State, as_column
from dglm.design.statistics import Quantiles, RankSlices
from dglm.design.transforms.spline import Sample, Spline, check_df_or_knots, extrapolation_of
from dglm.errors import DataError, FormulaError


@dataclass(frozen=True, kw_only=True, eq=False)
class BSpline(Spline[Quantiles]):
    """Bounds and knots of ``bs``.

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
    degree : int
        Of the pieces.
    """

    degree: int

    @property
    def only_within_bounds(self) -> bool:
        """Whether values out of given bounds place no knots."""
        return self.extrapolation in {"clip", "na", "zero"}

    def sampled(self, x: Vector) -> Quantiles:
        return Quantiles.of(x)

    def finish(self, total: Sample[Quantiles]) -> State | Learner:
        bounds = self.bounds(total.range)
        sample = total.values
        if self.knots is not None or sample is None:
            return self.state(bounds, np.array(self.knots))
        if not sample.total:
            raise DataError(f"has no value within its bounds {bounds} to place knots by")
        shares = np.linspace(0, 1, self.n_knots + 2)[1:-1]
        if self.exact and sample.error:
            lower, upper = sample.brackets(shares)
            return ExactKnots(self, bounds, shares, lower, upper, sample.total)
        state = self.state(bounds, sample.at(shares))
        return {**state, "rank_error": sample.rank_error} if sample.error else state

    def state(self, bounds: tuple[float, float], knots: Vector) -> dict[str, Any]:
        """Return what the transform keeps.

        Parameters
        ----------
        bounds : tuple of float and float
            Lower and upper.
        knots : (q,) array
            Inner ones.

        Returns
        -------
        dict
            With the bounds as outer knots.
        """
        (lower, upper), outer = bounds, self.degree + 1
        knots_with_bounds = [*[lower] * outer, *knots.tolist(), *[upper] * outer]
        return {"lower_bound": lower, "upper_bound": upper, "knots": knots_with_bounds}


@dataclass(frozen=True, eq=False)
class ExactKnots(Learner):
    """Second pass: the order statistics around knots that the first pass found nearly.

    Parameters
    ----------
    spline : BSpline
        Of the first pass.
    bounds : tuple of float and float
        Lower and upper.
    shares, lower, upper : (q,) array
        The quantiles, and the brackets that hold them.
    total : float
        Number of values that place knots.
    """

    spline: BSpline
    bounds: tuple[float, float]
    shares: Vector
    lower: Vector
    upper: Vector
    total: float

    @property
    def keeps_missing(self) -> bool:
        """As the spline does."""
        return self.spline.keeps_missing

    def observe(self, values: Any) -> RankSlices:
        return RankSlices.of(self.spline.inner(as_column(values)), self.lower, self.upper)

    def finish(self, total: RankSlices) -> State:
        return self.spline.state(self.bounds, total.at(self.shares, self.total))


def bspline(arguments: Mapping[str, Any], *, exact_knots: bool) -> State | Learner:
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
        The state, where knots and bounds are given.

    Raises
    ------
    FormulaError
        If the arguments contradict each other.
    """
    check_df_or_knots(arguments)
    degree, df, knots = arguments["degree"], arguments["df"], arguments["knots"]
    least = degree + bool(arguments["include_intercept"])
    if df and df < least:
        raise FormulaError(f"needs df of at least {least} for degree {degree}; got {df}")
    # without df there are no inner knots but those given, and formulaic takes df=0 as none
    n_knots = df - least if df else 0
    return BSpline(
        lower_bound=arguments["lower_bound"],
        upper_bound=arguments["upper_bound"],
        knots=None if n_knots else tuple(map(float, () if knots is None else knots)),
        n_knots=n_knots,
        extrapolation=extrapolation_of(arguments),
        exact=exact_knots,
        degree=degree,
    ).known()
