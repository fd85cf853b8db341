"""Contributions of rows under the logit link by numpy, for where no loop was compiled."""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector
from dglm.families.base import Pointwise


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
