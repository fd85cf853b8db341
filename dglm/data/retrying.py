"""Retrying: what reads files is tried again where a file system may have had a moment of weakness."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa

from dglm.data.closures import files_in
from dglm.errors import ReadError

T = TypeVar("T")

# Tries after the first one, and the seconds before the first of them; each waits twice as long as the one before.
RETRIES, PAUSE = 5, 0.1
# What no second try mends.
PERMANENT = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ReadError)


def tried(call: Callable[[], T], what: str, graph: Any) -> tuple[T, int]:
    """Call what reads files, again where a file system may have had a moment of weakness.

    Parameters
    ----------
    call : callable
        Reads.
    what : str
        What is read, for messages.
    graph : object
        Where the names of files may be found, for messages.

    Returns
    -------
    tuple of object and int
        What the call returned, and how often it took another try.

    Raises
    ------
    ReadError
        If files cannot be read.
    """
    retries = 0
    while True:
        try:
            return call(), retries
        except (OSError, pa.ArrowException) as error:
            if retries == RETRIES or isinstance(error, PERMANENT) or not isinstance(error, OSError):
                raise ReadError(_failure(what, graph, error, retries)) from error
        time.sleep(PAUSE * 2**retries)
        retries += 1


def _failure(what: str, graph: Any, error: Exception, retries: int) -> str:
    named = ", ".join(repr(name) for name in sorted(set(files_in(graph))) if name not in str(error))
    tries = f" after {retries + 1} tries" if retries else ""
    return f"{what}{f', of {named},' if named else ''} could not be read{tries}: {type(error).__name__}: {error}"


@dataclass(frozen=True)
class Tried:
    """The function of a task that several partitions need, which the scheduler runs.

    Parameters
    ----------
    function : callable
        Of the task.
    key : str
        Of the task, for messages.
    """

    function: Callable[..., Any]
    key: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, again where a file system may have had a moment of weakness.

        Parameters
        ----------
        *args : object
            Of the function.
        **kwargs : object
            Of the function.

        Returns
        -------
        object
            Its value.

        Raises
        ------
        ReadError
            If files cannot be read.
        """
        call = partial(self.function, *args, **kwargs)
        return tried(call, f"task {self.key}, which several partitions need,", (*args, kwargs))[0]
