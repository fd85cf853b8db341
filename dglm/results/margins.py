"""Marginal effects: how the mean moves with each column, with standard errors by the delta method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Mask, Matrix, Vector
from dglm.data import Block, one_blas_thread
from dglm.families import Family
from dglm.inference import (
    ColumnSums,
    EffectMethod,
    EffectsAt,
    EffectSums,
    margin_sums,
    symmetric_intervals,
    two_sided_pvalues,
)
from dglm.results.summary import Summary, number
from dglm.results.wald import Wald

At = Literal["overall", "mean", "zero", "all"]

TITLES: dict[EffectMethod, str] = {"dydx": "dy/dx", "eyex": "d(lny)/d(lnx)", "dyex": "dy/d(lnx)", "eydx": "d(lny)/dx"}


@dataclass(frozen=True)
class MarginalEffects:
    """Effects of the columns that are not constant.

    Parameters
    ----------
    margeff : Series, DataFrame or array
        Effects by column; with a row for each row of the data, lazy on dask, if ``at="all"``.
    covariance : (k, k) array or None
        Of the effects, by the delta method; None for those of single rows.
    names : tuple of str
        Of the columns.
    endog : str
        Name of the response.
    at : str
        Where: ``"overall"``, ``"mean"``, ``"zero"`` or ``"all"``.
    method : str
        What: ``"dydx"``, ``"eyex"``, ``"dyex"`` or ``"eydx"``.
    df : float
        Degrees of freedom of t statistics, infinite where they are normal.
    """

    margeff: Any
    covariance: Matrix | None
    names: tuple[str, ...]
    endog: str
    at: At
    method: EffectMethod
    df: float = np.inf

    @property
    def margeff_cov(self) -> Any:
        """Covariance matrix of the effects."""
        covariance = self._known_covariance()
        names = list(self.names)
        return covariance if self._of_arrays else pd.DataFrame(covariance, index=names, columns=names)

    @property
    def margeff_se(self) -> Any:
        """Standard errors of the effects."""
        return self._named(self._se)

    @property
    def tvalues(self) -> Any:
        """Effects over their standard errors; z statistics."""
        return self._named(self._z)

    @property
    def pvalues(self) -> Any:
        """Two-sided p-values of the z statistics."""
        return self._named(two_sided_pvalues(self._z, self.df))

    def conf_int(self, alpha: float = 0.05) -> Any:
        """Return confidence intervals.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        (k, 2) DataFrame or array
            Lower and upper bounds, columns 0 and 1.
        """
        bounds = self._intervals(alpha)
        return bounds if self._of_arrays else pd.DataFrame(bounds, index=list(self.names), columns=[0, 1])

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return everything in one table.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            A row for each column of the design; the titles are statsmodels', to the letter.
        """
        columns = [self._effects, self._se, self._z, two_sided_pvalues(self._z, self.df), *self._intervals(alpha).T]
        titles = [TITLES[self.method], "Std. Err.", "z", "Pr(>|z|)", "Conf. Int. Low", "Cont. Int. Hi."]
        return pd.DataFrame(dict(zip(titles, columns, strict=True)), index=list(self.names))

    def summary(self, alpha: float = 0.05) -> Summary:
        """Return a report of the effects.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        Summary
            Prints as text.
        """
        table = [
            (str(name), (number(effect), number(se), f"{z:.3f}", number(p), number(low), number(high)))
            for name, effect, se, z, p, low, high in self.summary_frame(alpha).itertuples(name=None)
        ]
        bounds = (f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]")
        return Summary(
            title="Marginal Effects",
            left=(("Dep. Variable:", self.endog),),
            right=(("Method:", self.method), ("At:", self.at)),
            header=(TITLES[self.method], "std err", "z", "P>|z|", *bounds),
            rows=tuple(table),
            notes=("Standard errors by the delta method.",),
        )

    def _known_covariance(self) -> Matrix:
        if self.covariance is None:
            raise ValueError(
                'effects at="all" rows are margeff alone; ask for at="overall" to have standard errors of their mean'
            )
        return self.covariance

    @property
    def _effects(self) -> Vector:
        return np.asarray(self.margeff, dtype=np.float64)

    @property
    def _se(self) -> Vector:
        return np.sqrt(np.diag(self._known_covariance()))

    @property
    def _z(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._effects / self._se

    def _intervals(self, alpha: float) -> Matrix:
        return symmetric_intervals(self._effects, self._se, alpha, self.df)

    @property
    def _of_arrays(self) -> bool:
        return isinstance(self.margeff, np.ndarray)

    def _named(self, values: AnyArray) -> Any:
        return values if self._of_arrays else pd.Series(values, index=list(self.names))


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
        fitted = self._rows()
        if at == "all":
            varying = e.survey.low != e.survey.high
            shown = tuple(np.array(names, dtype=object)[varying])
            effects = fitted.apply(_OfColumns(asked, varying), shown)
            return MarginalEffects(effects, None, shown, e.design.response.label, at, method)
        blocks = fitted.table.partitions(fitted.columns).map(e.design.encode)
        with one_blas_thread(), np.errstate(all="ignore"):
            found = blocks.sum(margin_sums, asked, e.family)
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
            df=self._covariance.df_statistic,
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
