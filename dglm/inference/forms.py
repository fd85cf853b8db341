"""Quadratic forms of rows, x_i' C x_i: leverages from the inverse information, variances from a covariance.

Rows and matrices are in centred coordinates: in the columns' own, x'Cx is a small difference of large numbers wherever
a column's mean is large beside its spread.
"""

from __future__ import annotations

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix import Basis, DesignMatrix


def row_forms(X: DesignMatrix, basis: Basis, C: Matrix) -> Vector:
    """Return z_i' C z_i.

    Parameters
    ----------
    X : DesignMatrix, (n, p)
        Rows.
    basis : Basis
        Coordinates z_i that centre them.
    C : (p, p) array
        Positive semi-definite, in these coordinates; zero where aliased.

    Returns
    -------
    (n,) array
        Not negative.
    """
    parts = []
    for _, tile in X.tiles():
        Z = basis.rows(tile)
        parts.append(np.einsum("ij,ij->i", np.dot(Z, C), Z))
    # of a row near the null space of a singular covariance only rounding is left, of either sign
    forms: Vector = np.maximum(np.concatenate(parts), 0.0)
    return forms
