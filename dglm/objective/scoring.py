"""Scorers: what a cross-validation sums over rows that were held out, and the score that it makes of the sums."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import logit

from dglm._typing import AnyArray, Matrix, Vector
from dglm.data import Block, FoldedBlock
from dglm.families import Family
from dglm.objective.base import Sum

# Classes of the log odds in which rows count as tied, and how many of their spreads they reach to either side.
BINS = 2048
REACH = 6.0
# Means this near to 0 and 1 are no nearer.
TINY = 1e-12


class Scorer(ABC):
    """A score of predicted means, from sums over rows."""

    #: Whether a larger score is a better one.
    greater_is_better: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What results call it."""

    @abstractmethod
    def terms(self, y: Vector, mu: Vector, w: Vector) -> Vector:
        """Return what is summed.

        Parameters
        ----------
        y : (n,) array
            Responses.
        mu : (n,) array
            Predicted means.
        w : (n,) array
            Weights, freq_weights times var_weights.

        Returns
        -------
        (s,) array
            Over these rows; of any length that does not depend on them.
        """

    def near(self, means: Vector) -> Scorer:
        """Return the scorer of predictions of which something is known.

        Parameters
        ----------
        means : (3,) array
            About the middle of the predicted means, between those one standard deviation away from it.

        Returns
        -------
        Scorer
            Itself, unless it makes use of that.
        """
        del means
        return self

    @abstractmethod
    def score(self, terms: Vector) -> float:
        """Return the score of the rows whose terms were added.

        Parameters
        ----------
        terms : (s,) array
            Their sum.

        Returns
        -------
        float
            nan where it is not defined.
        """


class _Mean(Scorer):
    """A mean over rows: the terms are a sum and a weight."""

    def score(self, terms: Vector) -> float:
        return float(terms[0] / terms[1]) if terms[1] > 0 else np.nan


@dataclass(frozen=True)
class MeanSquaredError(_Mean):
    """Mean squared error, sum_i w_i (y_i - mu_i)^2 / sum_i w_i."""

    @property
    def name(self) -> str:
        """What results call it."""
        return "mse"

    def terms(self, y: Vector, mu: Vector, w: Vector) -> Vector:
        return np.array([float(np.dot(w, (y - mu) ** 2)), float(w.sum())])


@dataclass(frozen=True)
class Loss(_Mean):
    """A mean of a user's own.

    Parameters
    ----------
    function : callable
        From responses, means and weights to a sum and its weight; picklable.
    """

    function: Callable[[Vector, Vector, Vector], tuple[float, float]]

    @property
    def name(self) -> str:
        """Name of the function."""
        return getattr(self.function, "__name__", "loss")

    def terms(self, y: Vector, mu: Vector, w: Vector) -> Vector:
        total, weight = self.function(y, mu, w)
        return np.array([float(total), float(weight)])


@dataclass(frozen=True)
class AUC(Scorer):
    """Area under the receiver operating characteristic: how often a success has the larger mean than a failure.

    Rows are counted in 2,048 classes of their log odds, 170 to a standard deviation, so that the counts add up over
    partitions. Pairs within a class count one half: the score is off by at most half their share, about 1e-3, and
    mostly by far less.

    Parameters
    ----------
    centre, spread : float
        About the mean of the log odds, and about their standard deviation.
    """

    centre: float = 0.0
    spread: float = 3.0

    greater_is_better: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """What results call it."""
        return "auc"

    def near(self, means: Vector) -> AUC:
        low, middle, high = np.sort(logit(np.clip(means, TINY, 1 - TINY)))
        return AUC(float(middle), float(high - low) / 2 if high > low else 1.0)

    def terms(self, y: Vector, mu: Vector, w: Vector) -> Vector:
        # from 0 to 1 over the reach
        position = np.clip((logit(mu) - self.centre) / (2 * REACH * self.spread) + 0.5, 0.0, 1.0)
        code = np.minimum(np.floor(BINS * position), BINS - 1).astype(np.intp)
        counts = [np.bincount(code, weights=part, minlength=BINS) for part in (w * y, w * (1 - y))]
        return np.concatenate(counts)

    def score(self, terms: Vector) -> float:
        successes, failures = terms[:BINS], terms[BINS:]
        pairs = float(successes.sum() * failures.sum())
        below = np.cumsum(failures) - failures
        return float(np.dot(successes, below + failures / 2)) / pairs if pairs > 0 else np.nan


def scorer_of(scoring: Any, family: Family) -> Scorer | None:
    """Return the scorer that was asked for.

    Parameters
    ----------
    scoring : str or callable
        ``"deviance"``, ``"mse"``, ``"auc"``, or a function of y, mu and w that returns a sum and its weight.
    family : Family
        Of the model.

    Returns
    -------
    Scorer or None
        None for the deviance, which the fits bring along.

    Raises
    ------
    ValueError
        If there is none of that name, or it is not for the family.
    """
    if scoring == "deviance":
        return None
    if scoring == "mse":
        return MeanSquaredError()
    if scoring == "auc":
        if family.mean_bounds != (0.0, 1.0):
            raise ValueError(f'scoring="auc" is for responses of two kinds, Binomial; the family is {family.name}')
        return AUC()
    if callable(scoring):
        return Loss(scoring)
    raise ValueError(f'scoring must be "deviance", "mse", "auc" or a function of (y, mu, w); got {scoring!r}')


@dataclass(frozen=True)
class HeldOutAt:
    """What to score.

    Parameters
    ----------
    params : (k, p, m) array
        Coefficients of the fits without each fold.
    labels : tuple
        Of the folds, in order.
    scorers : tuple of tuple of Scorer
        How, by fold and vector.
    """

    params: AnyArray
    labels: tuple[Any, ...]
    scorers: tuple[tuple[Scorer, ...], ...]


@dataclass(frozen=True)
class HeldOut(Sum):
    """Terms of scores of each fold's rows at the fits without them; the point is a `HeldOutAt`.

    Parameters
    ----------
    terms : dict of int to (m, s) array
        By position of the fold; without those that have no rows.
    """

    terms: dict[int, Matrix]

    by_tile: ClassVar[bool] = False

    @classmethod
    def of(cls, block: Block, point: HeldOutAt, family: Family) -> Self:
        if not isinstance(block, FoldedBlock):
            raise TypeError(f"scores of folds need a FoldedBlock; got a {type(block).__name__}")
        terms = {}
        for label, rows in block.folds().items():
            k, counted = point.labels.index(label), rows.weights > 0
            y, w = rows.y[counted], rows.weights[counted]
            means = (family.link.inverse(rows.eta(beta))[counted] for beta in point.params[k].T)
            found = zip(point.scorers[k], means, strict=True)
            terms[k] = np.array([scorer.terms(y, mu, w) for scorer, mu in found])
        return cls(terms)

    def __add__(self, other: Self) -> Self:
        terms = dict(self.terms)
        for k, each in other.terms.items():
            terms[k] = terms[k] + each if k in terms else each
        return type(self)(terms)

    def reduced(self, L: Matrix) -> Self:
        del L
        return self
