"""PassLog: how often the rows were read, the cost that users feel; every sum over blocks is entered here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

S = TypeVar("S")


class Journal(Protocol):
    """What the passes of one fit returned, in order, kept so that they need not be made again."""

    def recall(self, request: object) -> tuple[object, float] | None:
        """Return what the next pass returned when it was made, and the seconds it took.

        Parameters
        ----------
        request : object
            What is to be summed: the kernel and its arguments.

        Returns
        -------
        tuple of object and float, or None
            None where the journal ends.
        """

    def keep(self, request: object, value: S, seconds: float) -> S:
        """Keep what the next pass returned.

        Parameters
        ----------
        request : object
            What was summed.
        value : object
            The sum.
        seconds : float
            That it took.

        Returns
        -------
        object
            The sum as it will be recalled.
        """


@dataclass(eq=False)
class PassLog:
    """The passes made over one collection of rows.

    Parameters
    ----------
    seconds : list of float
        Wall time of each pass, in order.
    journal : Journal, optional
        What returns passes that were made before, and keeps those that are made.
    """

    seconds: list[float] = field(default_factory=list)
    journal: Journal | None = None

    @property
    def count(self) -> int:
        """Number of passes made."""
        return len(self.seconds)

    def made(self, request: object, run: Callable[[], S]) -> S:
        """Make one pass, or recall it: one that is recalled is entered here, but reads no rows.

        Parameters
        ----------
        request : object
            What is to be summed: the kernel and its arguments, which decide the sum.
        run : callable
            Makes the pass.

        Returns
        -------
        S
            The sum.
        """
        recalled = None if self.journal is None else self.journal.recall(request)
        if recalled is not None:
            value, seconds = recalled
            self.seconds.append(seconds)
            return cast(S, value)
        with self.timed():
            found = run()
        return found if self.journal is None else self.journal.keep(request, found, self.seconds[-1])

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Enter one pass in the log, and in the log of every `count_passes` around it.

        Yields
        ------
        None
            While the pass runs.
        """
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.enter(time.perf_counter() - begin)

    def enter(self, seconds: float) -> None:
        """Enter one pass in the log, and in the log of every `count_passes` around it.

        Parameters
        ----------
        seconds : float
            That it took.
        """
        for log in (self, *_listeners):
            log.seconds.append(seconds)


_listeners: list[PassLog] = []


@contextmanager
def count_passes() -> Iterator[PassLog]:
    """Count the passes that anything inside makes over any rows.

    Yields
    ------
    PassLog
        Its ``count`` grows as passes are made.

    Examples
    --------
    >>> import numpy as np, dglm
    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
    >>> with count_passes() as passes:
    ...     result = dglm.GLM(np.array([1.0, 2.0, 2.0, 4.0]), X).fit()
    >>> passes.count == result.n_passes
    True
    """
    log = PassLog()
    _listeners.append(log)
    try:
        yield log
    finally:
        _listeners.remove(log)
