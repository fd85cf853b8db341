"""portable: users' stateful transforms in a form that can travel to workers.

formulaic makes them single-dispatch functions, which hold weak references; one that was defined in a notebook or inside
a function can therefore not be pickled by value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import update_wrapper
from types import FunctionType
from typing import Any

from formulaic.transforms import stateful_transform

from dglm.design.learner import LEARNED_BY


def portable(value: Any) -> Any:
    """Return a value of the caller's scope such that cloudpickle can take it, as far as transforms are concerned.

    Parameters
    ----------
    value : object
        That a formula names.

    Returns
    -------
    object
        The value itself, unless it is a stateful transform that workers cannot import.
    """
    # of functions alone: modules may run code of theirs when they are asked for an attribute
    made_by_formulaic = (
        isinstance(value, FunctionType)
        and getattr(value, "__is_stateful_transform__", False)
        and hasattr(_dispatcher(value), "registry")
    )
    return StatefulTransform(value) if made_by_formulaic and not _can_be_imported(value) else value


class StatefulTransform:
    """A stateful transform that is pickled as the plain functions that it dispatches to.

    Parameters
    ----------
    transform : callable
        Made by formulaic's ``stateful_transform``.
    """

    def __init__(self, transform: Callable[..., Any]) -> None:
        self.transform = transform
        # with the marks that formulaic and `learned_by` put on it
        update_wrapper(self, transform)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.transform(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (dict(_dispatcher(self.transform).registry), getattr(self.transform, LEARNED_BY, None))


def _dispatcher(transform: Callable[..., Any]) -> Any:
    """Return the single-dispatch function inside a transform."""
    return getattr(transform, "__wrapped__", None)


def _rebuilt(registry: Mapping[type, Callable[..., Any]], learner: Any) -> StatefulTransform:
    transform: Any = stateful_transform(registry[object])
    for kind, function in registry.items():
        _dispatcher(transform).register(kind)(function)
    if learner is not None:
        setattr(transform, LEARNED_BY, learner)
    return StatefulTransform(transform)


def _can_be_imported(function: Any) -> bool:
    """Return whether a worker finds the function where this process does."""
    if function.__module__ == "__main__":
        return False
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function
