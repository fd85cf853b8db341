"""Inference: covariances, intervals, tests, criteria, and what they make of single rows. Pure functions."""

from dglm.inference.columns import ColumnSums
from dglm.inference.covariance import expected_covariance, inverse_information
from dglm.inference.criteria import aic, bic, log_likelihood
from dglm.inference.effects import EffectMethod, EffectsAt
from dglm.inference.influence import InfluenceAt
from dglm.inference.margins import EffectSums, margin_sums
from dglm.inference.prediction import PREDICTION_COLUMNS, PredictionAt
from dglm.inference.randomised import label_keys, position_keys, quantile_residuals, uniforms
from dglm.inference.residuals import unit_deviance_residuals, unit_pearson
from dglm.inference.shrinkage import kept_share
from dglm.inference.wald import normal_critical, normal_intervals, normal_pvalues

__all__ = [
    "PREDICTION_COLUMNS",
    "ColumnSums",
    "EffectMethod",
    "EffectSums",
    "EffectsAt",
    "InfluenceAt",
    "PredictionAt",
    "aic",
    "bic",
    "expected_covariance",
    "inverse_information",
    "kept_share",
    "label_keys",
    "log_likelihood",
    "margin_sums",
    "normal_critical",
    "normal_intervals",
    "normal_pvalues",
    "position_keys",
    "quantile_residuals",
    "uniforms",
    "unit_deviance_residuals",
    "unit_pearson",
]
