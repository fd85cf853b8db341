"""Checks of what users give to a fit."""

from __future__ import annotations

from typing import get_args

import numpy as np

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
