"""Closures: the tasks that values need, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from dask.core import get_dependencies
from dask.highlevelgraph import HighLevelGraph
from dask.typing import Key
from distributed import Future
from pyarrow.dataset import Fragment


def annotated(graph: Any) -> bool:
    """Return whether the scheduler is told more of some tasks than what they do: where to run them, say.

    Parameters
    ----------
    graph : mapping
        Tasks.

    Returns
    -------
    bool
        Of any of them.
    """
    return isinstance(graph, HighLevelGraph) and any(layer.annotations for layer in graph.layers.values())


def closure_of(keys: Iterable[Key], tasks: Mapping[Key, Any]) -> dict[Key, Any] | None:
    """Return the tasks that some keys need.

    Parameters
    ----------
    keys : iterable
        Of tasks.
    tasks : mapping
        These and more.

    Returns
    -------
    dict or None
        None where some of it is in the memory of a cluster.
    """
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


def files_in(graph: Any) -> Iterator[str]:
    """Yield what looks like the name of a file.

    Parameters
    ----------
    graph : object
        Tasks, or what they are given.

    Yields
    ------
    str
        A name.
    """
    for value in _values_in(graph):
        name = value.path if isinstance(value, Fragment) else value
        if isinstance(name, str) and "/" in name and PurePath(name).suffix:
            yield name


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
