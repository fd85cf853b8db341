"""Objective: data x family x penalty. Asking it for sums at some coefficients is one pass over the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Any, Generic, TypeVar, cast

import numpy as np

from dglm._typing import Vector
from dglm.data import Block, BlockedData, CompressedBlock, CompressedData
from dglm.families import Family, Gaussian
from dglm.matrix import Basis
from dglm.objective.base import Sum
from dglm.objective.null_model import NullModel, NullStep
from dglm.objective.pilot import Pilot
from dglm.objective.survey import Survey
from dglm.penalties import Penalty

P = TypeVar("P", bound=Penalty, covariant=True)
S = TypeVar("S", bound=Sum)

Request = tuple[type[Sum], Any]
OnBlock = Callable[[Block, Sequence[Request]], tuple[Any, ...]]


@dataclass(frozen=True)
class Objective(Generic[P]):
    """Q(beta) = -(1/W) sum_i w_i l_i(beta; scale=1) + P(beta), W the number of observations.

    Parameters
    ----------
    data : BlockedData
        The rows.
    family : Family
        With its link.
    penalty : Penalty
        Bound to the coefficients.
    survey : Survey
        Of the rows.
    basis : Basis
        The centred coordinates, which know the intercept.
    null_model : NullModel, optional
        Fitted along the way, where there is an offset.
    cancellation : float
        The least that is left of squares where columns are combinations of others, under constraints: a share of 1e-4
        has lost as many digits as products of columns that are nearly collinear.
    pilot : Pilot, optional
        A fit to a sample of the rows, at which the survey was made.
    """

    data: BlockedData[Block]
    family: Family
    penalty: P
    survey: Survey
    basis: Basis
    null_model: NullModel | None = None
    cancellation: float = 1.0
    pilot: Pilot | None = None

    @property
    def nobs(self) -> float:
        """Number of observations, W."""
        return self.survey.nobs

    @property
    def quadratic(self) -> bool:
        """Whether the likelihood is quadratic, so that the survey has its Hessian: least squares."""
        return isinstance(self.family, Gaussian) and self.family.canonical

    def at(self, beta: Vector, want: type[S]) -> S:
        """Return one sum at some coefficients: one pass.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.
        want : type
            Which sum.

        Returns
        -------
        Sum
            Over all rows.
        """
        return cast(S, self.together((want, beta))[0])

    def together(self, *requests: Request) -> tuple[Any, ...]:
        """Return several sums, each at a point of its own, from one pass.

        Parameters
        ----------
        *requests : tuple of type and array
            Which sum, and where.

        Returns
        -------
        tuple of Sum
            Over all rows, in the order asked for.
        """
        riding = self.null_model if self.null_model is not None and not self.null_model.converged else None
        asked: tuple[Request, ...] = requests if riding is None else (*requests, (NullStep, riding.point))
        found = self._sums(asked)
        if riding is not None:
            riding.advance(found[-1])
        return found[: len(requests)]

    def _sums(self, asked: Sequence[Request]) -> tuple[Any, ...]:
        """Return sums over all rows; of groups of equal rows those that they tell."""
        if not isinstance(self.data, CompressedData):
            parts: tuple[Any, ...] = self.data.sum(evaluate, asked, self.family).parts
            return parts
        even = self.data.even
        known = [want.known_of_groups(point, even=even) for want, point in asked]
        found = {}
        for data, here in ((self.data, True), (self.data.rows, False)):
            some = tuple(request for request, of_groups in zip(asked, known, strict=True) if of_groups is here)
            found[here] = iter(data.sum(evaluate, some, self.family).parts if some else ())
        return tuple(next(found[of_groups]) for of_groups in known)

    def on_block(self) -> OnBlock:
        """Return what evaluates sums over one block where it is: for tasks that go on from them before they return.

        Returns
        -------
        callable
            Of a block and requests, like those of `together`; picklable. Returns the sums in the order asked for.
        """
        return partial(_on_block, self.family)

    def value(self, deviance: float, beta: Vector) -> float:
        """Return Q from the deviance at some coefficients.

        Parameters
        ----------
        deviance : float
            At beta.
        beta : (p,) array
            Coefficients.

        Returns
        -------
        float
            The objective; nan or infinite where a mean is out of range.
        """
        # l(mu) = l(y) - d / 2 at unit scale
        return (deviance / 2 - self.survey.saturated) / self.nobs + self.penalty.value(beta)


@dataclass(frozen=True)
class Together:
    """Sums that were asked for in the same pass.

    Parameters
    ----------
    parts : tuple of Sum
        In the order asked for.
    """

    parts: tuple[Any, ...]

    def __add__(self, other: Together) -> Together:
        return Together(tuple(a + b for a, b in zip(self.parts, other.parts, strict=True)))


def evaluate(block: Block, requests: Sequence[Request], family: Family) -> Together:
    """Return the sums over one block: the kernel of every pass after the first.

    Parameters
    ----------
    block : Block
        The rows.
    requests : sequence of tuple of type and array
        Which sums, and where.
    family : Family
        With its link.

    Returns
    -------
    Together
        Each sum, over the rows of the block; every tile of rows is read once for all of them.
    """
    # trial steps may leave the range of the mean; the sums say so by being infinite or nan
    with np.errstate(all="ignore"):
        by_tile = [want.reads_tiles(block, family) for want, _ in requests]
        tiled = tuple(request for request, by in zip(requests, by_tile, strict=True) if by)
        over_tiles = iter(
            reduce(add, (_together(tile, tiled, family) for tile in block.tiles())).parts if tiled else ()
        )
        return Together(
            tuple(
                next(over_tiles) if by else _of(block, want, point, family)
                for (want, point), by in zip(requests, by_tile, strict=True)
            )
        )


def _together(block: Block, requests: Sequence[Request], family: Family) -> Together:
    return Together(tuple(_of(block, want, point, family) for want, point in requests))


def _of(block: Block, want: type[Sum], point: Any, family: Family) -> Sum:
    """Return one sum over the rows of a block, or over the rows that its groups stand for."""
    if isinstance(block, CompressedBlock):
        return want.of_groups(block, point, family)
    return want.of(block, point, family)


def _on_block(family: Family, block: Block, requests: Sequence[Request]) -> tuple[Any, ...]:
    return evaluate(block, requests, family).parts
