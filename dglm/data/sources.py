"""Source: where the value of a partition comes from; tasks that nothing else needs are run where it is used.

Reading, encoding and summing are one task then: a partition is never in memory without being worked on, what goes
wrong with its file is seen where its number is known, and what may go right at the next try is tried again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dask.core import get
from dask.delayed import Delayed
from dask.task_spec import Task
from dask.typing import Key
from dask.utils import ensure_dict

from dglm.data.closures import annotated, closure_of
from dglm.data.retrying import Tried, tried


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
        values, retries = tried(partial(get, self.graph, list(self.keys)), f"partition {number}", self.graph)
        return _joined(list(values)), retries


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
    closures = [closure_of(own, tasks) for own in keys]
    needed = Counter(key for closure in closures if closure is not None for key in closure)
    return [
        Brought(len(own)) if closure is None or any(needed[key] > 1 for key in closure) else OwnTasks(own, closure)
        for own, closure in zip(keys, closures, strict=True)
    ]


def tried_again(values: Sequence[Delayed]) -> Sequence[Delayed]:
    """Return lazy values whose tasks are tried again after an error of the file system.

    Parameters
    ----------
    values : sequence of Delayed
        What the scheduler is to make.

    Returns
    -------
    sequence of Delayed
        With one graph in common; as they are, where some of it has been made already or is annotated.
    """
    if any(annotated(value.dask) for value in values):
        return values
    tasks: dict[Key, Any] = {}
    for graph in {id(value.dask): value.dask for value in values}.values():
        tasks.update(ensure_dict(graph))
    closure = closure_of([value.key for value in values], tasks)
    if closure is None:
        return values
    graph = {
        key: Task(key, Tried(task.func, str(key)), *task.args, **task.kwargs) if _is_call(task) else task
        for key, task in closure.items()
    }
    return [Delayed(value.key, graph) for value in values]


def _is_call(task: Any) -> bool:
    return type(task) is Task and not task.is_coro


def _joined(values: list[Any]) -> Any:
    """Return a single value as it is, several as a list."""
    return values[0] if len(values) == 1 else values
