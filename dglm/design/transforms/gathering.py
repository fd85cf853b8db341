"""The fallback for transforms that dglm does not know: bring their data together, and let them learn as in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dglm.design.learner import Learner, State
from dglm.design.statistics import Gathered


@dataclass(frozen=True)
class Rows:
    """Stands for an argument that is a column.

    Parameters
    ----------
    position : int
        Among the columns that are gathered; the data is the first, 0.
    """

    position: int


@dataclass(frozen=True, eq=False)
class Gathering(Learner):
    """A call of a transform, with the columns among its arguments left open.

    Parameters
    ----------
    transform : callable
        Made by formulaic's ``stateful_transform``.
    arguments : tuple
        After the data.
    keywords : mapping
        By name.
    """

    transform: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]

    def observe(self, values: Any) -> Gathered:
        return Gathered.of(*(values if isinstance(values, tuple) else (values,)))

    def finish(self, total: Gathered) -> State:
        columns = total.concatenated()
        state: dict[str, Any] = {}
        filled = [_filled(argument, columns) for argument in self.arguments]
        keywords = {name: _filled(argument, columns) for name, argument in self.keywords.items()}
        self.transform(columns[0], *filled, _state=state, **keywords)
        return state


def _filled(argument: Any, columns: tuple[Any, ...]) -> Any:
    return columns[argument.position] if isinstance(argument, Rows) else argument
