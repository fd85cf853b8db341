"""The objective of a fit, and the sums over rows that it is made of: one pass each, whatever is asked together."""

from dglm.objective.at_params import hessian_at, independent_columns, loglike_at, score_at
from dglm.objective.base import Sum
from dglm.objective.clusters import ClusterScores, ScoresAt
from dglm.objective.columns import ColumnCurvature, ColumnsAt
from dglm.objective.constrained import Constrained
from dglm.objective.curvature import Curvature, ObservedCurvature
from dglm.objective.deviance import Deviance
from dglm.objective.diagonal import DiagonalCurvature
from dglm.objective.factored import FactoredCurvature, SecondOrder
from dglm.objective.first_pass import survey, usable
from dglm.objective.folds import Folds, survey_folds
from dglm.objective.gradient import Gradient
from dglm.objective.groups import Groups, at_rates, group_block, identity, most_groups
from dglm.objective.meat import DETERMINED, Leverages, Meat, MeatAt
from dglm.objective.null_model import NullModel, NullStep
from dglm.objective.objective import Objective, OnBlock, Request, evaluate
from dglm.objective.one_mean import at_one_mean, mean_information
from dglm.objective.pilot import Pilot, Sample, sample_of
from dglm.objective.saturated import SaturatedLoglike
from dglm.objective.scoring import HeldOut, HeldOutAt, Scorer, scorer_of
from dglm.objective.shape import ShapeCurvature, ShapeLoglike, ShapeObjective, packed
from dglm.objective.spread import column_spread
from dglm.objective.survey import Survey
from dglm.objective.trials import Trials, TrialsAt

__all__ = [
    "DETERMINED",
    "ClusterScores",
    "ColumnCurvature",
    "ColumnsAt",
    "Constrained",
    "Curvature",
    "Deviance",
    "DiagonalCurvature",
    "FactoredCurvature",
    "Folds",
    "Gradient",
    "Groups",
    "HeldOut",
    "HeldOutAt",
    "Leverages",
    "Meat",
    "MeatAt",
    "NullModel",
    "NullStep",
    "Objective",
    "ObservedCurvature",
    "OnBlock",
    "Pilot",
    "Request",
    "Sample",
    "SaturatedLoglike",
    "Scorer",
    "ScoresAt",
    "SecondOrder",
    "ShapeCurvature",
    "ShapeLoglike",
    "ShapeObjective",
    "Sum",
    "Survey",
    "Trials",
    "TrialsAt",
    "at_one_mean",
    "at_rates",
    "column_spread",
    "evaluate",
    "group_block",
    "hessian_at",
    "identity",
    "independent_columns",
    "loglike_at",
    "mean_information",
    "most_groups",
    "packed",
    "sample_of",
    "score_at",
    "scorer_of",
    "survey",
    "survey_folds",
    "usable",
]
