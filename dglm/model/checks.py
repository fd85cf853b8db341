"""Checks of what users give to a fit."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from dglm.errors import TooWideError
from dglm.matrix import WIDE, is_wide
from dglm.penalties import NonConvexPenalty, Penalty, SparsePenalty, Unpenalised
from dglm.results.estimate import Collinear, ScaleOption
from dglm.solvers import Solver


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
