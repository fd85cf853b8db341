"""Encoder: frozen records to what JSON can say, with the arrays aside. `docs/saving.rst` documents what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from dglm._typing import AnyArray
from dglm.design import Context, Unsaved
from dglm.errors import StorageError
from dglm.storage.archive import PLAIN_KINDS
from dglm.storage.scalars import SCALARS, known_name
from dglm.storage.schema import is_saved

#: A larger array in a formula's scope is data, not a constant of the model.
MAX_CONTEXT_BYTES = 2**16


class Encoder:
    """Turns one record into JSON and arrays.

    Parameters
    ----------
    types : mapping of str to type
        Records and enumerations of dglm, by the name that they have in files.
    extensible : mapping of str to type
        What users may derive from, by the name of the argument with which `dglm.load` takes their classes.
    exact : bool
        Whether numpy's scalars keep their types, instead of becoming Python's: arithmetic goes on as it would have.
    """

    def __init__(self, types: Mapping[str, type], extensible: Mapping[str, type], *, exact: bool = False) -> None:
        self.extensible = extensible
        self.exact = exact
        self._names = {cls: name for name, cls in types.items()}
        #: Arrays met so far, by the name of their member; the same array is written once.
        self.arrays: dict[str, AnyArray] = {}
        self._members: dict[int, str] = {}

    def encode(self, value: Any, where: str) -> Any:
        """Return what JSON can say of a value.

        Parameters
        ----------
        value : object
            A record, or what its fields hold.
        where : str
            Which field, for messages.

        Returns
        -------
        object
            None, a boolean, number or string, a list, or a dict by strings.

        Raises
        ------
        StorageError
            If a file cannot hold the value.
        """
        if isinstance(value, np.generic) and self.exact:
            return self._scalar(value, where)
        if isinstance(value, (np.bool_, np.number, np.str_)):
            value = value.item()
        if isinstance(value, Enum):
            return self._member_of(value, where)
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float) and np.isfinite(value):
            return value
        if isinstance(value, np.ndarray):
            return {"$array": self._array(value, where)}
        if not isinstance(value, type) and (is_dataclass(value) or isinstance(value, tuple(self.extensible.values()))):
            return self._record(value, where)
        return self._container(value, where)

    def _container(self, value: Any, where: str) -> Any:
        if isinstance(value, tuple):
            return self._items(value, where)
        if isinstance(value, list):
            return {"$list": self._items(value, where)}
        if isinstance(value, Mapping):
            if all(isinstance(key, str) and not key.startswith("$") for key in value):
                return {key: self.encode(item, f"{where}[{key!r}]") for key, item in value.items()}
            return {"$dict": [self._items(pair, where) for pair in value.items()]}
        return self._scalar(value, where)

    def _scalar(self, value: Any, where: str) -> Any:
        scalar, name = next((s for s in SCALARS if s.holds(value)), None), known_name(value)
        if scalar is None and name is None:
            raise _cannot_hold(value, where, "use pickle, or make it a string, a number or an array")
        if scalar is None:
            return {"$name": name}
        try:
            return {scalar.tag: self.encode(scalar.write(value), where)}
        except (LookupError, TypeError, ValueError) as error:
            raise _cannot_hold(value, where, str(error)) from error

    def _items(self, values: Any, where: str) -> list[Any]:
        return [self.encode(item, f"{where}[{i}]") for i, item in enumerate(values)]

    def _array(self, array: AnyArray, where: str) -> str:
        if array.dtype.kind not in PLAIN_KINDS:
            raise _cannot_hold(array, where, f"arrays of dtype {array.dtype} are not plain numbers or strings")
        if id(array) not in self._members:
            name = f"arrays/{len(self.arrays)}.npy"
            self._members[id(array)], self.arrays[name] = name, array
        return self._members[id(array)]

    def _member_of(self, value: Enum, where: str) -> dict[str, str]:
        if type(value) not in self._names:
            raise _cannot_hold(value, where, "that enumeration is not dglm's")
        return {"$enum": self._names[type(value)], "member": value.name}

    def _record(self, value: Any, where: str) -> dict[str, Any]:
        cls, name = type(value), type(value).__name__
        if isinstance(value, Context):
            return {"$type": self._names[cls], "variables": self._context(value, where)}
        if not is_dataclass(value):
            raise _cannot_hold(value, where, f"make {name} a frozen dataclass, so that its parameters can be saved")
        saved = [field.name for field in fields(value) if is_saved(field)]
        content = {field: self.encode(getattr(value, field), f"{where}.{field}") for field in saved}
        if cls in self._names:
            return {"$type": self._names[cls], **content}
        for argument, base in self.extensible.items():
            if isinstance(value, base):
                return {"$custom": name, "of": argument, "fields": content}
        raise _cannot_hold(value, where, f"{name} is no class of dglm")

    def _context(self, context: Context, where: str) -> dict[str, Any]:
        """Return a formula's variables; what a file cannot hold, `dglm.load` is asked for."""
        content = {}
        for name, value in context.items():
            try:
                if isinstance(value, np.ndarray) and value.nbytes > MAX_CONTEXT_BYTES:
                    raise _cannot_hold(value, where, "it is large")
                content[name] = self.encode(value, f"{where}[{name!r}]")
            except StorageError:
                content[name] = self.encode(Unsaved(type(value).__name__), where)
        return content


def _cannot_hold(value: object, where: str, reason: str) -> StorageError:
    return StorageError(f"cannot save {where}, a {type(value).__name__}: {value!r:.80}; {reason}")
