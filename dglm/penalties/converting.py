"""Converting: penalties in the words of other packages, turned into those whose minimum is the same.

`docs/notation.rst` derives each conversion from the two objectives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from dglm.penalties.base import Penalty
from dglm.penalties.elastic_net import ElasticNet
from dglm.penalties.l1 import L1
from dglm.penalties.l2 import L2


def from_statsmodels(alpha: Any, L1_wt: float = 1.0) -> Penalty:
    """Return the penalty of statsmodels' ``GLM.fit_regularized``.

    That is ``sum_j alpha_j ((1 - L1_wt) / 2 beta_j^2 + L1_wt |beta_j|)``, the intercept's coefficient included.

    Parameters
    ----------
    alpha : float or (p,) array
        Strength, for all coefficients or for each. statsmodels divides the log-likelihood by the number of rows: where
        there are frequency weights, multiply its alpha by that number over the sum of the weights.
    L1_wt : float
        Share of the absolute values, from 0 to 1. With 0, statsmodels divides the log-likelihood of families whose
        dispersion is estimated by that estimate, too: multiply its alpha by it.

    Returns
    -------
    Penalty
        `L2` for a share of 0, `L1` for 1, `ElasticNet` in between.

    Raises
    ------
    ValueError
        If a strength is negative, or the share is not from 0 to 1.

    Examples
    --------
    >>> from_statsmodels(0.1, L1_wt=0.5)
    ElasticNet(alpha=0.1, l1_ratio=0.5)
    """
    _check_share(L1_wt, "L1_wt")
    strengths = np.asarray(alpha, dtype=np.float64)
    # strengths that differ are relative ones times one
    common, weights = (1.0, strengths) if strengths.ndim else (float(strengths), None)
    return _net(common, L1_wt, weights=weights, penalize_intercept=True)


def from_sklearn(C: float, nobs: float, *, l1_ratio: float = 0.0, penalize_intercept: bool = False) -> Penalty:
    """Return the penalty of scikit-learn's ``LogisticRegression(C=C, l1_ratio=l1_ratio)``.

    Parameters
    ----------
    C : float
        Inverse strength against the sum over rows, above 0.
    nobs : float
        Number of observations, or the sum of the sample weights, which are ``freq_weights`` here.
    l1_ratio : float
        Share of the absolute values, from 0 to 1.
    penalize_intercept : bool
        As ``solver="liblinear"`` does, and no other.

    Returns
    -------
    Penalty
        With ``alpha = 1 / (C nobs)``.

    Raises
    ------
    ValueError
        If C or the number of observations is not above 0, or the share is not from 0 to 1.

    Examples
    --------
    >>> from_sklearn(1.0, nobs=500)
    L2(alpha=0.002)
    """
    for name, value in (("C", C), ("nobs", nobs)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and above 0; got {value!r}")
    _check_share(l1_ratio, "l1_ratio")
    return _net(float(1 / (C * nobs)), l1_ratio, penalize_intercept=penalize_intercept)


def from_glmnet(
    lambda_: float,
    alpha: float = 1.0,
    *,
    standardize: bool = True,
    penalty_factor: Mapping[str, float] | None = None,
    sd_y: float | None = None,
) -> Penalty:
    """Return the penalty of R's ``glmnet(x, y, alpha=alpha, lambda=lambda_)``.

    Parameters
    ----------
    lambda_ : float
        Strength.
    alpha : float
        Share of the absolute values, from 0 to 1, which is called `l1_ratio` here.
    standardize : bool
        Whether the columns are standardised, glmnet's default.
    penalty_factor : mapping of str to float, optional
        Factor of every coefficient but the intercept, by name; glmnet rescales factors to a mean of one.
    sd_y : float, optional
        Standard deviation of the response with divisor n, for ``family="gaussian"`` given as a string, which divides
        the response and lambda by it.

    Returns
    -------
    Penalty
        `L2` for a share of 0, `L1` for 1, `ElasticNet` in between.

    Raises
    ------
    ValueError
        If a strength is negative, the share is not from 0 to 1, or the standard deviation is not above 0.

    Examples
    --------
    >>> from_glmnet(0.1)
    L1(alpha=0.1, standardize=True)
    >>> from_glmnet(0.1, alpha=0.0, sd_y=2.0, standardize=False)
    L2(alpha=0.05)
    """
    _check_share(alpha, "alpha")
    sd = 1.0 if sd_y is None else sd_y
    if not (np.isfinite(sd) and sd > 0):
        raise ValueError(f"sd_y must be finite and above 0; got {sd_y!r}")
    # of the two parts only the squares feel the response's units
    l1, l2 = lambda_ * alpha, lambda_ * (1 - alpha) / sd
    factors = None
    if penalty_factor is not None:
        mean = float(np.mean(list(penalty_factor.values())))
        factors = {name: factor / mean for name, factor in penalty_factor.items()}
    share = l1 / (l1 + l2) if l1 + l2 > 0 else alpha
    return _net(float(l1 + l2), float(share), weights=factors, standardize=standardize)


def from_dask_glm(
    lamduh: float,
    nobs: float,
    *,
    regularizer: Literal["l1", "l2"] = "l2",
    family: Literal["logistic", "poisson", "normal"] = "logistic",
) -> Penalty:
    """Return the penalty of a dask-glm solver called with ``normalize=False``.

    With ``normalize=True``, its default, columns are standardised and the intercept of the standardised columns is
    penalised: standardise the columns, and the conversion holds.

    Parameters
    ----------
    lamduh : float
        Strength against the sum over rows.
    nobs : float
        Number of rows.
    regularizer : ``"l1"`` or ``"l2"``
        Its ``"elastic_net"`` is none: version 0.4's proximal operator returns what it was given.
    family : ``"logistic"``, ``"poisson"`` or ``"normal"``
        The last one minimises the sum of squares, without the half that makes it a log-likelihood.

    Returns
    -------
    Penalty
        `L1` or `L2`, the intercept penalised.

    Raises
    ------
    ValueError
        If an argument is not one of those above, or not above 0.

    Examples
    --------
    >>> from_dask_glm(5.0, nobs=1000, regularizer="l1")
    L1(alpha=0.005)
    """
    shares = {"l1": 1.0, "l2": 0.0}
    if regularizer not in shares:
        raise ValueError(f"regularizer must be 'l1' or 'l2', which have a conversion; got {regularizer!r}")
    halves = {"logistic": 1.0, "poisson": 1.0, "normal": 2.0}
    if family not in halves:
        raise ValueError(f"family must be one of {sorted(halves)}; got {family!r}")
    if not (np.isfinite(nobs) and nobs > 0):
        raise ValueError(f"nobs must be finite and above 0; got {nobs!r}")
    return _net(float(lamduh / (halves[family] * nobs)), shares[regularizer], penalize_intercept=True)


def _net(alpha: float, l1_ratio: float, **options: Any) -> Penalty:
    """Return the elastic net, by its own name where it is ridge or the lasso."""
    if l1_ratio == 0:
        return L2(alpha, **options)
    return L1(alpha, **options) if l1_ratio == 1 else ElasticNet(alpha, l1_ratio, **options)


def _check_share(share: float, name: str) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must be from 0 to 1; got {share!r}")
