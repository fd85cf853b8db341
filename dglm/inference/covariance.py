"""Covariance matrices of the coefficients: inverse informations, and sandwiches of two with a sum of squared scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Mask, Matrix
from dglm.inference.choice import CovarianceChoice
from dglm.matrix import Basis, Information
from dglm.objective import ClusterScores


@dataclass(frozen=True, kw_only=True)
class Covariance:
    """A covariance matrix of the coefficients, held where columns are centred, and how to use it.

    It is that of gamma, the coefficients that were free: beta = C gamma + a constant.

    Parameters
    ----------
    choice : CovarianceChoice
        What kind it is; its groups are names only.
    basis : Basis
        Centred coordinates of gamma.
    kept : (k,) array of bool
        Which gamma are not aliased.
    normalized : (k, k) array
        Inverse of the information at unit scale, in centred coordinates.
    centred : (k, k) array
        The covariance in centred coordinates; zero where aliased, nan where the information is singular.
    df_resid : float
        Degrees of freedom of t and F statistics.
    use_t : bool
        Whether statistics of single coefficients are t, and of several F; normal and chi2 if not.
    n_groups : tuple of int
        Number of clusters along every way.
    combine : (p, k) array or None
        C: what constraints leave free, or the projection onto coefficients of minimum norm; None where gamma are the
        coefficients themselves. A coefficient that takes anything of an aliased gamma has no estimate.
    root : (k, m) array or None
        With root root' = centred, where one is known: it keeps twice the digits on the way out of centred coordinates.
    """

    choice: CovarianceChoice
    basis: Basis
    kept: Mask
    normalized: Matrix
    centred: Matrix
    df_resid: float
    use_t: bool
    n_groups: tuple[int, ...] = ()
    combine: Matrix | None
    root: Matrix | None = None

    @property
    def params(self) -> Matrix:
        """Covariance of the coefficients, nan in the rows and columns of those left out."""
        if self.root is None or self.combine is not None:
            return self._named(self.centred)
        half = self.basis.to_params(self.root)
        return self._known(np.dot(half, half.T))

    @property
    def unknown(self) -> Mask:
        """Which coefficients have no estimate, (p,): they take something of an aliased gamma."""
        if self.combine is None:
            return ~self.kept
        return np.asarray(self.combine[:, ~self.kept].any(axis=1))

    @property
    def normalized_params(self) -> Matrix:
        """Inverse of the information at unit scale, nan in the rows and columns of coefficients left out."""
        return self._named(self.normalized)

    @property
    def df_statistic(self) -> float:
        """Degrees of freedom of the statistics of single coefficients, infinite where they are normal."""
        return self.df_resid if self.use_t else np.inf

    def of_combinations(self, R: Matrix, other: Matrix | None = None) -> Matrix:
        """Return the covariance of linear combinations of the coefficients, R V R'.

        Parameters
        ----------
        R : (q, p) array
            Combinations, in terms of the coefficients; what they take of aliased ones counts for nothing.
        other : (r, p) array, optional
            More combinations, for R V other'; R when not given.

        Returns
        -------
        (q, r) array
            Without the loss of digits that adding up entries of V would have where columns have large means.
        """
        left = self._in_basis(R)
        right = left if other is None else self._in_basis(other)
        covariance: Matrix = np.dot(left.T, np.dot(self.centred, right))
        return covariance

    def carried(self, centred: Matrix, basis: Basis) -> Matrix:
        """Return a matrix of gamma's centred coordinates in those of all coefficients, for quadratic forms of rows.

        Parameters
        ----------
        centred : (k, k) array
            A covariance, or an inverse information, in the centred coordinates of gamma.
        basis : Basis
            Centred coordinates of all p coefficients.

        Returns
        -------
        (p, p) array
            Itself where gamma are the coefficients.
        """
        if self.combine is None:
            return centred
        half = basis.from_params(self._in_basis(np.eye(len(self.combine))).T)
        carried: Matrix = np.dot(half, np.dot(centred, half.T))
        return carried

    def _in_basis(self, R: Matrix) -> Matrix:
        """Return T'C'R', of what the combinations take of the gamma that are kept."""
        of_gamma = R.T if self.combine is None else np.dot(self.combine.T, R.T)
        return self.basis.gradient(np.where(self.kept[:, None], of_gamma, 0.0))

    def _named(self, centred: Matrix) -> Matrix:
        if self.combine is None:
            return self._known(self.basis.covariance(centred))
        # singular: in the directions of the constraints, or along the combinations of columns that are zero
        half = self._in_basis(np.eye(len(self.combine)))
        return self._known(np.dot(half.T, np.dot(centred, half)))

    def _known(self, covariance: Matrix) -> Matrix:
        covariance[self.unknown, :] = covariance[:, self.unknown] = np.nan
        return covariance


