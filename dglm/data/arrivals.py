"""Arrivals: values of kernels on single partitions of a distributed cluster, taken as they arrive.

Stateless tasks as everywhere: what a lost worker had is computed again elsewhere, what a slow worker keeps others
waiting for is computed by an idle one, too, and the first value counts. Source: Dean & Ghemawat (2004), "MapReduce",
section 3.6, backup tasks.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from statistics import median
from types import TracebackType
from typing import Any, Self

import dask
from dask.delayed import Delayed
from distributed import Client, Future, worker_client

from dglm.data.blas import one_blas_thread
from dglm.data.cluster import guarded
from dglm.data.passes import PassLog
from dglm.data.threads import in_a_task

#: What makes a partition, and what the scheduler brings for it.
Part = tuple[Callable[..., Any], tuple[Delayed, ...]]

# How often a task may be cancelled by others and is submitted again.
LOSSES = 3
# A task that has taken so many times as long as others did is run by an idle worker, too; seconds between looks.
OVERDUE, LOOK = 2.0, 0.02


@dataclass
class _Asked:
    """A kernel on its way to a partition, and the tasks that run it."""

    kernel: Callable[..., Any]
    arguments: tuple[object, ...]
    since: float = field(default_factory=time.perf_counter)
    latest: float = 0.0
    tasks: list[Future[Any]] = field(default_factory=list)
    losses: int = 0


class Arrivals:
    """Tasks on their way; a context manager that lets go of all of them when it is left.

    As many values as there are partitions are entered in the log as one pass, once it is left.

    Parameters
    ----------
    parts : sequence of tuple of callable and tuple of Delayed
        What makes each partition, in order, of what the scheduler brings it. It is run within the tasks themselves: in
        a task of its own it would be shared with the one that is backed up, and wait for the worker that is slow.
    client : distributed.Client
        Of the cluster.
    passes : PassLog
        Where passes are entered.
    """

    def __init__(self, parts: Sequence[Part], client: Client, passes: PassLog) -> None:
        self._parts = parts
        self._client = client
        self._passes = passes
        self._asked: dict[int, _Asked] = {}
        self._number: dict[str, int] = {}
        # tasks that others were faster than: they run on, because a worker that is busy with one must not seem idle
        self._overtaken: dict[str, Future[Any]] = {}
        self._done: SimpleQueue[Future[Any]] = SimpleQueue()
        self._values: dict[int, Any] = {}
        self._seconds: list[float] = []
        self._begin = time.perf_counter()
        self._thread = ExitStack()

    def submit(self, number: int, kernel: Callable[..., Any], *arguments: object) -> None:
        """Have a kernel run on a partition, with one BLAS thread.

        Parameters
        ----------
        number : int
            Which partition; none of its tasks may be on its way.
        kernel : callable
            Pure and picklable; called with the partition and `arguments`.
        *arguments : object
            Small picklable arguments that travel with the task.
        """
        self._asked[number] = _Asked(kernel, arguments)
        self._start(number)

    def wait(self, at_least: int, required: Collection[int]) -> list[tuple[int, Any]]:
        """Wait for values, and return all that have arrived.

        Parameters
        ----------
        at_least : int
            How many to wait for; fewer only where no more are on their way.
        required : collection of int
            Partitions to wait for in any case.

        Returns
        -------
        list of tuple
            Number of the partition and value, by number.
        """
        with guarded(self._client, "a fit that takes values as they arrive", self._waited_for):
            while self._asked and (len(self._values) < at_least or not self._asked.keys().isdisjoint(required)):
                try:
                    self._take(self._done.get(timeout=LOOK))
                except Empty:
                    self._back_up()
        # whatever came meanwhile
        while not self._done.empty():
            self._take(self._done.get())
        values, self._values = self._values, {}
        return sorted(values.items())

    def _start(self, number: int, **where: Any) -> None:
        """Start a task for what a partition was asked."""
        asked, name = self._asked[number], f"dglm-arrival-{uuid.uuid4().hex}-{number}"
        make, given = self._parts[number]
        run = partial(_alone, make, asked.kernel, asked.arguments)
        task = dask.delayed(run, pure=False, traverse=False)(*given, dask_key_name=name)
        future: Future[Any] = self._client.compute(task, **where)
        asked.tasks.append(future)
        asked.latest = time.perf_counter()
        self._number[name] = number
        future.add_done_callback(self._done.put)

    def _take(self, future: Future[Any]) -> None:
        """Keep the value of a task that is done; have one that was lost run again."""
        key = str(future.key)
        if self._overtaken.pop(key, None) is not None:
            return
        number = self._number.pop(key)
        asked = self._asked[number]
        asked.tasks.remove(future)
        if future.status == "finished":
            self._values[number] = future.result()
            self._seconds.append(time.perf_counter() - asked.since)
            self._overtaken |= {str(other.key): other for other in asked.tasks}
            for other in asked.tasks:
                del self._number[str(other.key)]
            del self._asked[number]
            return
        if future.status == "error":
            error = future.exception()
            self._client.cancel([future])
            raise error
        asked.losses += 1
        if asked.losses > LOSSES or self._client.status != "running":
            raise CancelledError(f"partition {number}, {asked.losses} times")
        if not asked.tasks:
            self._start(number)

    def _waited_for(self) -> list[Future[Any]]:
        return [future for asked in self._asked.values() for future in asked.tasks]

    def _back_up(self) -> None:
        """Have idle workers run what is overdue, too."""
        now, usual = time.perf_counter(), median(self._seconds) if self._seconds else float("inf")
        overdue = [number for number, asked in self._asked.items() if now - asked.latest > OVERDUE * usual]
        if overdue:
            try:
                processing = self._client.processing()
            except OSError:  # a scheduler that is lost has its tasks cancelled, too
                return
            idle = [worker for worker, tasks in processing.items() if not tasks]
            for number, worker in zip(overdue, idle, strict=False):
                # (others may, should that one be lost)
                self._start(number, workers=[worker], allow_other_workers=True)

    def __enter__(self) -> Self:
        if in_a_task():  # which gives its thread to those that it waits for
            self._thread.enter_context(worker_client())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del kind, error, traceback
        waiting = self._waited_for()
        if waiting or self._overtaken:
            self._client.cancel([*waiting, *self._overtaken.values()])
        self._asked.clear()
        self._overtaken.clear()
        self._thread.close()
        seconds = time.perf_counter() - self._begin
        passes = -(-len(self._seconds) // len(self._parts))
        for _ in range(passes):
            self._passes.enter(seconds / passes)


def _alone(make: Callable[..., Any], kernel: Callable[..., Any], arguments: tuple[object, ...], *given: Any) -> Any:
    part = make(*given)
    with one_blas_thread():
        return kernel(part, *arguments)
