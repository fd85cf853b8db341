"""What a fit can say, by the kind of its penalty: none, smooth or sparse."""

from dglm.results.base import Results
from dglm.results.compare import compare
from dglm.results.constraint import Constraint
from dglm.results.dispatch import results_of
from dglm.results.estimate import Estimate, finish
from dglm.results.l1 import L1Results
from dglm.results.l2 import L2Results
from dglm.results.mle import GLMResults
from dglm.results.score_test import ScoreTest
from dglm.results.summary import Summary

__all__ = [
    "Constraint",
    "Estimate",
    "GLMResults",
    "L1Results",
    "L2Results",
    "Results",
    "ScoreTest",
    "Summary",
    "compare",
    "finish",
    "results_of",
]
