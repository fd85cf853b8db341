"""GLMRegressor: means of a response, as scikit-learn's regressors predict them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from dglm.design import from_collections
from dglm.families import Family
from dglm.results.rows import fitted
from dglm.sklearn.base import BaseGLM
from dglm.sklearn.explained import deviance_explained
from dglm.sklearn.rows import column, rows_to_fit


class GLMRegressor(RegressorMixin, BaseGLM):
    """A generalized linear model that predicts means.

    Parameters
    ----------
    family : Family, optional
        From `dglm.families`, with its link: ``Poisson()``, ``Gamma(link=Log())``; Gaussian when not given.
    penalty : Penalty, optional
        ``L2(alpha)``, ``L1(alpha)``, ``ElasticNet(alpha, l1_ratio)`` or another from `dglm.penalties`; maximum
        likelihood when not given. A search varies ``penalty__alpha``.
    solver : str or Solver, optional
        A name or an object from `dglm.solvers`; chosen by the penalty when not given.
    fit_intercept : bool
        Whether a constant is added, which is not penalised.
    max_iter : int, optional
        Most iterations; the solver's own limit when not given.
    tol : float, optional
        What the certificate of the fit must be below; the solver's own when not given.

    Attributes
    ----------
    coef_ : (p,) array
        Coefficients; zero for features that cannot be told from others.
    intercept_ : float
        The constant's coefficient; zero without one.
    n_iter_ : int
        Iterations of the fit; 1 where the sums of its first pass were all that it needed.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : (p,) array of str
        Where X was a dataframe whose columns are called by text.
    result_ : Results
        What `dglm.GLM.fit` returned: ``result_.summary()``, standard errors, certificate.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.families import Poisson
    >>> from dglm.penalties import L2
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 1.0, 4.0, 6.0])
    >>> model = GLMRegressor(family=Poisson(), penalty=L2(alpha=0.1)).fit(X, y)
    >>> model.coef_.round(3), model.predict(X).round(1)
    (array([0.65]), array([0.9, 1.7, 3.2, 6.2]))
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Self:
        """Estimate the coefficients.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features, none missing.
        y : (n,) array, Series or dask collection
            Responses, in the family's domain.
        sample_weight : (n,) array, Series or dask collection, optional
            How many times each row counts: a weight of 2 is the row twice, one of 0 the row left out.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor, in units of eta: for rates with the log link, the log of the exposure.

        Returns
        -------
        GLMRegressor
            Fitted.

        Raises
        ------
        ValueError
            If rows cannot be fitted.
        """
        X, y = rows_to_fit(self, X, y, numeric=True)
        beta = self._fit(X, y, self.family, sample_weight, offset)
        self.intercept_, self.coef_ = float(beta[0]), beta[1:]
        return self

    def predict(self, X: Any, offset: Any = None) -> Any:
        """Return the means of rows.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor; needed where the fit had one.

        Returns
        -------
        (n,) array, or dask array or Series
            Lazy for dask collections, nan there where something is missing.

        Raises
        ------
        ValueError
            If the rows are not like those of the fit.
        """
        return self._predicted(X, offset, fitted)

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> float:
        """Return the share of the deviance that is explained, D^2, which is R^2 for Gaussian models.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features.
        y : (n,) array, Series or dask collection
            Responses.
        sample_weight : (n,) array, Series or dask collection, optional
            How many times each row counts.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor; needed where the fit had one.

        Returns
        -------
        float
            1 - D(y, mu) / D(y, mean of y): 1 at best, below 0 for predictions worse than the mean of `y`. One pass.

        Raises
        ------
        ValueError
            If the rows are not like those of the fit, or a response is outside the family's domain.
        """
        X = self._checked(X)
        rows = self._rows(X, offset)
        extras = {"offset": column(offset), "freq_weights": column(sample_weight)}
        constant = rows.design.intercept is not None
        told = from_collections(column(y), X, extras=extras, missing="raise", constant=constant)
        return deviance_explained(told, rows.family, rows.params)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if isinstance(self.family, Family):
            tags.target_tags.positive_only = not self.family.in_domain(np.array([-1.0]))[0]
        return tags
