"""Which types a file may name, and whether what was read fits a record's annotations.

Nothing is listed by hand: from the annotations of one record all others follow, and a new family, link or sum is known
as soon as it exists.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

#: Metadata of a field that stays where the record was made.
NOT_SAVED: Mapping[str, bool] = MappingProxyType({"saved": False})


def is_saved(field: Field[Any]) -> bool:
    """Return whether a field of a record is saved.

    Parameters
    ----------
    field : Field
        Of a dataclass.

    Returns
    -------
    bool
        False for fields that are `NOT_SAVED`, or that the class computes itself.
    """
    return field.init and bool(field.metadata.get("saved", True))


@cache
def field_types(cls: type) -> dict[str, Any]:
    """Return the annotation of each field that is saved.

    Parameters
    ----------
    cls : type
        A dataclass.

    Returns
    -------
    dict
        By name of the field.
    """
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls) if is_saved(field)}


def saved_types(*roots: type) -> dict[str, type]:
    """Return the records and enumerations of dglm that can occur in some records.

    Parameters
    ----------
    *roots : type
        Dataclasses.

    Returns
    -------
    dict of str to type
        The roots, what their fields are annotated with, subclasses of these, and so on; by room and name, as
        ``"families.Binomial"``.

    Raises
    ------
    TypeError
        If a room has two of one name.
    """
    found: set[type] = set()
    waiting: list[type] = list(roots)
    while waiting:
        cls = waiting.pop()
        if cls in found or not cls.__module__.startswith("dglm."):
            continue
        found.add(cls)
        waiting += cls.__subclasses__()
        if is_dataclass(cls):
            waiting += [part for hint in field_types(cls).values() for part in _classes_in(hint)]
    kept = [cls for cls in found if is_dataclass(cls) or issubclass(cls, Enum)]
    named = {f"{cls.__module__.split('.')[1]}.{cls.__name__}": cls for cls in kept}
    if len(named) < len(kept):
        twice = sorted(str(cls) for cls in set(kept) - set(named.values()))
        raise TypeError(f"{', '.join(twice)} has the name of another class of its room")
    return named


def loaded_types(*extensible: type) -> dict[str, type]:
    """Return the records and enumerations of all that is loaded of dglm, and of users' subclasses.

    Parameters
    ----------
    *extensible : type
        What users derive from.

    Returns
    -------
    dict of str to type
        By module and name: what one process wrote, another reads that has loaded the same.
    """
    modules = [(name, module) for name, module in list(sys.modules.items()) if name.startswith("dglm.")]
    members = ((name, cls) for name, module in modules for cls in vars(module).values() if isinstance(cls, type))
    found = [cls for name, cls in members if cls.__module__ == name]
    waiting = list(extensible)
    while waiting:
        waiting += (cls := waiting.pop()).__subclasses__()
        found.append(cls)
    return {f"{cls.__module__}.{cls.__qualname__}": cls for cls in found if is_dataclass(cls) or issubclass(cls, Enum)}


def fits(value: object, hint: Any) -> bool:
    """Return whether a value is what an annotation says.

    Parameters
    ----------
    value : object
        As read.
    hint : annotation
        Of a field.

    Returns
    -------
    bool
        True also for annotations that say nothing.
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return any(fits(value, option) for option in args)
    if origin is Literal:
        return any(value == option and type(value) is type(option) for option in args)
    if isinstance(origin, type):
        return isinstance(value, origin) and _parts_fit(value, origin, args)
    if hint is None:
        return value is None
    if hint in {float, int}:
        # as a type checker has it, an int is a float; but a bool is no number here
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) and hint is not Any else True


def _parts_fit(value: Any, origin: type, args: tuple[Any, ...]) -> bool:
    """Return whether the items of a container, or the dtype of an array, are what the annotation says."""
    if issubclass(origin, np.ndarray):
        scalar = get_args(args[1])[0]
        return isinstance(scalar, TypeVar) or scalar is Any or bool(np.issubdtype(value.dtype, scalar))
    if issubclass(origin, Mapping):
        return all(fits(key, args[0]) and fits(item, args[1]) for key, item in value.items())
    if issubclass(origin, tuple) and args[-1] is not Ellipsis:
        return len(value) == len(args) and all(map(fits, value, args))
    if issubclass(origin, Collection):
        return all(fits(item, args[0]) for item in value)
    return True


def _classes_in(hint: Any) -> Iterator[type]:
    """Yield the classes that an annotation speaks of."""
    yield from (part for part in (hint, get_origin(hint)) if isinstance(part, type))
    for part in get_args(hint):
        yield from _classes_in(part)
