"""Scalars that JSON has no words for: levels such as times and intervals, and names of well-known modules."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import scipy
from scipy import special

#: Modules that a formula may have named; a file refers to them, and to what they define, by name.
MODULES: Mapping[str, ModuleType] = {module.__name__: module for module in (math, np, pd, scipy, special)}

_TIME_UNITS = {"s", "ms", "us", "ns"}


@dataclass(frozen=True)
class Scalar:
    """How one type of scalar is written and read.

    Parameters
    ----------
    tag : str
        Its key in JSON.
    holds : callable
        Whether it is the one for a value.
    write : callable
        From a value to what has words: strings, numbers, tuples of them; raises TypeError or ValueError if it cannot.
    read : callable
        Back; raises one of the ordinary exceptions if it cannot.
    """

    tag: str
    holds: Callable[[Any], bool]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def known_name(value: Any) -> str | None:
    """Return the name of a well-known module, or of something that it defines.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str or None
        ``"numpy"``, ``"scipy.special.expit"``; None for all others.
    """
    name = getattr(value, "__name__", None)
    if not isinstance(name, str) or name.startswith("_"):
        return None
    if MODULES.get(name) is value:
        return name
    homes = (home for home, module in MODULES.items() if vars(module).get(name) is value)
    return next((f"{home}.{name}" for home in homes), None)


def from_name(name: str) -> Any:
    """Return what `known_name` named; nothing is imported.

    Parameters
    ----------
    name : str
        As written.

    Returns
    -------
    object
        The module, or what it defines.

    Raises
    ------
    ValueError
        If there is no such name.
    """
    if name in MODULES:
        return MODULES[name]
    home, _, own = name.rpartition(".")
    # not getattr, which may import a module lazily
    if own.startswith("_") or home not in MODULES or own not in vars(MODULES[home]):
        raise ValueError(f"{name!r} is not in {', '.join(MODULES)}")
    return vars(MODULES[home])[own]


def _write_timestamp(value: pd.Timestamp) -> tuple[Any, ...]:
    zone = None if value.tz is None else str(value.tz)
    written = int(value.asm8.astype(np.int64)), value.unit, zone
    if _read_timestamp(written) != value:
        raise ValueError(f"its time zone {zone!r} has no name")
    return written


def _read_timestamp(written: Any) -> pd.Timestamp:
    count, unit, zone = written
    moment = pd.Timestamp(np.datetime64(_whole(count), _unit(unit)))
    if zone is not None and zone.startswith("dateutil"):
        raise ValueError(f"{zone!r} is a path, no name of a time zone")
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)


def _write_timedelta(value: pd.Timedelta) -> tuple[Any, ...]:
    return int(value.asm8.astype(np.int64)), value.unit


def _read_timedelta(written: Any) -> pd.Timedelta:
    count, unit = written
    return pd.Timedelta(np.timedelta64(_whole(count), _unit(unit)))


def _write_period(value: pd.Period) -> tuple[Any, ...]:
    return value.ordinal, value.freqstr


def _read_period(written: Any) -> pd.Period:
    ordinal, freq = written
    return pd.Period(ordinal=_whole(ordinal), freq=freq)


def _write_interval(value: pd.Interval[Any]) -> tuple[Any, ...]:
    return value.left, value.right, value.closed


def _read_interval(written: Any) -> pd.Interval[Any]:
    left, right, closed = written
    return pd.Interval(left, right, closed)


def _write_distribution(value: Any) -> tuple[Any, ...]:
    name = value.dist.name
    if type(vars(scipy.stats).get(name)) is not type(value.dist):
        raise ValueError(f"{name!r} is no distribution of scipy.stats")
    return name, value.args, value.kwds


def _read_distribution(written: Any) -> Any:
    name, args, kwds = written
    distribution = vars(scipy.stats)[name]
    if not isinstance(distribution, scipy.stats.rv_continuous):
        raise TypeError(f"{name!r} is no continuous distribution of scipy.stats")
    return distribution(*args, **kwds)


def _write_numpy(value: np.generic) -> tuple[Any, ...]:
    return value.dtype.str, value.tobytes()


def _read_numpy(written: Any) -> np.generic:
    name, content = written
    dtype = np.dtype(str(name))
    if dtype.kind not in "biufUMm":
        raise TypeError(f"{name!r} is no plain number, string or time")
    scalar: Any = np.ndarray((), dtype, content)[()]
    if not isinstance(scalar, np.generic):
        raise TypeError(f"{name!r} is no type of one number")
    return scalar


def _write_index(value: pd.Index[Any]) -> tuple[Any, ...]:
    values = value.to_numpy()
    plain = values.dtype.kind != "O"
    written = str(value.dtype), values if plain else values.tolist()
    if not _read_index(written).identical(value):
        raise ValueError(f"an index of {value.dtype} has more to it than its values")
    return written


def _read_index(written: Any) -> pd.Index[Any]:
    name, values = written
    index: pd.Index[Any] = pd.Index(values, dtype=str(name))
    return index


def _whole(count: Any) -> int:
    if type(count) is not int:
        raise TypeError(f"{count!r} is no whole number")
    return count


def _unit(unit: Any) -> Any:
    if unit not in _TIME_UNITS:
        raise ValueError(f"{unit!r} is no unit of time")
    return unit


def _is(cls: type) -> Callable[[Any], bool]:
    """Return whether a value is of exactly this type, no subclass."""
    return lambda value: type(value) is cls


def _is_distribution(value: Any) -> bool:
    # the name first: scipy.stats is loaded when it is needed, since that takes a while
    return type(value).__name__ == "rv_continuous_frozen" and type(value) is type(scipy.stats.norm())


SCALARS = (
    Scalar("$timestamp", _is(pd.Timestamp), _write_timestamp, _read_timestamp),
    Scalar("$timedelta", _is(pd.Timedelta), _write_timedelta, _read_timedelta),
    Scalar("$period", _is(pd.Period), _write_period, _read_period),
    Scalar("$interval", _is(pd.Interval), _write_interval, _read_interval),
    Scalar("$datetime", _is(datetime.datetime), datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    Scalar("$date", _is(datetime.date), datetime.date.isoformat, datetime.date.fromisoformat),
    Scalar("$time", _is(datetime.time), datetime.time.isoformat, datetime.time.fromisoformat),
    Scalar("$decimal", _is(decimal.Decimal), str, decimal.Decimal),
    Scalar("$bytes", _is(bytes), bytes.hex, bytes.fromhex),
    # nan and the infinities
    Scalar("$float", _is(float), repr, float),
    # where an encoder is exact
    Scalar("$numpy", lambda value: isinstance(value, np.generic), _write_numpy, _read_numpy),
    # the groups of clusters
    Scalar("$index", lambda value: isinstance(value, pd.Index), _write_index, _read_index),
    # `stats.t(5)`, the parameter of a link
    Scalar("$distribution", _is_distribution, _write_distribution, _read_distribution),
)
