"""Keys: groups matched by their values, within a partition and between partitions; no hash stands in for a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from dglm._typing import Codes

if TYPE_CHECKING:
    AnyIndex: TypeAlias = pd.Index[Any]
else:
    # which Python cannot subscript; annotations are evaluated where sums are read from files
    AnyIndex = pd.Index

#: Groups along one way or several: the value of each along every way, all of one length.
Keys: TypeAlias = tuple[AnyIndex, ...]

# Integers beyond this are rounded as floats.
EXACT_FLOATS = 2.0**53


def distinct(ways: Sequence[pd.Index[Any]]) -> tuple[Keys, Codes]:
    """Return the distinct groups, and which of them each element is.

    Parameters
    ----------
    ways : sequence of Index
        The group of each element along every way, all of one length, none missing.

    Returns
    -------
    tuple of tuple of Index and (n,) array of int
        Every group once, in order of appearance, and positions among them.
    """
    codes: Codes = np.zeros(len(ways[0]), dtype=np.intp)
    levels = []
    for way in ways:
        of_way, found = pd.factorize(way)
        # exact: 2^63 combinations of two ways' groups would need more groups than fit in memory
        codes = codes * len(found) + of_way
        levels.append(found)
    codes, combinations = pd.factorize(codes)
    keys = []
    for found in reversed(levels):
        keys.append(found[combinations % max(len(found), 1)])
        combinations = combinations // max(len(found), 1)
    return tuple(reversed(keys)), codes


def joined(a: Keys, b: Keys) -> Keys:
    """Return the groups of both, one after the other.

    Parameters
    ----------
    a, b : tuple of Index
        Along the same ways.

    Returns
    -------
    tuple of Index
        Not distinct; objects where the types differ, so that 1 and 1.0 are equal and no integer is rounded.
    """
    return tuple(_appended(left, right) for left, right in zip(a, b, strict=True))


def comparable(keys: Keys) -> Keys:
    """Return groups as values that compare between partitions, whatever their types there.

    Parameters
    ----------
    keys : tuple of Index
        As a partition has them: categories, arrow or nullable types, integers that became floats.

    Returns
    -------
    tuple of Index
        Of plain types.
    """
    return tuple(map(_plain, keys))


def _plain(found: pd.Index[Any]) -> pd.Index[Any]:
    values = np.asarray(found)
    kind = values.dtype.kind
    # identifiers become floats in a partition where some are missing
    whole = kind == "f" and bool(np.all((values == np.floor(values)) & (np.abs(values) <= EXACT_FLOATS)))
    small = kind in "iu" and values.max(initial=0) <= np.iinfo(np.int64).max
    plain: pd.Index[Any] = pd.Index(values.astype(np.int64) if whole or small else values)
    return plain


def _appended(a: pd.Index[Any], b: pd.Index[Any]) -> pd.Index[Any]:
    if len(a) == 0 or len(b) == 0:
        return b if len(a) == 0 else a
    if a.dtype == b.dtype:
        return a.append(b)
    # Index.append would look for a common type, floats for instance, where 2^60 and 2^60 + 1 are one
    both = np.concatenate([a.to_numpy(dtype=object), b.to_numpy(dtype=object)])
    together: pd.Index[Any] = pd.Index(both, dtype=object)
    return together
