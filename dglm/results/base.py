"""Results: what every estimate can say, whatever its penalty."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Matrix, Vector
from dglm.data import Held
from dglm.design import ArrayDesign, FormulaDesign, by_name
from dglm.families import Family
from dglm.results.augmenting import Augmenting
from dglm.results.curves import Curves
from dglm.results.estimate import Estimate
from dglm.results.plots import Plots
from dglm.results.ratios import Effect, effect_of
from dglm.results.reporting import Report
from dglm.results.saving import write_estimate
from dglm.results.summary import Column, Summarised, Summary, count, number
from dglm.solvers import Certificate, Iteration, Status


class Results(Augmenting, Summarised, ABC):
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
        # what was computed from the estimate is computed again
        return {"_estimate": self._estimate}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        e = self._estimate
        penalty = "" if self._penalty is None else f" under {self._penalty}"
        return (
            f"<{type(self).__name__}: {e.design.response.label}, {e.family.name} with {e.family.link.name} link, "
            f"{len(e.params)} coefficients{penalty}; nobs={self.nobs:g}, {self.status.value}, {self.n_passes} passes>"
        )

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
    def formula(self) -> str | None:
        """The formula; None for models of arrays and dataframes."""
        design = self._estimate.design
        return design.engine.formula if isinstance(design, FormulaDesign) else None

    @property
    def restricted(self) -> bool:
        """Whether predicting evaluates no Python: the formula is a restricted one, or there is none."""
        design = self._estimate.design
        return not isinstance(design, FormulaDesign) or design.engine.restricted is not None

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
        return self._estimate.survey.dropped.n_rows

    @property
    def dropped(self) -> pd.Series:
        """In how many of the rows left out each factor, weight or offset was missing; a row may lack several."""
        lacking = {name: n for name, n in self._estimate.survey.dropped.lacking.items() if n}
        return pd.Series(lacking, dtype=np.int64, name="dropped")

    @property
    def df_model(self) -> float:
        """Degrees of freedom of the model beside the intercept; effective ones under a penalty."""
        return self._estimate.df - (1 if self._estimate.has_intercept else 0)

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
    def compressed(self) -> int | None:
        """Number of groups of equal rows that the fit was made of; None where it was made of the rows themselves."""
        return self._estimate.compressed

    @property
    def rows_held(self) -> Held:
        """Where the rows were between passes: ``"in memory"``, ``"kept"`` on dask, or nowhere: ``"read"`` each time."""
        return self._estimate.rows_held

    @property
    def read_retries(self) -> int:
        """How often a file had to be read once more, because of an error that went away."""
        return self._estimate.read_retries

    @property
    def fit_history(self) -> tuple[Iteration, ...]:
        """Objective, certificate and step of every iterate."""
        return self._estimate.fit.trace

    @cached_property
    def curves(self) -> Curves:
        """The numbers that plots are drawn from, each made by one pass over the rows."""
        return Curves(self, self.unavailable)

    @property
    def plot(self) -> Plots:
        """Plots, ``result.plot.calibration()`` and others, with matplotlib."""
        return Plots(self._estimate, self.curves, self.tidy)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a file, over whatever is there, for `dglm.load`.

        Parameters
        ----------
        path : str or path
            Where.

        Raises
        ------
        StorageError
            If a file cannot hold something that the result needs, such as levels of an unusual type.
        """
        write_estimate(self._estimate, path)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        exponentiate: bool = False,
        plots: bool = True,
        effects: int = 6,
        data: Any = None,
    ) -> None:
        """Write a page about the fit: one file of HTML that needs no network and no script to be read.

        It has the summary, the rows and what became of them, the model, the certificate with every iteration and pass,
        plots that fit the kind of estimate, and versions.

        Parameters
        ----------
        path : str or path
            Of the file; what is there is written over.
        exponentiate : bool
            Whether to show exp(coefficient), where that is a ratio.
        plots : bool
            Whether there are plots, which matplotlib draws. They make passes over the rows: one for residuals,
            calibration, ROC and lift together, one for quantile residuals, one for leverages of maximum likelihood
            estimates, and one for each effect. Coefficients and the trace take none.
        effects : int
            Most variables whose effects are drawn, the first of the formula that have any.
        data : dataframe, optional
            Other rows with the response, such as ones that were held out: residuals, calibration, ROC, lift and
            quantile residuals are of them.

        Raises
        ------
        ValueError
            If `effects` is negative, or exp(coefficient) is no ratio under the link.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import dglm, pathlib, tempfile, pandas as pd
        >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
        >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = pathlib.Path(folder) / "deaths.html"
        ...     result.report(page, plots=False)
        ...     page.read_text(encoding="utf-8").startswith("<!doctype html>")
        True
        """
        self._report.write(path, exponentiate=exponentiate, plots=plots, effects=effects, data=data)

    @abstractmethod
    def summary(self, *, exponentiate: bool = False) -> Summary:
        """Return a report of the fit.

        Parameters
        ----------
        exponentiate : bool
            Whether to show exp(coefficient), the ratio of odds, rates, risks, hazards or means that a unit makes.

        Returns
        -------
        Summary
            Prints as text.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """

    @abstractmethod
    def tidy(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return a row for each coefficient.

        Parameters
        ----------
        exponentiate : bool
            Whether `estimate` is exp(coefficient).

        Returns
        -------
        DataFrame
            Columns `term` and `estimate`, and what else this kind of estimate can say of a coefficient.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """

    def glance(self) -> pd.DataFrame:
        """Return the fit as a whole in one row, in the words of R's broom.

        Returns
        -------
        DataFrame
            Columns `null_deviance`, `df_null`, `log_lik`, `aic` and `bic` where they exist, `deviance`, `df_residual`,
            `nobs`, `scale`, `converged`, and what else this kind of estimate can say.
        """
        return pd.DataFrame([self._glance()])

    # helpers

    @property
    def _report(self) -> Report:
        return Report(
            estimate=self._estimate,
            summary=self.summary,
            tidy=self.tidy,
            plot=self.plot,
            penalty="none" if self._penalty is None else self._penalty,
            distributed=self._has_distribution,
        )

    @property
    def _of_arrays(self) -> bool:
        return isinstance(self._estimate.design, ArrayDesign)

    def _named(self, values: AnyArray) -> Any:
        return by_name(self._estimate.design, values)

    def _framed(self, values: Matrix, columns: list[Any] | None = None) -> Any:
        return by_name(self._estimate.design, values, columns)

    def _summary(
        self,
        title: str,
        names: Sequence[str],
        columns: Sequence[Column],
        notes: Sequence[str],
        facts: tuple[tuple[str, str], ...] = (),
    ) -> Summary:
        """Return a summary with the facts that every kind of estimate has, and more."""
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
        right: tuple[tuple[str, str], ...] = (
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
        if self.compressed is not None:
            right = (*right, ("Distinct rows (compressed):", str(self.compressed)))
        return Summary(title, (*left, *facts), right, tuple(names), tuple(columns), (*notes, *self._warnings()))

    def _effect(self, *, exponentiate: bool) -> Effect:
        return effect_of(self._estimate.family, exponentiate=exponentiate)

    def _glance(self) -> dict[str, Any]:
        return {
            "null_deviance": self.null_deviance,
            # of the model with an intercept, whether or not this one has it
            "df_null": self.nobs - 1,
            "log_lik": self.llf,
            "deviance": self.deviance,
            "df_residual": self.df_resid,
            "nobs": self.nobs,
            "scale": self.scale,
            "converged": self.converged,
        }

    @property
    def _penalty(self) -> str | None:
        return repr(self._estimate.penalty)

    @property
    def _label(self) -> str:
        """What a table with several estimates calls this one."""
        return self._penalty or "none"

    @property
    @abstractmethod
    def _meaning(self) -> str:
        """Say what the numbers are, below such a table."""

    @property
    @abstractmethod
    def _beside(self) -> tuple[str, Sequence[Any]]:
        """Return the title of the column beside the coefficients there, and its values."""

    @property
    def _measures(self) -> dict[str, float]:
        """What such a table says of the whole fit, below the coefficients; nan where it does not exist."""
        aic = self._glance().get("aic", np.nan)
        return {"nobs": self.nobs, "deviance": self.deviance, "aic": aic, "n_passes": self.n_passes}

    def _warnings(self) -> list[str]:
        """Return what a reader must know before trusting the numbers."""
        e, names = self._estimate, self._estimate.design.exog_names
        notes = []
        if self.n_dropped:
            notes.append(f"Dropped {self.n_dropped} rows with something missing{e.survey.dropped.in_words}.")
        if e.rows_held == "read":
            again = f", {count(e.read_retries)} times once more after an error" if e.read_retries else ""
            notes.append(f"Rows were read and encoded in each of {self.n_passes} passes, not kept{again}.")
        elif e.read_retries:
            notes.append(f"Rows were read once more after an error {count(e.read_retries)} times.")
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
        if e.dependent and e.collinear == "pinv":
            notes.append(
                f"Columns are linear combinations of others: {'; '.join(e.dependent)}. The coefficients are those of "
                f"minimum norm; only what all solutions agree on, such as fitted values, is estimated."
            )
        elif e.dependent:
            notes.append(f"Left out as linear combinations of earlier columns: {'; '.join(e.dependent)}.")
        if e.constraint is not None:
            notes.append(f"Fitted under constraints: {', '.join(e.constraint.labels)}.")
        if e.selection is not None:
            notes.append(e.selection.note)
        return notes
