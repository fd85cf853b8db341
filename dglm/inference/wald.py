"""Wald statistics of linear combinations of coefficients, and the tails and quantiles they are compared with.

Every p-value is an upper tail computed as such: none is one minus a distribution function, which is 0 from z = 8.3 on.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix import ScaledCholesky


def two_sided_pvalues(statistics: Vector, df: float = np.inf) -> Vector:
    """Return two-sided p-values of standard normal or t statistics.

    Parameters
    ----------
    statistics : (p,) array
        Coefficients over their standard errors.
    df : float
        Degrees of freedom of t; infinite for normal statistics.

    Returns
    -------
    (p,) array
        P(|T| > |t|), accurate in the tail; nan where there are no degrees of freedom.
    """
    if np.isinf(df):
        return 2 * special.ndtr(-np.abs(statistics))
    with np.errstate(over="ignore"):
        return np.asarray(f_pvalue(np.square(statistics), 1, df), dtype=np.float64)


def f_pvalue(statistic: Vector | float, df_num: float, df_denom: float = np.inf) -> Vector | float:
    """Return the upper tail of an F distribution, or of chi2 / df_num.

    Parameters
    ----------
    statistic : float or array
        Mean square over mean square, at least 0.
    df_num : float
        Degrees of freedom of the numerator.
    df_denom : float
        Degrees of freedom of the denominator; infinite for a chi2 statistic over its degrees of freedom.

    Returns
    -------
    float or array
        P(F > f), accurate in the tail; nan where there are no degrees of freedom.
    """
    if not (df_num > 0 and df_denom > 0):
        return np.full_like(np.asarray(statistic, dtype=np.float64), np.nan)[()]
    if np.isinf(df_denom):
        tail = special.gammaincc(df_num / 2, np.asarray(statistic) * (df_num / 2))
    else:
        # I_y(d2/2, d1/2), y = d2 / (d2 + d1 f); by its complement where that is the smaller, which keeps its digits
        ratio = df_num * np.asarray(statistic, dtype=np.float64) / df_denom
        with np.errstate(divide="ignore"):
            y, complement = 1 / (1 + ratio), 1 / (1 + 1 / ratio)
        tail = np.where(
            ratio > 1,
            special.betainc(df_denom / 2, df_num / 2, y),
            special.betaincc(df_num / 2, df_denom / 2, complement),
        )
    return np.asarray(tail, dtype=np.float64)[()]


def symmetric_intervals(estimates: Vector, bse: Vector, alpha: float, df: float = np.inf) -> Matrix:
    """Return intervals estimate -+ quantile * bse.

    Parameters
    ----------
    estimates : (p,) array
        Coefficients, or combinations of them.
    bse : (p,) array
        Their standard errors.
    alpha : float
        One minus the level, between 0 and 1.
    df : float
        Degrees of freedom of t quantiles; infinite for normal ones.

    Returns
    -------
    (p, 2) array
        Lower and upper bounds.

    Raises
    ------
    ValueError
        If alpha is not between 0 and 1.
    """
    half = critical_value(alpha, df) * bse
    return np.column_stack([estimates - half, estimates + half])


def critical_value(alpha: float, df: float = np.inf) -> float:
    """Return the value that a t variable exceeds in size with probability alpha.

    Parameters
    ----------
    alpha : float
        One minus the level, between 0 and 1.
    df : float
        Degrees of freedom; infinite for the normal distribution.

    Returns
    -------
    float
        Half the width of an interval, in standard errors.

    Raises
    ------
    ValueError
        If alpha is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha, one minus the level of the intervals, must be between 0 and 1; got {alpha!r}")
    return float(-special.ndtri(alpha / 2) if np.isinf(df) else -special.stdtrit(df, alpha / 2))


def independent_rows(R: Matrix, values: Vector) -> Mask:
    """Return which constraints R beta = q are not implied by the ones before them.

    Parameters
    ----------
    R : (m, p) array
        Constraints.
    values : (m,) array
        Their values q.

    Returns
    -------
    (m,) array of bool
        True for constraints to be kept.

    Raises
    ------
    ValueError
        If some contradict each other, so that no coefficients satisfy them all.
    """
    # columns to a common size, so that units do not decide what is independent
    size = np.abs(R).max(axis=0, initial=0.0)
    scaled = R / np.where(size > 0, size, 1.0)
    kept = ScaledCholesky.of(np.dot(scaled, scaled.T)).kept
    if kept.all():
        return kept
    combination = np.linalg.lstsq(scaled[kept].T, scaled[~kept].T, rcond=None)[0]
    implied = np.dot(combination.T, values[kept])
    tolerance = 1e-9 * (np.abs(values).max(initial=0.0) + np.dot(np.abs(combination.T), np.abs(values[kept])))
    contradicted = np.abs(implied - values[~kept]) > tolerance
    if contradicted.any():
        i = int(np.flatnonzero(~kept)[int(np.argmax(contradicted))])
        raise ValueError(
            f"constraint {i} (counting from 0) contradicts the others, which imply that its left-hand side is "
            f"{implied[int(np.argmax(contradicted))]:.6g}, not {values[i]:.6g}"
        )
    return kept


def wald_statistic(difference: Vector, covariance: Matrix) -> tuple[float, int]:
    """Return d' V^-1 d.

    Source: Wald (1943); Cox & Hinkley (1974), "Theoretical Statistics", section 9.3.

    Parameters
    ----------
    difference : (m,) array
        Estimates less their values under the hypothesis.
    covariance : (m, m) array
        Of the estimates.

    Returns
    -------
    tuple of float and int
        A chi2 statistic with m degrees of freedom, and the rank of V. Below m, where V is singular or indefinite, there
        is no such statistic: it is nan, as it is where V is.
    """
    if not (np.isfinite(covariance).all() and np.isfinite(difference).all()):
        return np.nan, len(difference)
    try:
        factor = ScaledCholesky.of(covariance)
    except np.linalg.LinAlgError:
        return np.nan, 0
    if not factor.kept.all():
        return np.nan, int(factor.kept.sum())
    return float(np.dot(difference, factor.solve(difference))), len(difference)
