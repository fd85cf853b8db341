"""Graphs: the tasks of a pass as one layer with readable names.

A Delayed for every task would cost the client more than the tasks cost the scheduler.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph
from dask.task_spec import DataNode, GraphNode, Task, TaskRef
from dask.typing import Key


def unique_name(what: str) -> str:
    """Return a name that nothing else has.

    Parameters
    ----------
    what : str
        What it begins with.

    Returns
    -------
    str
        On a cluster that others use as well, too: who asks for a task by a name that exists is given its value.
    """
    return f"{what}-{uuid.uuid4().hex}"


class Layer:
    """Tasks that are submitted together, under names that no other layer has.

    The dashboard shows a task by the words its name begins with, ``dglm-pass``, by which the scheduler learns how long
    such tasks take, and groups it with those of the same name up to its number: ``dglm-pass-3-...``.

    Parameters
    ----------
    what : str
        What most tasks do.
    number : int, optional
        How many times it was done before, and once.
    """

    def __init__(self, what: str, number: int | None = None) -> None:
        self._suffix = unique_name("" if number is None else f"-{number}")
        self.name = what + self._suffix
        self._tasks: dict[Key, GraphNode] = {}

    def value(self, what: str, value: object) -> Key:
        """Add a value that travels once to each worker.

        Parameters
        ----------
        what : str
            What it is.
        value : object
            Picklable.

        Returns
        -------
        key
            Of the value.
        """
        return self._add(DataNode((what + self._suffix, 0), value))

    def task(self, what: str, number: int, function: Callable[..., Any], *arguments: Key) -> Key:
        """Add a task.

        Parameters
        ----------
        what : str
            What it does.
        number : int
            Which of those that do so.
        function : callable
            Picklable.
        *arguments : key
            Of the tasks whose values it is called with.

        Returns
        -------
        key
            Of the task.
        """
        return self._add(Task((what + self._suffix, number), function, *map(TaskRef, arguments)))

    def lazy(self, keys: Iterable[Key], given: Sequence[Delayed] = ()) -> list[Delayed]:
        """Return values of the layer.

        Parameters
        ----------
        keys : iterable of key
            Whose.
        given : sequence of Delayed
            What its tasks are called with of other layers.

        Returns
        -------
        list of Delayed
            Computing nothing.
        """
        collections: Sequence[Any] = given
        graph = HighLevelGraph.from_collections(self.name, self._tasks, dependencies=collections)
        return [Delayed(key, graph, layer=self.name) for key in keys]

    def _add(self, task: GraphNode) -> Key:
        self._tasks[task.key] = task
        return task.key
