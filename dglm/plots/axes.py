"""Where a plot is drawn; matplotlib is loaded when that is a new figure."""

from __future__ import annotations

from importlib import import_module
from typing import Any


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
