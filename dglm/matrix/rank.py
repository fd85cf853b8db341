"""Which columns are combinations of the ones before them, decided on a root of their products.

A column is one where a change of its entries and of the others' in their last digits could have made it one.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from dglm._typing import Mask, Matrix, Vector

# Of combinations of columns, weighted, in up to 1e6 rows and 16 partitions, up to 6 eps of the sizes of their terms
# remain. Of a remainder below this not three digits are known, and its coefficient would be rounding blown up.
ROUNDING = 1e3 * float(np.finfo(np.float64).eps)


def independent_columns(A: Matrix, entries: Vector) -> Mask:
    """Return which columns are independent of the ones before them, the earlier of two equal ones being kept.

    Householder's triangularisation, column by column, leaving those out whose remainder is rounding: for
    x_j = sum_k b_k x_k + remainder, where it is below ROUNDING (|x_j| + sum_k |b_k| |x_k|), sizes being of the entries.
    Source: Golub & Van Loan (2013), section 5.2.2; the tolerance is a normwise backward error, Higham (2002), section
    20.7.

    Parameters
    ----------
    A : (m, p) array
        Columns of unit length, or of zeros; as many rows as columns, or more.
    entries : (p,) array
        Size of what each column was computed from, such as its length before it was centred; at least 0.

    Returns
    -------
    (p,) array of bool
        True for the columns to keep.
    """
    R = A.copy()
    p = R.shape[1]
    kept = np.zeros(p, dtype=bool)
    for j in range(p):
        r = int(kept.sum())
        remainder = R[r:, j].copy()
        length = float(np.linalg.norm(remainder))
        b = linalg.solve_triangular(R[:r, kept], R[:r, j]) if r else np.zeros(0)
        if not length > ROUNDING * (entries[j] + np.abs(b) @ entries[kept]):
            continue
        # the reflection that takes the remainder to its first coordinate
        remainder[0] += np.copysign(length, remainder[0])
        remainder /= np.linalg.norm(remainder)
        R[r:, j:] -= 2 * np.outer(remainder, remainder @ R[r:, j:])
        kept[j] = True
    return kept
