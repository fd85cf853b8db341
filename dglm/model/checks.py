"""Checks of what users give to a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from dglm.design import Restricted
from dglm.errors import DataError, IncompatibleSolverError, TooWideError
from dglm.families import Family, Gaussian
from dglm.links import Log
from dglm.matrix import WIDE, is_wide
from dglm.penalties import NonConvexPenalty, Penalty, SparsePenalty, Unpenalised
from dglm.results.estimate import Collinear, ScaleOption
from dglm.solvers import SOLVERS, Newton, Solver, resolve_solver, solver_names


def check_scale(scale: ScaleOption) -> None:
    """Refuse a dispersion that is none.

    Parameters
    ----------
    scale : None, ``"X2"``, ``"dev"`` or float
        As given.

    Raises
    ------
    ValueError
        If it is none of these, or a number that is not above 0.
    """
    if scale is None or scale in {"X2", "dev"}:
        return
    if isinstance(scale, str) or not (np.isfinite(scale) and scale > 0):
        raise ValueError(f'scale must be None, "X2", "dev" or a number above 0; got {scale!r}')


def check_penalty(penalty: Penalty | None) -> None:
    """Refuse what is no penalty.

    Parameters
    ----------
    penalty : Penalty or None
        As given.

    Raises
    ------
    TypeError
        If it is neither, such as a name, or a class of penalties.
    """
    if penalty is not None and not isinstance(penalty, Penalty):
        raise TypeError(f"penalty must be an object such as dglm.L1(alpha=0.1), or None; got {penalty!r}")


def check_width(p: int, penalty: Penalty, asked: Solver[Any] | None, advice: str = "") -> None:
    """Refuse maximum likelihood for so many columns that its standard errors need matrices nobody asked for.

    Parameters
    ----------
    p : int
        Number of columns.
    penalty : Penalty
        Of the fit.
    asked : Solver or None
        That the user named.
    advice : str
        That ends the message: what else could be done about the columns.

    Raises
    ------
    TooWideError
        If there are more than 5,000 columns, no penalty, and no solver was named that makes p x p matrices.
    """
    if not is_wide(p) or not isinstance(penalty, Unpenalised) or (asked is not None and asked.forms_information):
        return
    raise TooWideError(
        f"standard errors of {p:,} coefficients need matrices of {p:,} x {p:,} numbers, {8 * p * p:,} bytes each, "
        f'which are made for more than {WIDE:,} columns only if asked for: fit(solver="irls"), or "newton". Under a '
        f"penalty, penalty=dglm.L2(alpha) or dglm.L1(alpha), none is made{advice}"
    )


def check_collinear(collinear: Collinear, penalty: Penalty) -> None:
    """Refuse what cannot become of aliased columns.

    Parameters
    ----------
    collinear : ``"drop"``, ``"pinv"`` or ``"raise"``
        As given.
    penalty : Penalty
        Of the fit.

    Raises
    ------
    ValueError
        If it is none of these, or is not ``"drop"`` under a penalty that is not smooth.
    """
    if collinear not in get_args(Collinear):
        raise ValueError(f'collinear must be "drop", "pinv" or "raise"; got {collinear!r}')
    if collinear != "drop" and isinstance(penalty, SparsePenalty | NonConvexPenalty):
        raise ValueError(
            f"collinear={collinear!r} means nothing with {penalty!r}, which chooses among such columns itself"
        )


def checked_family(family: Family | None, exposure: Any) -> Family:
    """Return the family of a model.

    Parameters
    ----------
    family : Family or None
        As given; Gaussian when None.
    exposure : object
        None where there is none.

    Returns
    -------
    Family
        With its link.

    Raises
    ------
    TypeError
        If it is no family.
    DataError
        If there is an exposure, and the link is not the log.
    """
    family = Gaussian() if family is None else family
    if not isinstance(family, Family):
        raise TypeError(f"family must be an object from dglm.families, such as Binomial(); got {family!r}")
    if exposure is not None and not isinstance(family.link, Log):
        raise DataError(f"exposure is for the log link; with {family.link.name}, pass its effect as an offset")
    return family


def checked_missing(missing: Literal["drop", "raise"]) -> Literal["drop", "raise"]:
    """Return what becomes of rows with something missing.

    Parameters
    ----------
    missing : str
        As given.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ValueError
        If it is neither ``"drop"`` nor ``"raise"``.
    """
    if missing not in {"drop", "raise"}:
        raise ValueError(f'missing must be "drop" or "raise"; got {missing!r}')
    return missing


def restriction(
    eval: str,  # the name that users know
    functions: Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
) -> Restricted | None:
    """Return what a formula is held against.

    Parameters
    ----------
    eval : ``"python"`` or ``"restricted"``
        As given.
    functions : mapping of str to callable or None
        That a restricted formula may call.
    context : mapping of str to object or None
        Of a formula that is not restricted.

    Returns
    -------
    Restricted or None
        None for Python.

    Raises
    ------
    ValueError
        If the three do not go together.
    """
    if eval not in {"python", "restricted"}:
        raise ValueError(f'eval must be "python" or "restricted"; got {eval!r}')
    if eval == "python":
        if functions is not None:
            raise ValueError('functions are for eval="restricted"; a formula of Python finds its own, in context= too')
        return None
    if context is not None:
        raise ValueError("a restricted formula has no context; pass the functions that it may call, functions={...}")
    return Restricted.to(functions or {})


def shape_solver(family: Family, penalty: Penalty, solver: str | Solver[Any] | None) -> Solver[Any]:
    """Return the solver of a family with parameters to be estimated.

    Parameters
    ----------
    family : Family
        Names them.
    penalty : Penalty
        Of the fit.
    solver : str, Solver or None
        As given; Newton when None, since the log link is not canonical and such parameters take its derivatives anyway.

    Returns
    -------
    Solver
        That can.

    Raises
    ------
    IncompatibleSolverError
        If there is a penalty, or the solver does not estimate such parameters.
    """
    free = " and ".join(family.free)
    if not isinstance(penalty, Unpenalised):
        raise IncompatibleSolverError(
            f"{family.name} estimates its {free} by maximum likelihood, without a penalty; got {penalty!r}. Fit "
            f"without one first, and penalise a model with the family of that result, family=result.family"
        )
    chosen = resolve_solver(Newton() if solver is None else solver, penalty)
    if not chosen.estimates_shape:
        able = solver_names(solver for solver in SOLVERS.values() if solver.estimates_shape)
        raise IncompatibleSolverError(
            f"{family.name} needs second derivatives to estimate its {free}; got {type(chosen).__name__}. Use {able}."
        )
    return chosen
