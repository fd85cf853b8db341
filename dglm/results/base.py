"""Results: what every estimate can say, whatever its penalty."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Matrix, Vector
from dglm.data import ArrayTable, DaskArrayTable
from dglm.design import for_new_rows
from dglm.families import Family
from dglm.results import rows
from dglm.results.estimate import Estimate
from dglm.results.summary import Summary, count, number
from dglm.solvers import Certificate, Iteration, Status


class Results(ABC):
    """A fitted model.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    #: What this kind of estimate cannot honestly offer, and what to call instead, by attribute.
    unavailable: ClassVar[dict[str, str]] = {}

    def __init__(self, estimate: Estimate) -> None:
        self._estimate = estimate

    def __getattr__(self, name: str) -> NoReturn:
        # called only for what does not exist
        why = type(self).unavailable.get(name)
        kind = type(self).__name__
        raise AttributeError(f"{kind} has no {name!r}: {why}" if why else f"{kind} has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    # what was fitted

    @property
    def model_family(self) -> str:
        """Name of the family."""
        return self._estimate.family.name

    @property
    def family(self) -> Family:
        """The family with its link; parameters of its own that were estimated have their estimates."""
        return self._estimate.family

    @property
    def params(self) -> pd.Series | Vector:
        """Coefficients: a Series by name, or an array for models of plain arrays; nan for aliased columns."""
        named: pd.Series | Vector = self._named(self._estimate.params)
        return named

    @property
    def nobs(self) -> float:
        """Number of observations, the sum of the frequency weights of the rows used."""
        return self._estimate.survey.nobs

    @property
    def n_rows(self) -> int:
        """Number of rows used."""
        return self._estimate.survey.n_rows

    @property
    def n_dropped(self) -> int:
        """Number of rows left out because something was missing."""
        return self._estimate.survey.n_dropped

    @property
    def df_model(self) -> float:
        """Degrees of freedom of the model beside the intercept; effective ones under a penalty."""
        return self._estimate.df - (0 if self._estimate.basis.intercept is None else 1)

    @property
    def df_resid(self) -> float:
        """Residual degrees of freedom."""
        return self.nobs - self._estimate.df

    @property
    def deviance(self) -> float:
        """Twice the log-likelihood ratio to the saturated model, at unit scale."""
        return self._estimate.fit.sums.deviance

    @property
    def null_deviance(self) -> float:
        """Deviance of the model with an intercept (and the offset) only."""
        return self._estimate.null_deviance

    @property
    def pearson_chi2(self) -> float:
        """Pearson's X2, sum_i w_i (y_i - mu_i)^2 / V(mu_i)."""
        return self._estimate.fit.sums.pearson_chi2

    @property
    def scale(self) -> float:
        """Dispersion: 1 where the family fixes it, else X2 / df_resid, unless `fit` was told otherwise."""
        return self._estimate.scale

    @property
    def llf(self) -> float:
        """Log-likelihood, every constant included."""
        return self._estimate.llf

    @property
    def llf_scale(self) -> float:
        """Dispersion at which `llf` is: `scale`, or the maximum likelihood estimate.

        That is for Gaussian models, and where parameters of the family's own were estimated.
        """
        e = self._estimate
        if e.fit.shape is not None:
            return e.fit.shape.scale
        return e.family.likelihood_scale(e.scale, self.deviance, self.nobs)

    # how it was fitted

    @property
    def status(self) -> Status:
        """Why the solver stopped."""
        return self._estimate.fit.status

    @property
    def converged(self) -> bool:
        """Whether the certificate holds."""
        return self._estimate.fit.converged

    @property
    def certificate(self) -> Certificate:
        """Proof of how far from optimal the coefficients are."""
        return self._estimate.fit.certificate

    @property
    def n_iter(self) -> int:
        """Iterations of the solver."""
        return self._estimate.fit.n_iter

    @property
    def n_passes(self) -> int:
        """Passes over the data that the fit made."""
        return len(self._estimate.pass_seconds)

    @property
    def pass_seconds(self) -> tuple[float, ...]:
        """Wall time of each of those passes."""
        return self._estimate.pass_seconds

    @property
    def fit_history(self) -> tuple[Iteration, ...]:
        """Objective, certificate and step of every iterate."""
        return self._estimate.fit.trace

    # per row, lazily

    @property
    def fittedvalues(self) -> Any:
        """Fitted means of the rows used; proportions where the response is counts."""
        return self._per_row(rows.fitted)

    @property
    def resid_response(self) -> Any:
        """Residuals y - mu of the rows used."""
        return self._per_row(rows.response_residuals)

    @property
    def resid_pearson(self) -> Any:
        """Pearson residuals of the rows used."""
        return self._per_row(rows.pearson_residuals)

    @property
    def resid_deviance(self) -> Any:
        """Deviance residuals of the rows used."""
        return self._per_row(rows.deviance_residuals)

    @property
    def resid_working(self) -> Any:
        """Working residuals (y - mu) deta/dmu of the rows used."""
        return self._per_row(rows.working_residuals)

    def predict(self, exog: Any = None, *, offset: Any = None, exposure: Any = None) -> Any:
        """Return predicted means.

        Parameters
        ----------
        exog : DataFrame or array, optional
            New rows, as the model was built from; the rows that were fitted when not given. A dask collection
            gives a lazy result with its index and partitions.
        offset, exposure : str or collection, optional
            For the new rows; the model's own columns when it has them by name.

        Returns
        -------
        Series or array
            Means, nan where something is missing.

        Raises
        ------
        DataError
            If a column, an offset or an exposure that the model needs is missing.
        UnseenLevelError
            If a categorical has a level that was not there when the model was built.
        """
        if exog is None:
            return self.fittedvalues
        e = self._estimate
        new = for_new_rows(e.design, exog, offset=offset, exposure=exposure)
        return rows.of_new_rows(new.table, new.design, e.family, e.fit.params)

    @abstractmethod
    def summary(self) -> Summary:
        """Return a report of the fit.

        Returns
        -------
        Summary
            Prints as text.
        """

    # helpers

    def _per_row(self, quantity: rows.RowQuantity) -> Any:
        e = self._estimate
        return rows.of_fit(e.table, e.design, e.family, e.fit.params, quantity)

    @property
    def _of_arrays(self) -> bool:
        return isinstance(self._estimate.table, (ArrayTable, DaskArrayTable))

    def _named(self, values: AnyArray) -> Any:
        return values if self._of_arrays else pd.Series(values, index=list(self._estimate.design.exog_names))

    def _framed(self, values: Matrix, columns: list[Any] | None = None) -> Any:
        if self._of_arrays:
            return values
        names = list(self._estimate.design.exog_names)
        return pd.DataFrame(values, index=names, columns=names if columns is None else columns)

    def _summary(
        self, title: str, header: tuple[str, ...], table: Sequence[tuple[str, tuple[str, ...]]], notes: list[str]
    ) -> Summary:
        """Return a summary with the facts that every kind of estimate has."""
        e = self._estimate
        left = (
            ("Dep. Variable:", e.design.response.label),
            ("Model:", "GLM"),
            ("Model Family:", e.family.name),
            ("Link Function:", e.family.link.name),
            ("Penalty:", "none" if self._penalty is None else self._penalty),
            ("Solver:", e.fit.solver),
            ("Status:", e.fit.status.value),
            ("Certificate:", str(e.fit.certificate)),
            ("Iterations / passes:", f"{self.n_iter} / {self.n_passes}"),
        )
        right = (
            ("No. Observations:", count(self.nobs)),
            ("Rows dropped (missing):", str(self.n_dropped)),
            ("Df Residuals:", count(self.df_resid)),
            ("Df Model:", count(self.df_model)),
            ("Scale:", number(self.scale)),
            ("Log-Likelihood:", number(self.llf)),
            ("Deviance:", number(self.deviance)),
            ("Null Deviance:", number(self.null_deviance)),
            ("Pearson chi2:", number(self.pearson_chi2)),
        )
        return Summary(title, left, right, header, tuple(table), (*notes, *self._warnings()))

    @property
    def _penalty(self) -> str | None:
        return repr(self._estimate.penalty)

    def _warnings(self) -> list[str]:
        """Return what a reader must know before trusting the numbers."""
        e, names = self._estimate, self._estimate.design.exog_names
        notes = []
        if e.fit.status is Status.SEPARATED:
            moving = ", ".join(names[j] for j in e.fit.diverging)
            notes.append(
                f"WARNING: perfect separation. The likelihood keeps rising as the coefficients of {moving} grow; their "
                f"estimates do not exist, and the numbers above are where the solver stopped."
            )
        elif e.fit.status is Status.BOUNDARY and e.fit.shape is not None:
            notes.append(f"WARNING: {e.fit.shape.at_limit}.")
        elif not e.fit.converged:
            notes.append(
                f"WARNING: not converged: {e.fit.status.value}. The certificate is {e.fit.certificate.value:.2g}; it "
                f"should be below {e.fit.certificate.tol:.2g}."
            )
        aliased = [names[j] for j in np.flatnonzero(e.fit.aliased)]
        if aliased:
            notes.append(f"Left out as linear combinations of earlier columns: {', '.join(aliased)}.")
        return notes
