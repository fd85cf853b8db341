"""Table: the user's collection, whatever its container, as named columns cut into partitions.

A table gives its partitions to fits (`partitions`) and carries per-row results back in the container the user gave
(`rows`): dask in, dask out; pandas in, pandas out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import pandas as pd

from dglm._typing import Mask
from dglm.data.blocked import BlockedData

# Most rows of a block in memory, and fewest of one of several, so that starting a thread is little beside its work.
MOST_BLOCK_ROWS, LEAST_BLOCK_ROWS = 2**18, 2**15
# Threads that are to have equal shares of the blocks.
SHARES = (8, 4, 2)

# A partition is a frame, or arrays by name; the design that asked for it knows which.
Partition = Any
RowFunction = Callable[[Partition, int], Any]
# Which rows of a partition, given the place of its first row among all, where that is known and nothing else tells.
Choice = Callable[[Partition, int | None], Mask]


class Table(ABC):
    """Named columns over partitions of rows."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Names of the columns."""

    @property
    @abstractmethod
    def extent(self) -> str:
        """How many rows there are, or partitions of them, and where; computes nothing."""

    @abstractmethod
    def partitions(self, columns: Sequence[str]) -> BlockedData[Partition]:
        """Return the partitions, with these columns only.

        Parameters
        ----------
        columns : sequence of str
            What to read.

        Returns
        -------
        BlockedData
            Lazy on dask.
        """

    @abstractmethod
    def rows(self, function: RowFunction, columns: Sequence[str], *, every: bool = False) -> Any:
        """Apply a function that returns a number, or a row of numbers, for each row.

        Parameters
        ----------
        function : callable
            Of a partition and its number; returns a Series, a DataFrame or an array with a row for each row kept. On
            dask it is called at once with a partition of no rows, to learn what it returns.
        columns : sequence of str
            What to read.
        every : bool
            Whether the function keeps every row, so that there are as many as in the table.

        Returns
        -------
        Series, DataFrame or array
            What the function returns, of all partitions; lazy on dask.
        """

    @abstractmethod
    def sample(self, columns: Sequence[str]) -> Partition:
        """Return a few made-up rows (or real ones, in memory) that show the columns' types without computing.

        Parameters
        ----------
        columns : sequence of str
            What to show.

        Returns
        -------
        Partition
            Two rows or so.
        """

    @abstractmethod
    def where(self, choose: Choice, columns: Sequence[str]) -> Table:
        """Return the rows that are chosen, with some columns.

        Parameters
        ----------
        choose : callable
            Of a partition with these columns, and of the place of its first row among all: None for frames, whose rows
            have labels, and where the sizes of chunks are not known. Picklable.
        columns : sequence of str
            What to keep, and to choose by.

        Returns
        -------
        Table
            Lazy on dask.
        """


class FrameTable(Table):
    """A dataframe, to which aligned collections can be joined."""

    @abstractmethod
    def in_memory(self, columns: Sequence[str]) -> pd.DataFrame | None:
        """Return columns of all rows, if they are in memory.

        Parameters
        ----------
        columns : sequence of str
            Which.

        Returns
        -------
        DataFrame or None
            None where they would have to be read.
        """

    @abstractmethod
    def assign(self, name: str, values: object, label: str) -> Self:
        """Return the table with one more column.

        Parameters
        ----------
        name : str
            Of the new column.
        values : collection
            One value a row, aligned with the frame.
        label : str
            What the values are, for messages.

        Returns
        -------
        FrameTable
            A new one.

        Raises
        ------
        DataError
            If the values cannot be aligned.
        """


def chosen(part: Partition, choose: Choice, first: int | None) -> Partition:
    """Return the rows of a partition that are chosen.

    Parameters
    ----------
    part : frame, or arrays by name
        Rows.
    choose : callable
        Of the partition and `first`.
    first : int or None
        Place of the first row among all.

    Returns
    -------
    frame, or arrays by name
        Of the kind of the partition.
    """
    mask = choose(part, first)
    return part[mask] if isinstance(part, pd.DataFrame) else {name: array[mask] for name, array in part.items()}


def block_starts(n: int) -> list[int]:
    """Return where blocks of equal numbers of rows in memory begin: the same ones whatever the number of threads.

    Parameters
    ----------
    n : int
        Number of rows.

    Returns
    -------
    list of int
        And where the last one ends; at least one block, even of no rows.
    """
    fewest = max(-(-n // MOST_BLOCK_ROWS), 1)
    rounded = (-(-fewest // threads) * threads for threads in SHARES)
    n_blocks = next((count for count in rounded if n >= count * LEAST_BLOCK_ROWS), fewest)
    return [n * i // n_blocks for i in range(n_blocks + 1)]
