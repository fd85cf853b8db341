"""Constrained: an objective as a function of the coefficients that linear constraints leave free.

Nothing is encoded anew and nothing is copied: the sums are asked for at beta = L gamma + b0, where the rows are, and
what comes back is reduced to X L. The offset, and with it the null model, stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from dglm.data import Block
from dglm.matrix import Cross, Reduction
from dglm.objective.objective import Objective, OnBlock, Request
from dglm.objective.survey import Survey
from dglm.penalties import Unpenalised

TINY = float(np.finfo(np.float64).tiny)
# Of a combination's terms, where products cannot tell what is left of them from a constant.
NOTHING_LEFT = 1e-5


@dataclass(frozen=True, kw_only=True)
class Constrained(Objective[Unpenalised]):
    """Q(L gamma + b0) without a penalty; everything about it is in terms of gamma.

    Parameters
    ----------
    data : BlockedData
        The rows.
    family : Family
        With its link.
    penalty : Unpenalised
        None.
    survey : Survey
        Of the rows, reduced.
    basis : Basis
        The centred coordinates of X L.
    null_model : NullModel, optional
        None here: it belongs to the objective that is asked.
    cancellation : float
        Of the columns' squares in those of X L.
    pilot : Pilot, optional
        Not used here: the survey follows from that of all coefficients.
    reduction : Reduction
        L and b0.
    ask : callable
        Makes a pass for sums at all coefficients, as `Objective.together`.
    """

    reduction: Reduction
    ask: Callable[..., tuple[Any, ...]]

    @classmethod
    def of(
        cls, objective: Objective[Any], reduction: Reduction, ask: Callable[..., tuple[Any, ...]] | None = None
    ) -> Constrained:
        """Return an objective under constraints.

        Parameters
        ----------
        objective : Objective
            Of all coefficients.
        reduction : Reduction
            What the constraints leave free.
        ask : callable, optional
            Who makes the passes; the objective itself when not given.

        Returns
        -------
        Constrained
            No pass is made: its survey follows from the objective's.
        """
        survey = reduced_survey(objective.survey, reduction)
        return cls(
            data=objective.data,
            family=objective.family,
            penalty=Unpenalised(),
            survey=survey,
            basis=survey.basis(*survey.constant_column()),
            cancellation=float(objective.survey.gram.left_of(reduction.L).min(initial=1.0)),
            reduction=reduction,
            ask=objective.together if ask is None else ask,
        )

    def together(self, *requests: Request) -> tuple[Any, ...]:
        """Return several sums of X L, each at a point of its own, from one pass.

        Parameters
        ----------
        *requests : tuple of type and array
            Which sum, and at which free coefficients.

        Returns
        -------
        tuple of Sum
            Over all rows, in the order asked for.
        """
        return _reduced(self.reduction, self.ask, requests)

    def on_block(self) -> OnBlock:
        """Return what evaluates sums of X L over one block where it is.

        Returns
        -------
        callable
            Of a block and requests, like those of `together`; picklable.
        """
        return partial(_on_block, super().on_block(), self.reduction)


def _on_block(evaluate: OnBlock, reduction: Reduction, block: Block, requests: Sequence[Request]) -> tuple[Any, ...]:
    return _reduced(reduction, lambda *asked: evaluate(block, asked), requests)


def _reduced(reduction: Reduction, ask: Callable[..., tuple[Any, ...]], requests: Sequence[Request]) -> tuple[Any, ...]:
    found = ask(*((want, reduction.expand(point)) for want, point in requests))
    # trial steps may leave the range of the mean; the sums say so by being infinite or nan
    with np.errstate(all="ignore"):
        return tuple(part.reduced(reduction.L) for part in found)


def reduced_survey(survey: Survey, reduction: Reduction) -> Survey:
    """Return the survey as if it had been made of X L, with X b0 in the offset.

    Parameters
    ----------
    survey : Survey
        Of X.
    reduction : Reduction
        L and b0.

    Returns
    -------
    Survey
        Exact, but for the mean of X b0, which is taken at the working weights: only the start depends on it.
    """
    L, b0, gram = reduction.L, reduction.b0, survey.gram
    # X'W (z - X b0)
    fixed = gram.times(b0)
    cross = Cross(
        survey.cross.count,
        gram.centre,
        survey.cross.total - fixed.total,
        survey.cross.about(gram.centre) - fixed.deviations,
    )
    combined = gram.reduced(L)
    # a free coefficient that no other depends on has its own column; a combination of columns may be constant, too,
    # unless nothing but rounding is left of it
    own = np.count_nonzero(L, axis=0) == 1
    entries = np.sqrt(np.diag(gram.about(np.zeros_like(gram.centre)).second) / max(gram.total, TINY)) @ np.abs(L)
    constant = ~own & (np.diag(combined.second) == 0) & (np.abs(combined.centre) > NOTHING_LEFT * entries)
    return replace(
        survey,
        offset_mean=survey.offset_mean + float(gram.centred().centre @ b0),
        low=np.where(own, reduction.reduce(survey.low), np.where(constant, combined.centre, -np.inf)),
        high=np.where(own, reduction.reduce(survey.high), np.where(constant, combined.centre, np.inf)),
        information=combined,
        cross=cross.reduced(L),
    )
