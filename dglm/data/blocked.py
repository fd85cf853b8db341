"""BlockedData: partitions of rows that can be mapped and summed; what every pass runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

from dglm.data.blas import one_blas_thread
from dglm.data.passes import PassLog


class Addable(Protocol):
    """What a pass may return: something that adds."""

    def __add__(self, other: Any, /) -> Any: ...


T = TypeVar("T")
U = TypeVar("U")
R = TypeVar("R")
S = TypeVar("S", bound=Addable)

#: Where partitions are between passes: in this process, kept on dask, or nowhere, to be read and encoded each time.
Held = Literal["in memory", "kept", "read"]

FAN_IN = 8


class Arriving(Protocol):
    """Values of kernels on single partitions, taken as they arrive."""

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


@dataclass(frozen=True)
class _Carried(Generic[S, U]):
    """A sum, and the states of the partitions that went into it, in order."""

    total: S
    states: tuple[U, ...]

    def __add__(self, other: _Carried[S, U]) -> _Carried[S, U]:
        return _Carried(self.total + other.total, self.states + other.states)


class BlockedData(ABC, Generic[T]):
    """Partitions, in order, each a T."""

    #: Where every sum is entered.
    passes: PassLog

    @property
    @abstractmethod
    def held(self) -> Held:
        """Where the partitions are between passes."""

    @property
    def at_hand(self) -> bool:
        """Whether partitions that are kept are so where passes are made now."""
        return True

    @property
    @abstractmethod
    def n_blocks(self) -> int:
        """Number of partitions."""

    @abstractmethod
    def map(self, function: Callable[[T, int], U]) -> BlockedData[U]:
        """Return the partitions with a function of each and of its number applied; computes nothing on dask.

        Parameters
        ----------
        function : callable
            Pure and picklable.

        Returns
        -------
        BlockedData
            Sharing the pass log.
        """

    @abstractmethod
    def of_some(self, function: Callable[[T], U], numbers: Sequence[int]) -> list[U]:
        """Apply a function to some partitions, where they are.

        Parameters
        ----------
        function : callable
            Pure and picklable; what it returns should be small.
        numbers : sequence of int
            Which partitions.

        Returns
        -------
        list
            Its values.
        """

    def of_first(self, function: Callable[[T], U]) -> U:
        """Apply a function to the first partition, where it is.

        Parameters
        ----------
        function : callable
            Pure and picklable; what it returns should be small.

        Returns
        -------
        U
            Its value.
        """
        return self.of_some(function, [0])[0]

    @abstractmethod
    def concatenated(self, *widths: int) -> Any:
        """Return the partitions, arrays here, as one array.

        Parameters
        ----------
        *widths : int
            Sizes of the dimensions after the rows.

        Returns
        -------
        array
            numpy in memory, dask (with chunks of unknown size) on dask.
        """

    @abstractmethod
    def logged_in(self, passes: PassLog) -> Self:
        """Return the same partitions, whose sums are entered in another log.

        Parameters
        ----------
        passes : PassLog
            Of other partitions of the same rows.

        Returns
        -------
        BlockedData
            Computing nothing.
        """

    @abstractmethod
    def persist(self) -> Self:
        """Return the same partitions, computed and kept.

        Returns
        -------
        BlockedData
            Sharing the pass log.
        """

    @abstractmethod
    def free_bytes(self) -> int:
        """Return how much memory is free where the partitions would be kept.

        Returns
        -------
        int
            Bytes, over all workers.
        """

    def sum(self, kernel: Callable[..., S], *broadcast: object) -> S:
        """Make one pass: apply the kernel to every partition and add up in a fixed order.

        Parameters
        ----------
        kernel : callable
            Pure and picklable; called with a partition and `broadcast`, with one BLAS thread.
        *broadcast : object
            Small picklable arguments that travel with the task.

        Returns
        -------
        S
            The sum; bitwise the same on every scheduler.
        """
        return self.passes.made(
            (kernel, broadcast), lambda: self._sum(partial(_with_one_blas_thread, kernel, broadcast)), self._look
        )

    def advance(
        self, kernel: Callable[..., tuple[S, U]], states: Sequence[object], *broadcast: object
    ) -> tuple[S, list[U]]:
        """Make one pass in which every partition has a state of its own, that travels inside its task.

        Parameters
        ----------
        kernel : callable
            Pure and picklable; called with a partition, its state and `broadcast`, with one BLAS thread. Returns a
            summand and the partition's next state.
        states : sequence
            One small picklable state for each partition, in order.
        *broadcast : object
            Small picklable arguments that travel with every task.

        Returns
        -------
        tuple of S and list
            The sum, bitwise the same on every scheduler, and the next states, in order.
        """
        found = self.passes.made(
            (kernel, states, broadcast), lambda: self._sum(partial(_carry, kernel, broadcast), states), self._look
        )
        return found.total, list(found.states)

    def arrivals(self) -> AbstractContextManager[Arriving] | None:
        """Return what has single partitions worked on, and hands the values over as they arrive.

        Returns
        -------
        context manager or None
            Whatever was submitted is let go when it is left; None where there is no cluster to wait for.
        """
        return None

    def _look(self) -> int:
        """Read the rows for their seals alone."""
        return self._sum(_nothing)

    @abstractmethod
    def _sum(self, kernel: Callable[..., S], *columns: Sequence[object]) -> S:
        """Run the kernel on every partition, with its element of each column, and add up along `tree_sum`."""


def tree_sum(parts: Sequence[S], add_all: Callable[[Sequence[S]], S]) -> S:
    """Add in a tree whose shape depends on the number of parts alone.

    Parameters
    ----------
    parts : sequence
        At least one summand (or a lazy stand-in for one).
    add_all : callable
        Adds up to FAN_IN neighbours, in order.

    Returns
    -------
    S
        The sum.
    """
    while len(parts) > 1:
        parts = [add_all(parts[i : i + FAN_IN]) for i in range(0, len(parts), FAN_IN)]
    return parts[0]


def tree_sum_of(parts: Iterator[S]) -> S:
    """Add along `tree_sum` as the parts come, so that few of them are in memory at a time.

    Parameters
    ----------
    parts : iterator
        At least one summand.

    Returns
    -------
    S
        The sum, bitwise that of `tree_sum`.
    """
    # at each height of the tree what has been added of the current group, and of how many neighbours
    sums: list[tuple[S, int] | None] = []
    for part in parts:
        total, height = part, 0
        while True:
            if height == len(sums):
                sums.append(None)
            group = sums[height]
            total, count = (total, 1) if group is None else (group[0] + total, group[1] + 1)
            if count < FAN_IN:
                sums[height] = (total, count)
                break
            sums[height] = None
            height += 1
    # the last group of each height has fewer; what is left below it is its last neighbour
    return reduce(lambda below, above: above + below, (group[0] for group in sums if group is not None))


def add_in_order(parts: Sequence[S]) -> S:
    """Add from the left.

    Parameters
    ----------
    parts : sequence
        At least one summand.

    Returns
    -------
    S
        The sum.
    """
    return reduce(add, parts)


def _nothing(part: object) -> int:
    del part
    return 0


def _carry(
    kernel: Callable[..., tuple[S, U]], broadcast: tuple[object, ...], part: object, state: object
) -> _Carried[S, U]:
    total, after = _with_one_blas_thread(kernel, (state, *broadcast), part)
    return _Carried(total, (after,))


def _with_one_blas_thread(kernel: Callable[..., R], broadcast: tuple[object, ...], part: object) -> R:
    with one_blas_thread():
        return kernel(part, *broadcast)
