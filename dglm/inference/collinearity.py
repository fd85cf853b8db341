"""Columns that are linear combinations of others: what they are, and the estimates of minimum norm.

The likelihood is the same along N, X N = 0. Dropping a column of each combination picks one maximum of many; projecting
it onto the complement of N gives the one of minimum norm, which a pseudo-inverse finds.
Source: Searle (1971), "Linear Models", sections 1.3 and 5.1; Rao (1973), section 4a.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from dglm._typing import Mask, Matrix, Vector

# A term that contributes less than this share of a column is rounding.
NEGLIGIBLE = 1e-7
# Terms that are written out, and denominators that are recognised.
MAX_TERMS = 4
MAX_DENOMINATOR = 12


def equations(dependencies: Matrix, aliased: Mask, names: Sequence[str], sizes: Vector) -> list[str]:
    """Return what each aliased column is, such as ``"x3 = x1 + 2 x2"``.

    Parameters
    ----------
    dependencies : (p, d) array
        N with X N = 0, a combination for each aliased column: -1 for it, its coefficients for the others.
    aliased : (p,) array of bool
        Those columns.
    names : sequence of str
        Of the columns.
    sizes : (p,) array
        Lengths of the columns, against which a coefficient is measured.

    Returns
    -------
    list of str
        One equation for each combination; only the names of the columns where there are many terms.

    Examples
    --------
    >>> N, aliased = np.array([[1.0], [2.0], [-1.0]]), np.array([False, False, True])
    >>> equations(N, aliased, ["x1", "x2", "x3"], np.ones(3))
    ['x3 = x1 + 2 x2']
    """
    found = []
    for j, combination in zip(np.flatnonzero(aliased).tolist(), dependencies.T, strict=True):
        counts = np.abs(combination) * sizes > NEGLIGIBLE * sizes[j]
        terms = [k for k in np.flatnonzero(counts).tolist() if k != j]
        if len(terms) > MAX_TERMS:
            found.append(f"{names[j]}, of {', '.join(names[k] for k in terms)}")
        else:
            found.append(f"{names[j]} = {_sum([(combination[k], names[k]) for k in terms])}")
    return found


def estimable(combinations: Matrix, null_space: Matrix) -> Matrix:
    """Return what of linear combinations of the coefficients does not lie along N.

    Combinations c'beta with c'N = 0 are estimable: neither they nor their variances depend on which columns were left
    out. Applied to coefficients themselves this gives those of minimum norm.

    Parameters
    ----------
    combinations : (p, m) array
        One a column.
    null_space : (p, d) array
        N with X N = 0.

    Returns
    -------
    (p, m) array
        Combinations less what of them lies along N.
    """
    if null_space.size == 0:
        return combinations
    Q = np.linalg.qr(null_space)[0]
    projected: Matrix = combinations - np.dot(Q, np.dot(Q.T, combinations))
    return projected


def minimum_norm(params: Vector, null_space: Matrix) -> Vector:
    """Return the coefficients of least length among those of the same linear predictor.

    Parameters
    ----------
    params : (p,) array
        Coefficients, zero for the columns left out.
    null_space : (p, d) array
        N with X N = 0.

    Returns
    -------
    (p,) array
        Params less what of them lies along N.
    """
    return estimable(params[:, None], null_space)[:, 0]


def _sum(terms: list[tuple[float, str]]) -> str:
    """Return terms as a sum, a coefficient of one left unsaid."""
    text = ""
    for coefficient, name in terms:
        size = _number(abs(coefficient))
        sign = ("- " if coefficient < 0 else "+ ") if text else ("-" if coefficient < 0 else "")
        text += f"{' ' if text else ''}{sign}{'' if size == '1' else size + ' '}{name}"
    return text or "0"


def _number(value: float) -> str:
    """Return a number as an integer or a simple fraction where it is one, else with four digits."""
    simple = Fraction(value).limit_denominator(MAX_DENOMINATOR)
    decimal = f"{value:.4g}"
    if abs(float(decimal) - value) <= NEGLIGIBLE * value:
        return decimal
    return str(simple) if simple and abs(float(simple) - value) <= NEGLIGIBLE * value else decimal
