"""Columns: groups of columns of a design, and how a partition's are encoded: categorical ones as codes, no dummies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import mul

import numpy as np

from dglm._typing import AnyArray, Matrix, Vector
from dglm.design.engine import Categorical, Numeric
from dglm.errors import DataError
from dglm.matrix import CodedColumns, DenseMatrix, SideBySide, StoredMatrix

# A few dense columns cost a pass less than codes do: up to so many of categories in all, or of one factor beside others
# that are coded (2 cores, x86-64; docs/performance.rst has what a row costs).
DENSE_IN_ALL = 16
DENSE_OF_ONE = 3


@dataclass(frozen=True)
class Columns:
    """A group of columns of the design: products of numbers and coded levels.

    Parameters
    ----------
    factors : tuple of (str, array or None)
        Each factor with its coding: which column is 1 at each level, -1 for none, or a row for each level; for numbers,
        a matrix that picks some of their columns, None for all of them.
    scale : float
        What every column is multiplied by.
    names : tuple of str
        Of the columns.
    term : str
        The term of the formula that they belong to, with other groups where its coding takes several.
    """

    factors: tuple[tuple[str, AnyArray | None], ...]
    scale: float
    names: tuple[str, ...]
    term: str


def as_coding(matrix: AnyArray) -> AnyArray:
    """Return how levels become columns, in as little room as it takes.

    Parameters
    ----------
    matrix : (levels, k) array, or (levels,) array of int
        A row for each level, or which column is 1 at each level.

    Returns
    -------
    (levels,) array of int, or (levels, k) array
        The first where every column is 1 at one level and 0 at the others.
    """
    if matrix.ndim == 1:
        return matrix
    ones = matrix == 1
    alone = np.all(ones.sum(axis=0) == 1) and np.all(ones.sum(axis=1) <= 1)
    if matrix.shape[1] == 0 or not alone or np.count_nonzero(matrix) > np.count_nonzero(ones):
        return matrix
    return np.where(ones.any(axis=1), ones.argmax(axis=1), -1)


def group_names(parts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the names of the columns of a product, in the order that they are filled.

    Parameters
    ----------
    parts : sequence of sequence of str
        Names of each factor's columns; none for the intercept.

    Returns
    -------
    tuple of str
        Joined by colons.
    """
    if not parts:
        return ("Intercept",)
    return tuple(":".join(reversed(names)) for names in product(*reversed(parts)))


def coded_groups(groups: Sequence[Columns], categorical: Collection[str], *, all_coded: bool = False) -> list[bool]:
    """Return which groups are held as codes; the others are dense.

    Parameters
    ----------
    groups : sequence of Columns
        Of the design.
    categorical : collection of str
        The factors that are levels.
    all_coded : bool
        Whether to hold all that can be.

    Returns
    -------
    list of bool
        One for each group.
    """
    sizes = [
        reduce(mul, (_width(coding) for name, coding in group.factors if coding is not None and name in categorical), 1)
        if any(name in categorical for name, _ in group.factors)
        else 0
        for group in groups
    ]
    if all_coded:
        return [size > 0 for size in sizes]
    if sum(len(group.names) for group, size in zip(groups, sizes, strict=True) if size) <= DENSE_IN_ALL:
        return [False] * len(groups)
    return [size > DENSE_OF_ONE for size in sizes]


def encoded(
    groups: Sequence[Columns],
    evaluated: Mapping[str, Numeric | Categorical],
    codes: Mapping[str, AnyArray],
    n_levels: Mapping[str, int],
    n: int,
    *,
    all_coded: bool = False,
) -> StoredMatrix:
    """Return the design matrix of the rows of a partition.

    Parameters
    ----------
    groups : sequence of Columns
        Of the design, in order.
    evaluated : mapping of str to Numeric or Categorical
        Factors.
    codes : mapping of str to array
        Levels of categorical ones as positions, -1 where missing.
    n_levels : mapping of str to int
        How many levels those have.
    n : int
        Number of rows.
    all_coded : bool
        Whether categories are held as codes, however few columns they make.

    Returns
    -------
    StoredMatrix, (n, p)
        Dense where there are few columns of categories, or none.
    """
    coded = coded_groups(groups, n_levels, all_coded=all_coded)
    edges = np.cumsum([0, *(len(group.names) for group in groups)])
    positions = np.flatnonzero(~np.repeat(coded, np.diff(edges)))
    # beside codes row by row, as products of the two read it
    dense = np.empty((n, len(positions)), order="C" if any(coded) else "F")
    parts = _Coded(evaluated, codes, n_levels)
    start = 0
    for group, first, is_coded in zip(groups, edges, coded, strict=False):
        if is_coded:
            parts.add(group, int(first))
        else:
            stop = start + len(group.names)
            _fill(dense[:, start:stop], group, evaluated, codes)
            start = stop
    if not any(coded):
        return DenseMatrix(dense)
    return SideBySide(dense, positions, tuple(parts.codes), tuple(parts.numbers), tuple(parts.columns))


