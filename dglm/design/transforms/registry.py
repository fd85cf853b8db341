"""Which learner a transform has: formulaic's by what they are, yours by `learned_by`, all others by gathering."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from formulaic.transforms import TRANSFORMS

from dglm.design.learner import LEARNED_BY, Learner, State
from dglm.design.transforms.bspline import bspline
from dglm.design.transforms.cubic import cubic_spline
from dglm.design.transforms.gathering import Gathering, Rows
from dglm.design.transforms.polynomial import polynomial
from dglm.design.transforms.scaling import scaling
from dglm.errors import FormulaError

_SPLINES = {TRANSFORMS["bs"]: bspline, **{TRANSFORMS[name]: cubic_spline for name in ("cr", "cs", "cc")}}
_OTHERS = {
    **{TRANSFORMS[name]: scaling for name in ("center", "scale", "standardize")},
    TRANSFORMS["poly"]: polynomial,
}


def learner_of(
    transform: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], *, exact_knots: bool
) -> State | Learner:
    """Return what a call of a stateful transform learns.

    Parameters
    ----------
    transform : callable
        Made by formulaic's ``stateful_transform``.
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
        If the arguments are wrong, or depend on the rows where they may not.
    """
    if hasattr(transform, LEARNED_BY):
        return own_learner(transform, arguments, keywords)
    if transform not in _SPLINES and transform not in _OTHERS:
        return Gathering(transform, tuple(arguments), keywords)
    named = arguments_by_name(_signature(transform), arguments, keywords)
    if transform in _SPLINES:
        return _SPLINES[transform](named, exact_knots=exact_knots)
    return _OTHERS[transform](named)


def own_learner(
    transform: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> State | Learner:
    """Return what a call learns of a transform that `learned_by` marked.

    Parameters
    ----------
    transform : callable
        Marked.
    arguments : sequence
        After the data.
    keywords : mapping
        By name.

    Returns
    -------
    mapping or Learner
        The state, where there is nothing to learn.

    Raises
    ------
    FormulaError
        If the arguments are wrong, or depend on the rows.
    """
    _refuse_rows(arguments, keywords)
    try:
        found: State | Learner = getattr(transform, LEARNED_BY)(*arguments, **keywords)
    except TypeError as error:
        raise FormulaError(f"cannot be called so: {error}") from error
    return found


def arguments_by_name(
    signature: inspect.Signature, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call by name, defaults included.

    Parameters
    ----------
    signature : Signature
        Without the data.
    arguments : sequence
        After the data.
    keywords : mapping
        By name.

    Returns
    -------
    dict of str to object
        In the order of the signature.

    Raises
    ------
    FormulaError
        If the arguments are wrong, or depend on the rows.
    """
    _refuse_rows(arguments, keywords)
    try:
        bound = signature.bind(*arguments, **keywords)
    except TypeError as error:
        raise FormulaError(f"cannot be called so: {error}") from error
    bound.apply_defaults()
    return dict(bound.arguments)


def _refuse_rows(arguments: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    if any(isinstance(argument, Rows) for argument in (*arguments, *keywords.values())):
        raise FormulaError(
            "has an argument that depends on the rows, which would be another one on every partition; give numbers"
        )


def _signature(transform: Callable[..., Any]) -> inspect.Signature:
    """Return the signature without the data and what formulaic passes itself."""
    signature = inspect.signature(transform)
    _, *parameters = [p for p in signature.parameters.values() if not p.name.startswith("_")]
    return signature.replace(parameters=parameters)
