"""Trace: how far from the optimum each iterate was, and the certificate that the fit ended with."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm.solvers import Fit

# What is drawn where an iterate is at the optimum exactly.
EXACT = 1e-18


def trace_axes(ax: Any, fit: Fit) -> Any:
    """Draw the certificate of every iterate, and how far its objective was above the last.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    fit : Fit
        With a trace.

    Returns
    -------
    matplotlib Axes
        The same.
    """
    history, certificate = fit.trace, fit.certificate
    measured = np.array([each.certificate for each in history])
    objective = np.array([each.objective for each in history])
    numbers = np.arange(len(history))
    ax.plot(numbers, _positive(measured), "o-", color="C0", markersize=4, label="measured at each iterate")
    kind = str(certificate).split(" = ")[0]
    last = f"certificate of the fit, {kind}{'' if certificate.holds else ': does not hold'}"
    ax.plot(numbers[-1:], _positive(np.array([certificate.value])), "s", color="C3", mfc="none", label=last)
    ax.axhline(certificate.tol, color="C3", linestyle="--", linewidth=1.0, label="tolerance")
    above = objective - objective[-1]
    shown = np.isfinite(above) & (above > 0)
    if shown.any():
        ax.plot(numbers[shown], above[shown], ".:", color="0.5", linewidth=1.0, label="objective above its last value")
    ax.set_yscale("log")
    ax.margins(y=0.2)
    ax.set_xlabel("iteration")
    ax.set_ylabel("distance from the optimum / std err")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_title(f"{fit.solver}, {len(history) - 1} iterations: {fit.status.value}", fontsize="small", loc="left")
    # iterates go from the upper left to the lower right
    ax.legend(loc="lower left", fontsize="small")
    return ax


def _positive(values: Any) -> Any:
    """Return what a logarithmic axis can show."""
    return np.where(np.isfinite(values), np.maximum(values, EXACT), np.nan)
