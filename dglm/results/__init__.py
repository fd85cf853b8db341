"""What a fit can say, by the kind of its penalty: none, smooth, sparse or non-convex."""

from dglm.results.base import Results
from dglm.results.bounded import BoundedResults
from dglm.results.compare import compare
from dglm.results.constraint import Constraint
from dglm.results.covariance import Wanted
from dglm.results.cross_validation import CVResults
from dglm.results.dispatch import results_of
from dglm.results.estimate import Estimate, finish
from dglm.results.hypotheses import TTest, WaldTest, WaldTestTerms
from dglm.results.influence import Influence
from dglm.results.l1 import L1Results
from dglm.results.l2 import L2Results
from dglm.results.loading import load
from dglm.results.marginal_effects import MarginalEffects
from dglm.results.mle import GLMResults
from dglm.results.nonconvex import NonConvexResults
from dglm.results.path import PathResults
from dglm.results.prediction import Prediction
from dglm.results.score_test import ScoreTest
from dglm.results.summary import Summary

__all__ = [
    "BoundedResults",
    "CVResults",
    "Constraint",
    "Estimate",
    "GLMResults",
    "Influence",
    "L1Results",
    "L2Results",
    "MarginalEffects",
    "NonConvexResults",
    "PathResults",
    "Prediction",
    "Results",
    "ScoreTest",
    "Summary",
    "TTest",
    "WaldTest",
    "WaldTestTerms",
    "Wanted",
    "compare",
    "finish",
    "load",
    "results_of",
]
