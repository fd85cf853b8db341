"""Evaluating: log-likelihood, score, Hessian and information of a model at given coefficients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dglm.data import one_blas_thread
from dglm.design import as_params, by_name
from dglm.model.base import Model
from dglm.objective import hessian_at, loglike_at, score_at
from dglm.penalties import SparsePenalty, Unpenalised
from dglm.solvers import alpha_max


class Evaluating(Model):
    """A model that can be asked for its likelihood anywhere."""

    def loglike(self, params: Any, scale: float | None = None) -> float:
        """Return the log-likelihood at given coefficients, every constant included.

        Parameters
        ----------
        params : Series or (p,) array
            Coefficients; nan counts as zero.
        scale : float, optional
            Dispersion. When not given 1 where the family fixes it, else Pearson's X2 at `params` over df_resid.

        Returns
        -------
        float
            One pass, beside the survey that a model makes once; two where the dispersion has to be estimated. For
            families whose dispersion is 1, a `scale` gives the quasi-log-likelihood.

        Raises
        ------
        ValueError
            If there is not one number for each coefficient, or the scale is not above 0.

        Examples
        --------
        >>> import numpy as np, dglm
        >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
        >>> model = dglm.GLM(np.array([1.0, 2.0, 2.0, 4.0]), X, family=dglm.families.Poisson())
        >>> result = model.fit()
        >>> bool(np.isclose(model.loglike(result.params), result.llf))
        True
        """
        return float(self._at(loglike_at, params, scale))

    def score(self, params: Any, scale: float | None = None) -> Any:
        """Return the derivatives of `loglike` with respect to the coefficients, the dispersion held where it is.

        Parameters
        ----------
        params : Series or (p,) array
            Coefficients; nan counts as zero.
        scale : float, optional
            Dispersion, as in `loglike`.

        Returns
        -------
        Series or (p,) array
            One pass, beside the survey that a model makes once.

        Raises
        ------
        ValueError
            If there is not one number for each coefficient, or the scale is not above 0.
        """
        return by_name(self.design, self._at(score_at, params, scale))

    def hessian(self, params: Any, scale: float | None = None, *, observed: bool = True) -> Any:
        """Return the second derivatives of `loglike` with respect to the coefficients, the dispersion held.

        Parameters
        ----------
        params : Series or (p,) array
            Coefficients; nan counts as zero.
        scale : float, optional
            Dispersion, as in `loglike`.
        observed : bool
            The derivatives themselves; their expectation, -`information`, if not.

        Returns
        -------
        DataFrame or (p, p) array
            One pass, beside the survey that a model makes once.

        Raises
        ------
        ValueError
            If there is not one number for each coefficient, or the scale is not above 0.
        """
        return by_name(self.design, self._at(hessian_at, params, scale, observed=observed))

    def information(self, params: Any, scale: float | None = None) -> Any:
        """Return Fisher's expected information, X'WX / scale: minus what is expected of the Hessian.

        Parameters
        ----------
        params : Series or (p,) array
            Coefficients; nan counts as zero.
        scale : float, optional
            Dispersion, as in `loglike`.

        Returns
        -------
        DataFrame or (p, p) array
            Positive semi-definite (statsmodels returns its negative); one pass, beside the survey that a model makes
            once.

        Raises
        ------
        ValueError
            If there is not one number for each coefficient, or the scale is not above 0.
        """
        return -self.hessian(params, scale, observed=False)

    def alpha_max(self, penalty: SparsePenalty) -> float:
        """Return the smallest strength of a penalty for which every coefficient that it acts on is zero.

        Parameters
        ----------
        penalty : L1, ElasticNet or another with a strength ``alpha``
            Its own alpha does not matter.

        Returns
        -------
        float
            One pass, beside the survey that a model makes once, where only the intercept is not penalised; a few where
            there is an offset, or other coefficients have weight 0.

        Raises
        ------
        TypeError
            If the penalty is not sparse.
        ValueError
            If it has no strength, or sets no coefficient to zero however large that is.

        Examples
        --------
        >>> import numpy as np, dglm
        >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
        >>> model = dglm.GLM(np.array([1.0, 2.0, 2.0, 4.0]), X)
        >>> round(model.alpha_max(dglm.L1(alpha=1.0)), 6)
        1.125
        >>> int(model.fit(penalty=dglm.L1(alpha=1.125)).n_nonzero)
        1
        """
        self._check_no_free_parameter("alpha_max")
        if not isinstance(penalty, SparsePenalty):
            raise TypeError(f"alpha_max is the strength of a sparse penalty, such as L1; got {penalty!r}")
        with one_blas_thread():
            return alpha_max(self._objective(penalty, "auto", products=False)[0])

    def _at(self, quantity: Any, params: Any, scale: float | None, **settings: bool) -> Any:
        """Evaluate something of the likelihood at given coefficients."""
        self._check_no_free_parameter("the likelihood of given coefficients")
        if scale is not None and not (np.isfinite(scale) and scale > 0):
            raise ValueError(f"scale must be None or a number above 0; got {scale!r}")
        beta = as_params(self.design, params)
        with one_blas_thread():
            objective, _ = self._objective(Unpenalised(), "auto", products=False)
            return quantity(replace(objective, null_model=None), beta, scale, **settings)
