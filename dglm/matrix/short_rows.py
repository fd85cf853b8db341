"""Products of rows of a few numbers by compiled loops, where they were built: one sweep for what numpy does in four.

``_short_rows.c`` has them. Sums are the same to rounding as numpy's and BLAS's, which take their place where there was
no compiler, for wide rows and for other layouts.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from dglm._compiled import LANES_OF_SUMS, address_of, as_float64, at_once, library
from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector
from dglm.matrix.likelihood import Likelihood
from dglm.matrix.products import Gram

# Bytes of a line of the cache.
LINE = 64
# Columns are padded to a multiple of these.
GROUP = 8
# Rows that are multiplied at once, and those whose sums are made by themselves.
PANEL, SPAN = 32, 512 * 32
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
    n, p = values.shape
    return _readable(values) and n > 0 and 0 < p <= MOST_COLUMNS[AT_ONCE]


def _readable(values: AnyArray) -> bool:
    """Return whether rows or columns are float32 or float64 numbers one after the other."""
    if values.dtype not in SUFFIXES:
        return False
    (n, p), (across, along), size = values.shape, values.strides, values.dtype.itemsize
    by_rows = along == size and across >= size * p and across % size == 0
    by_columns = across == size and along >= size * n and along % size == 0
    return by_rows or by_columns


def complete(values: AnyArray) -> bool:
    """Return whether it was seen that no number of some rows is nan.

    Parameters
    ----------
    values : (n, p) array
        The rows.

    Returns
    -------
    bool
        False where there is one, and where there is no compiled loop that looks.
    """
    if not AT_ONCE or not _readable(values):
        return False
    # rows of columns, where these are what is stored one number after the other
    rows = values if values.strides[1] == values.itemsize else values.T
    (m, count), apart = rows.shape, rows.strides[0] // rows.itemsize
    if apart == count:
        m, count = 1, m * count
    sizes = (ctypes.c_ssize_t(each) for each in (m, count, apart))
    return not getattr(_LIBRARY, f"dglm_has_nan_{SUFFIXES[values.dtype]}")(AT_ONCE, address_of(values), *sizes)


@dataclass(frozen=True)
class Levels:
    """Factors beside the numbers of rows.

    Parameters
    ----------
    codes : tuple of k (n,) arrays of int
        The level of every row.
    numbers : tuple of k (n,) arrays or None
        What multiplies indicators of the levels; ones when None.
    n_levels : tuple of k int
        How many levels there are.
    tables : (k, k) array of bool
        Whether weights are summed by the levels of two of them, below the diagonal.
    """

    codes: tuple[AnyArray, ...]
    numbers: tuple[Vector | None, ...]
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
        effects, by = as_float64(of_levels), self._structure()
        _call("effects", ctypes.c_ssize_t(len(eta)), ctypes.byref(by), address_of(effects), address_of(eta))

    def _structure(self, *found: Vector | Matrix) -> _Structure:
        """Return what the library takes, with room for sums, totals and tables where there are any."""
        k = len(self.n_levels)
        # signed integers one after the other, in the byte order of the machine
        codes = [np.ascontiguousarray(each, np.result_type(each.dtype, np.int8)) for each in self.codes]
        numbers = [as_float64(each) for each in self.numbers]
        at = [(ctypes.c_void_p * k)(*(None if a is None else a.ctypes.data for a in each)) for each in (codes, numbers)]
        widths = [each.itemsize for each in codes]
        sizes = [np.array(each, dtype=np.intp) for each in (widths, self.n_levels, self.starts, self.offsets)]
        here = np.empty((k, PANEL), dtype=np.int32)
        pointers = [ctypes.cast(each, ctypes.c_void_p) for each in at]
        addresses = [*map(address_of, sizes), address_of(here), *map(address_of, found)]
        structure = _Structure(k, pointers[0], addresses[0], pointers[1], *addresses[1:])
        # an address keeps no array alive
        structure.held = (codes, numbers, at, sizes, here)
        return structure


class _Structure(ctypes.Structure):
    """``struct levels`` of ``_short_rows.c``."""

    _fields_ = (
        ("k", ctypes.c_ssize_t),
        *((name, ctypes.c_void_p) for name in ("codes", "widths", "numbers", "n_levels", "starts", "offsets")),
        *((name, ctypes.c_void_p) for name in ("codes_here", "sums", "totals", "tables")),
    )
    held: tuple[object, ...]


class _Rows(ctypes.Structure):
    """``struct rows`` of ``_short_rows.c``."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("w", "r", "contribute", "y", "offset", "weights", "beta", "effects")),
        ("constant", ctypes.c_double),
    )


