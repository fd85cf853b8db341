"""Randomised quantile residuals: exactly standard normal under the model, whatever the family.

Source: Dunn & Smyth (1996), "Randomized quantile residuals", section 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special

from dglm._typing import AnyArray, Vector
from dglm.families import Family

Keys = NDArray[np.uint64]

# Of SplitMix64: the odd number nearest to 2^64 over the golden ratio, and the multipliers of its mixing function.
GOLDEN, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
# A count over its weight, times the weight, is a whole number up to this relative rounding.
WHOLE = 1e-9


def quantile_residuals(family: Family, y: Vector, mu: Vector, var_weights: Vector, scale: float, u: Vector) -> Vector:
    """Return Phi^-1(F(y-) + u (F(y) - F(y-))), F the distribution of a row.

    Parameters
    ----------
    family : Family
        With a distribution.
    y : (n,) array
        Responses.
    mu : (n,) array
        Means.
    var_weights : (n,) array
        Variance weights; the residual of a row without weight is zero.
    scale : float
        Dispersion.
    u : (n,) array
        Uniform between 0 and 1: where in the jump of the distribution at y the residual is.

    Returns
    -------
    (n,) array
        Infinite where a tail probability underflows, beyond 37 standard deviations.
    """
    weighted = var_weights > 0
    v = np.where(weighted, var_weights, 1.0)
    F = family.distribution(mu, v, scale)
    at = _whole(v * y) if family.counts else y
    before = at - 1 if family.counts else np.nextafter(at, -np.inf)
    # both tails for themselves: 1 - F loses everything beyond 8 standard deviations
    lower = (1 - u) * F.cdf(before) + u * F.cdf(at)
    upper = (1 - u) * F.sf(before) + u * F.sf(at)
    residuals = np.where(lower <= upper, special.ndtri(lower), -special.ndtri(upper))
    return np.where(weighted, residuals, 0.0)


def _whole(counts: Vector) -> Vector:
    """Return the counts, those that are whole up to rounding as whole numbers."""
    rounded = np.rint(counts)
    return np.where(np.abs(counts - rounded) <= WHOLE * np.maximum(rounded, 1.0), rounded, counts)


def label_keys(rows: pd.DataFrame) -> Keys:
    """Return a number for each row that depends on its label and its values, not on the rows around it.

    Parameters
    ----------
    rows : DataFrame
        With an index that tells rows apart; rows that are equal, label and all, are told apart by their order.

    Returns
    -------
    (n,) array of uint64
        The same wherever the row is computed.
    """
    return _told_apart(np.asarray(pd.util.hash_pandas_object(rows, index=True), dtype=np.uint64))


def content_keys(columns: Iterable[AnyArray | sparse.spmatrix | sparse.sparray], first: int | None) -> Keys:
    """Return a number for each row of arrays that depends on its values and its place among all rows.

    Parameters
    ----------
    columns : iterable of (n,) or (n, k) array
        Numbers or objects; sparse ones, too.
    first : int or None
        Place of the first of these rows; where it is not known, rows that are equal are told apart by their order.

    Returns
    -------
    (n,) array of uint64
        The same however the rows are cut into partitions.
    """
    found: Keys | None = None
    for k, values in enumerate(columns):
        keys = _of_sparse(values) if sparse.issparse(values) else _of_dense(np.asarray(values))
        keys = _mixed(keys + GOLDEN * np.array([k + 1], dtype=np.uint64))
        found = keys if found is None else _mixed(found + keys)
    keys = np.zeros(0, dtype=np.uint64) if found is None else found
    if first is None:
        return _told_apart(keys)
    return keys + GOLDEN * (np.arange(len(keys), dtype=np.uint64) + np.array([first], dtype=np.uint64))


def position_keys(n: int, number: int) -> Keys:
    """Return a number for each row that depends on its place.

    Parameters
    ----------
    n : int
        Number of rows.
    number : int
        Of their partition.

    Returns
    -------
    (n,) array of uint64
        Different for all rows of all partitions.
    """
    return np.arange(n, dtype=np.uint64) + (np.uint64(number) << np.uint64(40))


def uniforms(keys: Keys, seed: int) -> Vector:
    """Return a number between 0 and 1 for each key.

    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators", figure 15.

    Parameters
    ----------
    keys : (n,) array of uint64
        Different for rows that are to be independent.
    seed : int
        Not negative.

    Returns
    -------
    (n,) array
        As if drawn at random, never 0 or 1.
    """
    start = _mixed(np.array([seed], dtype=np.uint64) * GOLDEN)
    bits = _mixed(_mixed(keys * GOLDEN) + start) >> np.uint64(11)
    return (bits.astype(np.float64) + 0.5) * 2.0**-53


def _of_dense(values: AnyArray) -> Keys:
    """Return a number for each row of an array."""
    keys = np.zeros(len(values), dtype=np.uint64)
    for j, column in enumerate(values.reshape(len(values), -1).T):
        hashed = pd.util.hash_array(np.ascontiguousarray(column)).astype(np.uint64)
        keys += _mixed(hashed + GOLDEN * np.array([j], dtype=np.uint64))
    return keys


def _of_sparse(values: Any) -> Keys:
    """Return a number for each row of a sparse matrix: what is stored, zeros left out, with its column."""
    rows = sparse.coo_array(values)
    stored = rows.data != 0
    hashed = pd.util.hash_array(np.ascontiguousarray(rows.data[stored])).astype(np.uint64)
    keys = np.zeros(rows.shape[0], dtype=np.uint64)
    np.add.at(keys, rows.row[stored], _mixed(hashed + GOLDEN * rows.col[stored].astype(np.uint64)))
    return keys


def _told_apart(keys: Keys) -> Keys:
    """Return the keys with those that occur again changed, by how often they occurred before."""
    repeated = pd.Series(keys).groupby(keys, sort=False).cumcount().to_numpy(dtype=np.uint64)
    return keys + GOLDEN * repeated


def _mixed(state: Keys) -> Keys:
    """Return the states with every bit of each depending on all of its bits."""
    state = (state ^ (state >> np.uint64(30))) * FIRST
    state = (state ^ (state >> np.uint64(27))) * SECOND
    return state ^ (state >> np.uint64(31))