def inverse_information(information: Information, basis: Basis, kept: Mask) -> Matrix:
    """Return (X'WX)^-1 in centred coordinates.

    Source: McCullagh & Nelder (1989), section 2.5 and appendix A.

    Parameters
    ----------
    information : Gram or TriangularFactor
        X'WX at the estimate, expected or observed.
    basis : Basis
        Coordinates in which to invert it.
    kept : (p,) array of bool
        Columns that are not aliased.

    Returns
    -------
    (p, p) array
        Zero in the rows and columns of aliased coefficients; nan everywhere when the information is singular.
    """
    try:
        return basis.factor(information, kept).inverse()
    except np.linalg.LinAlgError:
        return np.full((len(kept), len(kept)), np.nan)


def inverse_root(information: Information, basis: Basis, kept: Mask) -> Matrix:
    """Return A with A A' = (X'WX)^-1 in centred coordinates.

    Parameters
    ----------
    information : Gram or TriangularFactor
        X'WX at the estimate, expected or observed.
    basis : Basis
        Coordinates in which to invert it.
    kept : (p,) array of bool
        Columns that are not aliased.

    Returns
    -------
    (p, k) array
        Zero in the rows of aliased coefficients; nan everywhere when the information is singular.
    """
    try:
        return basis.factor(information, kept).inverse_root()
    except np.linalg.LinAlgError:
        return np.full((len(kept), int(np.count_nonzero(kept))), np.nan)


def sandwich(bread: Matrix, meat: Matrix) -> Matrix:
    """Return A^-1 B A^-1.

    Source: White (1982), "Maximum likelihood estimation of misspecified models", theorem 3.2.

    Parameters
    ----------
    bread : (p, p) array
        Inverse information, A^-1.
    meat : (p, p) array
        Sum of outer products of scores, B, in the same coordinates.

    Returns
    -------
    (p, p) array
        Symmetric.
    """
    covariance: Matrix = np.dot(bread, np.dot(meat, bread))
    return (covariance + covariance.T) / 2


def hc1_correction(nobs: float, n_params: int) -> float:
    """Return n / (n - k), by which HC1 exceeds HC0.

    Source: MacKinnon & White (1985), "Some heteroskedasticity-consistent covariance matrix estimators with improved
    finite sample properties".

    Parameters
    ----------
    nobs : float
        Number of observations.
    n_params : int
        Coefficients that were estimated.

    Returns
    -------
    float
        nan where nothing is left to estimate the spread from.
    """
    return nobs / (nobs - n_params) if nobs > n_params else np.nan


def cluster_meat(
    scores: ClusterScores, choice: CovarianceChoice, nobs: float, n_params: int
) -> tuple[Matrix, tuple[int, ...]]:
    """Return the middle of a cluster sandwich, and how many groups there are along every way.

    Two ways add up, less what belongs to both: groups of the first, and of the second, minus those of their
    intersections, each with its own small-sample correction.
    Source: Cameron, Gelbach & Miller (2011), "Robust inference with multiway clustering", section 2.2.

    Parameters
    ----------
    scores : ClusterScores
        Totals by group.
    choice : CovarianceChoice
        Whether to correct for the number of groups.
    nobs : float
        Number of observations.
    n_params : int
        Coefficients that were estimated.

    Returns
    -------
    tuple of (p, p) array and tuple of int
        In centred coordinates; with two ways it may be indefinite.
    """
    ways = [scores.along(way) for way in range(len(scores.keys))]
    terms = [(1.0, way) for way in ways] + ([(-1.0, scores)] if len(ways) > 1 else [])
    of_rows = (nobs - 1) / (nobs - n_params) if nobs > n_params else np.nan
    meat = np.zeros((scores.totals.shape[1],) * 2)
    for sign, way in terms:
        n_groups = len(way.totals)
        correction = n_groups / (n_groups - 1) * of_rows if choice.use_correction else 1.0
        meat += sign * correction * way.meat()
    return meat, tuple(len(way.totals) for way in ways)
