"""DaskBlocks: partitions that are lazy; one pass is a task for each of them, or for a few neighbours, and a fixed tree.

Stateless tasks only (no actors, no pinning): a lost worker costs a recompute and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import count, islice
from typing import Any, Self, TypeVar

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed
from distributed import Client, Future, futures_of

from dglm.data.arrivals import Arrivals
from dglm.data.blocked import Addable, Arriving, BlockedData, Held, T, add_in_order, tree_sum
from dglm.data.bundles import Bundle, Bundles
from dglm.data.clients import compute, computing_client, computing_threads, free_bytes, persist
from dglm.data.cluster import guarded
from dglm.data.following import following
from dglm.data.graphs import Layer, unique_name
from dglm.data.passes import Advance, PassLog
from dglm.data.work import Answer, Job, KeptGroup

U = TypeVar("U")
S = TypeVar("S", bound=Addable)


class DaskBlocks(BlockedData[T]):
    """Partitions of dask collections.

    Parameters
    ----------
    bundles : Bundles
        The partitions, in order.
    steps : tuple of callables
        From what the bundles bring to the partitions.
    passes : PassLog, optional
        A new one when not given.
    keeper : str, optional
        Client of the cluster where they are kept, by its name.
    """

    def __init__(
        self,
        bundles: Bundles,
        steps: tuple[Callable[[Any, int], Any], ...] = (),
        passes: PassLog | None = None,
        keeper: str | None = None,
    ) -> None:
        self.bundles = bundles
        self.steps = steps
        self.passes = PassLog() if passes is None else passes
        self.keeper = keeper

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
        return cls(Bundles.of([[part] if isinstance(part, Delayed) else list(part) for part in parts]))

    @property
    def held(self) -> Held:
        """Kept where they were persisted, read where not."""
        return "kept" if any(isinstance(bundle.group, KeptGroup) for bundle in self.bundles) else "read"

    @property
    def at_hand(self) -> bool:
        """Read anywhere, but kept in this process or by one cluster."""
        if self.held == "read":
            return True
        # a cluster that was lost has them no more, and what ended it while it was made is made anew
        kept = futures_of([bundle.given for bundle in self.bundles])
        return self.keeper == _computer() and all(future.status not in {"cancelled", "error"} for future in kept)

    @property
    def n_blocks(self) -> int:
        """Number of partitions."""
        return sum(len(bundle.group) for bundle in self.bundles)

    @property
    def parts(self) -> list[Delayed]:
        """Each partition as a lazy value."""
        return self._some(range(self.n_blocks), _itself, unique_name("dglm-encode"))

    def map(self, function: Callable[[T, int], U]) -> DaskBlocks[U]:
        return DaskBlocks(self.bundles, (*self.steps, function), self.passes, self.keeper)

    def of_some(self, function: Callable[[T], U], numbers: Sequence[int]) -> list[U]:
        # read, encoded and looked at in one task: encoded partitions would wait for their turn in memory
        looks = self._some(numbers, function, unique_name("dglm-look"))
        client = computing_client()
        with guarded(client, "a look at some partitions", partial(_futures, client, looks)):
            return list(compute(*looks))

    def concatenated(self, *widths: int) -> Any:
        chunks = [da.from_delayed(p, shape=(np.nan, *widths), dtype=np.float64) for p in self.parts]
        return da.concatenate(chunks)

    def logged_in(self, passes: PassLog) -> Self:
        return type(self)(self.bundles, self.steps, passes, self.keeper)

    def persist(self) -> Self:
        layer, bundles = Layer("dglm-keep"), self.bundles.for_a_pass(computing_threads)
        job = layer.value("dglm-job", Job(self.steps, _itself))
        keys = [
            layer.task("dglm-keep", bundle.group.first, bundle.group.made, job, *_keys(bundle)) for bundle in bundles
        ]
        kept = persist(*layer.lazy(keys, _given(bundles)))
        return type(self)(
            Bundles(
                [
                    Bundle(KeptGroup(bundle.group.first, len(bundle.group)), (value,))
                    for bundle, value in zip(bundles, kept, strict=True)
                ]
            ),
            (),
            self.passes,
            _computer(),
        )

    def free_bytes(self) -> int:
        return free_bytes()

    def arrivals(self) -> AbstractContextManager[Arriving] | None:
        client = computing_client()
        # without a cluster whoever computes here has everybody wait
        if client is None:
            return None
        job = Job(self.steps, _itself)
        parts = [
            (partial(_nth, bundle.group.values, i, job), bundle.given)
            for bundle in self.bundles
            for i in range(len(bundle.group))
        ]
        return Arrivals(parts, client, self.passes)

    def _sum(self, kernel: Callable[..., S], *columns: Sequence[object]) -> S:
        layer, bundles = Layer("dglm-pass", self.passes.count + 1), self.bundles.for_a_pass(computing_threads)
        # the kernel, its arguments and the steps are a node of the graph: each worker gets it once, nothing is
        # scattered, and what a lost worker had of it is in the graph still
        job = layer.value("dglm-job", Job(self.steps, kernel))
        tasks: list[Any] = []
        for bundle in bundles:
            first, last = bundle.group.first, bundle.group.first + len(bundle.group)
            summed = partial(bundle.group.summed, [column[first:last] for column in columns])
            tasks.append(layer.task("dglm-pass", first, summed, job, *_keys(bundle)))
        numbers = count()
        total = layer.lazy(
            [tree_sum(tasks, lambda some: layer.task("dglm-add", next(numbers), _add, *some))], _given(bundles)
        )
        sizes = {bundle.group.first: len(bundle.group) for bundle in bundles}
        client = computing_client()
        with (
            guarded(client, f"pass {self.passes.count + 1}", partial(_futures, client, total), sizes),
            self.passes.shown(self.n_blocks) as advance,
            _followed(layer.name, sizes, advance),
        ):
            (answer,) = compute(*total)
        found: Answer[S] = answer
        self.passes.compare(found.seals)
        self.passes.count_retries(found.retries, kept=self.held == "kept")
        return found.total

    def _some(self, numbers: Iterable[int], function: Callable[[T], Any], name: str) -> list[Delayed]:
        """Return a function of some of the partitions as lazy values, each with a graph of its own."""
        job = dask.delayed(Job(self.steps, function), name=unique_name("dglm-job"), traverse=False)
        places = [(bundle, i) for bundle in self.bundles for i in range(len(bundle.group))]
        parts = []
        for number in numbers:
            bundle, i = places[number]
            nth = dask.delayed(partial(_nth, bundle.group.values, i), pure=False, traverse=False)
            parts.append(nth(job, *bundle.given, dask_key_name=(name, number)))
        return parts


def _futures(client: Client | None, values: Iterable[Delayed]) -> list[Future[Any]]:
    """Return a second hold on what a cluster computes."""
    return [Future(value.key, client) for value in values]


def _computer() -> str | None:
    """Return the name of the client of the cluster that computes."""
    client = computing_client()
    return None if client is None else str(client.id)


def _followed(name: str, sizes: Mapping[int, int], advance: Advance | None) -> AbstractContextManager[None]:
    """Tell how many partitions are done, where somebody wants to know."""
    return nullcontext() if advance is None else following(name, sizes, computing_client(), advance)


def _keys(bundle: Bundle) -> Iterator[Any]:
    return (value.key for value in bundle.given)


def _given(bundles: Iterable[Bundle]) -> list[Delayed]:
    return [value for bundle in bundles for value in bundle.given]


def _nth(values: Callable[..., Iterator[tuple[Any, int]]], i: int, job: Job, *given: Any) -> Any:
    """Return what the kernel makes of one of the partitions of a group."""
    return job.kernel(next(islice(values(job, given), i, None))[0])


def _itself(value: T) -> T:
    return value


def _add(*parts: S) -> S:
    return add_in_order(parts)
