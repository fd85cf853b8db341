"""BoundedResults: estimates between bounds, and which of them are at one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Mask, Matrix
from dglm.penalties import Bounded
from dglm.results.absent import absent
from dglm.results.base import Results
from dglm.results.summary import Column, Summary

HELD = (
    "the distribution of an estimate between bounds is not normal, because it has a lump of probability at each bound, "
    "of a size that depends on the truth, also for the estimates that are not at one. Call model.fit(), without "
    "bounds, for standard errors and intervals; t_test of that fit, with a bound as the hypothesis; or at_bound for "
    "which bounds hold what"
)
LACKING = absent(
    HELD,
    criteria="llf and df_model for what a criterion of your own may be made of; or model.fit(), without bounds, for "
    "criteria",
    of_rows="predict(data) for the means alone; or model.fit(), without bounds, for their intervals and the rest",
)

# What a summary says of where a coefficient is.
WORDS = {"lower": "at lower bound", "upper": "at upper bound", "both": "fixed"}


class BoundedResults(Results):
    """Estimates between bounds: some coefficients exactly at one; no standard errors, no p-values.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"x1": [1.0, 2.0, 3.0, 4.0], "x2": [1.0, 1.0, 0.0, 0.0], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> result = dglm.GLM.from_formula("y ~ x1 + x2", data).fit(bounds={"x1": (0, 1), "x2": (0, None)})
    >>> result.params.round(3).to_dict()
    {'Intercept': 0.25, 'x1': 1.0, 'x2': 0.0}
    >>> result.at_bound
    {'x1': 'upper', 'x2': 'lower'}
    """

    unavailable: ClassVar[dict[str, str]] = LACKING

    @property
    def bounds(self) -> Any:
        """Bounds of each coefficient, -inf and inf where there is none: columns `lower` and `upper`."""
        return self._framed(self._bounds, ["lower", "upper"])

    @property
    def at_bound(self) -> dict[str, str]:
        """Names of the coefficients at a bound, and which: ``"lower"``, ``"upper"``, or ``"both"`` if fixed."""
        where = dict(zip(self._estimate.design.exog_names, self._where.tolist(), strict=True))
        return {name: side for name, side in where.items() if side in {"lower", "upper", "both"}}

    @property
    def n_free(self) -> int:
        """Number of coefficients that neither a bound nor the penalty holds where they are."""
        return int(np.count_nonzero(self._free))

    def summary(self, *, exponentiate: bool = False) -> Summary:
        """Return a report of the fit: which coefficients are at a bound, no inference.

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
        bounds = effect.values(self._bounds)
        status = [WORDS.get(where, where) for where in self._where.tolist()]
        return self._summary(
            "Generalized Linear Model: Estimates Between Bounds",
            effect.labels(e.design.exog_names, e.basis),
            [
                Column(effect.title, effect.values(e.fit.params)),
                Column("lower", bounds[:, 0]),
                Column("upper", bounds[:, 1]),
                Column("status", status, str),
            ],
            [
                f"{len(self.at_bound)} of {len(e.params)} coefficients are at a bound. No standard errors, no "
                f"p-values: neither these estimates nor the others have the usual distribution.",
                *effect.notes,
            ],
        )

    def tidy(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return a row for each coefficient: no standard errors, but its bounds and whether it is at one.

        Parameters
        ----------
        exponentiate : bool
            Whether `estimate`, `lower` and `upper` are exponentials.

        Returns
        -------
        DataFrame
            Columns `term`, `estimate`, `lower`, `upper` and `status`: ``"free"``, ``"zero"`` by the penalty, or at
            which bound.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        bounds = effect.values(self._bounds)
        return pd.DataFrame(
            {
                "term": list(e.design.exog_names),
                "estimate": effect.values(e.fit.params),
                "lower": bounds[:, 0],
                "upper": bounds[:, 1],
                "status": self._where,
            }
        )

    def _glance(self) -> dict[str, Any]:
        return {**super()._glance(), "n_at_bound": len(self.at_bound)}

    @property
    def _label(self) -> str:
        return "bounded" if self._penalty is None else f"bounded {self._penalty}"

    @property
    def _meaning(self) -> str:
        return (
            f"between bounds, {len(self.at_bound)} of {len(self._where)} coefficients at one; neither these nor the "
            "others have the usual distribution. No standard errors, no AIC."
        )

    @property
    def _beside(self) -> tuple[str, list[str]]:
        return "status", self._where.tolist()

    @property
    def _penalty(self) -> str | None:
        inner = self._bounded.penalty
        return None if inner is None else repr(inner)

    @property
    def _bounded(self) -> Bounded:
        penalty = self._estimate.penalty
        if not isinstance(penalty, Bounded):
            raise TypeError(f"{penalty!r} has no bounds")
        return penalty

    @property
    def _bounds(self) -> Matrix:
        return np.column_stack([self._bounded.lower, self._bounded.upper])

    @property
    def _free(self) -> Mask:
        return self._bounded.free(self._estimate.fit.params)

    @property
    def _where(self) -> AnyArray:
        b = self._estimate.fit.params
        low, high = self._bounded.at_lower(b), self._bounded.at_upper(b)
        return np.select([low & high, low, high, ~self._free], ["both", "lower", "upper", "zero"], "free")
