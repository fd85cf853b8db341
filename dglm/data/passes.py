"""PassLog: how often the rows were read, the cost that users feel; every sum over blocks is entered here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dglm.data.seals import Seal
from dglm.errors import ChangedDataError


@dataclass(eq=False)
class PassLog:
    """The passes made over one collection of rows.

    Parameters
    ----------
    seconds : list of float
        Wall time of each pass, in order.
    """

    seconds: list[float] = field(default_factory=list)
    _seals: dict[int, Seal] = field(default_factory=dict, init=False)
    _retries: dict[tuple[int, int], int] = field(default_factory=dict, init=False)

    @property
    def retries(self) -> int:
        """How often a file was read once more, because of an error that went away."""
        return sum(self._retries.values())

    def compare(self, seals: Iterable[Seal]) -> None:
        """Compare the rows that a pass has read with those that were read before.

        Parameters
        ----------
        seals : iterable of Seal
            Of the partitions that it read.

        Raises
        ------
        ChangedDataError
            If those of a partition are others.
        """
        for seal in seals:
            before = self._seals.setdefault(seal.number, seal)
            if seal != before:
                changed = f"has {seal.rows:,} rows, and had {before.rows:,}"
                if seal.rows == before.rows:
                    changed = f"has as many rows as before, {seal.rows:,}, but other values in them"
                raise ChangedDataError(
                    f"the data changed during the fit: partition {seal.number} {changed}. Was its file overwritten, or "
                    f"does its source give other rows each time (random numbers without a seed)? Mend that, or fit "
                    f"with persist=True, which reads rows once, and make the model anew"
                )

    def count_retries(self, retries: Iterable[tuple[int, int]], *, kept: bool) -> None:
        """Count what had to be read once more.

        Parameters
        ----------
        retries : iterable of (int, int)
            Number of a partition, and how often.
        kept : bool
            Whether it was read before the first pass only.
        """
        self._retries |= {(0 if kept else self.count + 1, number): times for number, times in retries}

    def beside(self) -> PassLog:
        """Return a log of the same passes for rows that are encoded in another way, and compared among themselves.

        Returns
        -------
        PassLog
            What is entered in one is in both.
        """
        return PassLog(self.seconds)

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
