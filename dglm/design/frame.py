"""FrameDesign: a design matrix that is the columns of a dataframe, pandas or dask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dglm._typing import AnyArray
from dglm.design.base import Design
from dglm.design.values import as_floats
from dglm.matrix import DenseMatrix


@dataclass(frozen=True, kw_only=True)
class FrameDesign(Design):
    """Columns as they are.

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
    exog_labels : tuple
        The columns of the frame, in order; their names as strings are `exog_names`.
    endog_columns : tuple of str
        Where the response is in a partition.
    constant : bool
        Whether a column of ones, which the frame lacks, comes first.
    """

    exog_labels: tuple[str, ...]
    endog_columns: tuple[str, ...]
    constant: bool = False

    @property
    def columns(self) -> list[str]:
        """Columns that a fit reads."""
        return [*self.exog_labels, *self.endog_columns, *self.extras_columns]

    @property
    def exog_columns(self) -> list[str]:
        """Columns that a prediction reads."""
        return list(self.exog_labels)

    def exog(self, partition: pd.DataFrame, number: int) -> DenseMatrix:
        X = np.empty((len(partition), len(self.exog_names)), order="F")
        X[:, : self.constant] = 1.0
        for j, label in enumerate(self.exog_labels, start=int(self.constant)):
            X[:, j] = as_floats(partition[label], str(label), number)
        return DenseMatrix(X)

    def endog(self, partition: pd.DataFrame, number: int) -> AnyArray:
        if self.response.levels is not None:
            return self.response.coded(partition[self.endog_columns[0]], number)
        named = zip(self.endog_columns, self.response.names, strict=True)
        parts = [as_floats(partition[column], name, number) for column, name in named]
        return parts[0] if len(parts) == 1 else np.column_stack(parts)
