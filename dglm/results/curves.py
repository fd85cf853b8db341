"""Curves: the numbers that plots are drawn from, each reduced where the rows are, in one pass over them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn, get_args

from dglm.data import Block, BlockBeside, BlockedData, PassLog, one_blas_thread
from dglm.design import Design, Variable, for_same_rows, variable_named
from dglm.errors import DataError
from dglm.inference import (
    ROC,
    Against,
    BinnedResiduals,
    Calibration,
    EffectOf,
    Lift,
    QuantileCurve,
    ResidualKind,
    ScoreBins,
    VariableEffect,
    effect_sums,
    score_sums,
    variable_effect,
)
from dglm.inference.binned import MOST
from dglm.results.quantile import EncodeDrawn, checked_seed, residual_sums
from dglm.results.row_wise import RowWise

# What each curve of maximum likelihood alone is made of.
MADE_OF = {"leverage": "get_influence"}


class Curves:
    """The numbers of plots of a result: frozen records with ``to_frame()``, each made by one pass over the rows.

    `residuals`, `calibration`, `roc` and `lift` are read from the same sums: however many of them are asked for, the
    rows that were fitted are read once. Rows of zero weight count for nothing; a frequency weight of 2 is the row
    twice. The sums are by up to 4,096 fine bins of a value, which do not depend on the partitions; where there are
    fewer distinct values, they are exact.

    `data`, where it is asked for, are other rows with the response, such as rows that were held out; the model must
    have been built by a formula, its weights and offset columns by name.

    Parameters
    ----------
    result : RowWise
        Whose rows are read.
    unavailable : mapping of str to str
        What the result cannot offer, and why.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "died": [0, 0, 1, 0, 1, 1]})
    >>> result = dglm.GLM.from_formula("died ~ dose", data, family=dglm.families.Binomial()).fit()
    >>> round(result.curves.roc().auc, 3)
    0.889
    """

    def __init__(self, result: RowWise, unavailable: Mapping[str, str]) -> None:
        self._result = result
        self._unavailable = unavailable

    def __getattr__(self, name: str) -> NoReturn:
        # called only for what does not exist; while a copy is made, what python looks for is not there either
        if name.startswith("_"):
            raise AttributeError(name)
        kind = f"{type(self._result).__name__}.curves"
        why = self._unavailable.get(MADE_OF.get(name, ""))
        raise AttributeError(f"{kind} has no {name!r}: {why}" if why else f"{kind} has no attribute {name!r}")

    def residuals(
        self,
        kind: ResidualKind = "response",
        *,
        against: Against = "mean",
        bins: int | None = None,
        data: Any = None,
    ) -> BinnedResiduals:
        """Return mean residuals of groups of observations with neighbouring means.

        Parameters
        ----------
        kind : str
            ``"response"``, ``"pearson"`` or ``"deviance"``.
        against : str
            Whether groups are placed at their ``"mean"`` or their ``"linear"`` predictor.
        bins : int, optional
            Number of groups, of equally many observations; the root of the number of observations, at most 100, when
            not given.
        data : dataframe, optional
            Other rows.

        Returns
        -------
        BinnedResiduals
            With bounds at two standard errors.

        Raises
        ------
        ValueError
            If something asked for is unknown.
        """
        _check_among("kind", kind, get_args(ResidualKind))
        _check_among("against", against, get_args(Against))
        return self._scores(data).residuals(kind, against, None if bins is None else _positive("bins", bins))

    def calibration(self, *, bins: int = 10, data: Any = None) -> Calibration:
        """Return mean predictions and mean responses of groups of observations with neighbouring means.

        Parameters
        ----------
        bins : int
            Number of groups, of equal weight.
        data : dataframe, optional
            Other rows.

        Returns
        -------
        Calibration
            With standard errors of the mean responses if the model is true.
        """
        return self._scores(data).calibration(_positive("bins", bins))

    def roc(self, *, data: Any = None) -> ROC:
        """Return the receiver operating characteristic of a Binomial model.

        Parameters
        ----------
        data : dataframe, optional
            Other rows.

        Returns
        -------
        ROC
            With the area below it. Proportions count as their successes and failures.

        Raises
        ------
        ValueError
            If the family is another.
        """
        family = self._result._estimate.family
        if family.mean_bounds != (0.0, 1.0):
            raise ValueError(
                f"roc is for responses of two kinds, Binomial; the family is {family.name}. lift ranks any response "
                f"that is not negative"
            )
        return self._scores(data).roc()

    def lift(self, *, data: Any = None) -> Lift:
        """Return how much of the response the observations with the largest means have.

        Parameters
        ----------
        data : dataframe, optional
            Other rows.

        Returns
        -------
        Lift
            Weighted: the response of a row is its weights times y, so that rates weighted by exposure are counts.

        Raises
        ------
        ValueError
            If responses may be negative.
        """
        family = self._result._estimate.family
        if family.mean_bounds[0] < 0:
            raise ValueError(
                f"lift is for responses that are not negative, whose sum has shares; the family is {family.name}. "
                f"calibration compares means of any response"
            )
        return self._scores(data).lift()

    def qq(self, *, seed: int = 0, data: Any = None) -> QuantileCurve:
        """Return randomised quantile residuals against normal quantiles.

        Parameters
        ----------
        seed : int
            Of `resid_quantile`.
        data : dataframe, optional
            Other rows.

        Returns
        -------
        QuantileCurve
            A straight line, up to noise, if the model is true. Rows without a distribution are left out.

        Raises
        ------
        DataError
            If the fit has no distribution, because its dispersion was set to other than the family's, or no row has.
        """
        e, family = self._result._estimate, self._result._distributed()
        blocks = self._blocks(data, EncodeDrawn(e.design, checked_seed(seed)))
        with one_blas_thread():
            bins = blocks.sum(residual_sums, e.fit.params, family, e.scale)
        if len(bins.sums) == 0:
            raise DataError("no row has a distribution: the weights of binomial rows are not whole numbers of trials")
        return QuantileCurve.of(bins)

    def effect(self, name: str, *, alpha: float = 0.05, bins: int = 20) -> VariableEffect:
        """Return what a variable adds to the linear predictor, through the terms that are made of it alone.

        Parameters
        ----------
        name : str
            A column of the data, or a term that reads one column: ``"hour"`` or ``"bs(hour, df=5)"``.
        alpha : float
            One minus the level of the intervals.
        bins : int
            Number of groups of partial residuals; a variable of levels has one for each level.

        Returns
        -------
        VariableEffect
            Intervals where the estimate has a covariance; none for penalised ones.

        Raises
        ------
        ValueError
            If there is no such variable, or it has no terms of its own.
        """
        e = self._result._estimate
        variable = variable_named(e.design, name)
        if variable.levels is not None and len(variable.levels) > MOST:
            raise ValueError(f"{variable.name!r} has {len(variable.levels):,} levels; effects are of at most {MOST:,}")
        blocks = self._blocks(None, EncodeVariable(e.design, variable))
        with one_blas_thread():
            return variable_effect(
                EffectOf(variable.rows, variable.at, e.fit.params, e.covariance),
                blocks.sum(effect_sums, e.fit.params, e.family),
                name=variable.name,
                terms=variable.terms,
                others=variable.others,
                levels=variable.levels,
                n_groups=_positive("bins", bins),
                scale=e.scale,
                alpha=alpha,
            )

    def _scores(self, data: Any) -> ScoreBins:
        return self._scores_fitted if data is None else self._scores_of(data)

    @cached_property
    def _scores_fitted(self) -> ScoreBins:
        return self._scores_of(None)

    def _scores_of(self, data: Any) -> ScoreBins:
        e = self._result._estimate
        with one_blas_thread():
            return ScoreBins(self._blocks(data, e.design.encode).sum(score_sums, e.fit.params, e.family), e.scale)

    def _blocks(self, data: Any, encode: Callable[[Any, int], Block]) -> BlockedData[Block]:
        """Return the rows that were fitted, or others, encoded."""
        e = self._result._estimate
        table = e.fitted_table() if data is None else for_same_rows(e.design, data)
        log = PassLog.after(e.seals) if data is None else PassLog()
        return table.partitions(e.design.columns).map(encode).logged_in(log)


@dataclass(frozen=True)
class EncodeVariable:
    """Encode a partition with the values of a variable beside it.

    Parameters
    ----------
    design : Design
        The recipe.
    variable : Variable
        Of it.
    """

    design: Design
    variable: Variable

    def __call__(self, partition: Any, number: int) -> BlockBeside:
        block, keep = self.design.encode_and_kept(partition, number)
        return BlockBeside.of(block, self.variable.values(partition, number)[keep])


def _check_among(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}")


def _positive(name: str, value: int) -> int:
    if operator.index(value) < 1:
        raise ValueError(f"{name} must be at least 1; got {value!r}")
    return operator.index(value)
