"""Arrivals: values of kernels on single partitions of a distributed cluster, in the order in which they arrive.

Stateless tasks as everywhere: what a lost worker had is computed again elsewhere, and nothing stays behind.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Any, Self

import dask
from dask.delayed import Delayed
from distributed import Client, Future, KilledWorker, as_completed

from dglm.data.blas import one_blas_thread
from dglm.data.passes import PassLog

# How often a partition's task may be lost together with its worker, before that is the task's own fault.
LOSSES = 3


class Arrivals:
    """Tasks on their way; a context manager that lets go of all of them when it is left.

    As many tasks as there are partitions are entered in the log as one pass, once it is left.

    Parameters
    ----------
    parts : sequence of Delayed
        The partitions, in order.
    client : distributed.Client
        Of the cluster.
    passes : PassLog
        Where passes are entered.
    """

    def __init__(self, parts: Sequence[Delayed], client: Client, passes: PassLog) -> None:
        self._parts = parts
        self._client = client
        self._passes = passes
        self._task = dask.delayed(_alone, pure=False, traverse=False)
        self._asked: dict[int, tuple[Callable[..., Any], tuple[object, ...]]] = {}
        self._number: dict[Future[Any], int] = {}
        self._losses: Counter[int] = Counter()
        self._values: dict[int, Any] = {}
        self._arrived = 0
        self._begin = time.perf_counter()
        self._completed: Any = as_completed([], loop=client.loop)

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
        name = f"dglm-arrival-{uuid.uuid4().hex}-{number}"
        task = self._task(self._parts[number], kernel, arguments, dask_key_name=name)
        self._asked[number] = kernel, arguments
        future: Future[Any] = self._client.compute(task)
        self._number[future] = number
        self._completed.add(future)

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
        missing = set(required) & set(self._number.values())
        while self._number and (len(self._values) < at_least or not missing <= self._values.keys()):
            self._take(self._completed.next_batch(block=True))
        # whatever came meanwhile
        self._take(self._completed.next_batch(block=False))
        values, self._values = self._values, {}
        return sorted(values.items())

    def _take(self, futures: Sequence[Future[Any]]) -> None:
        """Keep the values of tasks that are done; have those that were lost run again."""
        done = [future for future in futures if future.status == "finished"]
        # (a value that was lost with its worker since is computed again)
        for future, value in zip(done, self._client.gather(done), strict=True):
            self._values[self._number.pop(future)] = value
            self._arrived += 1
        for future in futures:
            if future.status != "finished":
                self._again(future)

    def _again(self, future: Future[Any]) -> None:
        """Submit a task that was lost once more; raise what the kernel itself raised."""
        number = self._number.pop(future)
        self._losses[number] += 1
        lost = future.status != "error" or isinstance(future.exception(), KilledWorker)
        if not lost or self._losses[number] > LOSSES:
            future.result()
        kernel, arguments = self._asked[number]
        self.submit(number, kernel, *arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del kind, error, traceback
        waiting = list(self._number)
        self._number.clear()
        self._completed.clear()
        if waiting:
            self._client.cancel(waiting)
        seconds = time.perf_counter() - self._begin
        passes = -(-self._arrived // len(self._parts))
        for _ in range(passes):
            self._passes.enter(seconds / passes)


def _alone(part: Any, kernel: Callable[..., Any], arguments: tuple[object, ...]) -> Any:
    with one_blas_thread():
        return kernel(part, *arguments)
