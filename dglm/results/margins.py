"""Marginal: estimates whose mean can be differentiated by a column, in one pass over the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from dglm._typing import Mask, Matrix, Vector
from dglm.data import Block, one_blas_thread
from dglm.families import Family
from dglm.inference import ColumnSums, EffectMethod, EffectsAt, EffectSums, margin_sums
from dglm.results.marginal_effects import At, MarginalEffects
from dglm.results.rows_again import objective_again
from dglm.results.wald import Wald


class Marginal(Wald):
    """Estimates whose mean can be differentiated by a column.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    def get_margeff(
        self,
        at: At = "overall",
        method: EffectMethod = "dydx",
        *,
        atexog: Mapping[str | int, float] | None = None,
        dummy: bool = False,
        count: bool = False,
    ) -> MarginalEffects:
        """Return how the mean moves with each column: one pass over the rows.

        Parameters
        ----------
        at : str
            ``"overall"``: the mean of the effects in all observations, those of weight zero left out; ``"mean"`` or
            ``"zero"``: the effects in one row, in which every column has its mean or is zero (constant ones excepted),
            and the offset its mean; ``"all"``: the effects in every row, lazily and without standard errors.
        method : str
            ``"dydx"``: of a unit of the column on the mean; with ``ey`` for ``dy`` on its logarithm, with ``ex`` for
            ``dx`` of a relative change of the column.
        atexog : mapping, optional
            Values to hold columns at, by name or position.
        dummy : bool
            Whether a column of zeros and ones has as effect what going from 0 to 1 changes.
        count : bool
            Whether another column of whole numbers has as effect half of what going from one below to one above
            changes.

        Returns
        -------
        MarginalEffects
            Of the columns that are not constant. Each column of the design is taken for itself: the effect of ``x`` in
            ``x + I(x ** 2)`` holds the square still.

        Raises
        ------
        ValueError
            If something asked for is unknown, or makes no sense for columns of zeros and ones or of counts.

        Examples
        --------
        >>> import dglm, pandas as pd
        >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
        >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
        >>> result.get_margeff().summary_frame().iloc[:, :2].round(3)
              dy/dx  Std. Err.
        dose  3.178      1.372
        """
        e = self._estimate
        _check(at, method, discrete=dummy or count)
        names = e.design.exog_names
        asked = EffectsAt(
            basis=e.basis,
            params=e.fit.params,
            method=method,
            fixed=tuple((_position(key, names), float(value)) for key, value in (atexog or {}).items()),
            dummy=dummy,
            count=count,
            in_rows=at == "overall",
        )
        if at == "all":
            varying = e.survey.low != e.survey.high
            shown = tuple(np.array(names, dtype=object)[varying])
            effects = self._rows().apply(_OfColumns(asked, varying), shown)
            return MarginalEffects(effects, None, shown, e.design.response.label, at, method)
        with one_blas_thread(), np.errstate(all="ignore"):
            found = objective_again(e, persist=False).data.sum(margin_sums, asked, e.family)
            sums = found.effects or _at_point(asked, at, found.columns, e.family)
            effects, jacobian = sums.averaged(asked, found.columns)
            covariance = jacobian @ self._centred_covariance @ jacobian.T
        varying = ~found.columns.constant
        effects = np.where(e.fit.aliased, np.nan, effects)[varying]
        covariance[e.fit.aliased, :] = covariance[:, e.fit.aliased] = np.nan
        shown = tuple(np.array(names, dtype=object)[varying])
        return MarginalEffects(
            margeff=effects if self._of_arrays else pd.Series(effects, index=list(shown)),
            covariance=covariance[np.ix_(varying, varying)],
            names=shown,
            endog=e.design.response.label,
            at=at,
            method=method,
        )


@dataclass(frozen=True)
class _OfColumns:
    """The effects of some columns in single rows, a quantity of rows."""

    at: EffectsAt
    wanted: Mask

    def __call__(self, block: Block, eta: Vector, family: Family) -> Matrix:
        effects: Matrix = self.at.slopes(block, eta, family)[:, self.wanted]
        return effects


def _at_point(asked: EffectsAt, at: At, columns: ColumnSums, family: Family) -> EffectSums:
    """Return the effects in the row of means, or of zeros."""
    means = columns.first / columns.total
    # the mean of a constant column only up to rounding
    x = np.where(columns.constant, columns.low, means if at == "mean" else 0.0)
    offset = np.array([columns.offset / columns.total])
    return EffectSums.of(asked, x[None, :], offset, np.ones(1), family, columns)


def _check(at: str, method: str, *, discrete: bool) -> None:
    """Refuse what is unknown, or senseless for columns of whole numbers."""
    if at == "median":
        raise ValueError('the medians of all rows take many passes; hold columns at theirs, at="mean", atexog={...}')
    for name, value, known in (("at", at, get_args(At)), ("method", method, get_args(EffectMethod))):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}")
    if discrete and (method.endswith("ex") or at in {"zero", "all"}):
        raise ValueError(
            f"columns of whole numbers have no effect with method={method!r}, at={at!r}; use dydx or eydx, overall or "
            f"at the mean, or leave dummy and count out"
        )


def _position(key: str | int, names: tuple[str, ...]) -> int:
    """Return where a column of atexog is in the design."""
    if isinstance(key, str) and key in names:
        return names.index(key)
    if isinstance(key, (int, np.integer)) and 0 <= key < len(names):
        return int(key)
    raise ValueError(f"atexog has {key!r}, which is no column of the design; the columns are {', '.join(names)}")
