"""Likelihoods and products of sparse rows by compiled loops, where they were built: one sweep over the stored entries.

``_sparse_rows.c`` has them. Sums are the same to rounding as numpy's and scipy's, which take their place where there
was no compiler, and for entries of other types.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np

from dglm._compiled import LANES_OF_SUMS, address_of, as_float64, at_once, library
from dglm._typing import Matrix, SparseRows, Vector
from dglm.matrix.likelihood import Likelihood
from dglm.matrix.products import GramDiagonal

ENTRIES = {np.dtype(np.float64): "f64", np.dtype(np.float32): "f32"}
INDICES = {np.dtype(np.int32): "i32", np.dtype(np.int64): "i64"}

_LIBRARY = library(__file__, "_sparse_rows")
# Numbers that are added at once; 0 where the library was not built.
AT_ONCE = at_once(_LIBRARY)


class Products(NamedTuple):
    """What is left of rows.

    Attributes
    ----------
    cross : (p,) array
        sum_i r_i x_i.
    first, squares : (p,) array
        sum_i w_i x_i, and sum_i w_i x_ij^2 of each column; none where they were not wanted.
    totals : (2,) array
        sum_i r_i and sum_i w_i.
    """

    cross: Vector
    first: Vector
    squares: Vector
    totals: Vector


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


class _Rows(ctypes.Structure):
    """``struct rows`` of ``_sparse_rows.c``."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("w", "r", "contribute", "y", "offset", "weights"))


class _Sums(ctypes.Structure):
    """``struct sums`` of ``_sparse_rows.c``."""

    _fields_ = (
        ("curved", ctypes.c_ssize_t),
        *((name, ctypes.c_void_p) for name in ("of_span", "of_all", "totals", "contributions")),
    )


def compiled(values: SparseRows) -> bool:
    """Return whether there are compiled loops for rows such as these.

    Parameters
    ----------
    values : csr_array, (n, p)
        The rows.

    Returns
    -------
    bool
        False for integers, and where parts are not stored one number after the other.
    """
    data, indices, pointers = values.data, values.indices, values.indptr
    known = data.dtype in ENTRIES and indices.dtype in INDICES and pointers.dtype == indices.dtype
    dense = all(part.flags.c_contiguous for part in (data, indices, pointers))
    return bool(AT_ONCE) and known and dense and min(values.shape) > 0


def products(values: SparseRows, r: Vector, w: Vector) -> Products:
    """Return what is left of rows.

    Parameters
    ----------
    values : csr_array, (n, p)
        Rows for which there are `compiled` loops.
    r, w : (n,) array
        Numbers and weights of either sign, one a row.

    Returns
    -------
    Products
        Sums over all rows.
    """
    # held by name: an address keeps no array alive
    vectors = [as_float64(each) for each in (w, r)]
    return _swept(values, np.zeros(values.shape[1]), _Rows(*map(address_of, vectors)), curved=True)[0]


def sweep(values: SparseRows, beta: Vector, likelihood: Likelihood) -> Swept:
    """Return the sums of a likelihood at eta_i = x_i'beta, from one sweep over the rows.

    Parameters
    ----------
    values : csr_array, (n, p)
        Rows for which there are `compiled` loops.
    beta : (p,) array
        Coefficients.
    likelihood : Likelihood
        Of the rows, with the diagonal of the information or none.

    Returns
    -------
    Swept
        Over all rows.
    """
    asked = likelihood
    vectors = [as_float64(each) for each in (asked.y, asked.offset, asked.weights)]
    at = _Rows(None, None, asked.loop, *map(address_of, vectors))
    found, of_rows = _swept(values, beta, at, curved=asked.information is GramDiagonal)
    deviance, pearson_chi2 = of_rows.tolist()
    return Swept(deviance, pearson_chi2, found)


def _swept(values: SparseRows, beta: Vector, at: _Rows, *, curved: bool) -> tuple[Products, Vector]:
    """Return the sums, and the two of a likelihood."""
    n, p = values.shape
    of_span, of_all = (np.zeros((p, 4 if curved else 2)) for _ in range(2))
    of_span[:, 0] = beta
    totals, of_rows = np.zeros((2, LANES_OF_SUMS)), np.zeros((2, LANES_OF_SUMS))
    sums = _Sums(curved, *map(address_of, (of_span, of_all, totals, of_rows)))
    loop = getattr(_LIBRARY, f"dglm_sweep_{ENTRIES[values.data.dtype]}_{INDICES[values.indices.dtype]}")
    parts = map(address_of, (values.data, values.indices, values.indptr))
    sizes = map(ctypes.c_ssize_t, (n, p, min(len(values.data), len(values.indices))))
    if loop(AT_ONCE, *parts, *sizes, ctypes.byref(at), ctypes.byref(sums)):
        raise IndexError("a stored entry is in no column, or a row has entries that are not stored")
    cross, first, squares = _columns(of_all[:, 1:])
    return Products(cross, first, squares, totals.sum(axis=1)), of_rows.sum(axis=1)


def _columns(found: Matrix) -> tuple[Vector, Vector, Vector]:
    """Return three sums of each column; none where there is one."""
    cross, *others = np.ascontiguousarray(found.T)
    first, squares = others if others else (np.zeros(0), np.zeros(0))
    return cross, first, squares
