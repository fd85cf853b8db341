"""Labels: numbers of coefficients as the user's containers call for, by name or as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Vector
from dglm.design.arrays import ArrayDesign
from dglm.design.base import Design


def by_name(design: Design, values: AnyArray, columns: list[Any] | None = None) -> Any:
    """Return one number, or one row of numbers, for each coefficient.

    Parameters
    ----------
    design : Design
        Knows the names, and whether the model was built from plain arrays.
    values : (p,) or (p, m) array
        The numbers.
    columns : list, optional
        Names of the columns of a matrix; those of the coefficients when not given.

    Returns
    -------
    Series, DataFrame or array
        The array itself for models of arrays.
    """
    if isinstance(design, ArrayDesign):
        return values
    names = list(design.exog_names)
    if values.ndim == 1:
        return pd.Series(values, index=names)
    return pd.DataFrame(values, index=names, columns=names if columns is None else columns)


def as_params(design: Design, given: Any, what: str = "params") -> Vector:
    """Return coefficients that a user gave.

    Parameters
    ----------
    design : Design
        Knows the names.
    given : Series or (p,) array
        In the order of the design; a Series is put in that order by its names, unless its labels count from 0. nan,
        as columns that were left out of a fit have, counts as zero.
    what : str
        What messages call them.

    Returns
    -------
    (p,) array
        Finite.

    Raises
    ------
    ValueError
        If they are not one finite number (or nan) for each coefficient, or the names are others.
    """
    names = list(design.exog_names)
    if isinstance(given, pd.Series) and not given.index.equals(pd.RangeIndex(len(names))):
        given = _in_order(names, given, what)
    params = np.array(given, dtype=np.float64)
    if params.shape != (len(names),) or np.isinf(params).any():
        raise ValueError(f"{what} must be {len(names)} finite numbers, for {names}; got {given!r}")
    return np.where(np.isnan(params), 0.0, params)


def _in_order(names: list[str], given: pd.Series, what: str) -> pd.Series:
    """Return the coefficients in the order of the design, refusing names that are not its own."""
    labels = list(given.index)
    wrong = [f"without {name!r}" for name in names if name not in labels]
    wrong += [f"with {label!r}, which the model has not" for label in dict.fromkeys(labels) if label not in names]
    wrong += [f"with {label!r} more than once" for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if wrong:
        raise ValueError(
            f"{what} is a Series {', '.join(wrong[:5])}; give it the names of the coefficients, {names}, or pass "
            f"an array in their order, {what}.to_numpy()"
        )
    return given.loc[names]
