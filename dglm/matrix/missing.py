"""Which rows of numbers have a nan: a compiled loop tells whether any has, sums of rows which, without a copy."""

from __future__ import annotations

import numpy as np

from dglm._typing import AnyArray, Mask
from dglm.matrix.short_rows import complete


def missing_rows(values: AnyArray) -> Mask:
    """Return which rows have a nan.

    Parameters
    ----------
    values : (n,) or (n, p) array
        Numbers of any type.

    Returns
    -------
    (n,) array of bool
        True where something is missing.
    """
    values = np.asarray(values)
    if not np.issubdtype(values.dtype, np.floating):
        return np.zeros(len(values), dtype=bool)
    if values.ndim == 1:
        return np.isnan(values)
    if complete(values):
        return np.zeros(len(values), dtype=bool)
    # row sums tell nan (and inf less inf) from the rest without a copy of the matrix; few rows are looked at twice.
    # (a product with zeros will not do: BLAS may skip columns that are multiplied by zero)
    with np.errstate(invalid="ignore", over="ignore"):
        suspect: Mask = np.isnan(np.dot(values, np.ones(values.shape[1], dtype=values.dtype)))
    if suspect.any():
        suspect[suspect] = np.isnan(values[suspect]).any(axis=1)
    return suspect
