"""Inference from reduced sums: covariances, intervals, tests, criteria. Pure functions; none sees a row."""

from dglm.inference.covariance import expected_covariance
from dglm.inference.criteria import aic, bic, log_likelihood, pseudo_rsquared
from dglm.inference.nested import Test, chi2_pvalues, deviance_tests, f_pvalues, score_statistic
from dglm.inference.shrinkage import kept_share
from dglm.inference.wald import normal_intervals, normal_pvalues

__all__ = [
    "Test",
    "aic",
    "bic",
    "chi2_pvalues",
    "deviance_tests",
    "expected_covariance",
    "f_pvalues",
    "kept_share",
    "log_likelihood",
    "normal_intervals",
    "normal_pvalues",
    "pseudo_rsquared",
    "score_statistic",
]
