"""Design: what every recipe has in common. It drops rows with something missing in one place, weights and all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Codes, Mask, Vector
from dglm.data import Block, Dropped
from dglm.design.response import Response
from dglm.design.values import as_floats
from dglm.errors import DataError
from dglm.matrix import StoredMatrix, missing_rows

Missing = Literal["drop", "raise"]
#: What the column of ones is called that `GLM(add_constant=True)` puts first, as statsmodels does.
CONSTANT = "const"
ROLES = ("freq_weights", "var_weights", "offset", "exposure")


@dataclass(frozen=True)
class Extra:
    """A column beside response and design: a weight, the offset or the exposure.

    Parameters
    ----------
    role : str
        One of ``"freq_weights"``, ``"var_weights"``, ``"offset"``, ``"exposure"``.
    column : str
        Where it is in a partition; an expression of columns, in formula designs.
    by_name : bool
        Whether the user gave it as a column of the data, which new data are then expected to have.
    """

    role: str
    column: str
    by_name: bool

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.role} ({self.column!r})" if self.by_name else self.role


@dataclass(frozen=True, kw_only=True)
class Design(ABC):
    """A frozen, picklable recipe: partition in, block out; the same for every partition and for new data.

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
    """

    exog_names: tuple[str, ...]
    response: Response
    extras: tuple[Extra, ...]
    missing: Missing
    intercept: int | None = None
    n_passes: int = 0

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """What a partition to fit must have."""

    @property
    @abstractmethod
    def exog_columns(self) -> list[str]:
        """What a partition to predict for must have."""

    @property
    def extras_columns(self) -> list[str]:
        """What weights, offset and exposure are read from."""
        return [e.column for e in self.extras]

    def values_of(self, partition: Any, extra: Extra, number: int) -> Vector:
        """Return a weight, the offset or the exposure of every row of a partition.

        Parameters
        ----------
        partition : frame, or arrays by name
            Rows.
        extra : Extra
            Which.
        number : int
            Which partition, for messages.

        Returns
        -------
        (n,) array
            nan where missing.
        """
        return as_floats(partition[extra.column], extra.label, number)

    @property
    def terms(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Each term with the positions of its columns; every column is one where there is no formula."""
        names = self.exog_names
        # (there may be a great many)
        return tuple(zip(names, zip(range(len(names)), strict=True), strict=True))

    @property
    def term_factors(self) -> dict[str, frozenset[str]]:
        """What each term is a product of: a term is marginal to one that has all of its factors and others."""
        return {name: frozenset([name]) for name, _ in self.terms}

    @property
    def advice(self) -> str:
        """What could be done about too many columns, as the end of a message; empty where nothing is known."""
        return ""

    @abstractmethod
    def exog(self, partition: Any, number: int) -> StoredMatrix:
        """Return the design matrix of every row of a partition.

        Parameters
        ----------
        partition : frame, or arrays by name
            Rows.
        number : int
            Which partition, for messages.

        Returns
        -------
        StoredMatrix, (n, p)
            Its rows where nothing is missing make a block.
        """

    def coded(self) -> Design:
        """Return the recipe that holds categories as codes, however few columns they make.

        Returns
        -------
        Design
            Of the same columns.
        """
        return self

    @abstractmethod
    def endog(self, partition: Any, number: int) -> AnyArray:
        """Return the response of every row of a partition.

        Parameters
        ----------
        partition : frame, or arrays by name
            Rows.
        number : int
            Which partition, for messages.

        Returns
        -------
        (n,) or (n, 2) array
            Floats, nan where missing.
        """

    def lacking(self, partition: Any, number: int) -> dict[str, Mask]:
        """Return in which rows each thing that a fit reads is missing.

        Parameters
        ----------
        partition : frame, or arrays by name
            Rows, some of which will be dropped.
        number : int
            Which partition, for messages.

        Returns
        -------
        dict of str to (n,) array of bool
            By what the user calls it: factors of a formula or columns, the response, weights and offset.
        """
        X, endog = self.exog(partition, number), self.endog(partition, number)
        found = {self.exog_names[j]: rows for j, rows in X.missing_columns().items()}
        responses = zip(self.response.names, endog.reshape(len(endog), -1).T, strict=True)
        found |= {name: missing_rows(column) for name, column in responses}
        return found | self._extras_lacking(partition, number)

    def _extras_lacking(self, partition: Any, number: int) -> dict[str, Mask]:
        return {e.label: missing_rows(self.values_of(partition, e, number)) for e in self.extras}

    def encode(self, partition: Any, number: int) -> Block:
        """Return the block of a partition, without the rows that have something missing.

        Parameters
        ----------
        partition : frame, or arrays by name
            Rows.
        number : int
            Which partition, for messages.

        Returns
        -------
        Block
            Ready to be summed over.

        Raises
        ------
        DataError
            If a weight is negative or infinite, or a row has something missing under ``missing="raise"``.
        """
        return self.encode_and_kept(partition, number)[0]

    def encode_and_kept(self, partition: Any, number: int) -> tuple[Block, Mask]:
        """Return the block of a partition, and which of the partition's rows are in it.

        Parameters
        ----------
        partition : frame, or arrays by name
            Rows.
        number : int
            Which partition, for messages.

        Returns
        -------
        tuple of Block and (n,) array of bool
            As `encode`, and True where nothing is missing.
        """
        X, endog, extras, keep = self._rows(partition, number)
        dropped = Dropped()
        if not keep.all():
            lacking = self.lacking(rows_of(partition, ~keep), number)
            dropped = Dropped(int(np.count_nonzero(~keep)), {name: int(rows.sum()) for name, rows in lacking.items()})
            X, endog = X.where(keep), endog[keep]
            extras = {role: values[keep] for role, values in extras.items()}
        for extra in self.extras:
            _check_extra(extra, extras[extra.role], number)
        y, trials = self.response.proportions(endog, number)
        block = Block(
            X=X,
            y=y,
            freq_weights=extras.get("freq_weights"),
            var_weights=extras.get("var_weights") if trials is None else trials,
            offset=_offset(extras),
            number=number,
            dropped=dropped,
        )
        return block, keep

    def encode_new(self, partition: Any, number: int) -> tuple[Block, Mask]:
        """Return a block of new rows, which need no response, and which of the partition's rows are in it.

        Parameters
        ----------
        partition : frame, or arrays by name
            With `exog_columns`, and the columns of the extras.
        number : int
            Which partition, for messages.

        Returns
        -------
        tuple of Block and (n,) array of bool
            A block whose response is nan; True where no value is missing or infinite.

        Raises
        ------
        DataError
            If an offset is infinite, an exposure is not above 0, or a weight is negative or infinite.
        """
        X = self.exog(partition, number)
        extras = {e.role: self.values_of(partition, e, number) for e in self.extras}
        keep = X.finite()
        for values in extras.values():
            keep &= ~missing_rows(values)
        if not keep.all():
            X, extras = X.where(keep), {role: values[keep] for role, values in extras.items()}
        for extra in self.extras:
            _check_extra(extra, extras[extra.role], number)
        block = Block(
            X=X,
            y=np.full(X.shape[0], np.nan),
            var_weights=extras.get("var_weights"),
            offset=_offset(extras),
            number=number,
        )
        return block, keep

    def _rows(self, partition: Any, number: int) -> tuple[StoredMatrix, AnyArray, dict[str, Vector], Mask]:
        """Return X, y, extras and which rows have nothing missing."""
        X, endog = self.exog(partition, number), self.endog(partition, number)
        extras = {e.role: self.values_of(partition, e, number) for e in self.extras}
        dropped = X.missing() | missing_rows(endog)
        for values in extras.values():
            dropped |= missing_rows(values)
        if self.missing == "raise" and dropped.any():
            raise self._missing_value(partition, int(np.argmax(dropped)), number)
        return X, endog, extras, ~dropped

    def _missing_value(self, partition: Any, row: int, number: int) -> DataError:
        """Return an error that names what is missing in a row."""
        lacking = self.lacking(rows_of(partition, slice(row, row + 1)), number)
        missing = [name for name, rows in lacking.items() if rows[0]] or ["a product of columns"]
        return DataError(
            f"{', '.join(missing)} missing (nan) in row {row} of partition {number}; "
            f'drop such rows, or fit with missing="drop"'
        )


