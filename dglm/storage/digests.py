"""A digest of any value: the same in every process, so that requests and options can be compared with those of a file.

Arrays count by dtype, shape and bits; records by class and fields; functions of users by their code; everything else by
what pickle would be told of it. Nothing depends on addresses, on the order of a set, or on the seed of a hash.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

DIGEST_BYTES = 16


def digest(value: Any) -> str:
    """Return a digest of a value.

    Parameters
    ----------
    value : object
        What pickle could take, and functions, classes and modules, which count by name.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    TypeError
        If it holds something that has no content, such as a lock.

    Examples
    --------
    >>> import numpy as np
    >>> digest({"a": 0.1, "b": np.arange(3)}) == digest({"b": np.arange(3), "a": 0.1})
    True
    >>> digest(np.array([0.0])) == digest(np.array([-0.0]))
    False
    """
    return _bytes(value, ()).hex()


def _bytes(value: Any, within: tuple[int, ...]) -> bytes:
    """Return the digest of a value inside others."""
    found = blake2b(digest_size=DIGEST_BYTES)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        found.update(f"array {value.dtype.str} {value.shape}".encode())
        if value.nbytes:
            found.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
        return found.digest()
    if value is None or type(value) in {bool, int, float, complex, str, bytes}:
        # repr gives back every bit of a float
        found.update(f"{type(value).__name__} {value!r}".encode("utf-8", "surrogatepass"))
        return found.digest()
    if id(value) in within:
        # what contains itself, by how far out
        found.update(f"cycle {len(within) - within.index(id(value))}".encode())
        return found.digest()
    kind, parts = _taken_apart(value)
    found.update(f"{kind} {len(parts)}".encode())
    inner = [_bytes(part, (*within, id(value))) for part in parts]
    for each in sorted(inner) if kind in {"mapping", "set"} else inner:
        found.update(each)
    return found.digest()


def _taken_apart(value: Any) -> tuple[str, list[Any]]:
    """Return what kind of thing a value is, and what it is made of."""
    match value:
        case np.generic():
            return f"scalar {value.dtype.str}", [value.tobytes()]
        case np.ndarray():
            return f"objects {value.shape}", value.ravel().tolist()
        case pd.Index() | pd.Series() | pd.DataFrame() | sparse.sparray():
            return _collection(value)
        case Enum():
            return f"member {_name(type(value))} {value.name}", []
        case tuple() | list():
            return _name(type(value)), list(value)
        case Mapping() if not is_dataclass(value):
            return "mapping", list(value.items())
        case Set():
            return "set", list(value)
    return _named(value) or _object(value)


def _collection(value: Any) -> tuple[str, list[Any]]:
    """Return what is in a collection, apart from what it remembers of its past."""
    match value:
        case pd.Index():
            return f"index {value.dtype}", [list(value.names), value.to_numpy()]
        case pd.Series():
            return f"series {value.dtype}", [value.name, value.index, value.to_numpy()]
        case pd.DataFrame():
            return "frame", list(value.items())
    rows = value.tocsr()
    return f"sparse {rows.shape}", [rows.data, rows.indices, rows.indptr]


def _named(value: Any) -> tuple[str, list[Any]] | None:
    """Return the name of a class, module or function, and the code of a user's; None of everything else."""
    match value:
        case type() | BuiltinFunctionType() | ModuleType():
            return f"named {_name(value)}", []
        case FunctionType() if value.__module__.startswith("dglm."):
            # of a version that is known
            return f"named {_name(value)}", []
        case FunctionType():
            closed = [cell.cell_contents for cell in value.__closure__ or ()]
            return f"function {_name(value)}", [value.__code__, value.__defaults__, value.__kwdefaults__, closed]
        case CodeType():
            return "code", [value.co_code, value.co_consts, value.co_names]
    return None


def _object(value: Any) -> tuple[str, list[Any]]:
    """Return the class of an object, and its fields or what pickle would be told of it."""
    kind = _name(type(value))
    if is_dataclass(value):
        return kind, [(field.name, getattr(value, field.name)) for field in fields(value)]
    reducer = copyreg.dispatch_table.get(type(value))
    reduced = value.__reduce_ex__(2) if reducer is None else reducer(value)
    if isinstance(reduced, str):
        return f"named {type(value).__module__}.{reduced}", []
    # how to make it, and its state; then the items of what is a list or a dict, too
    return f"object {kind}", [list(part) if i > 2 and part is not None else part for i, part in enumerate(reduced)]


def _name(named: Any) -> str:
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', getattr(named, '__name__', ''))}"
