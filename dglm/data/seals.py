"""Seal: what tells whether the rows of a partition are those that an earlier pass read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from dglm._typing import AnyArray

# Values that are added up apart from one another: a prime, so that what moves to another row or column is added
# elsewhere.
LANES = 1021


@dataclass(frozen=True)
class Seal:
    """Number of rows and checksum of the encoded rows of a partition.

    Parameters
    ----------
    number : int
        Which partition.
    rows : int
        How many rows it has, without those that were left out.
    checksum : int
        Of every bit of them.
    retries : int
        How often it took another try to read them; does not count when seals are compared.
    """

    number: int
    rows: int
    checksum: int
    retries: int = field(default=0, compare=False)

    @classmethod
    def of(cls, number: int, rows: int, content: Any, retries: int) -> Self:
        """Return the seal of some rows, read once, at about the speed of memory.

        Parameters
        ----------
        number : int
            Which partition.
        rows : int
            How many rows it has.
        content : object
            What they hold: arrays, or tuples or dataclasses that hold some.
        retries : int
            How often it took another try to read them.

        Returns
        -------
        Seal
            The same for the same bits in the same arrays.
        """
        checksum = 0
        for array in arrays_in(content):
            checksum = _checksum(array, checksum)
        return cls(number, rows, checksum, retries)


def arrays_in(content: Any) -> Iterator[AnyArray]:
    """Yield the arrays that something holds, in a fixed order.

    Parameters
    ----------
    content : object
        Arrays, or tuples, lists or dataclasses that hold some.

    Yields
    ------
    array
        Those of a sparse matrix one after the other.
    """
    if isinstance(content, np.ndarray):
        yield content
    elif isinstance(content, sparse.csr_array):
        yield from (content.data, content.indices, content.indptr)
    elif isinstance(content, tuple | list):
        for item in content:
            yield from arrays_in(item)
    elif is_dataclass(content) and not isinstance(content, type):
        for each in fields(content):
            yield from arrays_in(getattr(content, each.name))


def _checksum(array: AnyArray, before: int) -> int:
    """Return a checksum of an array, and of what came before it: exact sums of its words, lane by lane, hashed."""
    values = np.ascontiguousarray(array.ravel(order="K"))
    before = zlib.crc32(repr((array.shape, array.dtype.str)).encode(), before)
    if values.dtype.hasobject:
        return zlib.crc32(repr(values.tolist()).encode(), before)
    octets = values.view(np.uint8)
    whole = len(octets) // (8 * LANES) * LANES
    words = octets[: 8 * whole].view(np.uint64).reshape(-1, LANES)
    return zlib.crc32(octets[8 * whole :].data, zlib.crc32(np.add.reduce(words, axis=0).data, before))
