"""L2Results: estimates under a smooth penalty, and how much of the data they kept."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.inference import kept_share
from dglm.objective import SecondOrder
from dglm.penalties import SmoothPenalty
from dglm.results.base import Results
from dglm.results.mle import INFERENCE
from dglm.results.summary import Summary, number

BIASED = (
    "the penalty biases every coefficient towards zero by an unknown amount, so that a standard error around it "
    "covers nothing stated. Fit without penalty (model.fit()) for inference, or look at shrinkage and effective_df "
    "for what the penalty did"
)


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

    unavailable: ClassVar[dict[str, str]] = dict.fromkeys(INFERENCE, BIASED)

    @property
    def effective_df(self) -> float:
        """Effective number of parameters, the trace of (H + P'')^-1 H, H the information."""
        return self._estimate.df

    @property
    def shrinkage(self) -> Any:
        """Share of each coefficient that the penalty took, to first order: 0 not shrunk, 1 shrunk to nothing."""
        return self._named(1.0 - self._kept)

    @cached_property
    def _kept(self) -> Vector:
        e = self._estimate
        if not (isinstance(e.penalty, SmoothPenalty) and isinstance(e.fit.sums, SecondOrder)):
            return np.full(len(e.params), np.nan)
        return kept_share(e.fit.sums.information, e.basis, self.nobs * e.penalty.hessian(e.fit.params))

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
        table = [
            (name, (number(b), f"{100 * (1 - kept):.1f}%"))
            for name, b, kept in zip(labels, effect.values(e.params), self._kept, strict=True)
        ]
        return self._summary(
            f"Generalized Linear Model: Ridge ({type(e.penalty).__name__}) Estimates",
            (effect.title, "shrunk by"),
            table,
            [
                f"Penalised estimates, biased towards zero: no standard errors, no p-values. Effective number of "
                f"parameters {self.effective_df:.2f}. 'shrunk by' is the first-order share of the coefficient that the "
                f"penalty took.",
                *effect.notes,
            ],
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
            Columns `term`, `estimate`, `shrinkage`.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        estimate, names = effect.values(e.params), list(e.design.exog_names)
        return pd.DataFrame({"term": names, "estimate": estimate, "shrinkage": 1.0 - self._kept})

    def _glance(self) -> dict[str, Any]:
        return {**super()._glance(), "effective_df": self.effective_df}
