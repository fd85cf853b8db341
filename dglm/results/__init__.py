"""What a fit can say, by the kind of its penalty: none, smooth, sparse or non-convex."""

from dglm.results.base import Results
from dglm.results.bounded import BoundedResults
from dglm.results.compare import compare
from dglm.results.constraint import Constraint
from dglm.results.covariance import Wanted
from dglm.results.cross_validation import CVResults
from dglm.results.debiased import DebiasedResults
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
from dglm.results.refitting import PLAIN, refit_support
from dglm.results.rows_again import objective_of
from dglm.results.score_test import ScoreTest
from dglm.results.side_by_side import SideBySide
from dglm.results.split import Split
from dglm.results.summary import Summary
from dglm.results.warning import warn_of_fit

__all__ = [
    "PLAIN",
    "BoundedResults",
    "CVResults",
    "Constraint",
    "DebiasedResults",
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
    "SideBySide",
    "Split",
    "Summary",
    "TTest",
    "WaldTest",
    "WaldTestTerms",
    "Wanted",
    "compare",
    "finish",
    "load",
    "objective_of",
    "refit_support",
    "results_of",
    "warn_of_fit",
]
