"""Which solver minimises what: names, defaults, and the refusal of pairs that cannot work."""

from __future__ import annotations

from typing import Any

from dglm.errors import IncompatibleSolverError
from dglm.penalties import Penalty, SmoothPenalty, Unpenalised
from dglm.solvers.admm import ADMM
from dglm.solvers.async_admm import AsyncADMM
from dglm.solvers.base import Solver
from dglm.solvers.irls import IRLS
from dglm.solvers.newton import Newton
from dglm.solvers.proximal_gradient import ProximalGradient

#: Every solver, by the name that `GLM.fit(solver=...)` takes.
SOLVERS: dict[str, type[Solver[Any]]] = {
    solver.name: solver for solver in (IRLS, Newton, ProximalGradient, ADMM, AsyncADMM)
}


def default_solver(penalty: Penalty) -> Solver[Any]:
    """Return the solver used when none is named.

    Parameters
    ----------
    penalty : Penalty
        To be minimised.

    Returns
    -------
    Solver
        IRLS for smooth penalties (and none), proximal gradient for sparse ones.
    """
    return IRLS() if isinstance(penalty, SmoothPenalty) else ProximalGradient()


def resolve_solver(solver: str | Solver[Any] | None, penalty: Penalty) -> Solver[Any]:
    """Return the solver that was asked for, if it can minimise the penalty.

    Parameters
    ----------
    solver : str, Solver or None
        A name from `SOLVERS`, an object, or None for the default.
    penalty : Penalty
        To be minimised.

    Returns
    -------
    Solver
        Ready to solve.

    Raises
    ------
    IncompatibleSolverError
        If the solver cannot minimise the penalty, or is none.
    """
    if solver is None:
        return default_solver(penalty)
    if isinstance(solver, str):
        if solver not in SOLVERS:
            raise IncompatibleSolverError(f"no solver is called {solver!r}; there are {sorted(SOLVERS)}")
        solver = SOLVERS[solver]()
    if not isinstance(solver, Solver):
        raise IncompatibleSolverError(f"solver must be a name or an object from dglm.solvers; got {solver!r}")
    if not isinstance(penalty, solver.penalties):
        able = " or ".join(f"{s.__name__}()" for s in SOLVERS.values() if isinstance(penalty, s.penalties))
        kind = "smooth" if SmoothPenalty in solver.penalties else "sparse"
        what = "no penalty" if penalty == Unpenalised() else repr(penalty)
        raise IncompatibleSolverError(f"{type(solver).__name__} needs a {kind} penalty; got {what}. Use {able}.")
    return solver
