"""Drawing: each function takes numbers that were reduced before, and matplotlib axes, and returns the axes."""

from dglm.plots.axes import axes_of
from dglm.plots.coefficients import LARGEST, coefficients_axes, drawn_coefficients, height_of
from dglm.plots.effects import effect_axes
from dglm.plots.leverage import leverage_axes
from dglm.plots.paths import path_axes, scores_axes
from dglm.plots.ranking import calibration_axes, lift_axes, roc_axes
from dglm.plots.residuals import qq_axes, residuals_axes
from dglm.plots.trace import trace_axes

__all__ = [
    "LARGEST",
    "axes_of",
    "calibration_axes",
    "coefficients_axes",
    "drawn_coefficients",
    "effect_axes",
    "height_of",
    "leverage_axes",
    "lift_axes",
    "path_axes",
    "qq_axes",
    "residuals_axes",
    "roc_axes",
    "scores_axes",
    "trace_axes",
]
