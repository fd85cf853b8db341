"""Equal rows: which rows of a partition have the same values everywhere; no hash stands in for a value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Codes

# Combinations of values for each row, up to which they are counted in a table of all of them.
TABLE = 4
# Whole numbers so far apart are their own codes.
WHOLE = 2**20
# Beyond this, products of numbers of codes are numbered anew.
MAX_KEY = 2**62


def equal_rows(columns: Sequence[AnyArray]) -> tuple[Codes, Codes]:
    """Return which group of equal rows each row is in.

    Parameters
    ----------
    columns : sequence of (n,) array
        Numbers, none missing: rows are equal where all of them are.

    Returns
    -------
    tuple of (n,) array of int and (G,) array of int
        The group of each row, and the first row of each group. The order of the groups depends on the values and their
        order alone.

    Examples
    --------
    >>> import numpy as np
    >>> codes, first = equal_rows([np.array([1, 0, 1, 1]), np.array([0.5, 0.5, 0.5, 2.5])])
    >>> codes.tolist(), first.tolist()
    ([1, 0, 1, 2], [1, 0, 3])
    """
    n = len(columns[0])
    key, span = np.zeros(n, dtype=np.int64), 1
    for column in columns:
        codes, n_codes = _coded(column)
        if n_codes == 1:
            continue
        if span * n_codes > MAX_KEY:
            key, found = pd.factorize(key)
            span = len(found)
        key *= n_codes
        key += codes
        span *= n_codes
    if span <= TABLE * n:
        present = np.flatnonzero(np.bincount(key, minlength=span))
        places = np.zeros(span, dtype=np.intp)
        places[present] = np.arange(len(present))
        groups, n_groups = places[key], len(present)
    else:
        groups, found = pd.factorize(key)
        n_groups = len(found)
    first = np.empty(n_groups, dtype=np.intp)
    # of what is assigned to one place the last remains
    first[groups[::-1]] = np.arange(n - 1, -1, -1)
    return groups, first


def _coded(column: AnyArray) -> tuple[AnyArray, int]:
    """Return a code for each value, and how many codes there may be."""
    if len(column) == 0 or (column == column[0]).all():
        return np.zeros(len(column), dtype=np.int8), 1
    low, high = column.min(), column.max()
    far = float(high) - float(low)
    if far < WHOLE and column.dtype.kind in "iub":
        return column.astype(np.int64) - low.astype(np.int64), int(far) + 1
    if far < WHOLE and (np.rint(column) == column).all():
        return (column - low).astype(np.int64), int(far) + 1
    codes, found = pd.factorize(column)
    return codes, len(found)


def expected_groups(columns: Sequence[AnyArray], n_rows: int) -> float:
    """Return how many groups of equal rows are to be expected among many, from a sample of them.

    Source: Chao (1984), "Nonparametric estimation of the number of classes in a population", equation 4; but no more
    than if new groups kept turning up as often as in the sample (Good 1953, "The population frequencies of species and
    the estimation of population parameters", equation 9), which is also what is left where no group was met twice:
    Chao's bound from below then grows with the sample alone, and rows that are all distinct would soon outnumber it.

    Parameters
    ----------
    columns : sequence of (m,) array
        As for `equal_rows`, of rows drawn at random.
    n_rows : int
        How many rows there are in all.

    Returns
    -------
    float
        At least those of the sample; all rows where no two of the sample are equal.

    Examples
    --------
    >>> import numpy as np
    >>> expected_groups([np.arange(500) % 7], 10**6), expected_groups([np.arange(500) * 0.1], 10**6)
    (7.0, 1000000.0)
    """
    groups, first = equal_rows(columns)
    counts = np.bincount(np.bincount(groups, minlength=len(first)), minlength=3)
    once, twice = float(counts[1]), float(counts[2])
    unseen = once**2 / (2 * twice) if twice else np.inf
    return float(len(first) + min(unseen, (n_rows - len(groups)) * once / max(len(groups), 1)))
