"""Which solver minimises what: one table, from which names, defaults, refusals and the documentation come."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import isabstract
from typing import Any

import dglm.penalties
from dglm.errors import IncompatibleSolverError
from dglm.penalties import NonConvexPenalty, Penalty, SmoothPenalty, Unpenalised
from dglm.solvers.admm import ADMM
from dglm.solvers.async_admm import AsyncADMM
from dglm.solvers.base import Solver
from dglm.solvers.gradient_descent import GradientDescent
from dglm.solvers.irls import IRLS
from dglm.solvers.lbfgs import LBFGS
from dglm.solvers.newton import Newton
from dglm.solvers.proximal_gradient import ProximalGradient
from dglm.solvers.proximal_lbfgs import ProximalLBFGS
from dglm.solvers.proximal_newton import ProximalNewton
from dglm.solvers.reweighted import LocalLinear

#: Every solver, by the name that `GLM.fit(solver=...)` takes.
SOLVERS: dict[str, type[Solver[Any]]] = {
    solver.name: solver
    for solver in (
        IRLS,
        Newton,
        LBFGS,
        GradientDescent,
        ProximalNewton,
        ProximalLBFGS,
        ProximalGradient,
        ADMM,
        AsyncADMM,
        LocalLinear,
    )
}


def default_solver(penalty: Penalty, *, wide: bool = False) -> Solver[Any]:
    """Return the solver used when none is named.

    Parameters
    ----------
    penalty : Penalty
        To be minimised.
    wide : bool
        Whether there are so many columns that no p x p matrix is to be made.

    Returns
    -------
    Solver
        IRLS for smooth penalties (and none), proximal Newton for sparse ones; L-BFGS and proximal L-BFGS where the
        design is wide. Local linear approximation for penalties that are not convex.
    """
    return _default(type(penalty), wide=wide)()


def _default(kind: type[Penalty], *, wide: bool = False) -> type[Solver[Any]]:
    if issubclass(kind, NonConvexPenalty):
        return LocalLinear
    if issubclass(kind, SmoothPenalty):
        return LBFGS if wide else IRLS
    return ProximalLBFGS if wide else ProximalNewton


def resolve_solver(solver: str | Solver[Any] | None, penalty: Penalty, *, wide: bool = False) -> Solver[Any]:
    """Return the solver that was asked for, if it can minimise the penalty.

    Parameters
    ----------
    solver : str, Solver or None
        A name from `SOLVERS`, an object, or None for the default.
    penalty : Penalty
        To be minimised.
    wide : bool
        Whether there are so many columns that no p x p matrix is made by default.

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
        return default_solver(penalty, wide=wide)
    if isinstance(solver, str):
        if solver not in SOLVERS:
            raise IncompatibleSolverError(f"no solver is called {solver!r}; there are {sorted(SOLVERS)}")
        solver = SOLVERS[solver]()
    if not isinstance(solver, Solver):
        raise IncompatibleSolverError(f"solver must be a name or an object from dglm.solvers; got {solver!r}")
    if not isinstance(penalty, solver.penalties):
        what = "no penalty" if penalty == Unpenalised() else repr(penalty)
        kind = " or ".join(each.kind for each in solver.penalties)
        able = solver_names(s for s in SOLVERS.values() if isinstance(penalty, s.penalties))
        raise IncompatibleSolverError(f"{type(solver).__name__} needs a {kind} penalty; got {what}. Use {able}.")
    return solver


def solver_names(solvers: Iterable[type[Solver[Any]]]) -> str:
    """Return solvers as an error names them.

    Parameters
    ----------
    solvers : iterable of type
        From `SOLVERS`.

    Returns
    -------
    str
        ``"IRLS() or Newton()"``.
    """
    return " or ".join(f"{solver.__name__}()" for solver in solvers)


def solver_table() -> str:
    """Return which solver takes which penalty, and families with parameters to be estimated.

    Returns
    -------
    str
        A line for each penalty, a column for each solver.

    Examples
    --------
    >>> print(solver_table().splitlines()[0].strip())
    irls  ...newton...
    """
    penalties = [getattr(dglm.penalties, name) for name in dglm.penalties.__all__]
    kinds = [
        kind for kind in penalties if isinstance(kind, type) and issubclass(kind, Penalty) and not isabstract(kind)
    ]
    lines = {"no penalty" if kind is Unpenalised else kind.__name__: _cells(kind) for kind in kinds}
    # without a penalty first, then as the package exports them
    lines = {"no penalty": lines.pop("no penalty"), **lines}
    lines["the family's own parameters"] = ["yes" if solver.estimates_shape else "-" for solver in SOLVERS.values()]
    rows = [["", *SOLVERS], *([label, *cells] for label, cells in lines.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _cells(kind: type[Penalty]) -> list[str]:
    """Return what each solver does with a kind of penalty."""
    return [
        "-" if not issubclass(kind, solver.penalties) else "default" if solver is _default(kind) else "yes"
        for solver in SOLVERS.values()
    ]
