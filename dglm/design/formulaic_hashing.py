"""``hashed`` as formulaic means it, for partitions.

formulaic's own hashes a missing value like any other, ignores `hash_func`, fails on no rows, and hashes row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from formulaic import ModelSpec
from formulaic.materializers.types import FactorValues
from formulaic.transforms import encode_contrasts
from formulaic.transforms.hashed import md5_to_int


def hashed(
    data: Any,
    levels: int,
    contrasts: Any = None,
    *,
    hash_func: Callable[[str], int] = md5_to_int,
    spans_intercept: bool = False,
) -> FactorValues:
    """Return values as one of so many levels, by their hash.

    Parameters
    ----------
    data : Series or array
        Values of any type.
    levels : int
        How many levels.
    contrasts : object, optional
        As those of ``C``.
    hash_func : callable
        From string to integer.
    spans_intercept : bool
        Whether the levels add up to the intercept.

    Returns
    -------
    FactorValues
        Categorical, of the levels 0, 1, ...; missing where the data are.
    """

    def encoder(values: Any, reduced_rank: bool, drop_rows: Any, encoder_state: Any, model_spec: ModelSpec) -> Any:  # noqa: FBT001  formulaic calls it so
        del drop_rows, encoder_state
        plain = pd.Series(getattr(values, "__wrapped__", values))
        return encode_contrasts(plain, contrasts, levels=buckets, reduced_rank=reduced_rank, _spec=model_spec)

    buckets = pd.Index(range(levels))
    codes, distinct = pd.factorize(np.asarray(data))
    hashes = [hash_func(str(text)) % levels for text in np.asarray(distinct).astype(np.str_)]
    level_of = np.array([*hashes, -1], dtype=np.intp)[codes]
    values = pd.Series(pd.Categorical.from_codes(level_of, categories=buckets))
    return FactorValues(values, kind="categorical", spans_intercept=spans_intercept, encoder=encoder)
