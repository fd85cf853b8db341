"""Penalties; their kind (none, smooth, sparse) decides what a result can say."""

from dglm.penalties.base import Penalty, SmoothPenalty, SparsePenalty
from dglm.penalties.elastic_net import ElasticNet
from dglm.penalties.l1 import L1
from dglm.penalties.l2 import L2
from dglm.penalties.regularized import regularized_penalty
from dglm.penalties.unpenalised import Unpenalised

__all__ = ["L1", "L2", "ElasticNet", "Penalty", "SmoothPenalty", "SparsePenalty", "Unpenalised", "regularized_penalty"]