class _Sums(ctypes.Structure):
    """``struct sums`` of ``_short_rows.c``."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("second", "cross", "contributions", "span"))

    @classmethod
    def of(cls, room: Vector, padded: int, span: Any = None, *, curved: bool) -> Self:
        """Return where they are in a room: those of a likelihood, of r, and of w where they are wanted."""
        start = room.ctypes.data
        cross = start + 2 * LANES_OF_SUMS * room.itemsize
        return cls(cross + padded * room.itemsize if curved else None, cross, start, ctypes.cast(span, ctypes.c_void_p))


class Products(NamedTuple):
    """What is left of rows z_i = (x_i - centre, 1).

    Attributes
    ----------
    cross : (p + 1,) array
        sum_i r_i z_i; zero without r.
    gram : (p + 1, p + 1) array
        sum_i w_i z_i z_i'; zero without w.
    within : (levels of all, p + 1) array
        sum_i w_i z_i within levels; none without w.
    totals : (levels of all,) array
        sum_i r_i within levels.
    tables : (cells of all,) array
        sum_i w_i by two factors; none without w.
    """

    cross: Vector
    gram: Matrix
    within: Matrix
    totals: Vector
    tables: Vector


class Swept(NamedTuple):
    """Sums of a likelihood.

    Attributes
    ----------
    deviance, pearson_chi2 : float
        sum_i w_i d(y_i, mu_i), and sum_i w_i (y_i - mu_i)^2 / V(mu_i).
    products : Products
        With r the score and w the information of each row.
    """

    deviance: float
    pearson_chi2: float
    products: Products


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
    c, b = as_float64(centre), as_float64(beta)
    _call_with_rows("linear", values, address_of(c), address_of(b), ctypes.c_double(constant), address_of(eta))
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
    vectors = as_float64(r), as_float64(w)
    return _products(values, centre, _Rows(*map(address_of, vectors[::-1])), levels, curved=w is not None)[0]


def sweep(
    values: AnyArray,
    centre: Vector,
    beta: Vector,
    constant: float,
    likelihood: Likelihood,
    levels: Levels | None = None,
    effects: Vector | None = None,
) -> Swept:
    """Return the sums of a likelihood at eta_i = (x_i - centre)'beta + constant, from one sweep over the rows.

    Parameters
    ----------
    values : (n, p) array
        Rows for which there are `compiled` loops.
    centre, beta : (p,) array
        What is taken off, and coefficients.
    constant : float
        Added to each.
    likelihood : Likelihood
        Of the rows.
    levels : Levels, optional
        Of factors.
    effects : (levels of all,) array, optional
        Of the levels, added to eta.

    Returns
    -------
    Swept
        Over all rows.
    """
    asked = likelihood
    vectors = [as_float64(each) for each in (asked.y, asked.offset, asked.weights, beta, effects)]
    at = _Rows(None, None, asked.loop, *map(address_of, vectors), constant)
    found, of_rows = _products(values, centre, at, levels, curved=asked.information is Gram)
    deviance, pearson_chi2 = of_rows.reshape(2, LANES_OF_SUMS).sum(axis=1).tolist()
    return Swept(deviance, pearson_chi2, found)


def _products(
    values: AnyArray, centre: Vector, at: _Rows, levels: Levels | None, *, curved: bool
) -> tuple[Products, Vector]:
    """Return the sums, and those of a likelihood, (2 * LANES_OF_SUMS,)."""
    k = values.shape[1] + 1
    padded = -(-k // GROUP) * GROUP
    within, totals, tables, by = np.zeros((0, padded)), np.zeros(0), np.zeros(0), None
    if levels is not None:
        n_levels = int(levels.starts[-1])
        totals = np.zeros(n_levels)
        if curved:
            within = _zeros((n_levels, padded))
            tables = np.zeros(int(np.outer(levels.n_levels, levels.n_levels)[levels.tables].sum()))
        by = ctypes.byref(levels._structure(within, totals, tables))
    # of all rows, and of a span of them where there are more
    rooms = _zeros((1 + (len(values) > SPAN), padded * (1 + padded * curved) + 2 * LANES_OF_SUMS))
    of_span = ctypes.pointer(_Sums.of(rooms[-1], padded, curved=curved)) if len(rooms) > 1 else None
    total = _Sums.of(rooms[0], padded, of_span, curved=curved)
    c = as_float64(centre)
    _call_with_rows("products", values, address_of(c), ctypes.byref(at), ctypes.byref(total), by)
    of_rows, cross, second = np.split(rooms[0], np.cumsum([2 * LANES_OF_SUMS, padded]))
    gram = second.reshape(padded, padded) if curved else np.zeros((padded, padded))
    return Products(cross[:k], gram[:k, :k], within[:, :k], totals, tables), of_rows


def _call_with_rows(name: str, values: AnyArray, *arguments: object) -> None:
    """Call a function with rows: where they are, how many of how many numbers, how far apart they begin."""
    strides = (step // values.dtype.itemsize for step in values.strides)
    sizes = (ctypes.c_ssize_t(each) for each in (*values.shape, *strides))
    _call(f"{name}_{SUFFIXES[values.dtype]}", AT_ONCE, address_of(values), *sizes, *arguments)


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBRARY, f"dglm_{name}")(*arguments):
        raise IndexError("a code of a factor is of no level")


def _zeros(shape: tuple[int, ...]) -> Matrix:
    """Return zeros that begin where a line of the cache does: registers are not written across two lines then."""
    size = int(np.prod(shape))
    room = np.zeros(size + LINE // 8)
    start = -room.ctypes.data % LINE // 8
    return room[start : start + size].reshape(shape)
