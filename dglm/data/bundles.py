"""Bundles: what each task of a pass works on: a partition, or a few neighbours where there are very many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from dask.delayed import Delayed

from dglm.data.blocked import FAN_IN
from dglm.data.packed import Packed
from dglm.data.sources import Brought, sources_of, tried_again
from dglm.data.work import Group, ReadGroup

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


@dataclass(frozen=True, eq=False)
class Bundles:
    """All partitions.

    Parameters
    ----------
    singles : sequence of Bundle
        In order, as large as they were made.
    """

    singles: Sequence[Bundle]
    _larger: dict[int, list[Bundle]] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, parts: Sequence[Sequence[Delayed]]) -> Bundles:
        """Return a bundle for each partition.

        Parameters
        ----------
        parts : sequence of sequences of Delayed
            The values that make up each partition, in order.

        Returns
        -------
        Bundles
            Computing nothing.
        """
        sources = sources_of(parts)
        sizes = [source.size if isinstance(source, Brought) else 0 for source in sources]
        brought = chain.from_iterable(own[:size] for own, size in zip(parts, sizes, strict=True))
        given = iter(tried_again(list(brought)))
        return cls(
            [
                Bundle(ReadGroup(number, Packed((source,))), tuple(islice(given, size)))
                for number, (source, size) in enumerate(zip(sources, sizes, strict=True))
            ]
        )

    def __iter__(self) -> Iterator[Bundle]:
        return iter(self.singles)

    def for_a_pass(self, threads: Callable[[], int]) -> Sequence[Bundle]:
        """Return the bundles that a pass has a task for, fewer where there are very many of one partition each.

        A task's partitions are a whole branch of the tree in which all are added, so that the sum has the same bits.

        Parameters
        ----------
        threads : callable
            How many tasks can run at a time; asked only where that matters.

        Returns
        -------
        sequence of Bundle
            In order; the same objects again and again, so that each is pickled once.
        """
        size, n = 1, len(self.singles)
        if n <= MANY_TASKS or not all(isinstance(bundle.group, ReadGroup) for bundle in self.singles):
            return self.singles
        fewest = TASKS_A_THREAD * threads()
        while n > MANY_TASKS * size and n >= FAN_IN * size * fewest:
            size *= FAN_IN
        if size > 1 and size not in self._larger:
            self._larger[size] = [_joined(self.singles[first : first + size]) for first in range(0, n, size)]
        return self._larger.get(size, self.singles)


def _joined(bundles: Sequence[Bundle]) -> Bundle:
    """Return neighbours that are read as one bundle."""
    groups = [bundle.group for bundle in bundles if isinstance(bundle.group, ReadGroup)]
    return Bundle(
        ReadGroup(groups[0].first, Packed(tuple(chain.from_iterable(group.sources for group in groups)))),
        tuple(chain.from_iterable(bundle.given for bundle in bundles)),
    )
