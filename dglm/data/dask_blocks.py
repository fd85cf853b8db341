"""DaskBlocks: partitions that are lazy tasks; one pass is a task per partition and a fixed tree of additions.

Stateless tasks only (no actors, no pinning): a lost worker costs a recompute and nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self, TypeVar

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed
from distributed import get_client

from dglm.data.arrivals import Arrivals
from dglm.data.blocked import Addable, Arriving, BlockedData, T, add_in_order, tree_sum
from dglm.data.memory import free_memory
from dglm.data.passes import PassLog

U = TypeVar("U")
S = TypeVar("S", bound=Addable)


class DaskBlocks(BlockedData[T]):
    """Partitions as dask Delayed objects.

    Parameters
    ----------
    parts : sequence of Delayed
        The partitions, in order.
    passes : PassLog, optional
        A new one when not given.
    """

    def __init__(self, parts: Sequence[Delayed], passes: PassLog | None = None) -> None:
        self.parts = list(parts)
        self.passes = PassLog() if passes is None else passes

    @property
    def n_blocks(self) -> int:
        """Number of partitions."""
        return len(self.parts)

    def map(self, function: Callable[[T, int], U]) -> DaskBlocks[U]:
        task = dask.delayed(function, pure=False, traverse=False)
        name = f"dglm-encode-{uuid.uuid4().hex}"
        return DaskBlocks([task(p, i, dask_key_name=f"{name}-{i}") for i, p in enumerate(self.parts)], self.passes)

    def of_first(self, function: Callable[[T], U]) -> U:
        value: U = dask.delayed(function, pure=False, traverse=False)(self.parts[0]).compute()
        return value

    def concatenated(self, *widths: int) -> Any:
        chunks = [da.from_delayed(p, shape=(np.nan, *widths), dtype=np.float64) for p in self.parts]
        return da.concatenate(chunks)

    def logged_in(self, passes: PassLog) -> Self:
        return type(self)(self.parts, passes)

    def persist(self) -> Self:
        return type(self)(dask.persist(*self.parts), self.passes)

    def free_bytes(self) -> int:
        try:
            client = get_client()
        except ValueError:  # no cluster: the tasks run in this process
            return free_memory()
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        # a worker without a limit has none to report
        return sum(max(int(w["memory_limit"] or free_memory()) - int(w["metrics"]["memory"]), 0) for w in workers)

    def arrivals(self) -> AbstractContextManager[Arriving] | None:
        try:
            client = get_client()
        except ValueError:  # no cluster: whoever computes here has everybody wait
            return None
        return Arrivals(self.parts, client, self.passes)

    def _sum(self, kernel: Callable[..., S], *columns: Sequence[object]) -> S:
        # the kernel and its arguments travel inside each task: 8p bytes, never a scatter
        task = dask.delayed(kernel, pure=False, traverse=False)
        name = f"dglm-pass-{self.passes.count + 1}-{uuid.uuid4().hex}"
        tasks: list[Any] = [
            task(part, *values, dask_key_name=f"{name}-{i}")
            for i, (part, *values) in enumerate(zip(self.parts, *columns, strict=True))
        ]
        (total,) = dask.compute(tree_sum(tasks, dask.delayed(add_in_order, pure=False)))
        result: S = total
        return result
