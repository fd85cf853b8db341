"""Products of rows of a few numbers by compiled loops, where they were built: one sweep for what numpy does in four.

``_short_rows.c`` has them. Sums are the same to rounding as numpy's and BLAS's, which take their place where there was
no compiler, for wide rows and for other layouts.
"""

from __future__ import annotations

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np

from dglm._typing import AnyArray, Matrix, Vector

# Columns are padded to a multiple of these, and there are no more than these.
GROUP, MOST_COLUMNS = 8, 63
SUFFIXES = {np.dtype(np.float64): "f64", np.dtype(np.float32): "f32"}


def _loaded() -> ctypes.CDLL | None:
    """Return the library, if it was built."""
    paths = (Path(__file__).with_name(f"_short_rows{suffix}") for suffix in EXTENSION_SUFFIXES)
    return next((ctypes.CDLL(str(path)) for path in paths if path.is_file()), None)


_LIBRARY = _loaded()
# Numbers that are added at once, as many as the processor can; 0 where there is no library.
AT_ONCE = 0 if _LIBRARY is None else int(_LIBRARY.dglm_widest())


def compiled(values: AnyArray) -> bool:
    """Return whether there are compiled loops for rows such as these.

    Parameters
    ----------
    values : (n, p) array
        The rows.

    Returns
    -------
    bool
        False for wide rows, for columns that are stored one after the other, and for integers.
    """
    if not AT_ONCE or values.dtype not in SUFFIXES:
        return False
    (across, along), size = values.strides, values.dtype.itemsize
    in_order = values.flags.aligned and along == size and across >= size * values.shape[1] and across % size == 0
    return in_order and values.size > 0 and values.shape[1] <= MOST_COLUMNS


def linear(values: AnyArray, centre: Vector, beta: Vector, constant: float) -> Vector:
    """Return (x_i - centre)'beta + constant of each row.

    Parameters
    ----------
    values : (n, p) array
        Rows for which there are `compiled` loops.
    centre, beta : (p,) array
        What is taken off, and coefficients.
    constant : float
        Added to each.

    Returns
    -------
    (n,) array
        In float64.
    """
    eta = np.empty(len(values))
    # held by name: an address keeps no array alive
    c, b = _numbers(centre), _numbers(beta)
    _call("linear", values, _address(c), _address(b), ctypes.c_double(constant), _address(eta))
    return eta


def products(values: AnyArray, centre: Vector, r: Vector | None, w: Vector | None) -> tuple[Vector, Matrix]:
    """Return what is left of rows z_i = (x_i - centre, 1).

    Parameters
    ----------
    values : (n, p) array
        Rows for which there are `compiled` loops.
    centre : (p,) array
        What is taken off.
    r, w : (n,) array or None
        Numbers and weights of either sign, one a row.

    Returns
    -------
    cross : (p + 1,) array
        sum_i r_i z_i; zero without r.
    gram : (p + 1, p + 1) array
        sum_i w_i z_i z_i'; zero without w.
    """
    k = values.shape[1] + 1
    padded = -(-k // GROUP) * GROUP
    cross, gram = np.zeros(padded), np.zeros((padded, padded))
    c, weights, numbers = _numbers(centre), _numbers(w), _numbers(r)
    _call("products", values, *(_address(each) for each in (c, weights, numbers, gram, cross)))
    return cross[:k], gram[:k, :k]


def _call(name: str, values: AnyArray, *arguments: ctypes._SimpleCData[Any] | None) -> None:
    """Call a function of the library with rows: where they are, how many of how many numbers, how far apart."""
    (n, p), stride = values.shape, values.strides[0] // values.dtype.itemsize
    function = getattr(_LIBRARY, f"dglm_{name}_{SUFFIXES[values.dtype]}")
    function(AT_ONCE, _address(values), *(ctypes.c_ssize_t(each) for each in (n, p, stride)), *arguments)


def _address(values: AnyArray | None) -> ctypes.c_void_p | None:
    return None if values is None else ctypes.c_void_p(values.ctypes.data)


def _numbers(values: Vector | None) -> Vector | None:
    """Return float64 numbers one after the other."""
    return None if values is None else np.ascontiguousarray(values, dtype=np.float64)
