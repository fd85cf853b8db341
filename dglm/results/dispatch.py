"""Dispatch: the penalty's kind decides what a result can say."""

from __future__ import annotations

from dglm.penalties import Bounded, NonConvexPenalty, Penalty, SmoothPenalty, SparsePenalty, Unpenalised
from dglm.results.base import Results
from dglm.results.bounded import BoundedResults
from dglm.results.estimate import Estimate
from dglm.results.l1 import L1Results
from dglm.results.l2 import L2Results
from dglm.results.mle import GLMResults
from dglm.results.nonconvex import NonConvexResults

#: What each kind of penalty lets a result say; the first kind that a penalty is of.
KINDS: tuple[tuple[type[Penalty], type[Results]], ...] = (
    (Unpenalised, GLMResults),
    (Bounded, BoundedResults),
    (SmoothPenalty, L2Results),
    (SparsePenalty, L1Results),
    (NonConvexPenalty, NonConvexResults),
)


def results_of(estimate: Estimate) -> Results:
    """Return the results that an estimate can honestly offer.

    Parameters
    ----------
    estimate : Estimate
        Of any penalty.

    Returns
    -------
    Results
        `GLMResults` without penalty, `L2Results` for a smooth one, `L1Results` for a sparse one, `NonConvexResults` for
        one that is not convex; `BoundedResults` where there are bounds.

    Raises
    ------
    TypeError
        If the penalty is of no kind.
    """
    for kind, results in KINDS:
        if isinstance(estimate.penalty, kind):
            return results(estimate)
    raise TypeError(f"{estimate.penalty!r} is of no kind: derive it from SmoothPenalty or SparsePenalty")
