"""Figures: plots as images inside a page. They are drawn on figures of their own: pyplot is not asked."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import Any

# Inches, and dots in one where a figure is pixels: twice what a screen shows.
WIDTH, HEIGHT, DOTS = 6.4, 4.2, 160
# Bytes of vectors above which a figure has so many marks that pixels are smaller.
MOST = 100_000

#: What stands in their place where they cannot be drawn.
INSTALL = "<p>Plots need matplotlib: <code>pip install &quot;dglm[plot]&quot;</code>.</p>"


@dataclass(frozen=True)
class Figure:
    """A plot to be drawn.

    Attributes
    ----------
    name : str
        What it shows.
    caption : str
        How it is read.
    draw : callable
        Of matplotlib axes.
    height : float
        Inches.
    """

    name: str
    caption: str
    draw: Callable[[Any], object]
    height: float = HEIGHT


def drawable() -> bool:
    """Return whether matplotlib is installed.

    Returns
    -------
    bool
        It is imported for that.
    """
    try:
        import_module("matplotlib.figure")
    except ImportError:
        return False
    return True


def as_html(figures: Sequence[Figure]) -> str:
    """Draw figures, each as an image that is the same whenever it is drawn of the same numbers.

    Parameters
    ----------
    figures : sequence of Figure
        What to draw.

    Returns
    -------
    str
        HTML with the images in it.
    """
    parts = [
        f'<figure><img alt="{escape(figure.name)}" src="{_image(figure)}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
        for figure in figures
    ]
    return "\n".join(['<div class="figures">', *parts, "</div>"])


def _image(figure: Figure) -> str:
    """Return a figure as the address of an image that has it inside."""
    drawn = import_module("matplotlib.figure").Figure(figsize=(WIDTH, figure.height), layout="constrained")
    figure.draw(drawn.subplots())
    # (identifiers inside would be drawn at random)
    with import_module("matplotlib").rc_context({"svg.hashsalt": "dglm"}):
        content, kind = _saved(drawn, format="svg", metadata={"Date": None}), "svg+xml"
    if len(content) > MOST:
        content, kind = _saved(drawn, format="png", dpi=DOTS), "png"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _saved(drawn: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    drawn.savefig(file, **options)
    return file.getvalue()
