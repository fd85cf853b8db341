"""patsy's stateful transforms: what each learns over partitions, and what it makes of rows with what was learned.

They are called like formulaic's and learn by the same statistics, but differ in detail: ``scale`` divides by n, and
about the mean even where it does not subtract it; ``bs`` and ``cr`` take no ``extrapolation``; there is no ``poly``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from patsy.mgcv_cubic_splines import CC, CR, TE
from patsy.splines import BS
from patsy.state import Center, Standardize

from dglm._typing import AnyArray, Matrix
from dglm.design.learner import LEARNED_BY, Learner, State, as_columns
from dglm.design.statistics import Moments
from dglm.design.transforms.bspline import bspline
from dglm.design.transforms.cubic import cubic_spline
from dglm.design.transforms.gathering import Gathering
from dglm.design.transforms.registry import arguments_by_name, own_learner
from dglm.design.transforms.scaling import Scaling
from dglm.errors import FormulaError

# The mark of patsy's ``stateful_transform``, which holds the class that learns.
MARK = "__patsy_stateful_transform__"

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Transform:
    """One of patsy's own transforms.

    Attributes
    ----------
    learner : callable
        From the arguments of a call, and `exact_knots`, to what it learns.
    apply : callable
        From what was learned, rows and the arguments to columns.
    """

    learner: Callable[..., State | Learner]
    apply: Callable[[State, Any, Arguments], Any]


@dataclass(frozen=True)
class Standardizing(Learner):
    """Mean and spread of one or several columns; the spread is about the mean whether that is subtracted or not.

    Parameters
    ----------
    center, rescale : bool
        What is done with them.
    ddof : float
        Taken from the number of rows under the spread.
    """

    center: bool
    rescale: bool
    ddof: float

    @property
    def keeps_missing(self) -> bool:
        """True: a value less a number, over a number that is not 0."""
        return True

    def observe(self, values: Any) -> Moments:
        return Moments.of(as_columns(values))

    def finish(self, total: Moments) -> State:
        learned = Scaling(center=True, scale=self.rescale, ddof=self.ddof).finish(total)
        return {"center": learned["center"] if self.center else None, "scale": learned["scale"]}


@dataclass(frozen=True)
class Memorising:
    """A user's class that learns from all rows at once, as `Gathering` calls it.

    Parameters
    ----------
    kind : type
        With patsy's methods ``memorize_chunk``, ``memorize_finish`` and ``transform``.
    """

    kind: type

    def __call__(self, *arguments: Any, _state: dict[str, Any], **keywords: Any) -> None:
        learned = self.kind()
        learned.memorize_chunk(*arguments, **keywords)
        learned.memorize_finish()
        _state |= vars(learned)


@dataclass(frozen=True)
class Taught:
    """A call of a transform that has learned, to stand in its place in an expression.

    Parameters
    ----------
    call : str
        As written, for messages.
    kind : type
        The class that the transform was made of.
    state : mapping
        What was learned.
    """

    call: str
    kind: type
    state: State

    def __call__(self, data: Any, *arguments: Any, **keywords: Any) -> Any:
        known = _TRANSFORMS.get(self.kind)
        if known is not None:
            named = arguments_by_name(_signature(self.kind), arguments, keywords)
            try:
                return known.apply(self.state, data, named)
            except FormulaError as error:
                raise FormulaError(f"{self.call} {error}") from error
        learned: Any = self.kind()
        # copied, so that no partition can change it for the others
        vars(learned).update(deepcopy(dict(self.state)))
        return learned.transform(data, *arguments, **keywords)


def class_of(function: Any) -> type | None:
    """Return the class that learns for a function.

    Parameters
    ----------
    function : object
        What a formula calls.

    Returns
    -------
    type or None
        None where it is no stateful transform of patsy's kind.
    """
    found: type | None = getattr(function, MARK, None)
    return found


def learner_of(
    transform: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], *, exact_knots: bool
) -> State | Learner:
    """Return what a call of a stateful transform learns.

    Parameters
    ----------
    transform : callable
        Made by patsy's ``stateful_transform``.
    arguments : sequence
        After the data; `Rows` where an argument is a column.
    keywords : mapping
        By name; the same.
    exact_knots : bool
        Whether knots must be exact quantiles.

    Returns
    -------
    mapping or Learner
        The state, where there is nothing to learn.

    Raises
    ------
    FormulaError
        If the arguments are wrong, or depend on the rows where they may not; for ``te``.
    """
    kind = getattr(transform, MARK)
    if kind is TE:
        raise FormulaError(
            "is not learned over partitions; the interaction of its arguments, such as cr(x, df=4):cr(z, df=4), has "
            "the same columns, uncentred"
        )
    if hasattr(transform, LEARNED_BY):
        return own_learner(transform, arguments, keywords)
    if kind not in _TRANSFORMS:
        return Gathering(Memorising(kind), tuple(arguments), keywords)
    return _TRANSFORMS[kind].learner(arguments_by_name(_signature(kind), arguments, keywords), exact_knots=exact_knots)


def _signature(kind: Any) -> inspect.Signature:
    """Return the signature of a call, without the data."""
    signature = inspect.signature(kind.memorize_chunk)
    _, _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters)


def _center_learner(arguments: Arguments, *, exact_knots: bool) -> Learner:
    del arguments, exact_knots
    return Standardizing(center=True, rescale=False, ddof=0)


def _standardize_learner(arguments: Arguments, *, exact_knots: bool) -> State | Learner:
    del exact_knots
    center, rescale = bool(arguments["center"]), bool(arguments["rescale"])
    if not (center or rescale):
        return {"center": None, "scale": None}
    return Standardizing(center, rescale, arguments["ddof"])


def _scaled(state: State, x: Any, arguments: Arguments) -> Any:
    del arguments
    scaled = x if isinstance(x, (pd.Series, pd.DataFrame)) else np.asarray(x)
    scaled = scaled.astype(np.float64)
    if state["center"] is not None:
        scaled = scaled - state["center"]
    return scaled if state["scale"] is None else scaled / state["scale"]


def _bs_learner(arguments: Arguments, *, exact_knots: bool) -> State | Learner:
    degree, df = arguments["degree"], arguments["df"]
    if not (isinstance(degree, (int, np.integer)) and degree >= 0):
        raise FormulaError(f"needs a degree that is a whole number, at least 0; got {degree!r}")
    least = degree + bool(arguments["include_intercept"])
    given = _df_or_knots(arguments, least, None if df is None else df - least)
    return bspline({**given, "extrapolation": "raise"}, exact_knots=exact_knots)


def _bs(state: State, x: Any, arguments: Arguments) -> Any:
    outer, lower, upper = arguments["degree"] + 1, state["lower_bound"], state["upper_bound"]
    learned = BS()
    given = {"knots": state["knots"][outer:-outer], "lower_bound": lower, "upper_bound": upper}
    _memorise(learned, [lower, upper], {"degree": arguments["degree"], **given})

    def basis(values: AnyArray) -> Matrix:
        outside = values[(values < lower) | (values > upper)]
        if len(outside):
            raise FormulaError(
                f"was learned between {lower} and {upper}, and patsy's bs does not go beyond: found {outside[0]}; "
                f"give lower_bound= and upper_bound= that hold all values, or clip the column"
            )
        return np.asarray(learned.transform(values, include_intercept=arguments["include_intercept"]))

    return _of_present(basis, x, lower)


def _cubic_learner(*, cyclic: bool) -> Callable[..., State | Learner]:
    def learner(arguments: Arguments, *, exact_knots: bool) -> State | Learner:
        constraints = arguments["constraints"]
        centred = isinstance(constraints, str)
        n_constraints = 0 if constraints is None else 1 if centred else len(np.atleast_2d(constraints))
        n_knots = None if arguments["df"] is None else arguments["df"] - 2 + n_constraints + cyclic
        given = _df_or_knots(arguments, 1 if cyclic or n_constraints else 2, n_knots)
        return cubic_spline({**given, "cyclic": cyclic, "extrapolation": "extend"}, exact_knots=exact_knots)

    return learner


def _cubic(kind: type) -> Callable[[State, Any, Arguments], Any]:
    def apply(state: State, x: Any, arguments: Arguments) -> Any:
        del arguments
        lower, *inner, upper = state["knots"]
        learned: Any = kind()
        given = {"knots": inner, "lower_bound": lower, "upper_bound": upper, "constraints": state["constraints"]}
        _memorise(learned, [lower, upper], given)
        return _of_present(lambda values: np.asarray(learned.transform(values)), x, lower)

    return apply


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


def _memorise(learned: Any, data: list[float], arguments: Arguments) -> None:
    """Teach one of patsy's splines what is known already."""
    try:
        learned.memorize_chunk(np.array(data), **arguments)
        learned.memorize_finish()
    except ValueError as error:
        raise FormulaError(f"cannot be built: {error}") from error


def _of_present(basis: Callable[[AnyArray], Matrix], x: Any, inside: float) -> Any:
    """Return a basis of the values that are there, nan elsewhere; a value inside the bounds shows its columns."""
    values = np.asarray(x, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise FormulaError(f"takes one column; got values of shape {values.shape}")
    present = ~np.isnan(values)
    found = basis(values[present] if present.any() else np.array([inside]))
    columns = np.full((len(values), found.shape[1]), np.nan)
    if present.any():
        columns[present] = found
    return pd.DataFrame(columns, index=x.index) if isinstance(x, (pd.Series, pd.DataFrame)) else columns


_TRANSFORMS = {
    Center: Transform(_center_learner, _scaled),
    Standardize: Transform(_standardize_learner, _scaled),
    BS: Transform(_bs_learner, _bs),
    CR: Transform(_cubic_learner(cyclic=False), _cubic(CR)),
    CC: Transform(_cubic_learner(cyclic=True), _cubic(CC)),
}
