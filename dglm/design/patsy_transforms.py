"""patsy's stateful transforms: which learner a call has, patsy's own or a user's, and what stands in its place after.

They learn by the statistics that formulaic's learn by, and differ from them in detail.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from patsy import mgcv_cubic_splines, splines, state

from dglm.design.learner import LEARNED_BY, Learner, State
from dglm.design.patsy_protocol import PatsyTransform
from dglm.design.patsy_scaling import Standardize
from dglm.design.patsy_splines import BSplines, CubicSplines
from dglm.design.transforms.gathering import Gathering
from dglm.design.transforms.registry import arguments_by_name, own_learner
from dglm.errors import FormulaError

# The mark of patsy's ``stateful_transform``, which holds the class that learns.
MARK = "__patsy_stateful_transform__"

_TRANSFORMS: Mapping[type, PatsyTransform] = {
    state.Center: Standardize(),
    state.Standardize: Standardize(),
    splines.BS: BSplines(),
    mgcv_cubic_splines.CR: CubicSplines(cyclic=False),
    mgcv_cubic_splines.CC: CubicSplines(cyclic=True),
}


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
    if kind is mgcv_cubic_splines.TE:
        raise FormulaError(
            "is not learned over partitions; the interaction of its arguments, such as cr(x, df=4):cr(z, df=4), has "
            "the same columns, uncentred"
        )
    if hasattr(transform, LEARNED_BY):
        return own_learner(transform, arguments, keywords)
    if kind not in _TRANSFORMS:
        return Gathering(Memorising(kind), tuple(arguments), keywords)
    return _TRANSFORMS[kind].learner(arguments_by_name(_signature(kind), arguments, keywords), exact_knots=exact_knots)


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
        learned: Any = self.kind()
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


def _signature(kind: Any) -> inspect.Signature:
    """Return the signature of a call, without the data."""
    signature = inspect.signature(kind.memorize_chunk)
    _, _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters)
