"""L2Results: estimates under a smooth penalty, and how much of the data they kept."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.inference import kept_share
from dglm.matrix import WIDE
from dglm.objective import DiagonalCurvature, SecondOrder
from dglm.penalties import SmoothPenalty
from dglm.results.base import Results
from dglm.results.mle import INFERENCE
from dglm.results.summary import Summary, number

BIASED = (
    "the penalty biases every coefficient towards zero by an unknown amount, so that a standard error around it "
    "covers nothing stated. Fit without penalty (model.fit()) for inference, or look at shrinkage and effective_df "
    "for what the penalty did"
)

# What takes the inverse of the information.
OF_INFORMATION = ("effective_df", "shrinkage")
TOO_WIDE = (
    f"it takes the inverse of a matrix of products of all columns, which is not made for more than {WIDE:,} columns "
    'unless a solver that makes it is named, fit(penalty=..., solver="irls")'
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

    def __getattr__(self, name: str) -> NoReturn:
        if name in OF_INFORMATION:
            raise AttributeError(f"{type(self).__name__} has no {name!r}: {TOO_WIDE}")
        super().__getattr__(name)

    @property
    def effective_df(self) -> float:
        """Effective number of parameters, the trace of (H + P'')^-1 H, H the information; not of wide designs."""
        self._require_information()
        return self._estimate.df

    @property
    def shrinkage(self) -> Any:
        """Share of each coefficient that the penalty took, to first order: 0 not shrunk, 1 shrunk to nothing.

        Not of wide designs.
        """
        self._require_information()
        return self._named(1.0 - self._kept)

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
        shown: list[tuple[str, ...]] = [(number(b),) for b in effect.values(e.params)]
        header: tuple[str, ...] = (effect.title,)
        note = "Penalised estimates, biased towards zero: no standard errors, no p-values. "
        if self._wide:
            note += f"No effective number of parameters: {TOO_WIDE}."
        else:
            header = (effect.title, "shrunk by")
            shown = [(*b, f"{100 * (1 - kept):.1f}%") for b, kept in zip(shown, self._kept, strict=True)]
            note += (
                f"Effective number of parameters {self.effective_df:.2f}. 'shrunk by' is the first-order share of the "
                f"coefficient that the penalty took."
            )
        return self._summary(
            f"Generalized Linear Model: Ridge ({type(e.penalty).__name__}) Estimates",
            header,
            list(zip(labels, shown, strict=True)),
            [note, *effect.notes],
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
            Columns `term`, `estimate`, and `shrinkage` unless the design is wide.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        estimate, names = effect.values(e.params), list(e.design.exog_names)
        table = pd.DataFrame({"term": names, "estimate": estimate})
        return table if self._wide else table.assign(shrinkage=1.0 - self._kept)

    def _glance(self) -> dict[str, Any]:
        glance = super()._glance()
        return glance if self._wide else {**glance, "effective_df": self.effective_df}
