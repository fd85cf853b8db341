"""The products that a pass leaves behind, X'r and X'WX or its diagonal, held as sums about a centre.

Raw cross-products lose as many digits as the squared ratio of a column's mean to its spread (five on Longley's data);
sums about the mean do not. Both records add exactly over rows, whatever the split, with no mean known beforehand.

Source: Chan, Golub & LeVeque (1983), "Algorithms for computing the sample variance", equations 2.1, extended to
weights of either sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Codes, Matrix, Vector

# Of the squared size of columns, what is left where their combination cancels to a constant: rounding in the products
# leaves about 1e-14.
CANCELLED = 1e-11


@dataclass(frozen=True)
class Cross:
    """X'r as sums about a centre.

    Parameters
    ----------
    count : float
        Number of rows summed; how much the centre weighs when two records are added.
    centre : (p,) array
        The point the deviations are taken from.
    total : float
        sum_i r_i.
    deviations : (p,) array
        sum_i r_i (x_i - centre).
    """

    count: float
    centre: Vector
    total: float
    deviations: Vector

    @classmethod
    def of_sums(cls, n: int, centre: Vector, sums: Vector) -> Cross:
        """Return the record of sums of which the last one is of the numbers themselves.

        Parameters
        ----------
        n : int
            Number of rows.
        centre : (p,) array
            What was taken off them.
        sums : (p + 1,) array
            sum_i r_i (x_i - centre, 1).

        Returns
        -------
        Cross
            A copy of the sums.
        """
        return cls(float(n), centre, float(sums[-1]), sums[:-1].copy())

    def about(self, centre: Vector) -> Vector:
        """Return sum_i r_i (x_i - centre).

        Parameters
        ----------
        centre : (p,) array
            The point to take deviations from.

        Returns
        -------
        (p,) array
            The deviations.
        """
        # sums at a point out of range are infinite, and are to stay so quietly
        with np.errstate(over="ignore", invalid="ignore"):
            return self.deviations + self.total * (self.centre - centre)

    def reduced(self, L: Matrix) -> Cross:
        """Return (X L)'r.

        Parameters
        ----------
        L : (p, k) array
            Combinations of the columns.

        Returns
        -------
        Cross
            About the combinations of the centre.
        """
        return Cross(self.count, self.centre @ L, self.total, self.deviations @ L)

    def __add__(self, other: Cross) -> Cross:
        count, total = self.count + other.count, self.total + other.total
        if _same(self.centre, other.centre):
            return Cross(count, self.centre, total, self.deviations + other.deviations)
        share = other.count / count if count > 0 else 0.0
        centre = self.centre + share * (other.centre - self.centre)
        return Cross(count, centre, total, self.about(centre) + other.about(centre))


@dataclass(frozen=True)
class Gram:
    """X'WX as sums about a centre.

    Parameters
    ----------
    mass : float
        sum_i |w_i|; how much the centre weighs when two records are added.
    centre : (p,) array
        The point the deviations are taken from.
    total : float
        sum_i w_i.
    first : (p,) array
        sum_i w_i (x_i - centre).
    second : (p, p) array
        sum_i w_i (x_i - centre)(x_i - centre)'.
    """

    mass: float
    centre: Vector
    total: float
    first: Vector
    second: Matrix

    @classmethod
    def of_sums(cls, mass: float, centre: Vector, sums: Matrix) -> Gram:
        """Return the record of sums of which the last ones are of the weights themselves.

        Parameters
        ----------
        mass : float
            Of the weights, as `mass_of` has it.
        centre : (p,) array
            What was taken off the rows.
        sums : (p + 1, p + 1) array
            sum_i w_i z_i z_i', z_i = (x_i - centre, 1).

        Returns
        -------
        Gram
            A copy of the sums.
        """
        return cls(mass, centre, float(sums[-1, -1]), sums[:-1, -1].copy(), sums[:-1, :-1].copy())

    @property
    def diagonal(self) -> Vector:
        """Of each column, sum_i w_i (x_ij - centre_j)^2."""
        return np.diag(self.second)

    def about(self, centre: Vector) -> Gram:
        """Return the same sums about another centre.

        Parameters
        ----------
        centre : (p,) array
            The point to take deviations from.

        Returns
        -------
        Gram
            The moved record.
        """
        shift = self.centre - centre
        with np.errstate(over="ignore", invalid="ignore"):
            # f s' + s f' + W s s' is a product of two vectors and its transpose: a third of the matrices
            cross = np.outer(self.first + (self.total / 2) * shift, shift)
            second = cross + cross.T
            second += self.second
            return Gram(self.mass, centre, self.total, self.first + self.total * shift, second)

    @property
    def mean(self) -> Vector:
        """The weighted mean of the rows; the centre where there is none."""
        return self.centre + self.first / self.total if self.total > 0 else self.centre

    def centred(self) -> Gram:
        """Return the same sums about the weighted mean of the rows.

        Returns
        -------
        Gram
            With ``first`` zero up to rounding, when no weight is negative.
        """
        return self.about(self.mean) if self.total > 0 else self

    def reduced(self, L: Matrix) -> Gram:
        """Return (X L)'W (X L).

        Parameters
        ----------
        L : (p, k) array
            Combinations of the columns.

        Returns
        -------
        Gram
            Without any spread where a combination is constant up to rounding.
        """
        about = self.centred()
        second: Matrix = L.T @ about.second @ L
        flat = self.left_of(L) <= CANCELLED
        second[flat, :] = second[:, flat] = 0.0
        return Gram(self.mass, about.centre @ L, self.total, np.where(flat, 0.0, about.first @ L), second)

    def left_of(self, L: Matrix) -> Vector:
        """Return the spread of combinations of the columns, against what their terms would have if none cancelled.

        Parameters
        ----------
        L : (p, k) array
            Combinations of the columns.

        Returns
        -------
        (k,) array
            Of squares, up to 1; 1 for single columns.
        """
        spread = self.centred().second
        size: Vector = (np.sqrt(np.abs(np.diag(spread))) @ np.abs(L)) ** 2
        return np.divide(np.abs(np.diag(L.T @ spread @ L)), size, out=np.ones_like(size), where=size > 0)

    def times(self, b: Vector) -> Cross:
        """Return X'W (X b).

        Parameters
        ----------
        b : (p,) array
            A combination of the columns.

        Returns
        -------
        Cross
            The product, about the same centre.
        """
        level = float(self.centre @ b)
        total = float(self.first @ b) + level * self.total
        return Cross(self.mass, self.centre, total, self.second @ b + level * self.first)

    def __add__(self, other: Gram) -> Gram:
        mass = self.mass + other.mass
        if _same(self.centre, other.centre):
            total, first = self.total + other.total, self.first + other.first
            return Gram(mass, self.centre, total, first, self.second + other.second)
        mean, share = self.mean, other.mass / mass if mass > 0 else 0.0
        centre = mean + share * (other.mean - mean)
        left, right = self.about(centre), other.about(centre)
        return Gram(mass, centre, left.total + right.total, left.first + right.first, left.second + right.second)


@dataclass(frozen=True)
class GramDiagonal:
    """The diagonal of X'WX as sums about a centre: what is known of the information of a wide design.

    Parameters
    ----------
    mass : float
        sum_i |w_i|; how much the centre weighs when two records are added.
    centre : (p,) array
        The point the deviations are taken from.
    total : float
        sum_i w_i.
    first : (p,) array
        sum_i w_i (x_i - centre).
    diagonal : (p,) array
        sum_i w_i (x_ij - centre_j)^2.
    groups : (p,) array of int, optional
        Columns of one number, such as the levels of a factor, are never both nonzero in a row, so that the diagonal
        tells their products with one another, too; -1 for a column by itself. None where that is not known.
    """

    mass: float
    centre: Vector
    total: float
    first: Vector
    diagonal: Vector
    groups: Codes | None = None

    def about(self, centre: Vector) -> GramDiagonal:
        """Return the same sums about another centre.

        Parameters
        ----------
        centre : (p,) array
            The point to take deviations from.

        Returns
        -------
        GramDiagonal
            The moved record.
        """
        shift = self.centre - centre
        with np.errstate(over="ignore", invalid="ignore"):
            diagonal = self.diagonal + (2 * self.first + self.total * shift) * shift
            return GramDiagonal(self.mass, centre, self.total, self.first + self.total * shift, diagonal, self.groups)

    def centred(self) -> GramDiagonal:
        """Return the same sums about the weighted mean of the rows.

        Returns
        -------
        GramDiagonal
            With ``first`` zero up to rounding, when no weight is negative.
        """
        return self.about(self.centre + self.first / self.total) if self.total > 0 else self

    def __add__(self, other: GramDiagonal) -> GramDiagonal:
        mass = self.mass + other.mass
        groups = self.groups if _known_alike(self.groups, other.groups) else None
        if _same(self.centre, other.centre):
            total, first = self.total + other.total, self.first + other.first
            return GramDiagonal(mass, self.centre, total, first, self.diagonal + other.diagonal, groups)
        left, right = self.centred(), other.centred()
        share = right.mass / mass if mass > 0 else 0.0
        centre = left.centre + share * (right.centre - left.centre)
        left, right = left.about(centre), right.about(centre)
        total, first = left.total + right.total, left.first + right.first
        return GramDiagonal(mass, centre, total, first, left.diagonal + right.diagonal, groups)


def mass_of(w: Vector) -> float:
    """Return sum_i |w_i|.

    Parameters
    ----------
    w : (n,) array
        Weights of either sign.

    Returns
    -------
    float
        Where none is negative, without a copy.
    """
    return float(w.sum() if w.min(initial=0.0) >= 0 else np.abs(w).sum())


def both(one: Gram | GramDiagonal, other: Gram | GramDiagonal) -> Gram | GramDiagonal:
    """Return the sum of two records of one kind.

    Parameters
    ----------
    one, other : Gram or GramDiagonal
        Of some rows, and of others.

    Returns
    -------
    Gram or GramDiagonal
        Of all of them.

    Raises
    ------
    TypeError
        If one has all products of columns, and the other has not.
    """
    if isinstance(one, Gram) and isinstance(other, Gram):
        return one + other
    if isinstance(one, GramDiagonal) and isinstance(other, GramDiagonal):
        return one + other
    raise TypeError("all products of columns do not add to the diagonal alone")


def _same(one: Vector | Codes, other: Vector | Codes) -> bool:
    """Return whether two arrays hold the same."""
    return one is other or np.array_equal(one, other)


def _known_alike(groups: Codes | None, others: Codes | None) -> bool:
    """Return whether both are known, and the same."""
    return groups is not None and others is not None and _same(groups, others)
