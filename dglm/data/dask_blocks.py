"""DaskBlocks: partitions that are lazy; one pass is a task for each of them, or for a few neighbours, and a fixed tree.

Stateless tasks only (no actors, no pinning): a lost worker costs a recompute and nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice
from typing import Any, Self, TypeVar

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed
from dask.typing import Key
from distributed import Client, Future, futures_of

from dglm.data.arrivals import Arrivals
from dglm.data.blocked import FAN_IN, Addable, Arriving, BlockedData, Held, T, add_in_order, tree_sum
from dglm.data.cluster import current_client, guarded, workers_of
from dglm.data.following import following
from dglm.data.memory import free_memory, usable_cores
from dglm.data.passes import Advance, PassLog
from dglm.data.sources import Brought, sources_of, tried_again
from dglm.data.work import Answer, Group, Job, KeptGroup, ReadGroup

U = TypeVar("U")
S = TypeVar("S", bound=Addable)

Steps = tuple[Callable[[Any, int], Any], ...]

# Tasks of a pass above which partitions share them, as long as each thread has as many as the second number.
MANY_TASKS, TASKS_A_THREAD = 256, 8


@dataclass(frozen=True)
class Bundle:
    """Partitions that one task works on, and what the scheduler brings it.

    Parameters
    ----------
    group : Group
        The partitions.
    given : tuple of Delayed
        Values for them.
    """

    group: Group
    given: tuple[Delayed, ...] = ()


class DaskBlocks(BlockedData[T]):
    """Partitions of dask collections.

    Parameters
    ----------
    bundles : sequence of Bundle
        The partitions, in order.
    steps : tuple of callables
        From what the bundles bring to the partitions.
    passes : PassLog, optional
        A new one when not given.
    """

    def __init__(
        self,
        bundles: Sequence[Bundle],
        steps: tuple[Callable[[Any, int], Any], ...] = (),
        passes: PassLog | None = None,
    ) -> None:
        self.bundles = list(bundles)
        self.steps = steps
        self.passes = PassLog() if passes is None else passes

    @classmethod
    def of(cls, parts: Sequence[Delayed | Sequence[Delayed]]) -> Self:
        """Return the partitions that are lazy values.

        Parameters
        ----------
        parts : sequence of Delayed, or of sequences of them
            The partitions, in order; where there are several values to one it is a list of them.

        Returns
        -------
        DaskBlocks
            Computing nothing.
        """
        values = [[part] if isinstance(part, Delayed) else list(part) for part in parts]
        sources = sources_of(values)
        sizes = [source.size if isinstance(source, Brought) else 0 for source in sources]
        brought = chain.from_iterable(own[:size] for own, size in zip(values, sizes, strict=True))
        given = iter(tried_again(list(brought)))
        return cls(
            [
                Bundle(ReadGroup(number, (source,)), tuple(islice(given, size)))
                for number, (source, size) in enumerate(zip(sources, sizes, strict=True))
            ]
        )

    @property
    def held(self) -> Held:
        """Kept where they were persisted, read where not."""
        return "kept" if any(isinstance(bundle.group, KeptGroup) for bundle in self.bundles) else "read"

    @property
    def n_blocks(self) -> int:
        """Number of partitions."""
        return sum(len(bundle.group) for bundle in self.bundles)

    @property
    def lost(self) -> bool:
        """Whether the cluster that kept some is gone, or could not make them."""
        kept = futures_of([bundle.given for bundle in self.bundles if isinstance(bundle.group, KeptGroup)])
        return any(future.status in {"cancelled", "error"} for future in kept)

    @property
    def parts(self) -> list[Delayed]:
        """Each partition as a lazy value."""
        name, job = _name("dglm-encode"), self._job(_itself)
        return [
            dask.delayed(partial(_nth, bundle.group.values, i), pure=False, traverse=False)(
                job, *bundle.given, dask_key_name=(name, bundle.group.first + i)
            )
            for bundle in self.bundles
            for i in range(len(bundle.group))
        ]

    def map(self, function: Callable[[T, int], U]) -> DaskBlocks[U]:
        return DaskBlocks(self.bundles, (*self.steps, function), self.passes)

    def of_some(self, function: Callable[[T], U], numbers: Sequence[int]) -> list[U]:
        task, parts = dask.delayed(function, pure=False, traverse=False), self.parts
        found = dask.delayed(list, pure=False)([task(parts[i]) for i in numbers])
        with guarded("a look at some partitions", partial(_future, found.key)):
            return list(dask.compute(found)[0])

    def concatenated(self, *widths: int) -> Any:
        chunks = [da.from_delayed(p, shape=(np.nan, *widths), dtype=np.float64) for p in self.parts]
        return da.concatenate(chunks)

    def logged_in(self, passes: PassLog) -> Self:
        return type(self)(self.bundles, self.steps, passes)

    def persist(self) -> Self:
        name, job, bundles = _name("dglm-keep"), self._job(_itself), self._grouped()
        tasks = [
            dask.delayed(bundle.group.made, pure=False, traverse=False)(
                job, *bundle.given, dask_key_name=(name, bundle.group.first)
            )
            for bundle in bundles
        ]
        kept = dask.persist(*tasks)
        return type(self)(
            [
                Bundle(KeptGroup(bundle.group.first, len(bundle.group)), (value,))
                for bundle, value in zip(bundles, kept, strict=True)
            ],
            (),
            self.passes,
        )

    def free_bytes(self) -> int:
        client = current_client()
        if client is None:  # the tasks run in this process
            return free_memory()
        # a worker without a limit has none to report, nor has a cluster whose workers are still to come
        limits = [(w["memory_limit"] or free_memory(), w["metrics"]["memory"]) for w in workers_of(client)]
        return sum(max(int(limit) - int(used), 0) for limit, used in limits) if limits else free_memory()

    def arrivals(self) -> AbstractContextManager[Arriving] | None:
        client = current_client()
        # without a cluster whoever computes here has everybody wait
        return None if client is None else Arrivals(self.parts, client, self.passes)

    def _sum(self, kernel: Callable[..., S], *columns: Sequence[object]) -> S:
        # the kernel, its arguments and the steps are a node of the graph: each worker gets it once, nothing is
        # scattered, and what a lost worker had of it is in the graph still
        name, job, bundles = _name(f"dglm-pass-{self.passes.count + 1}"), self._job(kernel), self._grouped()
        tasks: list[Any] = []
        for bundle in bundles:
            first, last = bundle.group.first, bundle.group.first + len(bundle.group)
            summed = partial(bundle.group.summed, [column[first:last] for column in columns])
            task = dask.delayed(summed, pure=False, traverse=False)
            tasks.append(task(job, *bundle.given, dask_key_name=(name, first)))
        add, adding = dask.delayed(_add, pure=False, traverse=False), _name("dglm-add")
        numbers = count()
        total = tree_sum(tasks, lambda some: add(*some, dask_key_name=(adding, next(numbers))))
        sizes = {bundle.group.first: len(bundle.group) for bundle in bundles}
        with (
            guarded(f"pass {self.passes.count + 1}", partial(_future, total.key), sizes),
            self.passes.shown(self.n_blocks) as advance,
            _followed(name, sizes, advance),
        ):
            (answer,) = dask.compute(total)
        found: Answer[S] = answer
        self.passes.compare(found.seals)
        self.passes.count_retries(found.retries, kept=self.held == "kept")
        return found.total

    def _job(self, kernel: Callable[..., Any]) -> Delayed:
        job: Delayed = dask.delayed(Job(self.steps, kernel), name=_name("dglm-job"), traverse=False)
        return job

    def _grouped(self) -> list[Bundle]:
        """Return the bundles that a pass has a task for, fewer where there are very many of one partition each.

        A task's partitions are a whole branch of the tree in which all are added, so that the sum has the same bits.
        """
        size, n = 1, len(self.bundles)
        groups = [bundle.group for bundle in self.bundles if isinstance(bundle.group, ReadGroup)]
        if len(groups) < n or n <= MANY_TASKS:
            return self.bundles
        fewest = TASKS_A_THREAD * _threads()
        while n > MANY_TASKS * size and n >= FAN_IN * size * fewest:
            size *= FAN_IN
        return [
            Bundle(
                ReadGroup(first, tuple(chain.from_iterable(group.sources for group in groups[first : first + size]))),
                tuple(chain.from_iterable(bundle.given for bundle in self.bundles[first : first + size])),
            )
            for first in range(0, n, size)
        ]


def _followed(name: str, sizes: Mapping[int, int], advance: Advance | None) -> AbstractContextManager[None]:
    """Tell how many partitions are done, where somebody wants to know."""
    return nullcontext() if advance is None else following(name, sizes, current_client(), advance)


def _threads() -> int:
    """Return how many tasks can run at a time."""
    client = current_client()
    return usable_cores() if client is None else max(sum(worker["nthreads"] for worker in workers_of(client)), 1)


def _future(key: Key, client: Client) -> list[Future[Any]]:
    """Return a second hold on what is computed."""
    return [Future(key, client)]


def _name(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex}"


def _nth(values: Callable[..., Iterator[tuple[Any, int]]], i: int, job: Job, *given: Any) -> Any:
    """Return one of the partitions of a group."""
    return next(islice(values(job, given), i, None))[0]


def _itself(value: T) -> T:
    return value


def _add(*parts: S) -> S:
    return add_in_order(parts)
