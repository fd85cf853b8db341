"""Watching: what users ask to be told of a fit and where it is to stop, checked; and what the log says of it.

The logger is ``dglm.fit``: a line at INFO when the rows are surveyed and one at the end, at DEBUG one per iteration.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np

from dglm.data import Block, BlockedData, show_passes
from dglm.model.progress import bar, line
from dglm.objective import Objective
from dglm.solvers import IterationRecord, Watch

Callback = Callable[[IterationRecord], object]

logger = logging.getLogger("dglm.fit")


@dataclass(frozen=True, kw_only=True)
class Watching:
    """Who watches a fit that begins now.

    Parameters
    ----------
    callback : callable, optional
        Of the record of each iteration.
    max_passes : int, optional
        Passes after which no iteration is begun.
    max_seconds : float, optional
        The same in seconds.
    progress : bool
        Whether to show a bar for each pass, and a line for each iteration.
    began : float
        When the fit began, by `time.perf_counter`.
    """

    callback: Callback | None = None
    max_passes: int | None = None
    max_seconds: float | None = None
    progress: bool = False
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.callback is not None and not callable(self.callback):
            raise TypeError(f"callback must be callable with a dglm.solvers.IterationRecord; got {self.callback!r}")
        n = self.max_passes
        if n is not None and (isinstance(n, bool) or not isinstance(n, Integral) or n < 1):
            raise ValueError(f"max_passes must be a whole number, at least 1, or None; got {n!r}")
        s = self.max_seconds
        if s is not None and (isinstance(s, bool) or not isinstance(s, Real) or not s > 0 or not np.isfinite(s)):
            raise ValueError(f"max_seconds must be a finite number above 0, or None; got {s!r}")
        if not isinstance(self.progress, bool):
            raise TypeError(f"progress must be True or False; got {self.progress!r}")

    def bars(self) -> AbstractContextManager[None]:
        """Return what has the passes made inside shown, where they are to be.

        Returns
        -------
        context manager
            For the thread of the fit.
        """
        return show_passes(bar) if self.progress else nullcontext()

    def watch(self, data: BlockedData[Block], passes_before: int) -> Watch:
        """Return what watches the solver.

        Parameters
        ----------
        data : BlockedData
            Whose passes are counted.
        passes_before : int
            Made before the fit began.

        Returns
        -------
        Watch
            That tells the log, too, where it is to hear of iterations.
        """
        tell: Callback | None = self.callback
        if logger.isEnabledFor(logging.DEBUG):
            tell = partial(_after, _logged, tell)
        if self.progress:
            tell = partial(_after, line, tell)
        return Watch(
            tell=tell,
            passes=data.passes,
            passes_before=passes_before,
            began=self.began,
            max_passes=self.max_passes,
            max_seconds=self.max_seconds,
        )


def log_start(solver: str, objective: Objective[Any]) -> None:
    """Log what is fitted to what.

    Parameters
    ----------
    solver : str
        Name or settings.
    objective : Objective
        Rows that were surveyed, under a penalty.
    """
    if logger.isEnabledFor(logging.INFO):
        rows, p = objective.survey.n_rows, len(objective.basis.centre)
        logger.info(
            "fit begins: %s, penalty %s, %s rows x %s columns, %s",
            solver,
            objective.penalty,
            f"{rows:,}",
            f"{p:,}",
            _where(objective.data),
        )


def log_end(outcome: str, n_passes: int, began: float) -> None:
    """Log how a fit ended.

    Parameters
    ----------
    outcome : str
        Its status, and what led there.
    n_passes : int
        That it took.
    began : float
        When, by `time.perf_counter`.
    """
    logger.info("fit ends: %s, %d passes, %.3g s", outcome, n_passes, time.perf_counter() - began)


def _after(first: Callable[[IterationRecord], None], tell: Callback | None, record: IterationRecord) -> object:
    """Have an iteration written down, and tell whoever else is to be told."""
    first(record)
    return None if tell is None else tell(record)


def _logged(record: IterationRecord) -> None:
    logger.debug("%s", record)


def _where(data: BlockedData[Block]) -> str:
    """Return where the rows are."""
    if data.held == "in memory":
        return "in memory"
    return f"on dask in {data.n_blocks:,} partitions, " + ("kept" if data.held == "kept" else "read in each pass")
