"""Residuals: means of groups with bounds, and quantile residuals against normal quantiles."""

from __future__ import annotations

from typing import Any

from dglm.inference import BinnedResiduals, QuantileCurve


def residuals_axes(ax: Any, found: BinnedResiduals) -> Any:
    """Draw mean residuals of groups, between bounds at two standard errors.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    found : BinnedResiduals
        The numbers.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    ax.fill_between(found.x, -found.bound, found.bound, color="0.9", linewidth=0, zorder=0, label="2 standard errors")
    ax.plot(found.x, found.residual, "o", color="C0", markersize=4, label="group of observations")
    ax.set_xlabel("predicted mean" if found.against == "mean" else "linear predictor")
    ax.set_ylabel(f"mean {'' if found.kind == 'response' else found.kind.capitalize() + ' '}residual")
    if len(found.n) > 1:
        title = f"{found.outside:.0%} of {len(found.n)} groups beyond 2 standard errors (5% expected)"
        ax.set_title(title, fontsize="small", loc="left")
    return ax


def qq_axes(ax: Any, found: QuantileCurve) -> Any:
    """Draw quantile residuals against normal quantiles.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    found : QuantileCurve
        The numbers.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    x = found.theoretical
    ax.fill_between(
        x, found.low, found.high, color="0.88", linewidth=0, zorder=0, label="95% at each rank, if the model is true"
    )
    ax.plot(x[[0, -1]], x[[0, -1]], color="0.5", linewidth=0.8, zorder=1)
    ax.plot(x, found.residual, ".", color="C0", markersize=4, label="quantile residual")
    ax.set_xlabel("normal quantile")
    ax.set_ylabel("quantile residual")
    ax.legend(loc="upper left", fontsize="small")
    return ax
