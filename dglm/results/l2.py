"""L2Results: estimates under a smooth penalty, and how much of the data they kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd

from dglm._typing import Matrix, Vector
from dglm.inference import aic, gcv, kept_share, penalised_covariances, symmetric_intervals
from dglm.matrix import WIDE
from dglm.objective import DiagonalCurvature, SecondOrder
from dglm.penalties import SmoothPenalty
from dglm.results.absent import absent
from dglm.results.base import Results
from dglm.results.summary import Column, Summary, number, percent

BIASED = (
    "the penalty biases the coefficients by an amount that depends on the unknown truth, so that the usual "
    "standard errors and p-values, which are about an estimate without bias, would be wrong. Call sampling_se "
    "for how far the biased estimates spread; posterior_interval(level) for intervals under the prior that the penalty "
    "amounts to; or model.fit(), maximum likelihood without penalty, for standard errors and tests"
)
LACKING = absent(
    BIASED,
    criteria="aic or gcv, which take the effective degrees of freedom; or model.fit(), maximum likelihood without "
    "penalty, for the other criteria",
    of_rows="predict(data) for the means alone; or model.fit(), maximum likelihood without penalty, for their "
    "intervals and the rest",
)

# What takes the inverse of the information.
OF_INFORMATION = (
    "effective_df",
    "effective_df_terms",
    "shrinkage",
    "sampling_se",
    "posterior_interval",
    "aic",
    "gcv",
)
TOO_WIDE = (
    f"it takes the inverse of a matrix of products of all columns, which is not made for more than {WIDE:,} columns "
    'unless a solver that makes it is named, fit(penalty=..., solver="irls")'
)
TIED = (
    "the matrix of the penalty ties coefficients together, so that what it took of one is no share of that one alone. "
    "Call effective_df_terms for how many parameters it left to each term; or tidy() for each one's part of them"
)
NO_ERRORS = "No standard errors about the truth"
# Title of a column.
SPREAD = "sampling se (biased)"


class L2Results(Results):
    """Ridge estimates: all coefficients kept, all shrunk; no standard errors, no p-values.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
    >>> model = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson())
    >>> model.fit(penalty=dglm.L2(alpha=1.0)).shrinkage.round(3).to_dict()
    {'Intercept': 0.0, 'dose': 0.187}
    """

    unavailable: ClassVar[dict[str, str]] = LACKING

    def __getattr__(self, name: str) -> NoReturn:
        if name == "shrinkage" and not self._wide:
            raise AttributeError(f"{type(self).__name__} has no 'shrinkage': {TIED}")
        if name in OF_INFORMATION:
            raise AttributeError(f"{type(self).__name__} has no {name!r}: {TOO_WIDE}")
        super().__getattr__(name)

    @property
    def effective_df(self) -> float:
        """Effective number of parameters, the trace of (H + P'')^-1 H, H the information; not of wide designs."""
        self._require_information()
        return self._estimate.df

    @property
    def effective_df_terms(self) -> pd.Series:
        """Effective number of parameters of each term, which add up to `effective_df`; nan where aliased.

        Source: Wood (2017), section 6.1.2: the diagonal of (H + P'')^-1 H, summed over the columns of the term.
        """
        self._require_information()
        terms = self._estimate.design.terms
        return pd.Series([self._kept[list(at)].sum() for _, at in terms], index=[term for term, _ in terms])

    @property
    def shrinkage(self) -> Any:
        """Share of each coefficient that the penalty took, to first order: 0 not shrunk, 1 shrunk to nothing.

        Not of wide designs, nor of a `GeneralizedRidge` whose matrix is not diagonal.
        """
        self._require_information()
        if self._tied:
            raise AttributeError(TIED)
        return self._named(1.0 - self._kept)

    @property
    def sampling_se(self) -> Any:
        """Standard deviations of the coefficients over repeated samples, about a mean that is biased.

        sqrt(scale) times the root of the diagonal of (H + P'')^-1 H (H + P'')^-1. They are smaller than those of
        maximum likelihood and say nothing of the bias, so that an interval made of them does not have its level.
        """
        self._require_information()
        return self._named(np.sqrt(np.diag(self._covariances[0])))

    def posterior_interval(self, level: float = 0.95) -> Any:
        """Return intervals that hold the coefficients with a given probability under the prior that the penalty is.

        The estimate is the mode of the posterior distribution under the prior density exp(-nobs P(beta) / scale): for
        ``L2(alpha)`` independent normal coefficients of mean 0 and variance scale / (nobs alpha w_j), w_j their weights
        times, where the penalty standardises, the squared standard deviations of the columns; for `GeneralizedRidge`
        normal with precision nobs alpha S / scale. Coefficients that are not penalised have a flat prior. The
        dispersion is taken as known, `scale`. The posterior is then normal with covariance scale (H + P'')^-1: exactly
        for Gaussian responses with the identity link, by Laplace's approximation otherwise. These are intervals for who
        believes the prior, in which alpha is known beforehand; over repeated samples they cover large coefficients too
        rarely.

        Source: Hastie, Tibshirani & Friedman (2009), section 3.4.1.

        Parameters
        ----------
        level : float
            Probability, between 0 and 1.

        Returns
        -------
        (p, 2) DataFrame or array
            Columns `lower` and `upper`.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.
        AttributeError
            If the design is wide.
        """
        if self._wide:
            raise AttributeError(f"{type(self).__name__} has no 'posterior_interval': {TOO_WIDE}")
        se = np.sqrt(np.diag(self._covariances[1]))
        return self._framed(symmetric_intervals(self._estimate.params, se, 1 - level, np.inf), ["lower", "upper"])

    @property
    def aic(self) -> float:
        """Akaike's criterion with the effective number of parameters, -2 llf + 2 effective_df.

        The dispersion is not counted, as in that of maximum likelihood.
        Source: Hastie & Tibshirani (1990), chapter 6.
        """
        self._require_information()
        return aic(self.llf, self.effective_df)

    @property
    def gcv(self) -> float:
        """Generalised cross-validation, nobs deviance / (nobs - effective_df)^2; smaller is better."""
        self._require_information()
        return gcv(self.deviance, self.effective_df, self.nobs)

    @property
    def _wide(self) -> bool:
        """Whether the fit made no p x p matrix."""
        return isinstance(self._estimate.fit.sums, DiagonalCurvature)

    def _require_information(self) -> None:
        """Make an attribute absent; python then asks `__getattr__`, which says why."""
        if self._wide:
            raise AttributeError(TOO_WIDE)

    @cached_property
    def _kept(self) -> Vector:
        e = self._estimate
        if not (isinstance(e.penalty, SmoothPenalty) and isinstance(e.fit.sums, SecondOrder)):
            return np.full(len(e.params), np.nan)
        return kept_share(e.fit.sums.information, e.basis, self.nobs * e.penalty.hessian(e.fit.params))

    @cached_property
    def _tied(self) -> bool:
        """Whether the penalty acts on several coefficients together, so that it need not draw them to zero."""
        penalty = self._estimate.penalty
        if self._wide or not isinstance(penalty, SmoothPenalty):
            return False
        P = penalty.hessian(self._estimate.fit.params)
        return bool(np.count_nonzero(P - np.diag(np.diag(P))))

    @cached_property
    def _covariances(self) -> tuple[Matrix, Matrix]:
        """Covariance over repeated samples, and that of the posterior."""
        e = self._estimate
        if not isinstance(e.penalty, SmoothPenalty) or e.information is None:
            nothing = np.full((len(e.params), len(e.params)), np.nan)
            return nothing, nothing
        return penalised_covariances(e.information, e.basis, self.nobs * e.penalty.hessian(e.fit.params), self.scale)

    @property
    def _meaning(self) -> str:
        effectively = "" if self._wide else f", {self.effective_df:.2f} parameters effectively"
        if self._tied:
            return (
                f"every coefficient kept, all drawn together towards what the penalty leaves alone{effectively}; "
                f"biased by an unknown amount, in exchange for less spread. {NO_ERRORS}; AIC by that "
                "number of parameters."
            )
        criterion = "no AIC" if self._wide else "AIC by that number of parameters"
        return (
            f"every coefficient kept and shrunk towards zero{effectively}; centred on something smaller than the truth "
            f"by an unknown amount, in exchange for less spread. {NO_ERRORS}; {criterion}."
        )

    @property
    def _beside(self) -> tuple[str, Sequence[Any]]:
        if self._wide:
            return "", ()
        return ("effective df", self._kept.tolist()) if self._tied else ("shrunk by", (1.0 - self._kept).tolist())

    def summary(self, *, exponentiate: bool = False) -> Summary:
        """Return a report of the fit: shrunken coefficients, no inference.

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
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        labels = effect.labels(e.design.exog_names, e.basis)
        columns = [Column(effect.title, effect.values(e.params))]
        biased = "biased towards what the penalty leaves alone" if self._tied else "biased towards zero"
        note = f"Penalised estimates, {biased}: no standard errors about the truth, no p-values. "
        facts: tuple[tuple[str, str], ...] = ()
        if self._wide:
            note += f"No effective number of parameters: {TOO_WIDE}."
        else:
            left = "effective df" if self._tied else "shrunk by"
            took = Column(left, self._kept) if self._tied else Column(left, 1.0 - self._kept, percent)
            columns += [Column(SPREAD, np.asarray(self.sampling_se)), took]
            explained = (
                "is each coefficient's part of the effective number of parameters"
                if self._tied
                else "is the first-order share of the coefficient that the penalty took"
            )
            note += (
                f"'{SPREAD}' is the spread over repeated samples about the biased mean"
                f"{', of the coefficient' if exponentiate else ''}; '{left}' {explained}."
            )
            facts = (
                ("Effective Df:", f"{self.effective_df:.2f}"),
                ("GCV / AIC:", f"{number(self.gcv)} / {number(self.aic)}"),
            )
        return self._summary(
            f"Generalized Linear Model: Ridge ({type(e.penalty).__name__}) Estimates",
            labels,
            columns,
            [note, *effect.notes],
            facts,
        )

    def tidy(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return a row for each coefficient: no standard errors, but what the penalty took.

        Parameters
        ----------
        exponentiate : bool
            Whether `estimate` is exp(coefficient).

        Returns
        -------
        DataFrame
            Columns `term`, `estimate`, and, unless the design is wide, `shrinkage` and `sampling_se`, about a biased
            mean; `effective_df`, each coefficient's part of it, in place of `shrinkage` where that has no meaning.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        estimate, names = effect.values(e.params), list(e.design.exog_names)
        table = pd.DataFrame({"term": names, "estimate": estimate})
        if self._wide:
            return table
        kept = {"effective_df": self._kept} if self._tied else {"shrinkage": 1.0 - self._kept}
        return table.assign(**kept, sampling_se=np.asarray(self.sampling_se))

    def _glance(self) -> dict[str, Any]:
        glance = super()._glance()
        if self._wide:
            return glance
        return {**glance, "effective_df": self.effective_df, "aic": self.aic, "gcv": self.gcv}
