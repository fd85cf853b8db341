"""Source: where the value of a partition comes from; tasks that nothing else needs are run where it is used.

Reading, encoding and summing are one task then: a partition is never in memory without being worked on, what goes
wrong with its file is seen where its number is known, and what may go right at the next try is tried again.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pyarrow as pa
from dask.core import get, get_dependencies
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph
from dask.typing import Key
from dask.utils import ensure_dict
from distributed import Future
from pyarrow.dataset import Fragment

from dglm.errors import ReadError

# Tries after the first one, and the seconds before the first of them; each waits twice as long as the one before.
RETRIES, PAUSE = 5, 0.1
# What no second try mends.
PERMANENT = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ReadError)


class Source(ABC):
    """Where the value of a partition comes from."""

    @abstractmethod
    def read(self, number: int, brought: Iterator[Any]) -> tuple[Any, int]:
        """Return the partition.

        Parameters
        ----------
        number : int
            Which partition, for messages.
        brought : iterator
            Values that the scheduler had made, of which the source takes its own.

        Returns
        -------
        tuple of object and int
            The partition, a list where it is made of several values, and how often it took another try.
        """


@dataclass(frozen=True)
class Brought(Source):
    """Values that the scheduler has made, because other partitions need some of the same tasks.

    Parameters
    ----------
    size : int
        How many.
    """

    size: int

    def read(self, number: int, brought: Iterator[Any]) -> tuple[Any, int]:
        del number
        return _joined([next(brought) for _ in range(self.size)]), 0


@dataclass(frozen=True)
class OwnTasks(Source):
    """Tasks that make a partition and nothing else, to be run in the task that uses it.

    Parameters
    ----------
    keys : tuple
        Of the values that the partition is made of.
    graph : mapping
        The tasks.
    """

    keys: tuple[Key, ...]
    graph: Mapping[Key, Any]

    def read(self, number: int, brought: Iterator[Any]) -> tuple[Any, int]:
        """Run the tasks, again where a file system may have had a moment of weakness.

        Parameters
        ----------
        number : int
            Which partition, for messages.
        brought : iterator
            Of which nothing is taken.

        Returns
        -------
        tuple of object and int
            The partition, and how often it took another try.

        Raises
        ------
        ReadError
            If files cannot be read.
        """
        del brought
        retries = 0
        while True:
            try:
                return _joined(list(get(self.graph, list(self.keys)))), retries
            except (OSError, pa.ArrowException) as error:
                if retries == RETRIES or isinstance(error, PERMANENT) or not isinstance(error, OSError):
                    raise ReadError(self._failure(number, error, retries)) from error
            time.sleep(PAUSE * 2**retries)
            retries += 1

    def _failure(self, number: int, error: Exception, retries: int) -> str:
        named = ", ".join(repr(name) for name in sorted(set(_files_in(self.graph))) if name not in str(error))
        tries = f" after {retries + 1} tries" if retries else ""
        return (
            f"partition {number}{f', of {named},' if named else ''} could not be read{tries}: "
            f"{type(error).__name__}: {error}"
        )


def sources_of(parts: Sequence[Sequence[Delayed]]) -> list[Source]:
    """Return where the values of partitions come from.

    Parameters
    ----------
    parts : sequence of sequences of Delayed
        The values that make up each partition.

    Returns
    -------
    list of Source
        With the tasks of their own, unless one of theirs is needed by two partitions, has been computed already, or
        is annotated.
    """
    graphs = {id(value.dask): value.dask for values in parts for value in values}
    keys = [tuple(value.key for value in values) for values in parts]
    if any(annotated(graph) for graph in graphs.values()):
        return [Brought(len(own)) for own in keys]
    tasks: dict[Key, Any] = {}
    for graph in graphs.values():
        tasks.update(ensure_dict(graph))
    closures = [_closure(own, tasks) for own in keys]
    needed = Counter(key for closure in closures if closure is not None for key in closure)
    return [
        Brought(len(own)) if closure is None or any(needed[key] > 1 for key in closure) else OwnTasks(own, closure)
        for own, closure in zip(keys, closures, strict=True)
    ]


def annotated(graph: Any) -> bool:
    """Return whether the scheduler is told more of some tasks than what they do.

    Parameters
    ----------
    graph : mapping
        Of a collection.

    Returns
    -------
    bool
        True where it is told on which workers to run them, say.
    """
    return isinstance(graph, HighLevelGraph) and any(layer.annotations for layer in graph.layers.values())


def _joined(values: list[Any]) -> Any:
    """Return a single value as it is, several as a list."""
    return values[0] if len(values) == 1 else values


def _closure(keys: Iterable[Key], tasks: Mapping[Key, Any]) -> dict[Key, Any] | None:
    """Return the tasks that some keys need, None where some of it is in the memory of a cluster."""
    found: dict[Key, Any] = {}
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        if key not in tasks or any(isinstance(value, Future) for value in _values_in(tasks[key])):
            return None
        found[key] = tasks[key]
        waiting.extend(get_dependencies(tasks, key))
    return found


def _values_in(task: Any) -> Iterator[Any]:
    """Yield what a task is made of; dask's own objects are looked into, the user's are not."""
    yield task
    if isinstance(task, dict):
        parts: Iterable[Any] = task.values()
    elif isinstance(task, tuple | list | set):
        parts = task
    elif type(task).__module__.startswith("dask."):
        kwargs = getattr(task, "kwargs", None) or {}
        parts = (*getattr(task, "args", ()), *kwargs.values(), getattr(task, "value", None))
        parts = (*parts, getattr(task, "fragment", None))
    else:
        return
    for part in parts:
        yield from _values_in(part)


def _files_in(graph: Any) -> Iterator[str]:
    """Yield what looks like the name of a file."""
    for value in _values_in(graph):
        name = value.path if isinstance(value, Fragment) else value
        if isinstance(name, str) and "/" in name and PurePath(name).suffix:
            yield name
