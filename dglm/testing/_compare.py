"""How the checks compare, differentiate and complain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pickle import PicklingError
from typing import Any, TypeVar

import cloudpickle
import numpy as np
from numpy.typing import ArrayLike

from dglm._typing import Mask, Vector

T = TypeVar("T")

EPS = float(np.finfo(np.float64).eps)


def require(condition: object, message: str) -> None:
    """Raise AssertionError unless the condition holds; unlike ``assert``, under ``python -O`` too."""
    if not condition:
        raise AssertionError(message)


def require_everywhere(holds: Mask, what: str, at: dict[str, Vector]) -> None:
    """Raise AssertionError that names the first place where a condition fails."""
    failed = np.flatnonzero(~holds)
    require(failed.size == 0, f"{what}: fails at {_place(at, int(failed[0])) if failed.size else ''}")


def require_close(
    what: str, found: ArrayLike, expected: ArrayLike, tolerance: ArrayLike, at: dict[str, Vector]
) -> None:
    """Raise AssertionError that names the worst place where two arrays differ by more than a tolerance."""
    found, expected = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    require(found.shape == expected.shape, f"{what}: has shape {found.shape}, expected {expected.shape}")
    with np.errstate(all="ignore"):
        error = np.where(found == expected, 0.0, np.abs(found - expected))
        excess = np.where(error == 0, 0.0, error / np.broadcast_to(tolerance, error.shape))
    excess = np.where(np.isnan(excess), np.inf, excess).ravel()
    if excess.max(initial=0.0) > 1:
        i = int(np.argmax(excess))
        raise AssertionError(
            f"{what}: {found.flat[i]:.17g}, expected {expected.flat[i]:.17g} at {_place(at, i)}; "
            f"they differ by {error.flat[i]:.3g}, {excess[i]:.3g} times what rounding allows"
        )


def derivative(function: Callable[[Vector], Vector], x: Vector, h: Vector) -> Vector:
    """Return df/dx by central differences of fourth order, whose error is f5 h^4 / 30."""
    slope: Vector = np.zeros_like(x)
    for k, weight in ((1.0, 4 / 3), (2.0, -1 / 3)):
        # the distance between the two points as they were rounded
        right, left = x + k * h, x - k * h
        slope = slope + weight * (function(right) - function(left)) / (right - left)
    return slope


def same_after_pickling(thing: T) -> T:
    """Return what a worker process would receive."""
    try:
        received: T = cloudpickle.loads(cloudpickle.dumps(thing))
    except (PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(f"{thing!r} cannot be pickled: {error}") from error
    require(type(received) is type(thing), f"{thing!r} is a {type(received).__name__} after pickling")
    return received


def require_value_object(thing: Any) -> None:
    """Require that a thing is immutable, and equal and of equal hash after pickling."""
    received = same_after_pickling(thing)
    require(received == thing and hash(received) == hash(thing), f"{thing!r} is not equal to itself after pickling")
    require_frozen(thing)


def require_frozen(thing: Any) -> None:
    """Require that attributes cannot be set."""
    name = "attribute_of_a_check"
    try:
        setattr(thing, name, 1)
    except (FrozenInstanceError, AttributeError, TypeError):
        return
    raise AssertionError(f"{thing!r} is mutable: make it a frozen dataclass")


def require_elementwise(what: str, function: Callable[[Vector], Vector], x: Vector) -> None:
    """Require that a function maps each element by itself, keeps the shape, and leaves its argument alone."""
    before = x.copy()
    with np.errstate(all="ignore"):
        whole = function(x)
        require(np.array_equal(x, before), f"{what} changes its argument")
        require(whole.shape == x.shape, f"{what} of shape {x.shape} has shape {whole.shape}")
        require(whole.dtype == np.float64, f"{what} is {whole.dtype}, not float64")
        require(function(x[:0]).shape == (0,), f"{what} of no rows does not have shape (0,)")
        alone = np.concatenate([function(x[i : i + 1]) for i in range(len(x))])
    require_close(f"{what} of one element, against that of all", alone, whole, 8 * EPS * np.abs(whole), {"x": x})


def _place(at: dict[str, Vector], i: int) -> str:
    return ", ".join(f"{name} = {np.ravel(values)[i]:.17g}" for name, values in at.items())