class _Coded:
    """The coded columns of a partition, as they are collected; what several groups share is held once."""

    def __init__(
        self,
        evaluated: Mapping[str, Numeric | Categorical],
        codes: Mapping[str, AnyArray],
        n_levels: Mapping[str, int],
    ) -> None:
        self._evaluated, self._known, self._n_levels = evaluated, codes, n_levels
        self._factor_of: dict[tuple[str, ...], int] = {}
        self._number_of: dict[tuple[tuple[str, int], ...], int] = {}
        self.codes: list[AnyArray] = []
        self.numbers: list[Vector] = []
        self.columns: list[CodedColumns] = []

    def add(self, group: Columns, first: int) -> None:
        """Add the columns of a group, one part for each product of numbers."""
        names: list[str] = []
        numeric: list[list[tuple[str, int, int]]] = []
        coding: AnyArray = np.zeros(1, dtype=np.intp)
        offsets, stride = np.zeros(1, dtype=np.intp), 1
        for name, own in group.factors:
            if name in self._known and own is not None:
                coding, width = _fused(coding, own), _width(own)
                offsets = (offsets + stride * np.arange(width)[:, None]).ravel()
                names.append(name)
            else:
                width = len(_numbers(name, own, self._evaluated))
                numeric.append([(name, j, stride * j) for j in range(width)])
            stride *= width
        if group.scale != 1:
            coding = group.scale * _as_matrix(coding)
        factor = self._factor(tuple(names))
        for chosen in product(*numeric):
            base = first + sum(offset for _, _, offset in chosen)
            by = self._number(tuple((name, j) for name, j, _ in chosen), group) if chosen else None
            self.columns.append(CodedColumns(factor, coding, base + offsets, by))

    def _factor(self, names: tuple[str, ...]) -> int:
        """Return the position of the codes of a product of factors; the first varies fastest."""
        if names not in self._factor_of:
            self._factor_of[names] = len(self.codes)
            self.codes.append(self._fused_codes(names))
        return self._factor_of[names]

    def _fused_codes(self, names: tuple[str, ...]) -> AnyArray:
        if len(names) == 1:
            return self._known[names[0]]
        total = reduce(mul, (self._n_levels[name] for name in names))
        fused = np.zeros(len(self._known[names[0]]), dtype=np.min_scalar_type(-total - 1))
        missing = np.zeros(len(fused), dtype=bool)
        for name in reversed(names):
            codes = self._known[name]
            fused *= fused.dtype.type(self._n_levels[name])
            np.add(fused, codes, out=fused, casting="unsafe")
            missing |= codes < 0
        fused[missing] = -1
        return fused

    def _number(self, key: tuple[tuple[str, int], ...], group: Columns) -> int:
        """Return the position of a product of numbers."""
        if key not in self._number_of:
            self._number_of[key] = len(self.numbers)
            selections = dict(group.factors)
            columns = [_numbers(name, selections[name], self._evaluated)[j] for name, j in key]
            self.numbers.append(reduce(mul, [np.asarray(column, dtype=np.float64) for column in columns]))
        return self._number_of[key]


def _width(coding: AnyArray) -> int:
    """Return the number of columns of a coding."""
    return int(coding.max(initial=-1)) + 1 if coding.ndim == 1 else coding.shape[1]


def _as_matrix(coding: AnyArray) -> Matrix:
    """Return a row for each level."""
    if coding.ndim == 2:
        return coding
    return np.asarray(coding[:, None] == np.arange(_width(coding)), dtype=np.float64)


def _fused(first: AnyArray, second: AnyArray) -> AnyArray:
    """Return the coding of the product of two factors; levels and columns of the first vary fastest."""
    if first.ndim == second.ndim == 1:
        column = first + _width(first) * second[:, None]
        return np.where((first >= 0) & (second[:, None] >= 0), column, -1).ravel()
    return np.kron(_as_matrix(second), _as_matrix(first))


def _fill(
    out: Matrix, group: Columns, evaluated: Mapping[str, Numeric | Categorical], codes: Mapping[str, AnyArray]
) -> None:
    """Write a group's columns; the last factor's columns vary slowest, as in R, patsy and formulaic."""
    if not group.factors:
        out[:] = group.scale
        return
    parts = [list(_factor_columns(name, coding, evaluated, codes)) for name, coding in group.factors]
    for j, reversed_columns in enumerate(product(*reversed(parts))):
        first, *others = reversed(reversed_columns)
        # (numbers of any type become float64 here, before anything is multiplied)
        out[:, j] = first
        for column in others:
            out[:, j] *= column
        if group.scale != 1:
            out[:, j] *= group.scale


def _factor_columns(
    name: str,
    coding: AnyArray | None,
    evaluated: Mapping[str, Numeric | Categorical],
    codes: Mapping[str, AnyArray],
) -> Iterator[Vector]:
    """Yield the columns of one factor; the code -1 of a missing level picks the last element, which is nan."""
    if name in codes and coding is not None:
        for column in _as_matrix(coding).T:
            yield np.append(column, np.nan)[codes[name]]
    else:
        yield from _numbers(name, coding, evaluated)


def _numbers(name: str, selection: AnyArray | None, evaluated: Mapping[str, Numeric | Categorical]) -> list[Vector]:
    """Return the columns of a factor that is numbers."""
    values = evaluated[name]
    if isinstance(values, Categorical):
        raise DataError(f"{name!r} was numbers when the model was built, and has values of another type here")
    columns = list(values.columns.values())
    return columns if selection is None else [columns[i] for i in selection.argmax(axis=0)]
