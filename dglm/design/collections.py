"""Collections: from arrays or dataframes, taken as they are, to a table and a design."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from scipy import sparse

from dglm.data import ArrayTable, DaskArrayTable, Table
from dglm.design.arrays import ArrayDesign
from dglm.design.base import CONSTANT, ROLES, Extra, Missing
from dglm.design.frame import FrameDesign
from dglm.design.inputs import frame_columns, frame_table, is_frame
from dglm.design.joining import JOINED, PreparedModel, join_extras, refuse_double_weights
from dglm.design.levels import ColumnLevels, learn_levels, listed_levels
from dglm.design.response import Response, check_two_columns
from dglm.design.values import is_categorical, sparse_rows
from dglm.errors import DataError


def from_collections(
    endog: Any, exog: Any, *, extras: Mapping[str, Any], missing: Missing, constant: bool = False
) -> PreparedModel:
    """Make a design of arrays or dataframes as they are.

    Parameters
    ----------
    endog : array, Series or DataFrame
        The response; two columns are counts of successes and failures.
    exog : array or DataFrame
        The design matrix: of numpy, scipy.sparse, pandas, dask, or a dataframe of another library through narwhals.
    extras : mapping of str to collection
        Weights, offset and exposure, aligned with `exog`.
    missing : str
        ``"drop"`` or ``"raise"``.
    constant : bool
        Whether a column of ones comes before those of `exog`.

    Returns
    -------
    PreparedModel
        Nothing was computed, unless the levels of a categorical response had to be learned.

    Raises
    ------
    DataError
        If the collections do not match.
    """
    if isinstance(exog, (pd.Series, dd.Series)):
        exog = exog.to_frame()
    if is_frame(exog):
        return _from_frame(endog, exog, extras, missing, constant=constant)
    return _from_arrays(endog, exog, extras, missing, constant=constant)


def _from_frame(endog: Any, exog: Any, extras: Mapping[str, Any], missing: Missing, *, constant: bool) -> PreparedModel:
    table = frame_table(exog)
    labels = tuple(table.columns)
    if constant and CONSTANT in labels:
        raise DataError(f"exog has a column {CONSTANT!r} of its own; rename it, or add no constant")
    parts = frame_columns(endog) if is_frame(endog) else None
    if parts is None:
        name = getattr(endog, "name", None)
        array = endog if isinstance(endog, (pd.Series, dd.Series)) else np.asarray(endog)
        columns = array.T if array.ndim == 2 else [array]
        names = (
            [str(name) if name is not None else "y"]
            if len(columns) == 1
            else [f"y{j + 1}" for j in range(len(columns))]
        )
        parts = dict(zip(names, columns, strict=True))
    check_two_columns(len(parts))
    for i, (name, values) in enumerate(parts.items()):
        table = table.assign(f"{JOINED}endog_{i}", values, f"endog {name!r}")
    where = tuple(f"{JOINED}endog_{i}" for i in range(len(parts)))
    table, joined = join_extras(table, _never_names(extras))
    response = Response(tuple(parts))
    refuse_double_weights(response, joined)
    shown = table.sample(list(where))
    n_passes = 0
    if len(where) == 1 and is_categorical(shown[where[0]]):
        listed = listed_levels(shown[where[0]])
        n_passes = 0 if listed else 1
        response = response.with_levels(listed or _learn_levels(table, where[0], response.names[0]))
    return PreparedModel(
        table,
        FrameDesign(
            exog_names=(*_constant_name(constant=constant), *map(str, labels)),
            response=response,
            extras=joined,
            missing=missing,
            intercept=0 if constant else None,
            n_passes=n_passes,
            exog_labels=labels,
            endog_columns=where,
            constant=constant,
        ),
    )


def _learn_levels(table: Table, column: str, name: str) -> tuple[Hashable, ...]:
    """Return the levels of a categorical column, from one pass."""
    return learn_levels(table.partitions([column]), ColumnLevels(column, name))[name]


def _never_names(extras: Mapping[str, Any]) -> Mapping[str, Any]:
    for role, given in extras.items():
        if isinstance(given, str):
            raise DataError(
                f"{role}={given!r} names a column, which only GLM.from_formula can look up; pass the values"
            )
    return extras


def _constant_name(*, constant: bool) -> tuple[str, ...]:
    return (CONSTANT,) if constant else ()


def _from_arrays(
    endog: Any, exog: Any, extras: Mapping[str, Any], missing: Missing, *, constant: bool
) -> PreparedModel:
    given = {"exog": exog, "endog": endog, **{r: v for r, v in _never_names(extras).items() if v is not None}}
    arrays = {name: as_array(values, name) for name, values in given.items()}
    X, y = arrays["exog"], arrays["endog"]
    if X.ndim not in {1, 2}:
        raise DataError(f"exog must have one or two dimensions; its shape is {X.shape}")
    table: Table
    if any(isinstance(a, da.Array) for a in arrays.values()):
        if not isinstance(X, da.Array):
            raise DataError("endog or weights are dask collections but exog is in memory; compute() them first")
        table = DaskArrayTable.aligned(arrays)
    else:
        lengths = {name: a.shape[0] for name, a in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"the arrays differ in length: {lengths}")
        table = ArrayTable(arrays)
    n_columns = 1 if y.ndim == 1 else y.shape[1]
    check_two_columns(n_columns)
    # the name of a dask array is its key
    name = "y" if isinstance(endog, da.Array) else str(getattr(endog, "name", None) or "y")
    response = Response((name,) if n_columns == 1 else ("successes", "failures"))
    found = tuple(Extra(role, role, by_name=False) for role in ROLES if role in arrays)
    refuse_double_weights(response, found)
    p = 1 if X.ndim == 1 else X.shape[1]
    names = (*_constant_name(constant=constant), *(f"x{j + 1}" for j in range(p)))
    return PreparedModel(
        table,
        ArrayDesign(
            exog_names=names,
            response=response,
            extras=found,
            missing=missing,
            intercept=0 if constant else None,
            constant=constant,
        ),
    )


def is_lazy(values: Any) -> bool:
    """Return whether a collection is dask's, to be computed later.

    Parameters
    ----------
    values : collection
        As the user passed them.

    Returns
    -------
    bool
        False for whatever is in memory.
    """
    return dask.is_dask_collection(values)


def as_array(values: Any, name: str) -> Any:
    """Return a numpy, dask or sparse array.

    Parameters
    ----------
    values : array, Series, DataFrame or sequence
        As the user passed them.
    name : str
        What they are, for messages.

    Returns
    -------
    numpy.ndarray, dask.array.Array or scipy.sparse.csr_array
        A dask one for dask collections; computes nothing.

    Raises
    ------
    DataError
        If there is no dimension of rows, or something other than exog is sparse.
    """
    if isinstance(values, da.Array):
        return values
    if isinstance(values, (dd.Series, dd.DataFrame)):
        return values.to_dask_array()
    if sparse.issparse(values):
        if name != "exog":
            raise DataError(f"{name} is a scipy.sparse matrix, but only exog may be one; pass {name}.toarray()")
        return sparse_rows(values, name)
    array = np.asarray(values)
    if array.ndim == 0:
        raise DataError(f"{name} must have one value per row; got the single value {values!r}")
    return array
