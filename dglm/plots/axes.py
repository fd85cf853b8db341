"""Where a plot is drawn; matplotlib is loaded when that is a new figure."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from dglm._typing import Vector

# Labels of a logarithmic axis: fewest where there may be more, and most.
FEWEST, MOST = 3, 7


def axes_of(ax: Any, *, height: float | None = None) -> Any:
    """Return where to draw.

    Parameters
    ----------
    ax : matplotlib Axes or None
        As given.
    height : float, optional
        Of a new figure, in inches.

    Returns
    -------
    matplotlib Axes
        Of a new figure when None.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        pyplot = import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError("plots are drawn with matplotlib; install it: pip install 'dglm[plot]'") from error
    size = pyplot.rcParams["figure.figsize"]
    return pyplot.subplots(layout="constrained", figsize=(size[0], size[1] if height is None else height))[1]


def label_log_x(ax: Any, low: float, high: float) -> None:
    """Label a logarithmic axis so that labels do not overlap, over less than a decade, too.

    Parameters
    ----------
    ax : matplotlib Axes
        Whose x axis is logarithmic.
    low, high : float
        What it shows, above 0.
    """
    ticks = log_ticks(low, high)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.tick_params(axis="x", which="minor", labelbottom=False)


def log_ticks(low: float, high: float) -> Vector:
    """Return round numbers in a range: powers of ten, these times 1, 2 and 5, or multiples of a round step.

    Parameters
    ----------
    low, high : float
        Above 0.

    Returns
    -------
    (k,) array
        About 3 to 7 of them.
    """
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for ticks in (powers, np.ravel(powers[:, None] * [1.0, 2.0, 5.0])):
        shown = ticks[(ticks >= low) & (ticks <= high)]
        if len(shown) > MOST:
            return shown[:: -(-len(shown) // MOST)]
        if len(shown) >= FEWEST:
            return shown
    rough = (high - low) / (MOST - 1) if high > low else low
    unit = 10.0 ** np.floor(np.log10(rough))
    step = unit * min(times for times in (1, 2, 5, 10) if times * unit >= rough * (1 - 1e-9))
    found: Vector = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    return found
