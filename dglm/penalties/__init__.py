"""Penalties; their kind (none, smooth, sparse, non-convex) decides what a result can say."""

from dglm.penalties.adaptive import adaptive_weights
from dglm.penalties.base import NonConvexPenalty, Penalty, SmoothPenalty, SparsePenalty
from dglm.penalties.bounded import Bounded
from dglm.penalties.coefficients import Coefficients
from dglm.penalties.converting import from_dask_glm, from_glmnet, from_sklearn, from_statsmodels
from dglm.penalties.elastic_net import ElasticNet
from dglm.penalties.folded import MCP, SCAD, FoldedConcave
from dglm.penalties.generalized_ridge import GeneralizedRidge, difference_penalty
from dglm.penalties.group_l1 import GroupL1
from dglm.penalties.l1 import L1
from dglm.penalties.l2 import L2
from dglm.penalties.separable import Separable
from dglm.penalties.unpenalised import Unpenalised
from dglm.penalties.weighted import Weighted

__all__ = [
    "L1",
    "L2",
    "MCP",
    "SCAD",
    "Bounded",
    "Coefficients",
    "ElasticNet",
    "FoldedConcave",
    "GeneralizedRidge",
    "GroupL1",
    "NonConvexPenalty",
    "Penalty",
    "Separable",
    "SmoothPenalty",
    "SparsePenalty",
    "Unpenalised",
    "Weighted",
    "adaptive_weights",
    "difference_penalty",
    "from_dask_glm",
    "from_glmnet",
    "from_sklearn",
    "from_statsmodels",
]
