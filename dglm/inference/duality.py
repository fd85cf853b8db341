"""Duality gaps: how much lower than at an estimate a sparse objective could be, at most.

Of losses that are convex in eta with a variance that is concave in mu and a canonical link, a lower bound follows from
the sums of the last pass; no row is read again.
"""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector
from dglm.families import Binomial, Family, Gaussian, Poisson

#: Families whose variance is concave in the mean: 1, mu (1 - mu) and mu.
CONCAVE_VARIANCE = (Gaussian, Binomial, Poisson)


def has_duality_gap(family: Family) -> bool:
    """Return whether the gap is known for a family.

    Parameters
    ----------
    family : Family
        With its link.

    Returns
    -------
    bool
        True for Gaussian, Binomial and Poisson with their canonical links.
    """
    return family.canonical and isinstance(family, CONCAVE_VARIANCE)


def duality_gap(beta: Vector, score: Vector, pearson_chi2: float, l1: Vector, l2: Vector) -> float:
    """Return an upper bound of sum_i f_i + P at some coefficients less its minimum over the coefficients.

    With r_i = -f_i'(eta_i), at unit weight y_i - mu_i, the dual point is v = s r, s the largest number up to 1 that
    makes it feasible. The dual objective is concave in s; at s = 1 its value and slope are known by Fenchel's equality,
    and its curvature is -sum_i r_i^2 / V(y_i - s r_i), at least -X2 / s because V is concave and not negative. Hence
    P(beta) - D(v) <= P(beta) - s beta'X'r + (1 - s)^2 X2 / (2 s) + sum_j h_j(s X_j'r), where the last term is (|t| -
    l1_j)_+^2 / (2 l2_j) where l2_j > 0, and zero elsewhere.

    Source: Fercoq, Gramfort & Salmon (2015) and Ndiaye, Fercoq, Gramfort & Salmon (2017), for the dual and its scaling;
    the bound of its curvature is derived here.

    Parameters
    ----------
    beta : (k,) array
        Coefficients that are penalised.
    score : (k,) array
        X'r, of their columns.
    pearson_chi2 : float
        X2, sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    l1, l2 : (k,) array
        Strengths on |beta_j| and on beta_j^2 / 2, of the sum over rows; not both zero.

    Returns
    -------
    float
        Not negative; infinite where the sums are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([3.0, 1.0])
    >>> b, one, none = np.array([2.0, 0.0]), np.ones(2), np.zeros(2)
    >>> duality_gap(b, y - b, float(np.sum((y - b) ** 2)), one, none)
    0.0
    >>> duality_gap(0 * b, y, float(np.sum(y**2)), one, none) >= 2.0
    True
    """
    penalty = float(np.sum(l1 * np.abs(beta) + l2 / 2 * beta**2))
    lasso, size = l2 == 0, np.abs(score)
    share = np.divide(l1, size, out=np.ones_like(l1), where=lasso & (size > l1))
    s = float(share.min(initial=1.0))
    over = np.maximum(s * size - l1, 0.0)
    conjugate = float(np.sum(np.divide(over**2, 2 * l2, out=np.zeros_like(l2), where=~lasso)))
    if s == 0 or not np.isfinite(score).all():
        return np.inf
    # X2 may be infinite where a mean is at its bound
    curved = (1 - s) ** 2 * pearson_chi2 / (2 * s) if s < 1 else 0.0
    return max(penalty - s * float(beta @ score) + curved + conjugate, 0.0)
