"""Effect: what a coefficient is shown as, itself or the ratio that its exponential is; under most links, none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dglm._typing import AnyArray
from dglm.families import Family, NegativeBinomial, Poisson
from dglm.links import CLogLog, Log, Logit
from dglm.matrix import Basis

# Families of counts, whose mean is a rate.
COUNTS = (Poisson, NegativeBinomial)


@dataclass(frozen=True)
class Effect:
    """What the numbers of a table of coefficients are.

    Attributes
    ----------
    title : str
        Of their column: ``"coef"``, or of the ratio that one unit more of a column makes.
    baseline : str or None
        What exp(intercept) is, where every column is zero; None for coefficients as they are.
    """

    title: str = "coef"
    baseline: str | None = None

    def values(self, coefficients: AnyArray) -> AnyArray:
        """Return the numbers to show.

        Parameters
        ----------
        coefficients : array
            Coefficients, or bounds of their intervals.

        Returns
        -------
        array
            Themselves, or their exponentials.
        """
        if self.baseline is None:
            return coefficients
        # a coefficient beyond 709, as separation leaves it, is an infinite ratio
        with np.errstate(over="ignore"):
            ratios: AnyArray = np.exp(coefficients)
        return ratios

    def labels(self, names: Sequence[str], basis: Basis) -> list[str]:
        """Return the names of the rows.

        Parameters
        ----------
        names : sequence of str
            Of the coefficients.
        basis : Basis
            Knows which is the intercept.

        Returns
        -------
        list of str
            With the intercept called what its exponential is.
        """
        labels = list(names)
        # a constant column of another value is no baseline
        if self.baseline is not None and basis.intercept is not None and basis.constant == 1:
            labels[basis.intercept] += f" ({self.baseline})"
        return labels

    @property
    def notes(self) -> list[str]:
        """What a reader must know of exponentials."""
        if self.baseline is None:
            return []
        return [f"The {self.title} is exp(coefficient): what one unit more multiplies by, 1 meaning no effect."]


def effect_of(family: Family, *, exponentiate: bool) -> Effect:
    """Return what coefficients are shown as.

    Source: McCullagh & Nelder (1989), chapters 4 (odds), 6 (rates) and 13 (hazards).

    Parameters
    ----------
    family : Family
        With its link.
    exponentiate : bool
        Whether exponentials were asked for.

    Returns
    -------
    Effect
        In the field's words.

    Raises
    ------
    ValueError
        If exponentials were asked for under a link where a unit of a column does not multiply anything.

    Examples
    --------
    >>> from dglm.families import Binomial
    >>> effect_of(Binomial(), exponentiate=True).title
    'odds ratio'
    """
    if not exponentiate:
        return Effect()
    match family.link:
        case Logit():
            return Effect("odds ratio", "baseline odds")
        case CLogLog():
            # 1 - mu = exp(-e^eta): e^eta is a hazard, cumulated
            return Effect("hazard ratio", "baseline cumulative hazard")
        case Log() if family.mean_bounds == (0.0, 1.0):
            return Effect("risk ratio", "baseline risk")
        case Log() if isinstance(family, COUNTS):
            return Effect("rate ratio", "baseline rate")
        case Log():
            return Effect("mean ratio", "baseline mean")
    raise ValueError(
        f"exp(coefficient) is no ratio under the {family.link.name} link; it is one of odds under Logit, of means, "
        f"rates or risks under Log, and of hazards under CLogLog. Leave exponentiate out, or fit with one of them"
    )
