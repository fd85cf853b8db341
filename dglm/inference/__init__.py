"""Inference from reduced sums: covariances, intervals, tests, criteria. Pure functions; none sees a row."""

from dglm.inference.choice import CovarianceChoice
from dglm.inference.collinearity import equations, estimable, minimum_norm
from dglm.inference.covariance import Covariance, cluster_meat, hc1_correction, inverse_information, sandwich
from dglm.inference.criteria import aic, bic, log_likelihood, pseudo_rsquared
from dglm.inference.nested import Test, chi2_pvalues, deviance_tests, score_statistic
from dglm.inference.shrinkage import kept_share
from dglm.inference.wald import (
    f_pvalue,
    independent_rows,
    symmetric_intervals,
    two_sided_pvalues,
    wald_statistic,
)

__all__ = [
    "Covariance",
    "CovarianceChoice",
    "Test",
    "aic",
    "bic",
    "chi2_pvalues",
    "cluster_meat",
    "deviance_tests",
    "equations",
    "estimable",
    "f_pvalue",
    "hc1_correction",
    "independent_rows",
    "inverse_information",
    "kept_share",
    "log_likelihood",
    "minimum_norm",
    "pseudo_rsquared",
    "sandwich",
    "score_statistic",
    "symmetric_intervals",
    "two_sided_pvalues",
    "wald_statistic",
]
