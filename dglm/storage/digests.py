"""A digest of any value: the same in every process, so that requests and options can be compared with those of a file.

Arrays count by dtype, shape and bits; records by class and fields; functions of users by their code; everything else by
what pickle would be told of it. Nothing depends on addresses, on the order of a set, or on the seed of a hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

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
        case Enum():
            return f"member {_name(type(value))} {value.name}", []
        case type() | BuiltinFunctionType() | ModuleType():
            return f"named {_name(value)}", []
        case FunctionType():
            return f"function {_name(value)}", _content_of(value)
        case CodeType():
            return "code", [value.co_code, value.co_consts, value.co_names]
        case tuple() | list():
            return _name(type(value)), list(value)
        case _ if is_dataclass(value):
            return _name(type(value)), [(field.name, getattr(value, field.name)) for field in fields(value)]
        case Mapping():
            return "mapping", list(value.items())
        case Set():
            return "set", list(value)
    reduced = value.__reduce_ex__(2)
    if isinstance(reduced, str):
        return f"named {type(value).__module__}.{reduced}", []
    # how to make it, and its state; then the items of what is a list or a dict, too
    made, *rest = reduced
    return f"object {_name(type(value))}", [made, *(list(r) if i >= 2 and r is not None else r for i, r in enumerate(rest))]


def _content_of(function: FunctionType) -> list[Any]:
    """Return what a function of the user's does; dglm's own are known by name, for a version."""
    if function.__module__.startswith("dglm."):
        return []
    closed = [cell.cell_contents for cell in function.__closure__ or ()]
    return [function.__code__, function.__defaults__, function.__kwdefaults__, closed]


def _name(named: Any) -> str:
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', getattr(named, '__name__', ''))}"
