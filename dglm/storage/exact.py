"""A value to bytes and back with every bit and type, under a checksum: what checkpoints keep of passes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from dglm.errors import StorageError
from dglm.families import Family
from dglm.links import Link
from dglm.objective import Sum
from dglm.storage.archive import pack, unpack
from dglm.storage.decoding import Decoder
from dglm.storage.encoding import Encoder
from dglm.storage.schema import loaded_types

CHECKSUM_BYTES = 32

_FIRST_LINE = re.compile(rb"dglm checkpoint 1 ([0-9a-f]{64})\n")


def exact_types() -> dict[str, type]:
    """Return the records that can be written exactly: all of dglm's, and sums, families and links of users.

    Returns
    -------
    dict of str to type
        By module and name.
    """
    return loaded_types(Sum, Family, Link)


def to_bytes(value: Any, types: Mapping[str, type]) -> bytes:
    """Return a value as bytes.

    Parameters
    ----------
    value : object
        A record, or what its fields hold.
    types : mapping of str to type
        From `exact_types`.

    Returns
    -------
    bytes
        A line with a checksum, and a zip file.

    Raises
    ------
    StorageError
        If the value holds something that cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> content = to_bytes({"score": np.array([0.1, -0.0])}, exact_types())
    >>> from_bytes(content, exact_types())
    {'score': array([ 0.1, -0. ])}
    """
    encoder = Encoder(types, {}, exact=True)
    content = pack(encoder.encode(value, "it"), encoder.arrays, compressed=False)
    return f"dglm checkpoint 1 {_checksum(content)}\n".encode() + content


def from_bytes(content: bytes, types: Mapping[str, type]) -> Any:
    """Return the value that `to_bytes` wrote.

    Parameters
    ----------
    content : bytes
        All of them.
    types : mapping of str to type
        From `exact_types`.

    Returns
    -------
    object
        With every bit, the types of numbers and the order of arrays.

    Raises
    ------
    StorageError
        If a single bit is not what was written.
    """
    first = _FIRST_LINE.match(content)
    if first is None or _checksum(memoryview(content)[first.end() :]) != first[1].decode():
        raise StorageError("it is not what was written")
    document, arrays = unpack(content[first.end() :])
    return Decoder(types, {}, arrays, {}).decode(document, "it")


def _checksum(content: bytes | memoryview) -> str:
    return blake2b(content, digest_size=CHECKSUM_BYTES).hexdigest()
