"""Rows: what scikit-learn checks of collections in memory, and the like of it for dask's, which are not looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import validate_data

from dglm.design import is_lazy

# GLM reads these as they are, or row by row.
ACCEPTED = {"accept_sparse": "csr", "dtype": "numeric"}


def rows_to_fit(estimator: Any, X: Any, y: Any, *, numeric: bool) -> tuple[Any, Any]:
    """Return checked rows, and enter in the estimator how many features they have and what these are called.

    Parameters
    ----------
    estimator : estimator
        That is being fitted.
    X : (n, p) array, sparse matrix, DataFrame or dask collection
        Features.
    y : (n,) array, Series or dask collection
        Responses.
    numeric : bool
        Whether responses must be numbers.

    Returns
    -------
    tuple of X and y
        As `dglm.GLM` takes them; a DataFrame where features have names.

    Raises
    ------
    ValueError
        If they are not what an estimator can be fitted to.
    """
    if not is_lazy(X):
        X, y = validate_data(estimator, X, y, y_numeric=numeric, **ACCEPTED)
        return _named(estimator, X), y
    y = column(y)
    if y is None or y.ndim != 1:
        given = "the target y is None" if y is None else f"it has {y.ndim} dimensions"
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, one number or class a row, but {given}")
    names = _names_of(X)
    estimator.n_features_in_ = _n_features(X)
    if names is not None:
        estimator.feature_names_in_ = names
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    return X, y


def new_rows(estimator: Any, X: Any) -> Any:
    """Return checked rows to predict for.

    Parameters
    ----------
    estimator : estimator
        That was fitted.
    X : (n, p) array, sparse matrix, DataFrame or dask collection
        Features.

    Returns
    -------
    array, sparse matrix, DataFrame or dask collection
        As the results of a fit take them.

    Raises
    ------
    ValueError
        If they are not like those of the fit.
    """
    if not is_lazy(X):
        return _named(estimator, validate_data(estimator, X, reset=False, **ACCEPTED))
    if (n := _n_features(X)) != estimator.n_features_in_:
        raise ValueError(
            f"X has {n} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} features as "
            f"input"
        )
    return X


def column(values: Any) -> Any:
    """Return weights or an offset as `dglm.GLM` takes them beside X.

    Parameters
    ----------
    values : array, Series, sequence or dask collection
        One a row; None where there are none.

    Returns
    -------
    array, dask collection or None
        By position: an index in memory does not count, as everywhere in scikit-learn.
    """
    return values if values is None or is_lazy(values) else np.asarray(values)


def _named(estimator: Any, X: Any) -> Any:
    """Return a frame where the features have names, so that the result of the fit has them, too."""
    names = getattr(estimator, "feature_names_in_", None)
    return X if names is None or sparse.issparse(X) else pd.DataFrame(X, columns=names, copy=False)


def _names_of(X: Any) -> Any:
    """Return the names of a dask dataframe's columns, where these are text."""
    names = list(getattr(X, "columns", ()))
    return np.asarray(names, dtype=object) if names and all(isinstance(name, str) for name in names) else None


def _n_features(X: Any) -> int:
    if X.ndim != 2:
        raise ValueError(f"Expected a 2D collection, got one of {X.ndim} dimensions. Reshape your data")
    return int(X.shape[1])
