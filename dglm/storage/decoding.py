"""Decoder: what `Encoder` wrote, back to frozen records; each is checked against its annotations when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from dglm._typing import AnyArray
from dglm.design import Context, Unsaved
from dglm.errors import StorageError
from dglm.storage.scalars import SCALARS, from_name
from dglm.storage.schema import field_types, fits

_READERS = {scalar.tag: scalar.read for scalar in SCALARS} | {"$name": from_name}

# What constructors and readers raise when they are given what they do not understand.
_MISFIT = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)


class Decoder:
    """Turns JSON and arrays into one record.

    Parameters
    ----------
    types : mapping of str to type
        Records and enumerations of dglm, by the name that they have in files.
    custom : mapping of str to mapping of str to type
        Users' classes by name, by the name of the argument of `dglm.load` that they were given with.
    arrays : mapping of str to array
        By the name of their member.
    context : mapping of str to object
        Where a formula's variables that the file does not hold are looked up.
    """

    def __init__(
        self,
        types: Mapping[str, type],
        custom: Mapping[str, Mapping[str, type]],
        arrays: Mapping[str, AnyArray],
        context: Mapping[str, Any],
    ) -> None:
        self.types = types
        self.custom = custom
        self.arrays = arrays
        self.context = context

    def decode(self, content: Any, where: str) -> Any:
        """Return the value that some JSON stands for.

        Parameters
        ----------
        content : object
            As `Encoder.encode` wrote it.
        where : str
            Which field, for messages.

        Returns
        -------
        object
            A record, or what its fields hold.

        Raises
        ------
        StorageError
            If it is not what an encoder writes, or does not fit the record.
        """
        if isinstance(content, list):
            return tuple(self._items(content, where))
        if not isinstance(content, dict):
            return content
        tags = [key for key in content if key.startswith("$")]
        if not tags:
            return {key: self.decode(item, f"{where}[{key!r}]") for key, item in content.items()}
        try:
            return self._tagged(tags[0], content, where)
        except StorageError:
            raise
        except _MISFIT as error:
            raise StorageError(f"{where} is damaged ({type(error).__name__}: {error})") from error

    def _tagged(self, tag: str, content: dict[str, Any], where: str) -> Any:
        match content:
            case {"$array": str(name)}:
                return self.arrays[name]
            case {"$list": list(items)}:
                return self._items(items, where)
            case {"$dict": list(pairs)}:
                return dict(self._items(pair, where) for pair in pairs)
            case {"$enum": str(name), "member": str(member)}:
                return self._class(name, Enum, where)[member]
            case {"$type": str(name)}:
                written = {field: item for field, item in content.items() if field != "$type"}
                return self._record(self._class(name, object, where), written, where)
            case {"$custom": str(name), "of": str(argument), "fields": dict(made_of)}:
                return self._custom(name, argument, where)(**self._fields(made_of, where))
        return _READERS[tag](self.decode(content[tag], where))

    def _fields(self, written: dict[str, Any], where: str) -> dict[str, Any]:
        return {name: self.decode(item, f"{where}.{name}") for name, item in written.items()}

    def _items(self, items: list[Any], where: str) -> list[Any]:
        return [self.decode(item, f"{where}[{i}]") for i, item in enumerate(items)]

    def _class(self, name: str, kind: type, where: str) -> Any:
        cls = self.types.get(name)
        if cls is None or not issubclass(cls, kind):
            raise StorageError(f"{where} is a {name}, which this version of dglm does not know; update dglm")
        return cls

    def _custom(self, name: str, argument: str, where: str) -> type:
        given = self.custom.get(argument, {})
        if name not in given:
            raise StorageError(
                f"{where} is a {name}, a class that is not dglm's; pass it: dglm.load(path, {argument}=[{name}])"
            )
        return given[name]

    def _record(self, cls: type, written: dict[str, Any], where: str) -> Any:
        annotations = field_types(cls)
        unknown = written.keys() - annotations.keys()
        if unknown:
            raise StorageError(f"{where} has {', '.join(sorted(unknown))}, which a {cls.__name__} has not; update dglm")
        values = self._fields(written, where)
        for name, value in values.items():
            if not fits(value, annotations[name]):
                raise StorageError(f"{where}.{name} should be {annotations[name]}; found a {type(value).__name__}")
        if cls is Context:
            values["variables"] = {name: self._variable(name, value) for name, value in values["variables"].items()}
        return cls(**values)

    def _variable(self, name: str, saved: Any) -> Any:
        return self.context.get(name, saved) if isinstance(saved, Unsaved) else saved
