"""VariableEffect: what a variable adds to the linear predictor, and what the rows say of it, from one pass."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dglm._typing import Matrix, Vector
from dglm.data import BlockBeside
from dglm.families import Family
from dglm.inference.binned import Binned, by_group, equal_groups
from dglm.inference.covariance import Covariance
from dglm.inference.wald import symmetric_intervals

# Values along a variable that is numbers; and rows of a matrix of covariances that are made at a time.
N_VALUES, AT_A_TIME = 200, 256


def effect_sums(block: BlockBeside, params: Vector, family: Family) -> Binned:
    """Return the sums over a block by bins of what is beside it: the kernel of the pass.

    Parameters
    ----------
    block : BlockBeside
        Rows, with values of a variable; those of zero weight count for nothing.
    params : (p,) array
        Coefficients, zero where aliased.
    family : Family
        With its link.

    Returns
    -------
    Binned
        Sums of f, f x, W and W r, W the working weights and r the working residuals.
    """
    with np.errstate(all="ignore"):
        counted = block.weights > 0
        at = family.pointwise(block.y, block.eta(params))
        x, f, w = (each[counted] for each in (block.beside, block.freq, block.weights))
        terms = np.column_stack([f, f * x, w * at.information[counted], w * at.score[counted]])
        return Binned.of(x, terms)


@dataclass(frozen=True, eq=False)
class VariableEffect:
    """What a variable adds to the linear predictor through the terms that are made of it alone.

    The effect is centred: its mean over the observations is zero. Beside it are means of partial residuals, effect plus
    working residual (y - mu) deta/dmu, over groups of observations with neighbouring values: where they leave the
    effect, another function of the variable would fit better.

    Source: Wood (2017), "Generalized additive models", section 7.1; Landwehr, Pregibon & Shoemaker (1984).

    Attributes
    ----------
    name : str
        The variable.
    terms, others : tuple of str
        What the effect is made of, and the terms that read the variable beside others, which are left out.
    levels : tuple or None
        Where it is levels.
    x : (m,) array
        Values; positions among the levels.
    effect : (m,) array
        In units of the linear predictor.
    low, high : (m,) array or None
        Bounds of a confidence interval at each value; None for penalised estimates.
    partial_x, partial, partial_se : (k,) array
        Means of the values and of partial residuals in groups, and standard errors of the latter if the model is true.
    partial_n : (k,) array
        Numbers of observations.
    """

    name: str
    terms: tuple[str, ...]
    others: tuple[str, ...]
    levels: tuple[Hashable, ...] | None
    x: Vector
    effect: Vector
    low: Vector | None
    high: Vector | None
    partial_x: Vector
    partial: Vector
    partial_se: Vector
    partial_n: Vector

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each value.

        Returns
        -------
        DataFrame
            Columns `x` (the levels, where there are some) and `effect`, `low` and `high` where they exist.
        """
        columns = {"x": self.x if self.levels is None else list(self.levels), "effect": self.effect}
        if self.low is not None and self.high is not None:
            columns |= {"low": self.low, "high": self.high}
        return pd.DataFrame(columns)

    def partial_frame(self) -> pd.DataFrame:
        """Return a row for each group of observations.

        Returns
        -------
        DataFrame
            Columns `x`, `partial`, `std_error` and `n`.
        """
        x = self.partial_x if self.levels is None else [self.levels[round(k)] for k in self.partial_x]
        return pd.DataFrame({"x": x, "partial": self.partial, "std_error": self.partial_se, "n": self.partial_n})


@dataclass(frozen=True)
class EffectOf:
    """A variable's terms and coefficients, from which its effect is computed at any value.

    Parameters
    ----------
    rows : callable
        Of values: the columns of the design matrix that they make.
    at : tuple of int
        Positions of these columns.
    params : (p,) array
        Coefficients, zero where aliased.
    covariance : Covariance or None
        Of them, where they are not penalised.
    """

    rows: Callable[[Vector], Matrix]
    at: tuple[int, ...]
    params: Vector
    covariance: Covariance | None

    def effects(self, x: Vector, mean: Vector) -> Vector:
        """Return centred effects.

        Parameters
        ----------
        x : (n,) array
            Values.
        mean : (k,) array
            Means of the columns.

        Returns
        -------
        (n,) array
            In units of the linear predictor.
        """
        effects: Vector = np.dot(self.rows(x) - mean, self.params[list(self.at)])
        return effects

    def std_errors(self, x: Vector, mean: Vector) -> Vector | None:
        """Return standard errors of centred effects.

        Parameters
        ----------
        x : (n,) array
            Values.
        mean : (k,) array
            Means of the columns.

        Returns
        -------
        (n,) array or None
            None without a covariance.
        """
        if self.covariance is None:
            return None
        variances = []
        for start in range(0, len(x), AT_A_TIME):
            some = x[start : start + AT_A_TIME]
            R = np.zeros((len(some), len(self.params)))
            R[:, list(self.at)] = self.rows(some) - mean
            variances.append(np.diag(self.covariance.of_combinations(R)))
        return np.sqrt(np.maximum(np.concatenate(variances), 0.0))


def variable_effect(
    of: EffectOf,
    bins: Binned,
    *,
    name: str,
    terms: tuple[str, ...],
    others: tuple[str, ...],
    levels: tuple[Hashable, ...] | None,
    n_groups: int,
    scale: float,
    alpha: float,
) -> VariableEffect:
    """Return the effect of a variable.

    Parameters
    ----------
    of : EffectOf
        Its terms.
    bins : Binned
        From `effect_sums`.
    name : str
        The variable.
    terms, others : tuple of str
        Those made of it alone, and of it and something else.
    levels : tuple or None
        Where it is levels.
    n_groups : int
        Of partial residuals; a variable of levels has one for each.
    scale : float
        Dispersion.
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    VariableEffect
        With bounds where there is a covariance.
    """
    f, low_x, high_x = bins.sums[:, 0], bins.low[0], bins.high[0]
    # a mean may be beyond its values by rounding, where a spline has none
    own = np.clip(bins.sums[:, 1] / f, low_x, high_x)
    mean = np.dot(f, of.rows(own)) / f.sum()
    if levels is None:
        x = np.linspace(low_x, high_x, N_VALUES) if low_x < high_x else bins.low
        groups = by_group(bins.sums, equal_groups(f, n_groups))
    else:
        x, groups = np.arange(len(levels), dtype=np.float64), bins.sums
    effect, se = of.effects(x, mean), of.std_errors(x, mean)
    low = high = None
    if se is not None and of.covariance is not None:
        low, high = symmetric_intervals(effect, se, alpha, of.covariance.df_statistic).T
    n, partial_x = groups[:, 0], np.clip(groups[:, 1] / groups[:, 0], low_x, high_x)
    with np.errstate(all="ignore"):
        residual, partial_se = groups[:, 3] / groups[:, 2], np.sqrt(scale / groups[:, 2])
    return VariableEffect(
        name=name,
        terms=terms,
        others=others,
        levels=levels,
        x=x,
        effect=effect,
        low=low,
        high=high,
        partial_x=partial_x,
        partial=of.effects(partial_x, mean) + residual,
        partial_se=partial_se,
        partial_n=n,
    )
