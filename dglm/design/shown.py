"""A partition as its user would show it: one dataframe, without the names that joined collections have inside."""

from __future__ import annotations

from typing import Any

import pandas as pd

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
    """
    if not isinstance(partition, pd.DataFrame):
        exog, endog = partition["exog"], partition["endog"]
        y = endog.reshape(len(endog), -1).T
        columns = dict(
            zip((*design.response.names, *design.exog_names), (*y, *exog.reshape(len(y.T), -1).T), strict=True)
        )
        return pd.DataFrame({**columns, **{e.role: partition[e.column] for e in design.extras}})
    joined = {e.column: e.role for e in design.extras if not e.by_name}
    if isinstance(design, FrameDesign):
        joined |= dict(zip(design.endog_columns, design.response.names, strict=True))
    own = [column for column in partition.columns if column not in joined]
    shown = {column: joined[column] for column in partition.columns if column in joined and joined[column] not in own}
    return partition[[*own, *shown]].rename(columns=shown)
