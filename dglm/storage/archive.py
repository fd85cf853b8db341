"""The file: a zip of one JSON document and of the arrays that it refers to. Reading it evaluates nothing.

Numpy's own reader of array headers evaluates a literal and allocates before it has looked at the data; the one here
matches the header against the only form that is ever written, and the data against the header.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from dglm._typing import AnyArray
from dglm.errors import StorageError

#: Version of the format; a file of a later one is refused.
FORMAT = 1
DOCUMENT = "result.json"

#: Kinds of dtype that are plain numbers, booleans, strings and times: nothing in them is an object.
PLAIN_KINDS = "biufUMm"

_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|][A-Za-z]\d+(?:\[\d*[A-Za-z]+\])?)', "
    rb"'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)

# What the standard library raises, here or there, when the bytes of a zip or of JSON are wrong.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def pack(content: Any, arrays: Mapping[str, AnyArray], *, compressed: bool = True) -> bytes:
    """Return the bytes of a file; the same content gives the same bytes.

    Parameters
    ----------
    content : object
        What JSON can say, with references to arrays by name.
    arrays : mapping of str to array
        Of plain dtypes.
    compressed : bool
        Whether to deflate it: sums of floats take long and become little smaller.

    Returns
    -------
    bytes
        A zip file.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        document = json.dumps({"format": FORMAT, "result": content}, allow_nan=False, indent=1)
        archive.writestr(_member(DOCUMENT, compressed=compressed), document)
        for name, array in arrays.items():
            npy = io.BytesIO()
            np.lib.format.write_array(npy, array, version=(1, 0), allow_pickle=False)
            archive.writestr(_member(name, compressed=compressed), npy.getvalue())
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[Any, dict[str, AnyArray]]:
    """Return the content and the arrays of a file.

    Parameters
    ----------
    data : bytes
        Of the whole file.

    Returns
    -------
    tuple of object and dict
        As they were packed.

    Raises
    ------
    StorageError
        If the bytes are no such file, are damaged, or are of a later format.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            document = json.loads(_read(archive, DOCUMENT), parse_constant=_refuse_constant)
            content = _content(document)
            names = [name for name in archive.namelist() if name != DOCUMENT]
            return content, {name: _array(_read(archive, name), name) for name in names}
    except StorageError:
        raise
    except _DAMAGE as error:
        raise StorageError(f"it is no saved result, or it is damaged ({error})") from error


def _member(name: str, *, compressed: bool) -> zipfile.ZipInfo:
    # without a date: what is in a file does not depend on when it was written
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    return member


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    member = archive.getinfo(name)
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise StorageError(f"{name} in it is neither stored nor deflated")
    return archive.read(member)


def _content(document: Any) -> Any:
    if not (isinstance(document, dict) and isinstance(document.get("format"), int) and "result" in document):
        raise StorageError(f"its {DOCUMENT} does not say what format it is in")
    if document["format"] > FORMAT:
        raise StorageError(
            f"its format is {document['format']}, and this version of dglm reads formats up to {FORMAT}; update dglm"
        )
    return document["result"]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _array(npy: bytes, name: str) -> AnyArray:
    header = _NPY_HEADER.match(npy)
    if header is None:
        raise StorageError(f"{name} in it is not an array as numpy writes it")
    descr, fortran_order, sizes = (group.decode("ascii") for group in header.groups())
    dtype, shape = np.dtype(descr), tuple(int(size) for size in re.findall(r"\d+", sizes))
    values = npy[header.end() :]
    if dtype.kind not in PLAIN_KINDS or math.prod(shape) * dtype.itemsize != len(values):
        raise StorageError(f"{name} in it is not an array of shape {shape} and dtype {descr}")
    # a copy, because an array over bytes cannot be written to
    return np.ndarray(shape, dtype, values, order="F" if fortran_order == "True" else "C").copy(order="A")
