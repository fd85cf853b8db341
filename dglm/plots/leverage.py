"""Leverage against Cook's distance, as counts by hexagons."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm.inference import LeverageCounts
from dglm.plots.axes import label_log_x

# Hexagons from left to right.
ACROSS = 32


def leverage_axes(ax: Any, found: LeverageCounts) -> Any:
    """Draw how many observations have which leverage and which Cook's distance.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    found : LeverageCounts
        The numbers.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    if len(found.n):
        _draw_hexagons(ax, found)
    for times, style in ((2, "--"), (3, ":")):
        h = times * found.mean_leverage
        ax.axvline(h, color="0.4", linestyle=style, linewidth=0.9, label=f"{times} times the mean leverage")
    ax.set_xlabel("leverage")
    ax.set_ylabel("Cook's distance")
    if found.undefined:
        ax.set_title(f"{found.undefined:g} observations of leverage 1 are not drawn", fontsize="small", loc="left")
    ax.legend(loc="lower right", fontsize="small")
    return ax


def _draw_hexagons(ax: Any, found: LeverageCounts) -> None:
    """Draw the counts, and what their colours mean."""
    drawn = ax.hexbin(
        found.leverage,
        found.cooks_distance,
        C=found.n,
        reduce_C_function=np.sum,
        gridsize=ACROSS,
        xscale="log",
        yscale="log",
        bins="log",
        cmap="viridis",
        linewidths=0.2,
    )
    ax.figure.colorbar(drawn, ax=ax, label="observations")
    label_log_x(ax, float(found.leverage.min()), float(found.leverage.max()))
