"""ArrayDesign: a design matrix that is given as an array, numpy, scipy.sparse or dask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from dglm._typing import AnyArray
from dglm.design.base import Design
from dglm.design.values import sparse_rows
from dglm.errors import DataError
from dglm.matrix import DenseMatrix, SparseMatrix, StoredMatrix, beside, is_sparse


@dataclass(frozen=True, kw_only=True)
class ArrayDesign(Design):
    """Columns as they are; a partition is a mapping with ``"exog"``, ``"endog"`` and the extras' arrays.

    Parameters
    ----------
    exog_names : tuple of str
        Names of the columns of the design matrix.
    response : Response
        How y is coded.
    extras : tuple of Extra
        Weights, offset and exposure.
    missing : str
        ``"drop"`` leaves rows with something missing out, ``"raise"`` refuses them.
    intercept : int or None
        Position of the intercept, where the recipe knows it.
    n_passes : int
        Passes over the data that the recipe was learned in.
    constant : bool
        Whether a column of ones, which the arrays lack, comes first.
    """

    constant: bool = False

    @property
    def columns(self) -> list[str]:
        """Names of the arrays that a fit reads."""
        return ["exog", "endog", *self.extras_columns]

    @property
    def exog_columns(self) -> list[str]:
        """Names of the arrays that a prediction reads."""
        return ["exog"]

    def exog(self, partition: Mapping[str, Any], number: int) -> StoredMatrix:
        X = partition["exog"]
        if X.ndim == 1:
            X = X[:, None]
        expected = len(self.exog_names) - self.constant
        if X.shape[1] != expected:
            raise DataError(f"exog has {X.shape[1]} columns in partition {number}; expected {expected}")
        if is_sparse(X):
            rows = sparse_rows(X, "exog", f" in partition {number}")
            return SparseMatrix.of(beside([sparse.csr_array(_ones(rows)), rows]) if self.constant else rows)
        values = X if _is_real(X) else _converted(X, "exog", number)
        return DenseMatrix(beside([_ones(values), values]) if self.constant else values)

    def endog(self, partition: Mapping[str, AnyArray], number: int) -> AnyArray:
        y = partition["endog"]
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        return _converted(y, "endog", number)


def _ones(X: Any) -> AnyArray:
    """Return a column for the rows of X, of a type that leaves that of X as it is."""
    return np.ones((X.shape[0], 1), dtype=X.dtype)


def _is_real(values: AnyArray) -> bool:
    """Return whether a kernel can read the values as they are."""
    return values.dtype.kind in "fiub"


def _converted(values: AnyArray, name: str, number: int) -> AnyArray:
    refusal = DataError(
        f"{name} has dtype {values.dtype} in partition {number}, not numbers; convert it, "
        f"or pass it as a dataframe column"
    )
    if values.dtype.kind in "cmM":  # which numpy would convert, to real parts and to numbers of some unit
        raise refusal
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise refusal from error
