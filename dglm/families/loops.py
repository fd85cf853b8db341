"""Compiled loops over rows under canonical links, where they were built; families say which is theirs."""

from __future__ import annotations

import ctypes

import numpy as np

from dglm._compiled import address_of, as_float64, at_once, library
from dglm._typing import Vector
from dglm.families.base import Pointwise

_LIBRARY = library(__file__, "_contributions")
# Rows that are computed at once; 0 where the library was not built.
AT_ONCE = at_once(_LIBRARY)


def address(name: str) -> int | None:
    """Return where a loop is: what a design matrix sums a likelihood by, in the sweep that multiplies its rows.

    Parameters
    ----------
    name : str
        Of the loop in ``_contributions.c``.

    Returns
    -------
    int or None
        Of this process; None where the library was not built.
    """
    return ctypes.cast(getattr(_LIBRARY, f"dglm_{name}"), ctypes.c_void_p).value if AT_ONCE else None


def contributions(name: str, y: Vector, eta: Vector) -> Pointwise | None:
    """Return the contributions of rows.

    Parameters
    ----------
    name : str
        Of the loop.
    y : (n,) array
        Responses.
    eta : (n,) array
        Linear predictors.

    Returns
    -------
    Pointwise or None
        None where there is no loop for them.
    """
    if not AT_ONCE or eta.ndim != 1 or y.shape != eta.shape:
        return None
    given, (score, information, deviance) = [as_float64(each) for each in (y, eta)], np.empty((3, len(eta)))
    parts = map(address_of, (*given, None, score, information, deviance, None))
    getattr(_LIBRARY, f"dglm_{name}")(AT_ONCE, ctypes.c_ssize_t(len(eta)), *parts)
    return Pointwise(deviance, score, information)
