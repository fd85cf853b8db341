"""Drawing: small figures as SVG, which notebooks show beside a table; they need no matplotlib, and fit any theme.

Lines have colours of middle brightness, everything else has that of the text around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from dglm._typing import Matrix, Vector

# Pixels: of the figure, and of what is left free around the axes for labels.
WIDTH, HEIGHT = 640, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 130, 18, 36
# From one label to the next.
LINE = 13
# Read on white and on black.
COLOURS = ("#3d87c9", "#d9772b", "#3a9d5d", "#d6546a", "#8f74c9", "#a3802f", "#2f9c9c", "#c462a8")
# Lines that are drawn, and those that are named: the largest.
DRAWN, NAMED = 60, 12


@dataclass(frozen=True)
class Axes:
    """Strengths on a logarithmic scale, the strongest on the left, against numbers.

    Attributes
    ----------
    alphas : (m,) array
        Strengths, the largest first.
    low, high : float
        Of the numbers.
    """

    alphas: Vector
    low: float
    high: float

    def x(self, alpha: float) -> float:
        """Return where a strength is.

        Parameters
        ----------
        alpha : float
            Above 0.

        Returns
        -------
        float
            Pixels from the left.
        """
        first, last = np.log(self.alphas[[0, -1]])
        share = 0.5 if first == last else (first - np.log(alpha)) / (first - last)
        return float(LEFT + share * (WIDTH - LEFT - RIGHT))

    def y(self, value: float) -> float:
        """Return where a number is.

        Parameters
        ----------
        value : float
            Finite.

        Returns
        -------
        float
            Pixels from the top.
        """
        span = self.high - self.low
        share = 0.5 if span == 0 else (value - self.low) / span
        return float(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))

    def points(self, values: Iterable[float], alphas: Iterable[float] | None = None) -> str:
        """Return a line through numbers, those that are not finite left out.

        Parameters
        ----------
        values : iterable of float
            One for each strength.
        alphas : iterable of float, optional
            The strengths, when not all in order.

        Returns
        -------
        str
            Coordinates.
        """
        pairs = zip(self.alphas if alphas is None else alphas, values, strict=True)
        return " ".join(f"{self.x(a):.1f},{self.y(v):.1f}" for a, v in pairs if np.isfinite(v))


def path_drawing(alphas: Vector, values: Matrix, names: Sequence[str]) -> str:
    """Draw coefficients against the strength, the largest with their names.

    Parameters
    ----------
    alphas : (m,) array
        Strengths, the largest first.
    values : (q, m) array
        Coefficients.
    names : sequence of str
        Theirs.

    Returns
    -------
    str
        An ``svg`` element; empty where there is nothing to draw.
    """
    if not np.isfinite(values).any():
        return ""
    # zero is in the picture anyway
    finite = np.where(np.isfinite(values), values, 0.0)
    axes = Axes(alphas, min(0.0, float(finite.min())), max(0.0, float(finite.max())))
    order = np.argsort(-np.abs(finite).max(axis=1), kind="stable")[:DRAWN].tolist()
    parts = [_line(LEFT, axes.y(0.0), WIDTH - RIGHT, axes.y(0.0), opacity=0.4)]
    parts += [
        f'<polyline points="{axes.points(values[j])}" fill="none" stroke="{_colour(i)}" stroke-width="1.5"/>'
        for i, j in enumerate(order)
    ]
    ends = sorted((axes.y(finite[j, -1]), i, names[j]) for i, j in enumerate(order[:NAMED]))
    if len(values) > DRAWN:
        said = f"the {DRAWN} largest of {len(values):,} coefficients"
        parts.append(_text((LEFT + WIDTH - RIGHT) / 2, TOP - 7, said, "middle"))
    below: float = TOP - LINE
    # from the top down, each as near to its line as those above it leave room, and all of them within the figure
    for n, (y, i, name) in enumerate(ends):
        below = max(below + LINE, min(y, HEIGHT - BOTTOM - LINE * (len(ends) - 1 - n)))
        short = name if len(name) <= 18 else f"{name[:17]}…"
        dot = f'<circle cx="{WIDTH - RIGHT + 8}" cy="{below:.1f}" r="3" fill="{_colour(i)}"/>'
        parts += [dot, _text(WIDTH - RIGHT + 16, below + 4, short, "start")]
    return _svg(axes, parts, "coefficient", f"Coefficients at {len(alphas)} strengths of the penalty")


def scores_drawing(alphas: Vector, mean: Vector, error: Vector, marks: Mapping[str, float], label: str) -> str:
    """Draw mean scores with their standard errors against the strength.

    Parameters
    ----------
    alphas : (m,) array
        Strengths, the largest first.
    mean, error : (m,) array
        Of the scores over the folds; those that are not finite are left out.
    marks : mapping of str to float
        Strengths to be marked, by what they are called.
    label : str
        What the score is.

    Returns
    -------
    str
        An ``svg`` element; empty where there is nothing to draw.
    """
    finite = np.isfinite(mean) & np.isfinite(error)
    if not finite.any():
        return ""
    low, high = (mean - error)[finite], (mean + error)[finite]
    axes = Axes(alphas, float(low.min()), float(high.max()))
    across = np.concatenate([alphas[finite], alphas[finite][::-1]])
    band = axes.points(np.concatenate([low, high[::-1]]), across)
    parts = [
        f'<polygon points="{band}" fill="{COLOURS[0]}" fill-opacity="0.25"/>',
        f'<polyline points="{axes.points(mean)}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>',
    ]
    for i, (name, alpha) in enumerate(marks.items()):
        x, y = axes.x(alpha), TOP + 4 + LINE * i
        parts += [_line(x, TOP, x, HEIGHT - BOTTOM, opacity=0.7, dashes="4 3"), _text(x + 4, y + 4, name, "start")]
    return _svg(axes, parts, label, f"Mean {label} at {len(alphas)} strengths of the penalty")


def _svg(axes: Axes, parts: Sequence[str], label: str, title: str) -> str:
    """Return the figure with its axes."""
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    lines = [_line(LEFT, floor, right, floor), _line(LEFT, TOP, LEFT, floor)]
    for value in _steps(axes.low, axes.high):
        y = axes.y(value)
        lines += [_line(LEFT - 4, y, LEFT, y), _text(LEFT - 7, y + 4, f"{value:g}", "end")]
    for alpha in _strengths(axes.alphas):
        x = axes.x(alpha)
        lines += [_line(x, floor, x, floor + 4), _text(x, floor + 17, f"{alpha:.2g}", "middle")]
    lines.append(_text((LEFT + right) / 2, HEIGHT - 5, "alpha", "middle"))
    lines.append(_text(LEFT - 50, TOP - 7, label, "start"))
    return "\n".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="{escape(title)}" '
            f'style="max-width: 100%; height: auto" font-size="11" fill="currentColor">',
            *parts,
            *lines,
            "</svg>",
        ]
    )


def _steps(low: float, high: float) -> list[float]:
    """Return round numbers between two."""
    if low == high:
        return [low]
    rough = (high - low) / 4
    size = 10.0 ** np.floor(np.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _strengths(alphas: Vector) -> list[float]:
    """Return powers of ten, or the ends where there are less than two of them."""
    first, last = np.log10(alphas[[0, -1]])
    powers = [10.0**k for k in range(int(np.floor(first)), int(np.ceil(last)) - 1, -1)]
    return powers if len(powers) > 1 else [float(alphas[0]), float(alphas[-1])]


def _line(x1: float, y1: float, x2: float, y2: float, *, opacity: float = 0.6, dashes: str = "") -> str:
    where = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {where} stroke="currentColor" stroke-opacity="{opacity}" stroke-dasharray="{dashes or "none"}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]
