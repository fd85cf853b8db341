"""PassLog: how often the rows were read, the cost that users feel; every sum over blocks is entered here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class PassLog:
    """The passes made over one collection of rows.

    Parameters
    ----------
    seconds : list of float
        Wall time of each pass, in order.
    """

    seconds: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of passes made."""
        return len(self.seconds)

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
