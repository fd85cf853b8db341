"""Work: what a task of a pass does. It reads its partitions, encodes them and sums over them, one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dglm.data.block import Block
from dglm.data.blocked import tree_sum_of
from dglm.data.packed import Packed
from dglm.data.seals import Seal, arrays_in
from dglm.data.sources import Source

S = TypeVar("S")


@dataclass(frozen=True)
class Job:
    """What is done with every partition; one node of a pass's graph, which travels once to each worker.

    Parameters
    ----------
    steps : tuple of callables
        From what is read to what is summed over, each of a value and of the partition's number.
    kernel : callable
        Of what the last step returns, and of what the partition has of its own.
    """

    steps: tuple[Callable[[Any, int], Any], ...]
    kernel: Callable[..., Any]


@dataclass(frozen=True)
class Answer(Generic[S]):
    """A sum over partitions, and what was seen of them on the way.

    Parameters
    ----------
    total : S
        The sum.
    seals : tuple of Seal
        Of the partitions that are blocks, in order.
    retries : tuple of (int, int)
        Of partitions whose file was read once more: number, and how often.
    """

    total: S
    seals: tuple[Seal, ...] = ()
    retries: tuple[tuple[int, int], ...] = ()

    def __sizeof__(self) -> int:
        # what a scheduler believes that moving it costs
        return object.__sizeof__(self) + sum(array.nbytes for array in arrays_in(self.total))

    def __add__(self, other: Answer[S]) -> Answer[S]:
        total: Any = self.total
        return Answer(total + other.total, self.seals + other.seals, self.retries + other.retries)


@dataclass(frozen=True)
class Group(ABC):
    """Neighbouring partitions that one task works on.

    Parameters
    ----------
    first : int
        Number of the first one.
    """

    first: int

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def values(self, job: Job, given: Sequence[Any]) -> Iterator[tuple[Any, int]]:
        """Yield the partitions one after the other, as the last step returns them.

        Parameters
        ----------
        job : Job
            Whose steps are taken.
        given : sequence
            Values that the scheduler had made.

        Yields
        ------
        tuple of object and int
            A partition, sealed where it is a block, and how often its file was read once more.
        """

    def made(self, job: Job, *given: Any) -> list[Any]:
        """Return the partitions, to be kept.

        Parameters
        ----------
        job : Job
            Whose steps are taken.
        *given : object
            Values that the scheduler had made.

        Returns
        -------
        list
            In order; blocks are sealed.
        """
        return [value for value, _ in self.values(job, given)]

    def summed(self, columns: Sequence[Sequence[object]], job: Job, *given: Any) -> Answer[Any]:
        """Return the sum of a kernel over the partitions, added as any other number of tasks would have them added.

        Parameters
        ----------
        columns : sequence of sequences
            What each partition has of its own, a sequence for each argument of the kernel.
        job : Job
            With a kernel.
        *given : object
            Values that the scheduler had made.

        Returns
        -------
        Answer
            Over the partitions.
        """
        return tree_sum_of(self._answers(job, columns, given))

    def _answers(self, job: Job, columns: Sequence[Sequence[object]], given: Sequence[Any]) -> Iterator[Answer[Any]]:
        for i, (value, retries) in enumerate(self.values(job, given)):
            seals = (value.seal,) if isinstance(value, Block) and value.seal is not None else ()
            again = ((self.first + i, retries),) if retries else ()
            yield Answer(job.kernel(value, *(column[i] for column in columns)), seals, again)
            # its memory is for the next one
            del value


@dataclass(frozen=True)
class ReadGroup(Group):
    """Partitions that are read and encoded each time.

    Parameters
    ----------
    first : int
        Number of the first one.
    packed : Packed of tuple of Source
        Where each comes from.
    """

    packed: Packed[tuple[Source, ...]]

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where each comes from."""
        return self.packed.value

    def __len__(self) -> int:
        return len(self.sources)

    def values(self, job: Job, given: Sequence[Any]) -> Iterator[tuple[Any, int]]:
        brought = iter(given)
        for number, source in enumerate(self.sources, self.first):
            value, retries = source.read(number, brought)
            for step in job.steps:
                value = step(value, number)
            yield (value.sealed(number, retries) if isinstance(value, Block) else value), retries
            del value


@dataclass(frozen=True)
class KeptGroup(Group):
    """Partitions that are kept: the one value that is given is a list of them.

    Parameters
    ----------
    first : int
        Number of the first one.
    size : int
        How many they are.
    """

    size: int

    def __len__(self) -> int:
        return self.size

    def values(self, job: Job, given: Sequence[Any]) -> Iterator[tuple[Any, int]]:
        (kept,) = given
        for number, value in enumerate(kept, self.first):
            retries = value.seal.retries if isinstance(value, Block) and value.seal is not None else 0
            for step in job.steps:
                value = step(value, number)
            yield value, retries
