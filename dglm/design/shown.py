"""A partition as its user would show it: one dataframe, without the names that joined collections have inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from dglm._typing import AnyArray
from dglm.design.base import Design
from dglm.design.frame import FrameDesign


def as_frame(design: Design, partition: Any) -> pd.DataFrame:
    """Return the rows of a partition as a dataframe.

    Parameters
    ----------
    design : Design
        That reads the partition.
    partition : frame, or arrays by name
        Rows.

    Returns
    -------
    DataFrame
        The user's columns; arrays under the names that the model gives them. A collection that came beside a dataframe
        has the name of the response, or of its role, and is left out where the dataframe has such a column itself.
        The columns of a sparse matrix are sparse.
    """
    if not isinstance(partition, pd.DataFrame):
        frame = pd.concat([_columns(partition["endog"], design.response.names), _exog(design, partition)], axis=1)
        return frame.assign(**{e.role: partition[e.column] for e in design.extras})
    joined = {e.column: e.role for e in design.extras if not e.by_name}
    if isinstance(design, FrameDesign):
        joined |= dict(zip(design.endog_columns, design.response.names, strict=True))
    own = [column for column in partition.columns if column not in joined]
    shown = {column: joined[column] for column in partition.columns if column in joined and joined[column] not in own}
    return partition[[*own, *shown]].rename(columns=shown)


def _exog(design: Design, partition: Any) -> pd.DataFrame:
    """Return the columns of the design matrix that were given, a constant that was added not among them."""
    exog = partition["exog"]
    width = exog.shape[1] if exog.ndim == 2 else 1
    given = design.exog_names[len(design.exog_names) - width :]
    if sparse.issparse(exog):
        # pandas-stubs do not know it
        accessor: Any = pd.DataFrame.sparse
        frame: pd.DataFrame = accessor.from_spmatrix(exog, columns=list(given))
        return frame
    return _columns(exog, given)


def _columns(values: AnyArray, names: Sequence[str]) -> pd.DataFrame:
    """Return an array of one or two dimensions as a frame."""
    return pd.DataFrame(values[:, np.newaxis] if values.ndim == 1 else values, columns=list(names))
