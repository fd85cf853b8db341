"""Tweedie densities for 1 < p < 2: a Poisson number of gamma variables, summed over that number.

At mu = y every term of the series is of moderate size. With rate = y^(2-p) / (phi (2-p)), the expected number, and
a = (2-p) / (p-1), the shape of one variable,

    y f(y; y, phi) = sum_j sqrt(a) / (2 pi) exp(-(1 + a) rate h(j / rate - 1) - e(j) - e(a j)),   j = 1, 2, ...

where h is `relative_entropy` and e `stirling_error`: nothing in it is large and cancels.
Source: Dunn & Smyth (2005), "Series evaluation of Tweedie exponential dispersion model densities", section 4, with the
gamma functions written as in Loader (2000).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dglm._typing import AnyArray, Matrix, Vector
from dglm.families.saddlepoint import (
    relative_entropy,
    stirling_error,
    stirling_error_deriv,
    stirling_error_deriv2,
)

# Terms smaller than the largest one by e^-40 are left out.
NEGLIGIBLE = 40.0
# The terms are a bell of this many standard deviations at least before every other one, or fewer, will do.
WIDE = 3.0
# Numbers in a temporary array: what fits in a cache.
CHUNK = 2**15


def log_density_at_mean(rate: Vector, a: float) -> Vector:
    """Return log(y f(y; y, phi)), the log-likelihood of log y at mu = y.

    Parameters
    ----------
    rate : (n,) array
        y^(2-p) / (phi (2-p)), above 0.
    a : float
        (2-p) / (p-1).

    Returns
    -------
    (n,) array
        To rounding of 1 or of itself.
    """
    found: Vector = np.empty_like(rate)
    for nodes in _series(rate, a):
        log_terms = nodes.log_terms(a)
        largest = log_terms.max(axis=1)
        total = np.exp(log_terms - largest[:, None]).sum(axis=1)
        found[nodes.rows] = largest + np.log(total * nodes.step)
    found += 0.5 * np.log(a) - np.log(2 * np.pi)
    return found


def derivatives_at_mean(rate: Vector, a: float) -> tuple[Vector, Matrix, Matrix]:
    """Return `log_density_at_mean`, and its first and second derivatives in log rate and log a.

    They are the mean of the terms' derivatives, and that of their second ones plus the variance of the first, with the
    terms as probabilities.

    Parameters
    ----------
    rate : (n,) array
        y^(2-p) / (phi (2-p)), above 0.
    a : float
        (2-p) / (p-1).

    Returns
    -------
    tuple of (n,), (2, n) and (2, 2, n) array
        Value, gradient and Hessian.
    """
    value, gradient, hessian = np.empty_like(rate), np.empty((2, len(rate))), np.empty((2, 2, len(rate)))
    for nodes in _series(rate, a):
        log_terms, rows = nodes.log_terms(a), nodes.rows
        largest = log_terms.max(axis=1)
        terms = np.exp(log_terms - largest[:, None])
        total = terms.sum(axis=1)
        value[rows] = largest + np.log(total * nodes.step) + 0.5 * np.log(a) - np.log(2 * np.pi)
        share = terms / total[:, None]
        entropy = a * nodes.centre * relative_entropy(nodes.excess / nodes.centre)
        bend = nodes.at_j(lambda j: a * j * stirling_error_deriv(a * j))
        bend2 = nodes.at_j(lambda j: (a * j) ** 2 * stirling_error_deriv2(a * j))
        first = ((1 + a) * nodes.excess, 0.5 - entropy - bend)
        cross = a * nodes.excess
        second = ((-(1 + a) * nodes.centre, cross), (cross, -entropy - bend - bend2))
        mean = [(share * d).sum(axis=1) for d in first]
        for i in range(2):
            gradient[i, rows] = mean[i]
            for k in range(2):
                deviation = (first[i] - mean[i][:, None]) * (first[k] - mean[k][:, None])
                hessian[i, k, rows] = (share * (second[i][k] + deviation)).sum(axis=1)
    return value, gradient, hessian


def _series(rate: Vector, a: float) -> Iterator[Nodes]:
    """Return the terms of the series about the largest one."""
    return Nodes.between(rate, *bell(rate, NEGLIGIBLE / (1 + a)), np.sqrt(rate / (1 + a)))


def bell(centre: Vector, reach: float) -> tuple[Vector, Vector]:
    """Return how far below and above its centre exp(-centre h(j / centre - 1) / reach) falls to exp(-1).

    Parameters
    ----------
    centre : (n,) array
        Where the terms are largest; where that is below 1 they fall from j = 1 on, faster than for a centre of 1.
    reach : float
        How far to follow h.

    Returns
    -------
    tuple of (n,) array
        Of j - centre; the first is negative.
    """
    # h(t) >= t^2 / (2 + 2 t / 3), and h(t) >= t^2 / 2 for t < 0
    c = np.maximum(centre, 1.0)
    return -np.sqrt(2 * reach * c), c - centre + reach / 3 + np.sqrt((reach / 3) ** 2 + 2 * reach * c)


@dataclass(frozen=True)
class Nodes:
    """Terms of the series for some rows, as many for each.

    Parameters
    ----------
    rows : (m,) array of int
        Which rows.
    centre : (m, 1) array
        What j is measured from.
    excess : (m, k) array
        j - centre, kept for itself since the centre may be much larger.
    step : (m,) array
        Between neighbouring j; 1 for the series itself.
    whole : bool
        Whether every j is a whole number.
    """

    rows: AnyArray
    centre: Matrix
    excess: Matrix
    step: Vector
    whole: bool

    @property
    def j(self) -> Matrix:
        """Numbers of variables, real where the step is not 1."""
        return self.centre + self.excess

    def log_terms(self, a: float) -> Matrix:
        """Return the logarithms of the terms, less log(sqrt(a) / (2 pi)); the centre is the rate.

        Parameters
        ----------
        a : float
            Shape of one gamma variable.

        Returns
        -------
        (m, k) array
            Logarithms.
        """
        entropy = (1 + a) * self.centre * relative_entropy(self.excess / self.centre)
        return -entropy - self.at_j(lambda j: stirling_error(j) + stirling_error(a * j))

    def at_j(self, function: Callable[[Vector], Vector]) -> Matrix:
        """Return a function of the number of variables, from a table of it where these are whole numbers and not large.

        Parameters
        ----------
        function : callable
            Elementwise.

        Returns
        -------
        (m, k) array
            Its values.
        """
        if not self.whole or self.j.max() > self.j.size:
            return function(self.j)
        j = np.rint(self.j).astype(np.intp)
        table: Vector = function(np.maximum(np.arange(j.max() + 1.0), 1.0))[j]
        return table

    @classmethod
    def between(cls, centre: Vector, below: Vector, above: Vector, deviation: Vector) -> Iterator[Nodes]:
        """Yield the terms from centre + below to centre + above, for a few rows at a time.

        Where the terms are wide bells their sum is the integral over j, and so is the sum of every k-th term times k:
        by Poisson's summation formula both errors are below exp(-2 pi^2 WIDE^2). Thousands of terms become some forty.

        Parameters
        ----------
        centre : (n,) array
            What j is measured from.
        below, above : (n,) array
            Where the terms begin and end, less the centre.
        deviation : (n,) array
            Standard deviation of the narrowest bell among the terms.

        Yields
        ------
        Nodes
            For each row once.
        """
        smooth = (deviation > WIDE) & (centre + below > 0)
        step: Vector = np.where(smooth, np.maximum(deviation / 2, 1.0), 1.0)
        first = np.where(smooth, below, np.maximum(np.floor(centre + below) - 1, 1.0) - centre)
        number = np.maximum(np.ceil((above - first) / step) + 2, 1.0)
        for whole in (True, False):
            chosen = np.flatnonzero(smooth != whole)
            order = chosen[np.argsort(number[chosen], kind="stable")]
            stop = len(order)
            while stop > 0:
                k = int(number[order[stop - 1]])
                start = max(stop - max(CHUNK // k, 1), 0)
                rows = order[start:stop]
                excess = first[rows, None] + step[rows, None] * np.arange(k)
                yield cls(rows, centre[rows, None], excess, step[rows], whole)
                stop = start
