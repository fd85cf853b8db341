"""Inference from reduced sums: covariances, intervals, tests, criteria. Pure functions; none sees a row."""

from dglm.inference.collinearity import equations, minimum_norm, minimum_norm_covariance
from dglm.inference.covariance import expected_covariance
from dglm.inference.criteria import aic, bic, log_likelihood
from dglm.inference.shrinkage import kept_share
from dglm.inference.wald import normal_intervals, normal_pvalues

__all__ = [
    "aic",
    "bic",
    "equations",
    "expected_covariance",
    "kept_share",
    "log_likelihood",
    "minimum_norm",
    "minimum_norm_covariance",
    "normal_intervals",
    "normal_pvalues",
]
