"""Fits side by side: several sets of constraints on the same rows, each iteration of all of them one pass.

Every fit runs in a thread of its own and asks for sums as ever; here the requests of all fits that wait are put
together. Each sum is the one that the fit alone would have got, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any

from dglm.matrix import Reduction
from dglm.objective import Constrained, Objective, Request
from dglm.solvers.base import Fit, Solver

# Sums, or what went wrong while they were made.
Answer = tuple[Any, ...] | BaseException


def solve_side_by_side(objective: Objective[Any], reductions: Sequence[Reduction], solver: Solver[Any]) -> list[Fit]:
    """Minimise an objective under each of several sets of constraints.

    Parameters
    ----------
    objective : Objective
        Of all coefficients.
    reductions : sequence of Reduction
        What each set of constraints leaves free.
    solver : Solver
        For problems without penalty.

    Returns
    -------
    list of Fit
        In the order given, in terms of all coefficients; as many passes as the longest fit makes.
    """
    asked: SimpleQueue[tuple[int, tuple[Request, ...] | None]] = SimpleQueue()
    answers: list[SimpleQueue[Answer]] = [SimpleQueue() for _ in reductions]

    def ask(number: int, *requests: Request) -> tuple[Any, ...]:
        asked.put((number, requests))
        answer = answers[number].get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def run(number: int) -> Fit:
        reduction = reductions[number]
        try:
            constrained = Constrained.of(objective, reduction, ask=partial(ask, number))
            return solver.solve(constrained, None).expanded(reduction)
        finally:
            asked.put((number, None))

    with ThreadPoolExecutor(max(len(reductions), 1), thread_name_prefix="dglm-fit") as pool:
        fits = [pool.submit(run, i) for i in range(len(reductions))]
        try:
            _make_passes(objective.together, asked, answers)
        except BaseException as error:
            # nobody is to wait for an answer that never comes
            for answer in answers:
                answer.put(error)
            raise
        return [fit.result() for fit in fits]


def _make_passes(
    together: Callable[..., tuple[Any, ...]],
    asked: SimpleQueue[tuple[int, tuple[Request, ...] | None]],
    answers: list[SimpleQueue[Answer]],
) -> None:
    """Answer the requests of all fits that are not done, in one pass whenever all of them wait."""
    running = len(answers)
    while running:
        received = dict(asked.get() for _ in range(running))
        waiting = {number: requests for number, requests in sorted(received.items()) if requests is not None}
        running = len(waiting)
        if waiting:
            found = iter(together(*(request for requests in waiting.values() for request in requests)))
            for number, requests in waiting.items():
                answers[number].put(tuple(next(found) for _ in requests))
