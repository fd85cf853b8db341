"""DebiasedResults: one Newton step from penalised estimates, after which every coefficient has an interval."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.design import by_name
from dglm.inference import Covariance, symmetric_intervals, two_sided_pvalues
from dglm.plots import coefficients_axes
from dglm.results.caveats import caveats
from dglm.results.debiased_page import DebiasedReport
from dglm.results.estimate import Estimate
from dglm.results.summary import Column, Summarised, Summary, count, number, probability, statistic


@dataclass(frozen=True, eq=False, repr=False)
class DebiasedResults(Summarised):
    """Estimates from which the penalty's bias was taken off, with intervals.

    ``b = beta + H^-1 s`` with the score s and the information H at the penalised estimates beta, and the covariance
    ``scale H^-1``: the bias that is left is of second order. Every coefficient has an estimate, also those that beta
    has at zero: nothing is selected any more. As the number of observations grows faster than the square of the number
    of columns, each interval for itself has its level.

    Source: Xia, Nan & Li (2021), "De-biased lasso for generalized linear models with a diverging number of covariates".

    Attributes
    ----------
    estimate : Estimate
        The penalised fit.
    values : (p,) array
        Debiased coefficients.
    covariance : Covariance
        Of them.
    scale : float
        Dispersion: 1 where the family fixes it, else X2 / (nobs - p) at the debiased coefficients.
    n_passes : int
        Passes over the data that were made beside those of the fit.

    Examples
    --------
    >>> import numpy as np, pandas as pd, dglm
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame(rng.normal(size=(200, 3)), columns=["x1", "x2", "x3"])
    >>> data["n"] = rng.poisson(np.exp(0.5 * data["x1"]))
    >>> model = dglm.GLM.from_formula("n ~ x1 + x2 + x3", data, family=dglm.families.Poisson())
    >>> lasso = model.fit(penalty=dglm.L1(alpha=0.1))
    >>> pd.DataFrame({"lasso": lasso.params, "debiased": lasso.debias().params, "mle": model.fit().params}).round(3)
               lasso  debiased    mle
    Intercept -0.012    -0.053 -0.060
    x1         0.428     0.506  0.503
    x2         0.000     0.047  0.047
    x3        -0.029    -0.107 -0.106
    """

    estimate: Estimate
    values: Vector
    covariance: Covariance
    scale: float
    n_passes: int

    @property
    def params(self) -> Any:
        """Debiased coefficients: a Series by name, or an array for models of plain arrays."""
        return by_name(self.estimate.design, self.values)

    @property
    def nobs(self) -> float:
        """Number of observations."""
        return self.estimate.survey.nobs

    @property
    def bse(self) -> Any:
        """Standard errors of the debiased coefficients."""
        return by_name(self.estimate.design, self._bse)

    @property
    def tvalues(self) -> Any:
        """Debiased coefficients over their standard errors, z statistics."""
        return by_name(self.estimate.design, self.values / self._bse)

    @property
    def pvalues(self) -> Any:
        """Two-sided p-values of the `tvalues`; not adjusted for their number."""
        return by_name(self.estimate.design, two_sided_pvalues(self.values / self._bse, np.inf))

    def conf_int(self, alpha: float = 0.05) -> Any:
        """Return confidence intervals, each for itself.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        (p, 2) DataFrame or array
            Lower and upper bounds, columns 0 and 1.
        """
        return by_name(self.estimate.design, symmetric_intervals(self.values, self._bse, alpha, np.inf), [0, 1])

    def cov_params(self) -> Any:
        """Return the covariance matrix of the debiased coefficients.

        Returns
        -------
        (p, p) DataFrame or array
            The dispersion times the inverse information at the penalised estimates.
        """
        return by_name(self.estimate.design, self.covariance.params)

    def tidy(self, *, alpha: float = 0.05) -> pd.DataFrame:
        """Return a row for each coefficient, in the words of R's broom.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            Columns `term`, `estimate`, `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`, and `penalised`,
            the estimate that was debiased.
        """
        bounds = symmetric_intervals(self.values, self._bse, alpha, np.inf)
        return pd.DataFrame(
            {
                "term": list(self.estimate.design.exog_names),
                "estimate": self.values,
                "std_error": self._bse,
                "statistic": self.values / self._bse,
                "p_value": np.asarray(self.pvalues),
                "conf_low": bounds[:, 0],
                "conf_high": bounds[:, 1],
                "penalised": self.estimate.fit.params,
            }
        )

    def summary(self) -> Summary:
        """Return a report: debiased coefficients with intervals, and what these rest on.

        Returns
        -------
        Summary
            Prints as text.
        """
        e, found = self.estimate, self.tidy()
        columns = (
            Column("coef", found["estimate"]),
            Column("std err", found["std_error"]),
            Column("z", found["statistic"], statistic),
            Column("P>|z|", found["p_value"], probability),
            Column("[0.025", found["conf_low"]),
            Column("0.975]", found["conf_high"]),
        )
        p = len(self.values)
        left = (
            ("Dep. Variable:", e.design.response.label),
            ("Model Family:", e.family.name),
            ("Link Function:", e.family.link.name),
        )
        right = (
            ("Debiased from:", repr(e.penalty)),
            ("No. Observations:", count(self.nobs)),
            ("Scale:", number(self.scale)),
        )
        return Summary(
            "Generalized Linear Model: Debiased Estimates",
            left,
            right,
            tuple(e.design.exog_names),
            columns,
            (
                "One Newton step from the penalised estimates takes off their bias to first order. Each interval "
                f"holds for itself, for {p} columns that are few beside {count(self.nobs)} observations; p-values are "
                "not adjusted for their number. Nothing is selected.",
                *caveats(e),
            ),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the debiased coefficients with 95% intervals, the intercept left out.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.

        Returns
        -------
        matplotlib Axes
            With a line for each of the 40 largest coefficients.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return coefficients_axes(ax, self.tidy(), self.estimate.basis.intercept)

    def report(self, path: str | os.PathLike[str], *, plots: bool = True) -> None:
        """Write a page about the debiased estimates: one file of HTML that needs no network and no script to be read.

        It has the summary, the penalised estimates that these came from with how far the step went, the rows and what
        became of them, the model, how the penalised optimum was found, plots, and versions. No pass is made.

        Parameters
        ----------
        path : str or path
            Of the file; what is there is written over.
        plots : bool
            Whether there are plots, which matplotlib draws: the coefficients with intervals, and the iterations of the
            penalised fit.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        of = DebiasedReport(estimate=self.estimate, summary=self.summary(), tidy=self.tidy(), n_passes=self.n_passes)
        of.write(path, plots=plots)

    @property
    def _estimate(self) -> Estimate:
        return self.estimate

    @property
    def _label(self) -> str:
        return f"debiased {self.estimate.penalty!r}"

    @property
    def _meaning(self) -> str:
        return (
            "the penalty's bias taken off every coefficient by one Newton step; nothing is selected. Standard "
            "errors in brackets, for columns that are few beside the observations. Its deviance and AIC are not known."
        )

    @property
    def _beside(self) -> tuple[str, list[float]]:
        return "std err", self._bse.tolist()

    @property
    def _measures(self) -> dict[str, float]:
        return {"nobs": self.nobs, "deviance": np.nan, "aic": np.nan, "n_passes": self.n_passes}

    def __repr__(self) -> str:
        return f"<DebiasedResults: {len(self.values)} coefficients from {self.estimate.penalty!r}; nobs={self.nobs:g}>"

    @property
    def _bse(self) -> Vector:
        return np.sqrt(np.diag(self.covariance.params))
