"""BaseGLM: what the regressor and the classifier share. It makes a `dglm.GLM`, fits it, and predicts where rows are."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from dglm._typing import Vector
from dglm.design import for_new_rows, is_lazy
from dglm.families import Family
from dglm.glm import GLM
from dglm.penalties import Penalty
from dglm.results.applied import RowQuantity, Rows
from dglm.sklearn.nested import nested_params, with_nested
from dglm.sklearn.rows import column, new_rows
from dglm.solvers import Solver


class BaseGLM(BaseEstimator):
    """A generalized linear model as an estimator; parameters are looked at when it is fitted.

    Parameters
    ----------
    family : Family, optional
        From `dglm.families`, with its link.
    penalty : Penalty, optional
        From `dglm.penalties`.
    solver : str or Solver, optional
        As `dglm.GLM.fit` takes it.
    fit_intercept : bool
        Whether a constant is added.
    max_iter : int, optional
        Most iterations.
    tol : float, optional
        What the certificate must be below.
    """

    def __init__(
        self,
        *,
        family: Family | None = None,
        penalty: Penalty | None = None,
        solver: str | Solver[Any] | None = None,
        fit_intercept: bool = True,
        max_iter: int | None = None,
        tol: float | None = None,
    ) -> None:
        self.family = family
        self.penalty = penalty
        self.solver = solver
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - scikit-learn calls it so
        """Return the parameters.

        Parameters
        ----------
        deep : bool
            Whether the parameters of family, link, penalty and solver are there, too: ``penalty__alpha``.

        Returns
        -------
        dict of str to object
            By name.
        """
        found: dict[str, Any] = super().get_params(deep=False)
        if not deep:
            return found
        inner = {name: nested_params(value) for name, value in found.items()}
        return found | {f"{name}__{key}": value for name, parts in inner.items() for key, value in parts.items()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and parameters of these: ``set_params(penalty__alpha=0.1)``.

        Parameters
        ----------
        **params : object
            As `get_params` names them.

        Returns
        -------
        estimator
            The same.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        known = self.get_params(deep=False)
        own: dict[str, Any] = {}
        nested: dict[str, dict[str, Any]] = {}
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if inner and name in known:
                nested.setdefault(name, {})[inner] = value
            else:
                own[key] = value
        # which refuses the names that are none
        super().set_params(**own)
        for name, given in nested.items():
            setattr(self, name, with_nested(getattr(self, name), given, name))
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # helpers

    def _fit(self, X: Any, y: Any, family: Family | None, sample_weight: Any, offset: Any) -> Vector:
        """Fit, enter what both kinds of estimator have, and return the intercept and the other coefficients."""
        model = GLM(
            y,
            X,
            family=family,
            offset=column(offset),
            freq_weights=column(sample_weight),
            missing="raise",
            add_constant=self.fit_intercept,
        )
        self.result_ = model.fit(penalty=self.penalty, solver=self.solver, max_iter=self.max_iter, tol=self.tol)
        # least squares are solved by the sums that every fit begins with
        self.n_iter_ = max(self.result_.n_iter, 1)
        self._design = model.design
        # where columns cannot be told apart the result says nan, and predicts as if it were zero
        beta: Vector = np.nan_to_num(np.asarray(self.result_.params, dtype=np.float64))
        return beta if self.fit_intercept else np.append(0.0, beta)

    def _checked(self, X: Any) -> Any:
        """Return new rows as results take them."""
        check_is_fitted(self)
        return new_rows(self, X)

    def _rows(self, X: Any, offset: Any) -> Rows:
        """Return checked rows, with the coefficients as they are now."""
        new = for_new_rows(self._design, X, offset=column(offset), exposure=None)
        beta = np.append(self.intercept_, self.coef_)[-len(self._design.exog_names) :]
        return Rows(new.table, new.design, self.result_.family, beta, new=True)

    def _predicted(self, X: Any, offset: Any, quantity: RowQuantity, names: tuple[Any, ...] | None = None) -> Any:
        """Return a quantity of each row: lazy on dask, an array in memory."""
        found = self._rows(self._checked(X), offset).apply(quantity, names)
        return found if is_lazy(found) else np.asarray(found)
