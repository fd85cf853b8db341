"""dglm: generalized linear models on dask, from a laptop to a cluster."""

import dglm.errors as errors
import dglm.families as families
import dglm.links as links
import dglm.penalties as penalties
import dglm.results as results
import dglm.solvers as solvers
from dglm._version import __version__
from dglm.glm import GLM
from dglm.penalties import L1, L2, MCP, SCAD, ElasticNet, GeneralizedRidge, GroupL1, adaptive_weights
from dglm.results import compare, load
from dglm.versions import show_versions

__all__ = [
    "GLM",
    "L1",
    "L2",
    "MCP",
    "SCAD",
    "ElasticNet",
    "GeneralizedRidge",
    "GroupL1",
    "__version__",
    "adaptive_weights",
    "compare",
    "errors",
    "families",
    "links",
    "load",
    "penalties",
    "results",
    "show_versions",
    "solvers",
]
