"""Coefficients: with intervals where an estimate has them, and as what they are where it has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Vector
from dglm.plots.axes import axes_of, label_log_x

#: How many coefficients are drawn, the largest.
LARGEST = 40
# Inches: of a line, and of what is above and below.
LINE, MARGIN = 0.26, 1.1
# Characters of a name that is drawn whole.
LONGEST = 40
# What marks a coefficient that was estimated without bounds or selection, selected, set to zero, and not penalised.
MARKS: dict[str, dict[str, Any]] = {
    "estimated": {"marker": "o", "color": "C0"},
    "selected": {"marker": "o", "color": "C0"},
    "exactly zero": {"marker": "o", "color": "0.55", "markerfacecolor": "white"},
    "not penalised": {"marker": "D", "color": "C1", "markersize": 4.5},
    "at a bound": {"marker": "s", "color": "C3"},
}


def drawn_coefficients(table: pd.DataFrame, intercept: int | None, largest: int = LARGEST) -> tuple[pd.DataFrame, int]:
    """Return the coefficients that are drawn, in their order, and how many smaller ones are not.

    Parameters
    ----------
    table : DataFrame
        From `tidy`.
    intercept : int or None
        Position of one to be left out.
    largest : int
        How many, where there are more the largest: against their standard errors, if they have some. Those that are
        nan are left out.

    Returns
    -------
    tuple of DataFrame and int
        Rows of it, and a number.
    """
    kept = table["estimate"].notna().to_numpy(copy=True)
    if intercept is not None:
        kept[intercept] = False
    found = table[kept]
    # in standard errors where there are some, which do not depend on the units of the columns
    size = found["statistic" if "statistic" in table else "estimate"].abs().fillna(0.0)
    by_size = np.argsort(-size.to_numpy(), kind="stable")
    drawn = found.iloc[np.sort(by_size[:largest])]
    return drawn, len(found) - len(drawn)


def height_of(table: pd.DataFrame) -> float:
    """Return how high a figure of coefficients has to be.

    Parameters
    ----------
    table : DataFrame
        Those that are drawn.

    Returns
    -------
    float
        Inches.
    """
    return max(MARGIN + LINE * len(table), 2.4)


def coefficients_axes(
    ax: Any, table: pd.DataFrame, intercept: int | None, *, exponentiate: bool = False, largest: int = LARGEST
) -> Any:
    """Draw coefficients, the first on top.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Where; a new figure of their height when None.
    table : DataFrame
        From `tidy`, its intervals of 95%; its columns say what the estimates are.
    intercept : int or None
        Position of one to be left out.
    exponentiate : bool
        Whether estimates are exponentials.
    largest : int
        How many, where there are more the largest.

    Returns
    -------
    matplotlib Axes
        With a line for each.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    table, left_out = drawn_coefficients(table, intercept, largest)
    ax = axes_of(ax, height=height_of(table))
    y, estimate = np.arange(len(table)), table["estimate"].to_numpy()
    none = 1.0 if exponentiate else 0.0
    ax.axvline(none, color="0.7", linewidth=0.8, zorder=0)
    status = _status(table)
    if "conf_low" in table:
        spread = np.abs(table[["conf_low", "conf_high"]].to_numpy() - estimate[:, None]).T
        ax.errorbar(estimate, y, xerr=spread, fmt="none", ecolor="C0", elinewidth=1.2, capsize=2.5)
    elif "lower" in table:
        _draw_bounds(ax, y, table["lower"].to_numpy(), table["upper"].to_numpy())
    else:
        ax.hlines(y, none, estimate, color="C0", linewidth=1.2, alpha=0.6)
    for name, mark in MARKS.items():
        here = status == name
        if here.any():
            ax.plot(estimate[here], y[here], label=name, **{"linestyle": "none", "markersize": 5.5, **mark})
    if "shrinkage" in table:
        _label_right(ax, y, [f"{100 * share:.0f}%" for share in table["shrinkage"]], "shrunk by")
    elif "effective_df" in table:
        _label_right(ax, y, [f"{df:.2f}" for df in table["effective_df"]], "effective df")
    if exponentiate:
        ax.set_xscale("log")
        label_log_x(ax, *ax.get_xlim())
    ax.set_yticks(y, [_short(str(term)) for term in table["term"]])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlabel(_label(table, exponentiate=exponentiate))
    if left_out:
        size = "|estimate / std err|" if "statistic" in table else "|estimate|"
        title = f"the {len(table)} of largest {size}; {left_out} smaller ones are not drawn"
        ax.set_title(title, fontsize="small", loc="left")
    if len(set(status)) > 1:
        ax.legend(loc="best", fontsize="small")
    return ax


def _status(table: pd.DataFrame) -> AnyArray:
    """Return what each coefficient is, in the words of `MARKS`."""
    n = len(table)
    if "selected" in table:
        return np.select([~table["selected"], ~table["penalised"]], ["exactly zero", "not penalised"], "selected")
    if "lower" in table:
        return np.select(
            [table["status"] == "free", table["status"] == "zero"], ["estimated", "exactly zero"], "at a bound"
        )
    return np.full(n, "estimated")


def _short(term: str) -> str:
    """Return a name that leaves room for what is drawn: its beginning and its end."""
    return term if len(term) <= LONGEST else f"{term[: LONGEST // 2 - 2]} ... {term[3 - LONGEST // 2 :]}"


def _label(table: pd.DataFrame, *, exponentiate: bool) -> str:
    """Return what the estimates are."""
    what = "exp(coefficient)" if exponentiate else "coefficient"
    if "conf_low" in table:
        caveat = ",\nthe selection not accounted for" if "selection" in table else ""
        return f"{what}, 95% interval{caveat}"
    if "selected" in table:
        return f"{what},\nselected and shrunk: no intervals"
    return f"{what},\n{'between bounds' if 'lower' in table else 'shrunk'}: no intervals"


def _draw_bounds(ax: Any, y: AnyArray, lower: Vector, upper: Vector) -> None:
    """Draw the ranges that are allowed, with an end where there is a bound."""
    for low, high, at in zip(lower, upper, y, strict=True):
        if np.isfinite(low) and np.isfinite(high):
            ax.plot([low, high], [at, at], color="0.8", linewidth=4, solid_capstyle="butt", zorder=0)
        for end, sign in ((low, ">"), (high, "<")):
            if np.isfinite(end):
                ax.plot([end], [at], marker=sign, color="0.6", markersize=5, zorder=1)


def _label_right(ax: Any, y: AnyArray, labels: list[str], title: str) -> None:
    """Write a number at the end of each line."""
    right = ax.secondary_yaxis("right")
    right.set_yticks(y, labels)
    right.tick_params(length=0)
    right.set_ylabel(title)
