"""GLMClassifier: probabilities of the second of two classes, as scikit-learn's classifiers predict them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from dglm._typing import AnyArray, Matrix, Vector
from dglm.data import Block
from dglm.design import is_lazy
from dglm.errors import DataError
from dglm.families import Binomial, Family
from dglm.results.applied import Applied
from dglm.sklearn.base import BaseGLM
from dglm.sklearn.rows import column, rows_to_fit


class GLMClassifier(ClassifierMixin, BaseGLM):
    """A binomial model of two classes; logistic regression, unless it has another link.

    Parameters
    ----------
    family : Binomial, optional
        With its link: ``Binomial(link=Probit())``; the logit when not given.
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
    classes_ : (2,) array
        The two classes, sorted; the model is of the probability of the second.
    coef_ : (1, p) array
        Coefficients; zero for features that cannot be told from others.
    intercept_ : (1,) array
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
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["no", "yes", "no", "yes"])
    >>> model = GLMClassifier().fit(X, y)
    >>> model.predict([[1.0], [4.0]]), model.predict_proba([[4.0]]).round(3)
    (array(['no', 'yes'], dtype='<U3'), array([[0.094, 0.906]]))
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Self:
        """Estimate the coefficients.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features, none missing.
        y : (n,) array, Series or dask collection
            Two classes. One pass more, to learn which, on dask.
        sample_weight : (n,) array, Series or dask collection, optional
            How many times each row counts: a weight of 2 is the row twice, one of 0 the row left out.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor, in units of eta.

        Returns
        -------
        GLMClassifier
            Fitted.

        Raises
        ------
        ValueError
            If rows cannot be fitted, or there are not two classes.
        TypeError
            If the family is not Binomial.
        """
        family = Binomial() if self.family is None else self.family
        if not isinstance(family, Binomial):
            raise TypeError(f"a classifier's family must be Binomial; got {family!r}. GLMRegressor takes all others")
        name = getattr(y, "name", None) if hasattr(y, "to_frame") else None
        X, y = rows_to_fit(self, X, y, numeric=False)
        self.classes_ = _two(_classes(y), type(self).__name__)
        second = (y == self.classes_[1]).astype(np.float64)
        label = f"{name or 'y'} = {self.classes_[1]}"
        if hasattr(second, "rename"):
            second = second.rename(label)
        elif not is_lazy(second):
            second = pd.Series(second, name=label)
        beta = self._fit(X, second, family, sample_weight, offset)
        self.intercept_, self.coef_ = beta[:1], beta[None, 1:]
        return self

    def decision_function(self, X: Any, offset: Any = None) -> Any:
        """Return the log odds of the second class: the linear predictor, for the logit.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor; needed where the fit had one.

        Returns
        -------
        (n,) array, or dask array or Series
            Above 0 where the second class is predicted. Lazy for dask collections, nan there where something is
            missing.

        Raises
        ------
        ValueError
            If the rows are not like those of the fit.
        """
        return self._predicted(X, offset, _log_odds)

    def predict_proba(self, X: Any, offset: Any = None) -> Any:
        """Return the probabilities of both classes.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor; needed where the fit had one.

        Returns
        -------
        (n, 2) array, or dask array or DataFrame
            In the order of `classes_`. Lazy for dask collections, nan there where something is missing.

        Raises
        ------
        ValueError
            If the rows are not like those of the fit.
        """
        check_is_fitted(self)
        return self._predicted(X, offset, _probabilities, tuple(self.classes_.tolist()))

    def predict(self, X: Any, offset: Any = None) -> Any:
        """Return the more probable class of each row.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor; needed where the fit had one.

        Returns
        -------
        (n,) array, or dask array or Series
            Lazy for dask collections; where something is missing, they refuse to be computed.

        Raises
        ------
        ValueError
            If the rows are not like those of the fit.
        """
        rows = self._rows(self._checked(X), offset)
        log_odds = Applied(rows.design, rows.family, rows.params, _log_odds, None, framed=False, new=True)
        found = rows.table.rows(_Classified(log_odds, self.classes_), rows.columns, every=True)
        return found if is_lazy(found) else np.asarray(found)

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> float:
        """Return the accuracy: the share of rows whose class is predicted.

        Parameters
        ----------
        X : (n, p) array, sparse matrix, DataFrame or dask collection
            Features.
        y : (n,) array, Series or dask collection
            Classes.
        sample_weight : (n,) array, Series or dask collection, optional
            How many times each row counts.
        offset : (n,) array, Series or dask collection, optional
            Added to the linear predictor; needed where the fit had one.

        Returns
        -------
        float
            From 0 to 1. One pass.

        Raises
        ------
        ValueError
            If the rows are not like those of the fit.
        """
        predicted = self.predict(X, offset)
        if not is_lazy(predicted):
            return float(accuracy_score(y, predicted, sample_weight=sample_weight))
        right = (predicted == column(y)).astype(np.float64)
        weights = column(sample_weight)
        found = right.mean() if weights is None else (right * weights).sum() / weights.sum()
        return float(found.compute())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _classes(y: Any) -> AnyArray:
    """Return the classes, sorted; one pass on dask."""
    if not is_lazy(y):
        check_classification_targets(y)
        return np.unique(y)
    distinct: Any = y.unique() if hasattr(y, "unique") else np.unique(y)
    found = np.asarray(distinct.compute())
    if pd.isna(found).any():
        raise DataError("y has missing values (nan); drop those rows from X and y")
    check_classification_targets(found)
    return np.unique(found)


def _two(classes: AnyArray, who: str) -> AnyArray:
    """Return the classes if there are two of them."""
    if len(classes) == 1:
        raise ValueError(f"{who} needs rows of two classes, but all are of one class: {classes.tolist()[0]!r}")
    if len(classes) > 2:
        raise ValueError(
            f"Only binary classification is supported. The type of the target is {type_of_target(classes)}: it has "
            f"{len(classes)} classes. Wrap the estimator, OneVsRestClassifier({who}(...)) of sklearn.multiclass, or "
            f"keep two of the classes"
        )
    return classes


def _log_odds(block: Block, eta: Vector, family: Family) -> Vector:
    del block
    return family.link.log_odds(eta)


def _probabilities(block: Block, eta: Vector, family: Family) -> Matrix:
    del block
    pairs: Matrix = np.column_stack([family.link.inverse_complement(eta), family.link.inverse(eta)])
    return pairs


@dataclass(frozen=True)
class _Classified:
    """The class of each row of a partition, from its log odds."""

    log_odds: Applied
    classes: AnyArray

    def __call__(self, partition: Any, number: int) -> Any:
        found = self.log_odds(partition, number)
        values = np.asarray(found)
        if np.isnan(values).any():
            raise DataError(
                f"row {int(np.argmax(np.isnan(values)))} of partition {number} has no class: a feature is missing "
                f"or infinite there"
            )
        second = (values > 0).astype(np.intp)
        if not isinstance(found, pd.Series):
            return self.classes[second]
        # of one dtype, also where there are no rows to infer it from
        return pd.Series(pd.Series(self.classes).array.take(second), index=found.index)
