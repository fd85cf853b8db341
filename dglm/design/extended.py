"""ExtendedDesign: the columns of a model and some more beside them, for tests of what the model leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Mask, Matrix, Vector
from dglm.data import ArrayTable, DaskArrayTable, FrameTable, Table
from dglm.design.arrays import ArrayDesign
from dglm.design.base import Design, Extra
from dglm.design.formula import FormulaDesign
from dglm.design.frame import FrameDesign
from dglm.design.joining import JOINED, PreparedModel
from dglm.design.learning import from_formula, scope_beside
from dglm.errors import DataError
from dglm.matrix import StoredMatrix, beside, missing_rows, rows_among


@dataclass(frozen=True, kw_only=True)
class ExtendedDesign(Design):
    """The columns of one design, then some of another's; response and extras are the first's.

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
    inner : Design
        Of the model.
    extra : Design
        Of the columns beside it.
    taken : tuple of int
        Which columns of `extra`.
    """

    inner: Design
    extra: Design
    taken: tuple[int, ...]

    @property
    def columns(self) -> list[str]:
        """Columns that a pass reads."""
        return list(dict.fromkeys([*self.inner.columns, *self.extra.exog_columns]))

    @property
    def exog_columns(self) -> list[str]:
        """Columns that the design matrix is made of."""
        return list(dict.fromkeys([*self.inner.exog_columns, *self.extra.exog_columns]))

    @property
    def extras_columns(self) -> list[str]:
        """Columns that weights, offset and exposure are read from."""
        return self.inner.extras_columns

    def values_of(self, partition: Any, extra: Extra, number: int) -> Vector:
        return self.inner.values_of(partition, extra, number)

    def exog(self, partition: Any, number: int) -> StoredMatrix:
        return self.inner.exog(partition, number).beside(self._more(partition, number))

    def endog(self, partition: Any, number: int) -> AnyArray:
        return self.inner.endog(partition, number)

    def lacking(self, partition: Any, number: int) -> dict[str, Mask]:
        found = self.inner.lacking(partition, number)
        if any(rows.any() for rows in found.values()):
            return found
        # in rows that the model drops may be levels that the columns beside it do not know
        more = self._more(partition, number)
        return found | dict(zip(self.exog_names[-len(self.taken) :], map(missing_rows, more.T), strict=True))

    def _rows(self, partition: Any, number: int) -> tuple[StoredMatrix, AnyArray, dict[str, Vector], Mask]:
        X, endog, extras, keep = self.inner._rows(partition, number)
        # of the rows that the model keeps: in the others may be levels that nothing was learned of
        more = rows_among(self._more(partition[keep], number), keep)
        X, dropped = X.beside(more), keep & missing_rows(more)
        if self.missing == "raise" and dropped.any():
            raise self._missing_value(partition, int(np.argmax(dropped)), number)
        return X, endog, extras, keep & ~dropped

    def _more(self, partition: Any, number: int) -> Matrix:
        """Return the columns beside the model's, written out."""
        return self.extra.exog(partition, number).toarray()[:, list(self.taken)]


def extended(
    design: Design, table: Table, exog_extra: Any, *, has_intercept: bool, context: Mapping[str, Any]
) -> PreparedModel:
    """Return the model's design with more columns after its own, and the table that has them.

    Parameters
    ----------
    design : Design
        Of the model.
    table : Table
        Of the model's rows.
    exog_extra : str, Series, DataFrame or array
        The right-hand side of a formula, for models of one, such as a column's name; or values aligned with the rows
        that the model was built from.
    has_intercept : bool
        Whether the model has one, beside which categories need a column less.
    context : mapping of str to object
        Where names that are no columns are looked up.

    Returns
    -------
    PreparedModel
        Nothing was computed, unless something had to be learned.

    Raises
    ------
    FormulaError
        If a formula is wrong.
    DataError
        If values cannot be aligned with the rows.
    """
    if isinstance(exog_extra, str):
        return _with_terms(design, table, exog_extra, has_intercept=has_intercept, context=context)
    if isinstance(table, FrameTable):
        return _with_columns(design, table, exog_extra)
    if isinstance(table, (ArrayTable, DaskArrayTable)) and isinstance(design, ArrayDesign):
        return _with_arrays(design, table, exog_extra)
    raise TypeError(f"cannot extend a {type(table).__name__}")


