"""ADMM: consensus over blocks, each with a local problem of its own, then polished to a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dglm._typing import Vector
from dglm.objective import Objective
from dglm.penalties import Penalty, SmoothPenalty, SparsePenalty
from dglm.solvers.base import Fit, Solver
from dglm.solvers.consensus import Consensus, Opening, polished, unpolished
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.line_search import NOISE
from dglm.solvers.local_problem import Meeting
from dglm.solvers.watch import UNWATCHED, Trace, Watch

# The objective at a consensus may not rise above what it was at this many before (a non-monotone search: Grippo,
# Lampariello & Lucidi 1986); where it does, the consensus is taken back half-way, so often at most.
MEMORY, HALVINGS = 5, 10
# Meetings without a better certificate after which the metric stays as it is, so that the theory of a fixed one
# applies, and residuals are balanced: in the metric of each block's information 1 is the best weight where that is all
# there is to a block. And meetings without a certificate half as large after which the polish takes over.
STEADY, PATIENCE = 3, 10
# Boyd et al. (2011), section 3.4.1.
BALANCE, FACTOR = 10.0, 2.0


@dataclass(frozen=True, kw_only=True)
class ADMM(Solver[Penalty]):
    """Consensus ADMM: each block solves a problem of its own by Newton's method, the penalty acts where they meet.

    An iteration is one pass: every block measures the objective at the consensus, solves its local problem, a few
    Newton steps within the same task, and answers. Distances are measured in each block's own information, with a
    little of everybody's, so that neither the columns' units nor blocks that differ matter. The last digits come from
    IRLS, under sparse penalties from proximal Newton, to whose certificate the estimate is polished.

    Source: Boyd, Parikh, Chu, Peleato & Eckstein (2011), sections 3.4.1, 3.4.3 and 7.1.

    Parameters
    ----------
    max_iter : int
        Most iterations, of the consensus and of the polish together; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the one of the polish.
    rho : float
        Weight of the consensus in the local problems at first, in units of each block's information; residual
        balancing changes it.
    relaxation : float
        How far a block's answer is extended beyond itself: above 0, 1 for not at all, below 2.
    handover : float
        Violation of the optimality conditions, in standard errors of the score, at which the polish takes over.

    Examples
    --------
    >>> import numpy as np, dglm
    >>> X = np.column_stack([np.ones(6), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [1.0, -1.0, 1.0, 1.0, -1.0, 1.0]])
    >>> model = dglm.GLM(np.array([1.0, 0.0, 2.0, 3.0, 7.0, 9.0]), X, family=dglm.families.Poisson())
    >>> model.fit(penalty=dglm.L1(alpha=0.3), solver=ADMM()).params.round(4)
    array([-0.3999,  0.5287,  0.    ])
    """

    name: ClassVar[str] = "admm"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SmoothPenalty, SparsePenalty)

    rho: float = 1.0
    relaxation: float = 1.8
    handover: float = 1e-2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_consensus(self.rho, self.relaxation, self.handover)

    def solve(self, objective: Objective[Penalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        trace: Trace[Vector] = watch.trace(lambda beta: beta)
        if self.max_iter == 0:
            return polished(objective, start, trace, self, "ADMM")
        consensus, opening = Consensus.open(objective, start, self.rho, self.relaxation)
        if not np.isfinite(opening.seen.objective):
            return polished(objective, start, trace, self, "ADMM")
        end = self._meetings(consensus, opening, trace)
        if isinstance(end, Status):
            return unpolished(objective, trace, end, self, "ADMM")
        return polished(objective, consensus.basis.to_params(end), trace, self, "ADMM")

    def _meetings(self, consensus: Consensus, opening: Opening, trace: Trace[Vector]) -> Vector | Status:
        """Return the last consensus, not evaluated yet, and enter those before it in the history; or what halted it."""
        data, tol = consensus.objective.data, max(self.handover, self.tol)
        theta, pull, rho = opening.theta, opening.pull, self.rho
        trace.append(opening.seen, consensus.basis.to_params(theta))
        states = [opening.state] * data.n_blocks
        while (halted := trace.halted) is None:
            z, step = consensus.meet(pull, theta, tol), 1.0
            if trace[-1].certificate <= tol or _idle(trace, PATIENCE, 0.5) or len(trace) == self.max_iter:
                return z
            idle = _idle(trace, STEADY, 1.0)
            while True:
                meeting = Meeting(z, rho, renew=not idle)
                update, after = data.advance(opening.local, states, meeting)
                seen = consensus.measured(z, update.sums, update.reads, step)
                highest = max(before.objective for before in trace[-MEMORY:])
                # (nan is not below it)
                if seen.objective <= highest + NOISE * abs(highest):
                    break
                z, step = (z + theta) / 2, step / 2
                if step < 2.0**-HALVINGS:
                    return theta
            if idle:
                rho = _balanced(rho, update.gap, float((z - theta) @ pull.A @ (z - theta)))
            theta, pull, states = z, pull + update.change, after
            trace.append(seen, consensus.basis.to_params(theta))
        return halted


def _idle(trace: Sequence[Iteration], meetings: int, factor: float) -> bool:
    """Return whether the last meetings have not brought the certificate below a share of what it was at best."""
    certificates = [seen.certificate for seen in trace]
    return len(trace) > meetings and min(certificates[-meetings:]) >= factor * min(certificates[:-meetings])


def _balanced(rho: float, gap: float, moved: float) -> float:
    """Return the weight under which blocks and consensus approach one another at about the same pace."""
    primal, dual = np.sqrt(max(gap, 0.0)), rho * np.sqrt(max(moved, 0.0))
    if primal > BALANCE * dual:
        return rho * FACTOR
    return rho / FACTOR if dual > BALANCE * primal else rho


def check_consensus(rho: float, relaxation: float, handover: float) -> None:
    """Refuse settings under which a consensus does not come about.

    Parameters
    ----------
    rho, relaxation, handover : float
        As of `ADMM`.

    Raises
    ------
    ValueError
        If one is out of its range.
    """
    for name, value in (("rho", rho), ("handover", handover)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and above 0; got {value!r}")
    if not 0 < relaxation < 2:
        raise ValueError(f"relaxation must be above 0 and below 2; got {relaxation!r}")
