"""Libraries of compiled loops: files beside the modules that call them, where there was a C compiler."""

from __future__ import annotations

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np

from dglm._typing import AnyArray, Vector

# Numbers that each sum of a family's loop is added up in, as ``_contributions.h`` has it.
LANES_OF_SUMS = 8


def library(module: str, name: str) -> ctypes.CDLL | None:
    """Return a library, if it was built.

    Parameters
    ----------
    module : str
        Path of the module that calls it, its ``__file__``.
    name : str
        Of the library.

    Returns
    -------
    ctypes.CDLL or None
        Loaded.
    """
    paths = (Path(module).with_name(f"{name}{suffix}") for suffix in EXTENSION_SUFFIXES)
    return next((ctypes.CDLL(str(path)) for path in paths if path.is_file()), None)


def at_once(loaded: ctypes.CDLL | None) -> int:
    """Return how many numbers loops take at once, as many as the processor can.

    Parameters
    ----------
    loaded : ctypes.CDLL or None
        A library.

    Returns
    -------
    int
        0 without a library.
    """
    return 0 if loaded is None else int(loaded.dglm_widest())


def address_of(values: AnyArray | None) -> ctypes.c_void_p | None:
    """Return where an array is; it must be held by a name, since an address keeps nothing alive.

    Parameters
    ----------
    values : array or None
        Any.

    Returns
    -------
    ctypes.c_void_p or None
        None for none.
    """
    return None if values is None else ctypes.c_void_p(values.ctypes.data)


def as_float64(values: Vector | None) -> Vector | None:
    """Return float64 numbers one after the other, as loops read them.

    Parameters
    ----------
    values : (n,) array or None
        Numbers.

    Returns
    -------
    (n,) array or None
        A copy only where it takes one.
    """
    return None if values is None else np.require(values, np.float64, ["C", "A"])
