"""Figures of paths and cross-validations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector

# Lines that are named in a legend; the largest at the weakest strength.
NAMED = 12
DASHES = ("-", "--", ":", "-.")


def path_axes(ax: Any, alphas: Vector, values: Matrix, names: Sequence[str], df: Vector) -> Any:
    """Draw coefficients against the strength.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    alphas : (m,) array
        Strengths.
    values : (q, m) array
        Coefficients.
    names : sequence of str
        Theirs.
    df : (m,) array
        Degrees of freedom.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    largest = set(np.argsort(-np.abs(values[:, -1]), kind="stable")[:NAMED].tolist()) if len(values) else set()
    for j, line in enumerate(values):
        # ten colours, and another dash for the next ten
        dashes = DASHES[j // 10 % len(DASHES)]
        ax.plot(alphas, line, dashes, label=names[j] if j in largest else None, linewidth=1.2)
    ax.axhline(0.0, color="0.7", linewidth=0.8)
    _strengths(ax, alphas, df)
    ax.set_ylabel("coefficient")
    if largest:
        ax.legend(loc="best", fontsize="small", frameon=False)
    return ax


def scores_axes(ax: Any, alphas: Vector, mean: Vector, error: Vector, marks: dict[str, float], label: str) -> Any:
    """Draw mean scores with their standard errors against the strength.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    alphas : (m,) array
        Strengths.
    mean, error : (m,) array
        Of the scores over the folds.
    marks : dict of str to float
        Strengths to be marked, by what they are.
    label : str
        What the score is.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    ax.errorbar(alphas, mean, yerr=error, fmt=".", color="C0", ecolor="0.7", capsize=2)
    for i, (name, alpha) in enumerate(marks.items()):
        ax.axvline(alpha, color=f"C{i + 1}", linestyle="--", linewidth=1.0, label=name)
    _strengths(ax, alphas, None)
    ax.set_ylabel(label)
    ax.legend(loc="best", fontsize="small", frameon=False)
    return ax


def _strengths(ax: Any, alphas: Vector, df: Vector | None) -> None:
    """Lay out the axis of strengths, the strongest on the left, with degrees of freedom above."""
    if len(alphas) > 1:
        ax.set_xscale("log")
        ax.set_xlim(alphas[0], alphas[-1])
    ax.set_xlabel("alpha")
    if df is not None:
        shown = np.unique(np.linspace(0, len(alphas) - 1, 7).round().astype(np.intp))
        above = ax.secondary_xaxis("top")
        above.set_xlabel("degrees of freedom")
        above.set_xticks(alphas[shown], [f"{df[i]:.0f}" for i in shown])
        above.minorticks_off()
