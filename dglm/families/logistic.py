"""Contributions of rows under the logit link: by a compiled loop where it was built, by numpy where not."""

from __future__ import annotations

import ctypes

import numpy as np

from dglm._compiled import at_once, library
from dglm._typing import Vector
from dglm.families.base import Pointwise

_LIBRARY = library(__file__, "_logistic")
# Rows that are computed at once; 0 where the library was not built.
AT_ONCE = at_once(_LIBRARY)


def logistic(y: Vector, eta: Vector) -> Pointwise:
    """Return the contributions of rows from one exponential and one logarithm each.

    Parameters
    ----------
    y : (n,) array
        Proportions of successes.
    eta : (n,) array
        Log odds.

    Returns
    -------
    Pointwise
        The deviance lacks what depends on y alone, which is nothing for zeros and ones.
    """
    if _LIBRARY is None or not AT_ONCE or eta.ndim != 1 or y.shape != eta.shape:
        return by_numpy(y, eta)
    y, eta = (np.require(values, np.float64, ["C", "A"]) for values in (y, eta))
    found = [np.empty(len(eta)) for _ in range(3)]
    addresses = (ctypes.c_void_p(values.ctypes.data) for values in (y, eta, *found))
    _LIBRARY.dglm_logistic(AT_ONCE, ctypes.c_ssize_t(len(eta)), *addresses)
    return Pointwise(*found)


def by_numpy(y: Vector, eta: Vector) -> Pointwise:
    """Return the same.

    Parameters
    ----------
    y : (n,) array
        Proportions of successes.
    eta : (n,) array
        Log odds.

    Returns
    -------
    Pointwise
        As from `logistic`.
    """
    # in place where it can be, and without a choice that a processor would have to guess
    above = np.maximum(eta, 0.0)
    expected, score = np.exp(np.minimum(eta, 0.0)), np.exp(np.negative(above))
    t = expected * score
    larger = 1 + t
    np.divide(1.0, larger, out=larger)
    # mu and nu = 1 - mu, neither of which cancels
    expected *= larger
    score *= larger
    information = expected * score
    # score = y nu - (1 - y) mu, of which neither term cancels where the response is certain
    score *= y
    expected *= 1 - y
    score -= expected
    # -l = log(1 + e^eta) - y eta; what cancels where the response is as expected is subtracted first
    deviance = above
    deviance -= y * eta
    deviance += np.log1p(t, out=t)
    deviance *= 2
    return Pointwise(deviance, score, information)
