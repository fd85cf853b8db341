"""Calibration, ROC and lift: what the means are worth as predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm.inference import ROC, Calibration, Lift

# Where the curve of the lift begins.
LEAST_SHARE = 0.005


def calibration_axes(ax: Any, found: Calibration) -> Any:
    """Draw mean responses against mean predictions.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    found : Calibration
        The numbers.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    ends = [
        min(found.predicted.min(), found.observed.min()),
        max(found.predicted.max(), found.observed.max()),
    ]
    ax.plot(ends, ends, color="0.5", linewidth=0.8, zorder=0, label="calibrated")
    ax.errorbar(
        found.predicted,
        found.observed,
        yerr=2 * found.std_error,
        fmt="o-",
        color="C0",
        markersize=4,
        linewidth=1.0,
        ecolor="0.6",
        capsize=2,
        label="group of observations, 2 se",
    )
    ax.set_xlabel("mean prediction")
    ax.set_ylabel("mean response")
    ax.legend(loc="upper left", fontsize="small")
    return ax


def roc_axes(ax: Any, found: ROC) -> Any:
    """Draw the receiver operating characteristic.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    found : ROC
        The numbers.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    ax.plot([0, 1], [0, 1], color="0.5", linewidth=0.8, zorder=0)
    ax.plot(found.fpr, found.tpr, color="C0", label=f"area {found.auc:.4f}")
    ax.set_xlabel("share of failures above the threshold")
    ax.set_ylabel("share of successes above the threshold")
    ax.set_aspect("equal")
    ax.legend(loc="lower right", fontsize="small")
    return ax


def lift_axes(ax: Any, found: Lift) -> Any:
    """Draw the mean response of the observations with the largest means, over that of all.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    found : Lift
        The numbers.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    ax.axhline(1.0, color="0.5", linewidth=0.8, zorder=0)
    # the first few observations are noise
    drawn = found.share >= min(LEAST_SHARE, float(found.share[1:].max(initial=0.0)))
    ax.plot(found.share[drawn], found.lift[drawn], color="C0")
    tenth = float(np.interp(0.1, found.share, found.gain))
    ax.set_title(f"the largest tenth of means has {tenth:.0%} of the response", fontsize="small", loc="left")
    ax.set_xlabel("share of observations, the largest means first")
    ax.set_ylabel("lift: mean response over that of all")
    ax.set_xlim(0, 1)
    return ax
