"""Catalogue: families, links, penalties and solvers by the names that a shell types, and which options each takes.

The packages' own exports are the registry: what is added there can be typed, as soon as its settings have options.
"""

from __future__ import annotations

import re
from argparse import ArgumentError
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from inspect import isabstract
from types import ModuleType
from typing import Any

import dglm.families
import dglm.links
import dglm.penalties
from dglm.families import Family
from dglm.links import Link
from dglm.penalties import Penalty, Unpenalised

#: By kind and option: the fields that it may set, of which a class has at most one.
SETTINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "family": {"power": ("power",), "family_alpha": ("alpha",)},
    "link": {"link_power": ("power",), "link_alpha": ("alpha",)},
    "penalty": {
        "alpha": ("alpha",),
        "l1_ratio": ("l1_ratio",),
        "concavity": ("gamma", "a"),
        "penalty_weight": ("weights",),
        "standardize": ("standardize",),
        "penalize_intercept": ("penalize_intercept",),
    },
}


def snake(name: str) -> str:
    """Return the name of a class as a shell types it.

    Parameters
    ----------
    name : str
        Such as ``"InverseGaussian"``.

    Returns
    -------
    str
        In lower case, words joined by underscores.

    Examples
    --------
    >>> [snake(name) for name in ("InverseGaussian", "CLogLog", "L1", "ElasticNet")]
    ['inverse_gaussian', 'cloglog', 'l1', 'elastic_net']
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("LogLog", "loglog")).lower()


def typed(text: str) -> str:
    """Return a name as the catalogue has it.

    Parameters
    ----------
    text : str
        As somebody typed it, maybe with hyphens or capitals.

    Returns
    -------
    str
        In lower case, with underscores.
    """
    return text.lower().replace("-", "_")


def flag(option: str) -> str:
    """Return an option as it is typed.

    Parameters
    ----------
    option : str
        Such as ``"l1_ratio"``.

    Returns
    -------
    str
        Such as ``"--l1-ratio"``.
    """
    return "--" + option.replace("_", "-")


def _catalogue(kind: str, package: ModuleType, base: type[Any]) -> dict[str, type[Any]]:
    """Return what can be built from options alone."""
    settable = {"link", *(field for options in SETTINGS[kind].values() for field in options)}
    exported = (getattr(package, name) for name in package.__all__)
    kinds: list[type[Any]] = [each for each in exported if isinstance(each, type) and issubclass(each, base)]
    return {
        snake(cls.__name__): cls
        for cls in kinds
        if not isabstract(cls) and cls is not Unpenalised
        if settable.issuperset(field.name for field in fields(cls) if _required(field))
    }


def _required(field: Field[Any]) -> bool:
    return field.init and field.default is MISSING and field.default_factory is MISSING


#: By kind and name.
CATALOGUE: dict[str, dict[str, type[Any]]] = {
    "family": _catalogue("family", dglm.families, Family),
    "link": _catalogue("link", dglm.links, Link),
    "penalty": _catalogue("penalty", dglm.penalties, Penalty),
}


def built(kind: str, name: str | None, options: Mapping[str, Any], **more: Any) -> Any:
    """Return the object that options describe.

    Parameters
    ----------
    kind : str
        ``"family"``, ``"link"`` or ``"penalty"``.
    name : str or None
        In the catalogue; None where none was asked for.
    options : mapping of str to object
        All that were given on the command line.
    **more : object
        Further fields.

    Returns
    -------
    Family, Link, Penalty or None
        None where none was asked for.

    Raises
    ------
    argparse.ArgumentError
        If an option means nothing to it, is missing, or has a value that it refuses.
    """
    cls = None if name is None else CATALOGUE[kind][name]
    given = {}
    for option in SETTINGS[kind].keys() & options.keys():
        field = None if cls is None else _field(cls, option, kind)
        if field is None:
            able = " or ".join(each for each, other in CATALOGUE[kind].items() if _field(other, option, kind))
            raise ArgumentError(None, f"{flag(option)} is for --{kind} {able}{f', not {name}' if name else ''}")
        given[field] = options[option]
    if cls is None:
        return None
    lacking = [each.name for each in fields(cls) if _required(each) and each.name not in {*given, *more}]
    if lacking:
        needed = " and ".join(flag(o) for o in SETTINGS[kind] if _field(cls, o, kind) in lacking)
        raise ArgumentError(None, f"--{kind} {name} needs {needed}")
    try:
        return cls(**given, **more)
    except (ValueError, TypeError) as error:
        raise ArgumentError(None, f"--{kind} {name}: {error}") from error


def _field(cls: type[Any], option: str, kind: str) -> str | None:
    """Return the field of a class that an option sets."""
    names = {field.name for field in fields(cls) if field.init}
    return next((field for field in SETTINGS[kind][option] if field in names), None)
