"""Packed: a value that is pickled once, however often it travels, and unpickled where it is used.

What the tasks of a pass read with is the same in every pass, and the scheduler only hands it on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from distributed.protocol.pickle import dumps, loads

V = TypeVar("V")

# Bytes above which a pickle is not kept beside the value.
SMALL = 1_000_000


class Packed(Generic[V]):
    """A value, or its pickle.

    Parameters
    ----------
    value : V
        Picklable.
    """

    def __init__(self, value: V) -> None:
        self._value: V | None = value
        self._pickle: bytes | None = None
        self._large = False

    @property
    def value(self) -> V:
        """The value."""
        if self._pickle is not None and self._value is None:
            self._value = loads(self._pickle)
        return cast(V, self._value)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        if self._pickle is None and not self._large:
            buffers: list[Any] = []
            pickle = dumps(self._value, buffer_callback=buffers.append)
            # arrays in memory travel without a copy, and no second one of them is kept
            self._large = bool(buffers) or len(pickle) > SMALL
            self._pickle = None if self._large else pickle
        return _arrived, ((self._value, None) if self._large else (None, self._pickle))


def _arrived(value: Any, pickle: bytes | None) -> Packed[Any]:
    packed: Packed[Any] = Packed(value)
    packed._pickle, packed._large = pickle, pickle is None
    return packed
