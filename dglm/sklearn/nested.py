"""Parameters of parameters: ``penalty__alpha``, ``family__link__power``, ``solver__tol``, as scikit-learn writes them.

Penalties, families, links and solvers are frozen records: to set a field of one is to put another in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any


def nested_params(value: object) -> dict[str, Any]:
    """Return the fields of a record, and those of the records among them.

    Parameters
    ----------
    value : object
        What a parameter of an estimator is.

    Returns
    -------
    dict of str to object
        By name, joined by two underscores; empty for what is no record.
    """
    found: dict[str, Any] = {}
    for name in _names(value):
        inner = getattr(value, name)
        found[name] = inner
        found |= {f"{name}__{deeper}": part for deeper, part in nested_params(inner).items()}
    return found


def with_nested(value: Any, given: Mapping[str, Any], where: str) -> Any:
    """Return a record with other values for some fields.

    Parameters
    ----------
    value : object
        What a parameter of an estimator is.
    given : mapping of str to object
        New values by names as `nested_params` has them.
    where : str
        Name of the parameter, for messages.

    Returns
    -------
    object
        Of the same type.

    Raises
    ------
    ValueError
        If there is no such field, or it cannot have that value.
    """
    known = _names(value)
    deeper: dict[str, dict[str, Any]] = {}
    for name, part in given.items():
        first, _, rest = name.partition("__")
        if first not in known:
            raise ValueError(f"Invalid parameter {first!r} for {where}={value!r}. Valid parameters are: {known!r}")
        if rest:
            deeper.setdefault(first, {})[rest] = part
        else:
            value = replace(value, **{first: part})
    for name, parts in deeper.items():
        value = replace(value, **{name: with_nested(getattr(value, name), parts, f"{where}__{name}")})
    return value


def _names(value: object) -> list[str]:
    if not is_dataclass(value) or isinstance(value, type):
        return []
    return [field.name for field in fields(value) if field.init]
