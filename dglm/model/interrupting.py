"""Interrupting: Ctrl-C in the middle of a fit leaves nothing of it behind, here or on a cluster."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from traceback import format_tb
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
    every function that was left: blocks, and tasks under way on a cluster, would stay for as long. What the traceback
    says is therefore kept as a note, and it begins anew here.

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
        except KeyboardInterrupt as error:
            interrupt = KeyboardInterrupt(*error.args)
            interrupt.add_note("interrupted here:\n" + "".join(format_tb(error.__traceback__)[1:]))
        self._kept = None
        # frames that refer to one another
        gc.collect()
        try:
            raise interrupt
        finally:
            # or this frame and the exception would refer to one another, and to the model
            del interrupt

    return interruptible
