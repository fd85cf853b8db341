"""Tests of nested models: likelihood ratio, F and Rao's score, from deviances and sums."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dglm._typing import Mask, Vector
from dglm.inference.wald import f_pvalue
from dglm.matrix import Basis, Cross, Information

Test = Literal["LR", "F", "Rao"]


def chi2_pvalues(statistics: Vector, df: Vector) -> Vector:
    """Return upper tails of chi-squared distributions.

    Parameters
    ----------
    statistics : (m,) array
        At least 0.
    df : (m,) array
        Degrees of freedom.

    Returns
    -------
    (m,) array
        Accurate in the tail; nan where there is no degree of freedom.
    """
    return _upper_tails(statistics / np.maximum(df, 1), df, np.inf)


def deviance_tests(
    deviances: Vector, df: Vector, scale: float, df_resid: float, test: Literal["LR", "F"]
) -> tuple[Vector, Vector]:
    """Return statistics and p-values of differences in deviance.

    The likelihood ratio statistic is the scaled difference, dD / phi, the same dispersion in both models; F is
    dD / (df phi).
    Source: McCullagh & Nelder (1989), section 4.4.3 and appendix A; Venables & Ripley (2002), section 7.2.

    Parameters
    ----------
    deviances : (m,) array
        Deviance of the smaller model less that of the larger; below 0 from rounding only.
    df : (m,) array
        Coefficients that the larger model has more.
    scale : float
        Dispersion phi of the largest model.
    df_resid : float
        Its residual degrees of freedom.
    test : ``"LR"`` or ``"F"``
        Which.

    Returns
    -------
    tuple of (m,) array and (m,) array
        nan where there is no degree of freedom.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(df > 0, np.maximum(deviances, 0.0) / scale, np.nan)
        if test == "LR":
            return scaled, chi2_pvalues(scaled, df)
        F = scaled / df
    return F, _upper_tails(F, df, df_resid)


def score_statistic(score: Cross, information: Information, basis: Basis, kept: Mask, scale: float) -> float:
    """Return Rao's efficient score statistic, s' I^-1 s.

    Source: Rao (1948), "Large sample tests of statistical hypotheses concerning several parameters"; Pregibon (1982),
    "Score tests in GLIM with applications".

    Parameters
    ----------
    score : Cross
        X'r of the larger model, at the coefficients of the smaller one.
    information : Gram or TriangularFactor
        X'WX there.
    basis : Basis
        Coordinates in which to solve.
    kept : (p,) array of bool
        Columns of the larger model that are not aliased.
    scale : float
        Dispersion.

    Returns
    -------
    float
        nan where the information is singular.
    """
    s = basis.cross(score)
    try:
        size = s @ basis.factor(information, kept).solve(s)
    except np.linalg.LinAlgError:
        return np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        # an exact fit has no dispersion
        return float(np.divide(size, scale))


def _upper_tails(statistics: Vector, df: Vector, df_resid: float) -> Vector:
    """Return p-values of mean squares, each of degrees of freedom of its own."""
    return np.array([f_pvalue(F, k, df_resid) for F, k in zip(statistics, df, strict=True)], dtype=np.float64)
