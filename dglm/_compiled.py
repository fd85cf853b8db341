"""Libraries of compiled loops: files beside the modules that call them, where there was a C compiler."""

from __future__ import annotations

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


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
