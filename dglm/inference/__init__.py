"""Inference: covariances, intervals, tests, criteria, and what they make of single rows. Pure functions."""

from dglm.inference.binned import Binned
from dglm.inference.choice import CovarianceChoice
from dglm.inference.collinearity import equations, estimable, minimum_norm
from dglm.inference.columns import ColumnSums
from dglm.inference.covariance import (
    Covariance,
    cluster_meat,
    hc1_correction,
    inverse_information,
    inverse_root,
    sandwich,
)
from dglm.inference.criteria import aic, bic, log_likelihood, pseudo_rsquared
from dglm.inference.duality import duality_gap, has_duality_gap
from dglm.inference.effects import EffectMethod, EffectsAt
from dglm.inference.influence import InfluenceAt
from dglm.inference.leverage_bins import LeverageCounts, LeverageSums, leverage_sums
from dglm.inference.margins import EffectSums, margin_sums
from dglm.inference.nested import Test, chi2_pvalues, deviance_tests, score_statistic
from dglm.inference.prediction import PREDICTION_COLUMNS, PredictionAt
from dglm.inference.quantile_curve import FARTHEST, QuantileCurve
from dglm.inference.randomised import content_keys, label_keys, position_keys, quantile_residuals, uniforms
from dglm.inference.residuals import unit_deviance_residuals, unit_pearson
from dglm.inference.score_bins import Against, ResidualKind, ScoreBins, score_sums
from dglm.inference.score_curves import ROC, BinnedResiduals, Calibration, Lift
from dglm.inference.shrinkage import gcv, kept_share, penalised_covariances
from dglm.inference.variable_effect import EffectOf, VariableEffect, effect_sums, variable_effect
from dglm.inference.wald import (
    critical_value,
    f_pvalue,
    independent_rows,
    symmetric_intervals,
    two_sided_pvalues,
    wald_statistic,
)

__all__ = [
    "FARTHEST",
    "PREDICTION_COLUMNS",
    "ROC",
    "Against",
    "Binned",
    "BinnedResiduals",
    "Calibration",
    "ColumnSums",
    "Covariance",
    "CovarianceChoice",
    "EffectMethod",
    "EffectOf",
    "EffectSums",
    "EffectsAt",
    "InfluenceAt",
    "LeverageCounts",
    "LeverageSums",
    "Lift",
    "PredictionAt",
    "QuantileCurve",
    "ResidualKind",
    "ScoreBins",
    "Test",
    "VariableEffect",
    "aic",
    "bic",
    "chi2_pvalues",
    "cluster_meat",
    "content_keys",
    "critical_value",
    "deviance_tests",
    "duality_gap",
    "effect_sums",
    "equations",
    "estimable",
    "f_pvalue",
    "gcv",
    "has_duality_gap",
    "hc1_correction",
    "independent_rows",
    "inverse_information",
    "inverse_root",
    "kept_share",
    "label_keys",
    "leverage_sums",
    "log_likelihood",
    "margin_sums",
    "minimum_norm",
    "penalised_covariances",
    "position_keys",
    "pseudo_rsquared",
    "quantile_residuals",
    "sandwich",
    "score_statistic",
    "score_sums",
    "symmetric_intervals",
    "two_sided_pvalues",
    "uniforms",
    "unit_deviance_residuals",
    "unit_pearson",
    "variable_effect",
    "wald_statistic",
]
