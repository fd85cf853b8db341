"""AsyncADMM: consensus ADMM in which nobody waits for the slowest worker, then polished to a certificate."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar

import numpy as np

from dglm._typing import Vector
from dglm.data import Arriving
from dglm.errors import IncompatibleSolverError
from dglm.objective import Objective
from dglm.penalties import Penalty, SmoothPenalty, SparsePenalty
from dglm.solvers.admm import check_consensus
from dglm.solvers.base import Fit, Solver
from dglm.solvers.consensus import Consensus, Opening, polished, unpolished
from dglm.solvers.local_problem import Meeting
from dglm.solvers.watch import UNWATCHED, Trace, Watch


@dataclass(frozen=True, kw_only=True)
class AsyncADMM(Solver[Penalty]):
    """Consensus ADMM in which a block's answer enters the consensus as it arrives; for dask on a distributed cluster.

    The local problems are those of `ADMM`. A block is asked again once it has answered and the consensus has moved
    since it was asked; when no block is to be asked any more, the estimate is polished, in passes as ever, to the same
    certificate as with `ADMM`. The order in which answers arrive changes where the polish begins, and so the digits
    beyond the tolerance: this is the one solver that need not give the same bits twice.

    Source: Zhang & Kwok (2014), "Asynchronous distributed ADMM for consensus optimization"; Chang, Hong, Liao & Wang
    (2016), "Asynchronous distributed ADMM for large-scale optimization, part I".

    Parameters
    ----------
    max_iter : int
        Most rounds of as many answers as there are blocks, and most iterations of the polish; 0 evaluates at the start.
    tol : float
        What the certificate must be below.
    rho : float
        Weight of the consensus in the local problems, in units of each block's information.
    relaxation : float
        How far a block's answer is extended beyond itself: above 0, 1 for not at all, below 2.
    handover : float
        How far the consensus has to move, in standard errors, for a block to be asked again.
    least_arrivals : float
        How many answers to wait for before the consensus is formed anew, as a share of the blocks: above 0, at most 1.
    staleness : int
        After how many rounds of answers of others a block is waited for.

    Examples
    --------
    >>> AsyncADMM(staleness=10).name
    'async_admm'
    """

    name: ClassVar[str] = "async_admm"
    repeatable: ClassVar[bool] = False
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SmoothPenalty, SparsePenalty)

    rho: float = 1.0
    relaxation: float = 1.8
    handover: float = 1.0
    least_arrivals: float = 0.75
    staleness: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_consensus(self.rho, self.relaxation, self.handover)
        if not 0 < self.least_arrivals <= 1:
            raise ValueError(f"least_arrivals must be above 0 and at most 1; got {self.least_arrivals!r}")
        if self.staleness < 1:
            raise ValueError(f"staleness must be at least 1; got {self.staleness!r}")

    def solve(self, objective: Objective[Penalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        arriving = objective.data.arrivals()
        if arriving is None:
            raise IncompatibleSolverError(
                "AsyncADMM takes the answers of dask partitions as they arrive from a cluster, and there is none: "
                "connect a distributed.Client and pass dask collections, or use ADMM()"
            )
        trace: Trace[Vector] = watch.trace(lambda beta: beta)
        if self.max_iter == 0:
            return polished(objective, start, trace, self, "Asynchronous ADMM")
        consensus, opening = Consensus.open(objective, start, self.rho, self.relaxation)
        if not np.isfinite(opening.seen.objective):
            return polished(objective, start, trace, self, "Asynchronous ADMM")
        trace.append(opening.seen, consensus.basis.to_params(opening.theta))
        if (halted := trace.halted) is not None:
            return unpolished(objective, trace, halted, self, "Asynchronous ADMM")
        theta, reads = self._answers(consensus, opening, arriving, watch)
        fit = polished(objective, consensus.basis.to_params(theta), trace, self, "Asynchronous ADMM")
        before, first, *others = fit.trace
        return replace(fit, trace=(before, replace(first, reads=first.reads + reads), *others))

    def _answers(
        self, consensus: Consensus, opening: Opening, arriving: AbstractContextManager[Arriving], watch: Watch
    ) -> tuple[Vector, int]:
        """Return the consensus that no block is far from any more, and how often the block read most was read.

        The start takes its place where a block finds it out of range.
        """
        n, pull = consensus.objective.data.n_blocks, opening.pull
        states, asked, when, busy, answers = [opening.state] * n, [opening.theta] * n, [0] * n, set[int](), 0
        reads = [0] * n
        z = consensus.meet(pull, opening.theta, self.handover)
        with arriving as blocks:
            while answers < self.max_iter * n and watch.limit(answers // n) is None:
                for k in range(n):
                    if k not in busy and consensus.spread(z - asked[k], pull) > self.handover:
                        blocks.submit(k, opening.local, states[k], Meeting(z, self.rho, renew=True))
                        asked[k], when[k] = z, answers
                        busy.add(k)
                if not busy:
                    break
                stale = [k for k in busy if answers - when[k] >= self.staleness * n]
                for k, (update, state) in blocks.wait(ceil(self.least_arrivals * n), stale):
                    busy.remove(k)
                    reads[k] += update.reads
                    if not np.isfinite(update.sums.deviance):
                        return opening.theta, max(reads)
                    answers, states[k], pull = answers + 1, state, pull + update.change
                z = consensus.meet(pull, z, self.handover)
        return z, max(reads)