def rows_of(partition: Any, rows: Mask | Codes | slice) -> Any:
    """Return some rows of a partition.

    Parameters
    ----------
    partition : frame, or arrays by name
        Rows.
    rows : (n,) array of bool, (m,) array of int, or slice
        Which.

    Returns
    -------
    frame, or arrays by name
        As the partition.
    """
    if isinstance(partition, pd.DataFrame):
        return partition.iloc[rows]
    return {name: array[rows] for name, array in partition.items()}


def length_of(partition: Any) -> int:
    """Return the number of rows of a partition.

    Parameters
    ----------
    partition : frame, or arrays by name
        Rows.

    Returns
    -------
    int
        How many.
    """
    if isinstance(partition, pd.DataFrame):
        return len(partition)
    n: int = next(iter(partition.values())).shape[0]
    return n


def row_index(partition: Any) -> pd.Index[Any] | None:
    """Return the labels of the rows of a partition.

    Parameters
    ----------
    partition : frame, or arrays by name
        Rows.

    Returns
    -------
    Index or None
        None for arrays.
    """
    return partition.index if isinstance(partition, pd.DataFrame) else None


def _offset(extras: dict[str, Vector]) -> Vector | None:
    """Return offset + log(exposure), None when there is neither."""
    parts = [extras["offset"]] if "offset" in extras else []
    if "exposure" in extras:
        with np.errstate(all="ignore"):
            parts.append(np.log(extras["exposure"]))
    return sum(parts[1:], parts[0]) if parts else None


def _check_extra(extra: Extra, values: Vector, number: int) -> None:
    """Refuse weights that are negative or infinite, exposures that are not positive, infinite offsets."""
    allowed, words = {
        "offset": (np.isfinite(values), "finite"),
        "exposure": (np.isfinite(values) & (values > 0), "finite and above 0"),
    }.get(extra.role, (np.isfinite(values) & (values >= 0), "finite and at least 0"))
    if not allowed.all():
        i = int(np.argmin(allowed))
        raise DataError(f"{extra.label} must be {words}; found {values[i]} in row {i} of partition {number}")