def _beside(inner: Design, extra: Design, taken: tuple[int, ...]) -> ExtendedDesign:
    return ExtendedDesign(
        exog_names=(*inner.exog_names, *(extra.exog_names[j] for j in taken)),
        response=inner.response,
        extras=inner.extras,
        missing=inner.missing,
        intercept=inner.intercept,
        n_passes=inner.n_passes + extra.n_passes,
        inner=inner,
        extra=extra,
        taken=taken,
    )


def _with_terms(
    design: Design, table: Table, terms: str, *, has_intercept: bool, context: Mapping[str, Any]
) -> PreparedModel:
    """Learn the design of more terms; its own intercept only decides how categories are coded."""
    if not (isinstance(design, FormulaDesign) and isinstance(table, FrameTable)):
        raise DataError(
            f"exog_extra={terms!r} is a formula, which needs a model made by GLM.from_formula; pass the values"
        )
    # no response is needed to learn what the columns are
    formula = f"1 ~ {int(has_intercept)} + {terms.strip(' ~')}"
    context, restricted = scope_beside(design.engine, context)
    learned = from_formula(
        formula,
        table,
        engine=type(design.engine),
        extras={},
        missing=design.missing,
        context=context,
        check_row_local=True,
        exact_knots=False,
        restricted=restricted,
    )
    taken = tuple(j for j in range(len(learned.design.exog_names)) if j != learned.design.intercept)
    return PreparedModel(table, _beside(design, learned.design, taken))


def _with_columns(design: Design, table: FrameTable, exog_extra: Any) -> PreparedModel:
    """Join values to the rows of a dataframe."""
    if isinstance(exog_extra, (pd.DataFrame, dd.DataFrame)):
        parts = {str(name): exog_extra[name] for name in exog_extra.columns}
    elif isinstance(exog_extra, (pd.Series, dd.Series)):
        parts = {str(exog_extra.name or "exog_extra"): exog_extra}
    else:
        array = np.asarray(exog_extra)
        columns = array.T if array.ndim == 2 else [array]
        parts = {f"exog_extra{j + 1}" if len(columns) > 1 else "exog_extra": c for j, c in enumerate(columns)}
    joined = tuple(f"{JOINED}exog_extra_{j}" for j in range(len(parts)))
    for column, (name, values) in zip(joined, parts.items(), strict=True):
        table = table.assign(column, values, f"exog_extra {name!r}")
    extra = FrameDesign(
        exog_names=tuple(parts),
        response=design.response,
        extras=(),
        missing=design.missing,
        exog_labels=joined,
        endog_columns=(),
    )
    return PreparedModel(table, _beside(design, extra, tuple(range(len(parts)))))


def _with_arrays(design: ArrayDesign, table: ArrayTable | DaskArrayTable, exog_extra: Any) -> PreparedModel:
    """Put columns after those of an array."""
    X = table.arrays["exog"]
    if isinstance(table, ArrayTable):
        more = np.asarray(exog_extra)
        if more.ndim not in {1, 2} or len(more) != X.shape[0]:
            raise DataError(f"exog_extra has shape {more.shape}, but exog has {X.shape[0]} rows")
        both: Table = ArrayTable(
            {**table.arrays, "exog": beside([part[:, None] if part.ndim == 1 else part for part in (X, more)])}
        )
    else:
        if isinstance(exog_extra, (dd.Series, dd.DataFrame)):
            exog_extra = exog_extra.to_dask_array()
        # cut as exog is, so that the two can be put side by side
        arrays = DaskArrayTable.aligned({**table.arrays, "exog_extra": exog_extra}).arrays
        more = arrays["exog_extra"]
        wide = [a[:, None] if a.ndim == 1 else a for a in (X, more)]
        both = DaskArrayTable({**table.arrays, "exog": da.concatenate(wide, axis=1, allow_unknown_chunksizes=True)})
    names = tuple(f"exog_extra{j + 1}" for j in range(1 if more.ndim == 1 else more.shape[1]))
    return PreparedModel(both, replace(design, exog_names=(*design.exog_names, *names)))
