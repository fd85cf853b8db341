"""Checks of what users give to a fit."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from dglm._typing import Vector
from dglm.penalties import NonConvexPenalty, Penalty, SparsePenalty
from dglm.results.estimate import Collinear, ScaleOption


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


def checked_start(start_params: Any, names: list[str]) -> Vector:
    """Return where to begin.

    Parameters
    ----------
    start_params : (p,) array
        As given.
    names : list of str
        Of the coefficients.

    Returns
    -------
    (p,) array
        Finite.

    Raises
    ------
    ValueError
        If there is not one finite number for each coefficient.
    """
    start = np.array(start_params, dtype=np.float64)
    if start.shape != (len(names),) or not np.isfinite(start).all():
        raise ValueError(f"start_params must be {len(names)} finite numbers, for {names}; got {start_params!r}")
    return start


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
