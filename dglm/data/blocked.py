"""BlockedData: partitions of rows that can be mapped and summed; what every pass runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import add
from typing import Any, Generic, Protocol, Self, TypeVar

from dglm.data.blas import one_blas_thread
from dglm.data.passes import PassLog


class Addable(Protocol):
    """What a pass may return: something that adds."""

    def __add__(self, other: Any, /) -> Any: ...


T = TypeVar("T")
U = TypeVar("U")
S = TypeVar("S", bound=Addable)

FAN_IN = 8


class BlockedData(ABC, Generic[T]):
    """Partitions, in order, each a T."""

    #: Where every sum is entered.
    passes: PassLog

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
        with self.passes.timed():
            return self._sum(partial(_with_one_blas_thread, kernel, broadcast))

    @abstractmethod
    def _sum(self, kernel: Callable[[T], S]) -> S:
        """Run the kernel on every partition and add up along `tree_sum`."""


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


def _with_one_blas_thread(kernel: Callable[..., S], broadcast: tuple[object, ...], part: T) -> S:
    with one_blas_thread():
        return kernel(part, *broadcast)
