"""Likelihood: what a family tells a design matrix that sums it in the sweep that multiplies its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from dglm._typing import Vector
from dglm.matrix.products import Cross, Gram, GramDiagonal, both

#: The record of the information that a sweep is to bring; None for none.
InformationKind: TypeAlias = type[Gram] | type[GramDiagonal] | None


@dataclass(frozen=True)
class Likelihood:
    """The responses of rows, and the compiled loop that says what each contributes.

    Parameters
    ----------
    loop : int
        Address of a family's loop, ``contributions`` of ``dglm/_contributions.h``.
    y : (n,) array
        Responses.
    offset, weights : (n,) array or None
        In units of eta, and of the rows.
    information : type or None
        Which record of the information is wanted.
    """

    loop: int
    y: Vector
    offset: Vector | None
    weights: Vector | None
    information: InformationKind

    def where(self, rows: slice) -> Likelihood:
        """Return that of some of the rows.

        Parameters
        ----------
        rows : slice
            Which.

        Returns
        -------
        Likelihood
            Nothing is copied.
        """
        offset, weights = (None if each is None else each[rows] for each in (self.offset, self.weights))
        return replace(self, y=self.y[rows], offset=offset, weights=weights)


@dataclass(frozen=True)
class LikelihoodSums:
    """Sums over rows.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    pearson_chi2 : float
        sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    score : Cross
        X'r, r_i = w_i dl_i / deta_i.
    information : Gram, GramDiagonal or None
        X'WX, W_i = w_i (dmu_i / deta_i)^2 / V(mu_i), or its diagonal; None where it was not wanted.
    """

    deviance: float
    pearson_chi2: float
    score: Cross
    information: Gram | GramDiagonal | None

    def __add__(self, other: LikelihoodSums) -> LikelihoodSums:
        information = None
        if self.information is not None and other.information is not None:
            information = both(self.information, other.information)
        return LikelihoodSums(
            self.deviance + other.deviance,
            self.pearson_chi2 + other.pearson_chi2,
            self.score + other.score,
            information,
        )
