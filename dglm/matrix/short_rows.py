"""Products of rows of a few numbers by compiled loops, where they were built: one sweep for what numpy does in four.

``_short_rows.c`` has them. Sums are the same to rounding as numpy's and BLAS's, which take their place where there was
no compiler, for wide rows and for other layouts.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dglm._compiled import at_once, library
from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector

# Columns are padded to a multiple of these.
GROUP = 8
SUFFIXES = {np.dtype(np.float64): "f64", np.dtype(np.float32): "f32"}


_LIBRARY = library(__file__, "_short_rows")
# Numbers that are added at once; 0 where the library was not built.
AT_ONCE = at_once(_LIBRARY)
# Columns of which products are faster than those of BLAS, by numbers that are added at once.
MOST_COLUMNS = {0: 0, 2: 31, 4: 255, 8: 255}


def compiled(values: AnyArray) -> bool:
    """Return whether there are compiled loops for rows such as these.

    Parameters
    ----------
    values : (n, p) array
        The rows.

    Returns
    -------
    bool
        False for wide rows, for integers, and where neither rows nor columns are stored one number after the other.
    """
    if values.dtype not in SUFFIXES:
        return False
    (n, p), (across, along), size = values.shape, values.strides, values.dtype.itemsize
    by_rows = along == size and across >= size * p and across % size == 0
    by_columns = across == size and along >= size * n and along % size == 0
    return (by_rows or by_columns) and values.size > 0 and p <= MOST_COLUMNS[AT_ONCE]


@dataclass(frozen=True)
class Levels:
    """Factors beside the numbers of rows.

    Parameters
    ----------
    codes : (n, k) array of int32
        The level of every row, for each factor; row by row.
    numbers : (n, k) array or None
        What multiplies indicators of the levels; ones when None.
    n_levels : tuple of k int
        How many levels there are.
    tables : (k, k) array of bool
        Whether weights are summed by the levels of two of them, below the diagonal.
    """

    codes: AnyArray
    numbers: Matrix | None
    n_levels: tuple[int, ...]
    tables: Mask

    @cached_property
    def starts(self) -> Codes:
        """Where the levels of each factor begin among those of all, and how many these are; (k + 1,)."""
        return np.cumsum([0, *self.n_levels])

    @cached_property
    def offsets(self) -> Codes:
        """Where each table begins among the numbers of all, row by row, -1 where there is none; (k, k)."""
        sizes = np.where(self.tables, np.outer(self.n_levels, self.n_levels), 0).ravel()
        begins = (np.cumsum(sizes) - sizes).reshape(self.tables.shape)
        return np.where(self.tables, begins, -1)

    def effects(self, of_levels: Vector, eta: Vector) -> None:
        """Add the effects of the levels of each row.

        Parameters
        ----------
        of_levels : (levels of all,) array
            Effects.
        eta : (n,) array
            What they are added to.
        """
        effects, by = _numbers(of_levels), self._structure()
        _call("effects", ctypes.c_ssize_t(len(eta)), ctypes.byref(by), _address(effects), _address(eta))

    def _structure(self, *found: Vector | Matrix) -> _Structure:
        """Return what the library takes, with room for sums, totals and tables where there are any."""
        sizes = [np.array(each, dtype=np.intp) for each in (self.n_levels, self.starts, self.offsets)]
        fields = [_address(each) for each in (self.codes, self.numbers, *sizes, *found)]
        structure = _Structure(len(self.n_levels), *fields)
        # an address keeps no array alive
        structure.held = sizes
        return structure


class _Structure(ctypes.Structure):
    """``struct levels`` of ``_short_rows.c``."""

    _fields_ = (
        ("k", ctypes.c_ssize_t),
        *((name, ctypes.c_void_p) for name in ("codes", "numbers", "n_levels", "starts", "offsets")),
        *((name, ctypes.c_void_p) for name in ("sums", "totals", "tables")),
    )
    held: list[Codes]


class Products(NamedTuple):
    """What is left of rows z_i = (x_i - centre, 1).

    Attributes
    ----------
    cross : (p + 1,) array
        sum_i r_i z_i; zero without r.
    gram : (p + 1, p + 1) array
        sum_i w_i z_i z_i'; zero without w.
    within : (levels of all, p + 1) array
        sum_i w_i z_i within levels.
    totals : (levels of all,) array
        sum_i r_i within levels.
    tables : (cells of all,) array
        sum_i w_i by two factors.
    """

    cross: Vector
    gram: Matrix
    within: Matrix
    totals: Vector
    tables: Vector


def linear(values: AnyArray, centre: Vector, beta: Vector, constant: float) -> Vector:
    """Return (x_i - centre)'beta + constant of each row.

    Parameters
    ----------
    values : (n, p) array
        Rows for which there are `compiled` loops.
    centre, beta : (p,) array
        What is taken off, and coefficients.
    constant : float
        Added to each.

    Returns
    -------
    (n,) array
        In float64.
    """
    eta = np.empty(len(values))
    # held by name: an address keeps no array alive
    c, b = _numbers(centre), _numbers(beta)
    _call_with_rows("linear", values, _address(c), _address(b), ctypes.c_double(constant), _address(eta))
    return eta


def products(
    values: AnyArray, centre: Vector, r: Vector | None, w: Vector | None, levels: Levels | None = None
) -> Products:
    """Return what is left of rows z_i = (x_i - centre, 1).

    Parameters
    ----------
    values : (n, p) array
        Rows for which there are `compiled` loops.
    centre : (p,) array
        What is taken off.
    r, w : (n,) array or None
        Numbers and weights of either sign, one a row.
    levels : Levels, optional
        Of factors.

    Returns
    -------
    Products
        Sums over all rows.
    """
    k = values.shape[1] + 1
    padded = -(-k // GROUP) * GROUP
    cross, gram, within = np.zeros(padded), np.zeros((padded, padded)), np.zeros((0, padded))
    totals, tables, by = np.zeros(0), np.zeros(0), None
    if levels is not None:
        n_levels = int(levels.starts[-1])
        within, totals = np.zeros((n_levels, padded)), np.zeros(n_levels)
        tables = np.zeros(int(np.outer(levels.n_levels, levels.n_levels)[levels.tables].sum()))
        by = ctypes.byref(levels._structure(within, totals, tables))
    c, weights, numbers = _numbers(centre), _numbers(w), _numbers(r)
    _call_with_rows("products", values, *(_address(each) for each in (c, weights, numbers, gram, cross)), by)
    return Products(cross[:k], gram[:k, :k], within[:, :k], totals, tables)


def _call_with_rows(name: str, values: AnyArray, *arguments: object) -> None:
    """Call a function with rows: where they are, how many of how many numbers, how far apart they begin."""
    strides = (step // values.dtype.itemsize for step in values.strides)
    sizes = (ctypes.c_ssize_t(each) for each in (*values.shape, *strides))
    _call(f"{name}_{SUFFIXES[values.dtype]}", AT_ONCE, _address(values), *sizes, *arguments)


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBRARY, f"dglm_{name}")(*arguments):
        raise IndexError("a code of a factor is of no level")


def _address(values: AnyArray | None) -> ctypes.c_void_p | None:
    return None if values is None else ctypes.c_void_p(values.ctypes.data)


def _numbers(values: Vector | None) -> Vector | None:
    """Return float64 numbers one after the other."""
    return None if values is None else np.require(values, np.float64, ["C", "A"])
