"""Dispatch: the penalty's kind decides what a result can say."""

from __future__ import annotations

from dglm.penalties import SmoothPenalty, Unpenalised
from dglm.results.base import Results
from dglm.results.estimate import Estimate
from dglm.results.l1 import L1Results
from dglm.results.l2 import L2Results
from dglm.results.mle import GLMResults


def results_of(estimate: Estimate) -> Results:
    """Return the results that an estimate can honestly offer.

    Parameters
    ----------
    estimate : Estimate
        Of any penalty.

    Returns
    -------
    Results
        `GLMResults` without penalty, `L2Results` for a smooth one, `L1Results` for a sparse one.
    """
    if isinstance(estimate.penalty, Unpenalised):
        return GLMResults(estimate)
    return L2Results(estimate) if isinstance(estimate.penalty, SmoothPenalty) else L1Results(estimate)
