"""The penalty of statsmodels' ``fit_regularized``, in dglm's terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm.penalties.base import Penalty
from dglm.penalties.elastic_net import ElasticNet
from dglm.penalties.l1 import L1
from dglm.penalties.l2 import L2


def regularized_penalty(alpha: Any, L1_wt: float) -> Penalty:
    """Return ``sum_j alpha_j ((1 - L1_wt) / 2 beta_j^2 + L1_wt |beta_j|)``, the intercept's coefficient included.

    Parameters
    ----------
    alpha : float or (p,) array
        Strength, for all coefficients or for each.
    L1_wt : float
        Share of the absolute values, from 0 to 1.

    Returns
    -------
    Penalty
        `L2` for a share of 0, `L1` for 1, `ElasticNet` in between.

    Raises
    ------
    ValueError
        If a strength is negative, or the share is not from 0 to 1.

    Examples
    --------
    >>> regularized_penalty(0.1, 1.0)
    L1(alpha=0.1)
    """
    if not 0 <= L1_wt <= 1:
        raise ValueError(f"L1_wt must be from 0 to 1; got {L1_wt!r}")
    strengths = np.asarray(alpha, dtype=np.float64)
    if strengths.ndim:
        # relative strengths times one
        common, weights = 1.0, strengths
    else:
        common, weights = float(strengths), None
    if L1_wt == 0:
        return L2(common, weights=weights, penalize_intercept=True)
    if L1_wt == 1:
        return L1(common, weights=weights, penalize_intercept=True)
    return ElasticNet(common, L1_wt, weights=weights, penalize_intercept=True)
