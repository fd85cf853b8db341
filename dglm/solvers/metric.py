"""Metric: what first-order methods measure steps by, as much of the second derivatives as memory linear in p holds.

It is a diagonal, and exact for what columns share with the intercept and with others of their factor; without an
intercept, for what they share because their means are not zero. L-BFGS, which begins from it, then has only the
correlations between factors and between numbers left to learn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from dglm._typing import Codes, Vector
from dglm.matrix import Basis, GramDiagonal

# What is left of a square when a mean is taken off, at least: differences of rounding are not to be divided by.
LEFT = 1e-10


@dataclass(frozen=True)
class Intercept:
    """What columns share with the intercept where weights have moved their means.

    Attributes
    ----------
    position : int
        Of the intercept.
    share : (p,) array
        The weighted means less the centres of the coordinates, as multiples of the constant column; zero for itself.
    """

    position: int
    share: Vector


@dataclass(frozen=True)
class Means:
    """What columns share where no intercept takes it, t m m'.

    Attributes
    ----------
    total : float
        t, the sum of the weights.
    mean : (p,) array
        m, the weighted means.
    """

    total: float
    mean: Vector


@dataclass(frozen=True)
class Groups:
    """Columns of factors, D - n n' / t for each: rows have one column of a factor at most, and are centred.

    Attributes
    ----------
    columns : (k,) array of int
        Those that are in a group.
    labels : (k,) array of int
        Their groups, from 0.
    mean : (k,) array
        n, their weighted sums.
    totals : (m,) array
        t, for each group; more than n'D^-1 n.
    """

    columns: Codes
    labels: Codes
    mean: Vector
    totals: Vector

    def within(self, values: Vector) -> Vector:
        """Return sums within groups.

        Parameters
        ----------
        values : (k,) array
            One for each of the columns.

        Returns
        -------
        (m,) array
            One for each group.
        """
        return np.asarray(np.bincount(self.labels, values, len(self.totals)), dtype=np.float64)


@dataclass(frozen=True)
class Metric:
    """M, an approximation of the second derivatives of an objective in centred coordinates; positive definite.

    Attributes
    ----------
    diagonal : (p,) array
        Of M; for columns in groups D, before anything is taken off; where there are means, before they are added.
    intercept : Intercept or None
        Where columns share something with it.
    means : Means or None
        Where there is no intercept.
    groups : Groups or None
        Where there are some.

    Examples
    --------
    >>> Metric(np.array([2.0, 4.0])).solve(np.array([1.0, 1.0]))
    array([0.5 , 0.25])
    """

    diagonal: Vector
    intercept: Intercept | None = None
    means: Means | None = None
    groups: Groups | None = None

    @classmethod
    def of(cls, basis: Basis, information: GramDiagonal, nobs: float, penalty: Vector) -> Self:
        """Return the metric that a diagonal of the information makes.

        Parameters
        ----------
        basis : Basis
            Of the coordinates.
        information : GramDiagonal
            Of all rows.
        nobs : float
            Number of observations.
        penalty : (p,) array
            Second derivatives of the penalty along the coordinates.

        Returns
        -------
        Metric
            Of the average.
        """
        H = basis.diagonal(information) / nobs
        total = information.total / nobs
        if not total > 0 or (basis.intercept is None and information.groups is not None):
            return cls(_positive(H + penalty))
        if basis.intercept is None:
            about = information.centred()
            return cls(
                _positive(np.maximum(about.diagonal / nobs, LEFT * H) + penalty), means=Means(total, about.centre)
            )
        shift = information.about(basis.centre).first / information.total
        shift[basis.intercept] = 0.0
        diagonal = _positive(np.maximum(H - total * shift**2, LEFT * H) + penalty)
        intercept = Intercept(basis.intercept, shift / basis.constant)
        groups = None
        if information.groups is not None and (information.groups >= 0).any():
            raw = information.about(np.zeros_like(basis.centre))
            columns = np.flatnonzero(information.groups >= 0)
            labels = np.unique(information.groups[columns], return_inverse=True)[1]
            # of columns that are constant up to rounding, rounding is all that there is
            varying = (H[columns] > 0) / nobs
            mean = raw.first[columns] * varying
            diagonal[columns] = _positive(raw.diagonal[columns] * varying + penalty[columns])
            taken = np.bincount(labels, mean**2 / diagonal[columns])
            groups = Groups(columns, labels, mean, np.maximum(total, (1 + LEFT) * taken))
        return cls(diagonal, intercept, groups=groups)

    def strengthened(self, by: float) -> Metric:
        """Return a multiple of the metric.

        Parameters
        ----------
        by : float
            Above 0.

        Returns
        -------
        Metric
            By which steps are shorter, if it is above 1.
        """
        g, means = self.groups, self.means
        groups = None if g is None else replace(g, mean=by * g.mean, totals=by * g.totals)
        means = None if means is None else replace(means, total=by * means.total)
        return replace(self, diagonal=by * self.diagonal, means=means, groups=groups)

    def solve(self, gradient: Vector) -> Vector:
        """Return M^-1 g.

        Parameters
        ----------
        gradient : (p,) array
            Derivatives.

        Returns
        -------
        (p,) array
            A step.
        """
        if self.means is not None:
            # (D + t m m')^-1 = D^-1 - D^-1 m m'D^-1 / (1/t + m'D^-1 m)
            carried, alone = self.means.mean / self.diagonal, gradient / self.diagonal
            return alone - carried * (self.means.mean @ alone / (1 / self.means.total + self.means.mean @ carried))
        if self.intercept is None:
            return gradient / self.diagonal
        # M = m (e + v)(e + v)' + B, e the unit vector of the intercept, with which neither v nor B has to do
        at, v = self.intercept.position, self.intercept.share
        step: Vector = (gradient - gradient[at] * v) / self.diagonal
        if self.groups is not None:
            # (D - n n'/t)^-1 = D^-1 + D^-1 n n'D^-1 / (t - n'D^-1 n)
            g = self.groups
            carried = g.mean / self.diagonal[g.columns]
            left = g.totals - g.within(g.mean * carried)
            step[g.columns] += carried * (g.within(g.mean * step[g.columns]) / left)[g.labels]
        step[at] -= v @ step
        return step

    def times(self, step: Vector) -> Vector:
        """Return M s.

        Parameters
        ----------
        step : (p,) array
            A change of the coordinates.

        Returns
        -------
        (p,) array
            The change of the gradient that the metric expects.
        """
        product: Vector = self.diagonal * step
        if self.means is not None:
            product += self.means.total * (self.means.mean @ step) * self.means.mean
        if self.intercept is None:
            return product
        if self.groups is not None:
            g = self.groups
            product[g.columns] -= g.mean * (g.within(g.mean * step[g.columns]) / g.totals)[g.labels]
        at, v = self.intercept.position, self.intercept.share
        product[at] += self.diagonal[at] * (v @ step)
        moved: Vector = product + product[at] * v
        return moved


def _positive(diagonal: Vector) -> Vector:
    """Return second derivatives, 1 where there is none."""
    positive: Vector = np.where(diagonal > 0, diagonal, 1.0)
    return positive
