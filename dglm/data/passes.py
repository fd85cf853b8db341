"""PassLog: how often the rows were read, the cost that users feel; every sum over blocks is entered here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from dglm.data.journal import Journal, Kept
from dglm.data.seals import Seal
from dglm.errors import ChangedDataError

S = TypeVar("S")
#: Told how many partitions of a pass are done.
Advance = Callable[[int], None]
#: What shows a pass, by its number and the number of its partitions, while it is made.
Bar = Callable[[int, int], AbstractContextManager[Advance]]

_bar: ContextVar[Bar | None] = ContextVar("dglm-bar", default=None)


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
    _seals: dict[int, Seal] = field(default_factory=dict, init=False)
    _retries: dict[tuple[int, int], int] = field(default_factory=dict, init=False)
    _look: Callable[[], object] | None = field(default=None, init=False)

    @classmethod
    def after(cls, seals: Iterable[Seal]) -> PassLog:
        """Return the log of passes over rows that were read before, by others.

        Parameters
        ----------
        seals : iterable of Seal
            Of the partitions, as they were then.

        Returns
        -------
        PassLog
            Of no passes.
        """
        log = cls()
        log.compare(seals)
        return log

    @property
    def seals(self) -> tuple[Seal, ...]:
        """Of the partitions, as they were read first."""
        return tuple(self._seals.values())

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
                    f"the data changed since the fit first read it: partition {seal.number} {changed}. Was its file "
                    f"overwritten, or does its source give other rows each time (random numbers without a seed)? Mend "
                    f"that, or fit with persist=True, which reads rows once, and make the model anew"
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
        """Return a log of the same passes for rows that are cut or encoded otherwise, and compared among themselves.

        Returns
        -------
        PassLog
            What is entered in one is in both.
        """
        log = PassLog(self.seconds, self.journal)
        log._retries = self._retries
        return log

    @property
    def count(self) -> int:
        """Number of passes made."""
        return len(self.seconds)

    def made(self, request: object, run: Callable[[], S], look: Callable[[], object]) -> S:
        """Make one pass, or recall it: one that is recalled is entered here, but reads no rows.

        Parameters
        ----------
        request : object
            What is to be summed: the kernel and its arguments, which decide the sum.
        run : callable
            Makes the pass.
        look : callable
            Reads the same rows and sums nothing.

        Returns
        -------
        S
            The sum.
        """
        recalled = None if self.journal is None else self.journal.recall(request)
        if recalled is not None:
            self.seconds.append(recalled.seconds)
            self.compare(recalled.seals)
            self._look = look
            found: S = recalled.total
            return found
        known, self._look = len(self._seals), None
        with self.timed():
            found = run()
        if self.journal is None:
            return found
        return self.journal.keep(request, Kept(found, self.seconds[-1], self.seals[known:])).total

    def leave_journal(self) -> None:
        """Neither recall nor keep any further pass: those that end a fit that was halted are on no other fit's way."""
        self.journal = None

    def verify(self) -> None:
        """Read the rows, and compare them with those that were summed, where all passes were recalled.

        Raises
        ------
        ChangedDataError
            If those of a partition are others.
        """
        if self._look is not None and self._seals:
            with self.timed():
                self._look()

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

    def shown(self, n_blocks: int) -> AbstractContextManager[Advance | None]:
        """Show the pass that is made inside, where somebody wants to see it.

        Parameters
        ----------
        n_blocks : int
            Partitions that it works on.

        Returns
        -------
        context manager
            Gives what is to be told how many of them are done; None where nobody is.
        """
        bar = _bar.get()
        return nullcontext() if bar is None else bar(self.count + 1, n_blocks)

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
def show_passes(bar: Bar | None) -> Iterator[None]:
    """Have the passes that are made inside shown.

    Parameters
    ----------
    bar : callable or None
        Shows one; nothing is shown when None.

    Yields
    ------
    None
        In this thread.
    """
    token = _bar.set(bar)
    try:
        yield
    finally:
        _bar.reset(token)


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
