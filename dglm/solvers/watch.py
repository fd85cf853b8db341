"""Watch: who is told of a fit's iterations, and what they cannot exceed. Trace: the iterations that it watches.

Every solver enters its iterates in a trace, which is all that it has to know of callbacks and limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar, overload

import numpy as np

from dglm._typing import Vector
from dglm.data import PassLog
from dglm.solvers.iteration import Iteration, IterationRecord, Status
from dglm.solvers.line_search import ROUNDING

T = TypeVar("T")

Tell = Callable[[IterationRecord], object]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What watches a fit; nothing unless told to.

    Parameters
    ----------
    tell : callable, optional
        Of the record of each iteration as it is reached; returns True to stop the fit there.
    passes : PassLog
        Where the fit's passes are entered.
    passes_before : int
        Those that were there when it began.
    began : float
        When that was, by `time.perf_counter`.
    max_passes : int, optional
        After which no iteration is begun.
    max_seconds : float, optional
        The same.

    Examples
    --------
    >>> trace = Watch(max_passes=1).trace(lambda theta: theta)
    >>> trace.append(Iteration(objective=2.0, certificate=0.1, step=1.0), "here")
    >>> trace.halted is None, trace.best[1]
    (True, 'here')
    """

    tell: Tell | None = None
    passes: PassLog = field(default_factory=PassLog)
    passes_before: int = 0
    began: float = field(default_factory=time.perf_counter)
    max_passes: int | None = None
    max_seconds: float | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody is told and there is no limit."""
        return self.tell is None and self.max_passes is None and self.max_seconds is None

    @property
    def n_passes(self) -> int:
        """Passes since the fit began."""
        return self.passes.count - self.passes_before

    @property
    def seconds(self) -> float:
        """Seconds since the fit began."""
        return time.perf_counter() - self.began

    def limit(self, meanwhile: int = 0) -> Status | None:
        """Return which limit was reached.

        Parameters
        ----------
        meanwhile : int
            Passes that are not entered in the log yet.

        Returns
        -------
        Status or None
            None while there is none.
        """
        reached = None
        if self.max_passes is not None and self.n_passes + meanwhile >= self.max_passes:
            reached = Status.MAX_PASSES
        elif self.max_seconds is not None and self.seconds >= self.max_seconds:
            reached = Status.MAX_SECONDS
        if reached is not None:
            self.passes.leave_journal()
        return reached

    def through(self, convert: Callable[[IterationRecord], IterationRecord | None]) -> Watch:
        """Return what watches a solver that works for another one.

        Parameters
        ----------
        convert : callable
            From the records of the one that works to those of the other; None for what is none of its iterations.

        Returns
        -------
        Watch
            With the same limits.
        """
        tell = self.tell
        if tell is None:
            return self

        def converted(record: IterationRecord) -> object:
            translated = convert(record)
            return None if translated is None else tell(translated)

        return replace(self, tell=converted)

    def after(self, iterations: int) -> Watch:
        """Return what watches a solver that goes on where another one ended.

        Parameters
        ----------
        iterations : int
            Of the other one.

        Returns
        -------
        Watch
            Whose records are numbered from there.
        """
        return self.through(lambda record: replace(record, number=record.number + iterations))

    def trace(self, params: Callable[[T], Vector]) -> Trace[T]:
        """Return the history of a fit that begins.

        Parameters
        ----------
        params : callable
            From what the solver enters beside an iteration to the coefficients there, nan where aliased.

        Returns
        -------
        Trace
            Of no iterations.
        """
        return Trace(self, params)


#: Nobody watches.
UNWATCHED = Watch()


class Trace(Sequence[Iteration], Generic[T]):
    """The iterations of a fit under way, with the best iterate among them.

    Parameters
    ----------
    watch : Watch
        Told of each.
    params : callable
        From an iterate to its coefficients.
    """

    def __init__(self, watch: Watch, params: Callable[[T], Vector]) -> None:
        self.watch = watch
        self._params = params
        self._iterations: list[Iteration] = []
        self._best: tuple[Iteration, T] | None = None
        self._lowest = np.inf
        self._stopped = False

    def __len__(self) -> int:
        return len(self._iterations)

    @overload
    def __getitem__(self, at: int) -> Iteration: ...
    @overload
    def __getitem__(self, at: slice) -> list[Iteration]: ...
    def __getitem__(self, at: int | slice) -> Iteration | list[Iteration]:
        return self._iterations[at]

    def append(self, iteration: Iteration, at: T) -> None:
        """Enter an iteration that was reached, and tell of it.

        Parameters
        ----------
        iteration : Iteration
            What is known there.
        at : T
            The iterate.
        """
        self.enter(iteration, at)
        if self.watch.tell is not None:
            self._tell(
                IterationRecord(
                    number=len(self) - 1,
                    objective=iteration.objective,
                    certificate=iteration.certificate,
                    step=iteration.step,
                    seconds=self.watch.seconds,
                    n_passes=self.watch.n_passes,
                    params=self._params(at),
                )
            )

    def enter(self, iteration: Iteration, at: T) -> None:
        """Enter an iteration that `within` has told of.

        Parameters
        ----------
        iteration : Iteration
            What is known there.
        at : T
            The iterate.
        """
        self._iterations.append(iteration)
        # (nan is no lower than anything)
        if not self.watch.idle and (
            self._best is None or iteration.objective <= self._lowest + ROUNDING * abs(self._lowest)
        ):
            self._best = (iteration, at)
            self._lowest = min(self._lowest, iteration.objective)

    def amend(self, iteration: Iteration) -> None:
        """Replace the last iteration by what is known better of the same iterate.

        Parameters
        ----------
        iteration : Iteration
            Nobody is told of it once more.
        """
        self._iterations[-1] = iteration

    def within(self, convert: Callable[[IterationRecord], IterationRecord | None]) -> Watch:
        """Return what watches another solver that works on the next iteration.

        Parameters
        ----------
        convert : callable
            From its records to those of this trace; None for those that are none.

        Returns
        -------
        Watch
            With the same limits.
        """
        return self.watch if self.watch.tell is None else replace(self.watch, tell=self._tell).through(convert)

    def _tell(self, record: IterationRecord) -> bool:
        """Tell of an iteration, and return whether the fit is to be stopped there."""
        answer = None if self.watch.tell is None else self.watch.tell(record)
        # what else a callback returns (how much it wrote, say) asks for nothing
        self._stopped = isinstance(answer, bool | np.bool_) and bool(answer)
        return self._stopped

    @property
    def halted(self) -> Status | None:
        """Why no further iteration is to be begun; None while there is no reason."""
        if not self._stopped:
            return self.watch.limit()
        self.watch.passes.leave_journal()
        return Status.STOPPED

    @property
    def best(self) -> tuple[Iteration, T]:
        """The iteration of the lowest objective, up to rounding, and its iterate; only where somebody watches."""
        if self._best is None:
            raise LookupError("there is no best iterate: nobody watches, or there was no iteration")
        return self._best
