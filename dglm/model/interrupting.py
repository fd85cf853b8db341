"""Interrupting: Ctrl-C in the middle of a fit leaves nothing of it behind, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from traceback import clear_frames
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Keeping(Protocol):
    """What keeps encoded blocks between fits."""

    _kept: Any


K = TypeVar("K", bound=Keeping)


def letting_go(method: Callable[Concatenate[K, P], R]) -> Callable[Concatenate[K, P], R]:
    """Return a method of a model that lets go of all blocks when it is interrupted.

    The model forgets those that it kept. Python keeps the traceback of the last exception, and with it the variables of
    every function that was left: the blocks, and the tasks under way on a cluster, would stay for as long. They are
    cleared.

    Parameters
    ----------
    method : callable
        That makes passes.

    Returns
    -------
    callable
        The same, which raises KeyboardInterrupt once nothing is held any more.
    """

    @wraps(method)
    def interruptible(self: K, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except KeyboardInterrupt as interrupt:
            self._kept = None
            for error in _chain(interrupt):
                clear_frames(error.__traceback__)
            raise

    return interruptible


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Return an exception and those that were being handled when it was raised."""
    while error is not None:
        yield error
        error = error.__context__
