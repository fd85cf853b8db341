"""Effects: what a variable adds to the linear predictor, with its band and means of partial residuals."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm.inference import VariableEffect

# Levels that are drawn, those with most observations.
MOST_LEVELS = 40
# Characters of labels that fit side by side, and most labels that fit aslant.
WIDTH, UPRIGHT = 60, 15


def effect_axes(ax: Any, effect: VariableEffect, level: float, *, partial: bool) -> Any:
    """Draw the effect of a variable.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    effect : VariableEffect
        The numbers.
    level : float
        Of the intervals, where there are some.
    partial : bool
        Whether means of partial residuals are drawn, with two standard errors.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    if effect.levels is None:
        _draw_line(ax, effect, level, partial=partial)
    else:
        _draw_levels(ax, effect, level, partial=partial)
    ax.set_xlabel(effect.name)
    ax.set_ylabel(f"effect of {' + '.join(effect.terms)}")
    if effect.others:
        ax.set_title(f"without {', '.join(effect.others)}", fontsize="small", loc="left")
    ax.legend(loc="best", fontsize="small")
    return ax


def _draw_line(ax: Any, effect: VariableEffect, level: float, *, partial: bool) -> None:
    """Draw a variable that is numbers."""
    if partial:
        _draw_partial(ax, effect.partial_x, effect.partial, effect.partial_se)
    ax.plot(effect.x, effect.effect, color="C0", label=_name(effect))
    if effect.low is not None and effect.high is not None:
        ax.fill_between(
            effect.x, effect.low, effect.high, color="C0", alpha=0.2, linewidth=0, label=f"{100 * level:g}% interval"
        )


def _draw_levels(ax: Any, effect: VariableEffect, level: float, *, partial: bool) -> None:
    """Draw a variable that is levels."""
    levels = effect.levels or ()
    n = np.zeros(len(levels))
    at = np.rint(effect.partial_x).astype(np.intp)
    n[at] = effect.partial_n
    shown = np.sort(np.argsort(-n, kind="stable")[:MOST_LEVELS])
    place = np.full(len(levels), -1)
    place[shown] = np.arange(len(shown))
    if partial:
        here = place[at] >= 0
        _draw_partial(ax, place[at][here] + 0.18, effect.partial[here], effect.partial_se[here])
    x, values = np.arange(len(shown)), effect.effect[shown]
    if effect.low is not None and effect.high is not None:
        spread = np.array([values - effect.low[shown], effect.high[shown] - values])
        ax.errorbar(x, values, yerr=spread, fmt="o", color="C0", capsize=3, label=f"effect, {100 * level:g}% interval")
    else:
        ax.plot(x, values, "o", color="C0", label=_name(effect))
    labels = [str(levels[k]) for k in shown]
    width = sum(len(label) + 2 for label in labels)
    turned = 0 if width <= WIDTH else 45 if len(labels) <= UPRIGHT else 90
    ax.set_xticks(x, labels, rotation=turned, ha="right" if turned == 45 else "center")
    if turned == 90:
        ax.tick_params(axis="x", labelsize="x-small")
    ax.set_xlim(-0.6, len(shown) - 0.4)
    if len(shown) < len(levels):
        ax.set_title(f"the {len(shown)} most frequent of {len(levels):,} levels", fontsize="small", loc="left")


def _draw_partial(ax: Any, x: Any, mean: Any, se: Any) -> None:
    ax.errorbar(
        x, mean, yerr=2 * se, fmt=".", color="0.45", ecolor="0.75", elinewidth=1.0, label="mean partial residual, 2 se"
    )


def _name(effect: VariableEffect) -> str:
    return "effect" if effect.low is not None else "effect, shrunk: no interval"
