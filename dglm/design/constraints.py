"""Linear constraints on coefficients, R beta = q, from words such as ``"x1 = x2, x3 + x4 = 1"`` or from arrays.

The names of coefficients are full of operators (``np.log(x)``, ``a:b``, ``C(g)[T.b]``), so they are looked for as they
are, the longest first, before anything is read as arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.design.names import nearest
from dglm.errors import ConstraintError

_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# What an unknown name looks like: up to the next operator that is not inside brackets.
_UNKNOWN = re.compile(r"(?:[^\s+\-*/()=,\[\]]|\([^()]*\)|\[[^\[\]]*\])+")


def linear_constraints(spec: Any, names: Sequence[str]) -> tuple[Matrix, Vector]:
    """Return the matrix and the values of linear constraints R beta = q.

    Parameters
    ----------
    spec : str, sequence of str, mapping, (m, p) array, or tuple of arrays
        ``"x1 = x2, x3 + x4 = 1"``, several such, ``{"x1 + x2": 1}``, R (with q zero), or (R, q). A constraint without
        ``=`` is set to zero. Names that are hard to tell from arithmetic may stand in backticks.
    names : sequence of str
        Of the coefficients.

    Returns
    -------
    tuple of (m, p) array and (m,) array
        R and q.

    Raises
    ------
    ConstraintError
        If a name is unknown, a product is not linear, or the shapes do not fit.

    Examples
    --------
    >>> R, q = linear_constraints("a:b = 2 * C(g)[T.b], x = 1", ["a:b", "C(g)[T.b]", "x"])
    >>> R
    array([[ 1., -2.,  0.],
           [ 0.,  0.,  1.]])
    >>> q
    array([0., 1.])
    """
    if isinstance(spec, str):
        rows = _Parser(spec, names).constraints()
    elif isinstance(spec, Mapping):
        rows = [_minus(row, value) for text, value in spec.items() for row in _Parser(text, names).constraints()]
    elif isinstance(spec, Sequence) and len(spec) > 0 and all(isinstance(part, str) for part in spec):
        rows = [row for text in spec for row in _Parser(text, names).constraints()]
    else:
        return _from_arrays(spec, names)
    if not rows:
        raise ConstraintError(f"there are no constraints in {spec!r}")
    return np.array([row[:-1] for row in rows]), np.array([0.0 - row[-1] for row in rows])


def constraint_labels(R: Matrix, q: Vector, names: Sequence[str]) -> list[str]:
    """Return constraints in words.

    Parameters
    ----------
    R : (m, p) array
        One constraint a row.
    q : (m,) array
        Values.
    names : sequence of str
        Of the coefficients.

    Returns
    -------
    list of str
        Such as ``"x1 - 2 * x2 = 0"``.

    Examples
    --------
    >>> import numpy as np
    >>> constraint_labels(np.array([[1.0, -2.0]]), np.array([0.5]), ["x1", "x2"])
    ['x1 - 2 * x2 = 0.5']
    """
    return [f"{_combination(row, names)} = {value:g}" for row, value in zip(R, q, strict=True)]


def _combination(row: Vector, names: Sequence[str]) -> str:
    text = ""
    for j in np.flatnonzero(row):
        sign = "-" if row[j] < 0 else "+"
        size = "" if abs(row[j]) == 1 else f"{abs(row[j]):g} * "
        first = "-" if sign == "-" else ""
        text += f" {sign} {size}{names[int(j)]}" if text else f"{first}{size}{names[int(j)]}"
    return text or "0"


def _from_arrays(spec: Any, names: Sequence[str]) -> tuple[Matrix, Vector]:
    """Check R and q that were given as numbers."""
    given_R, given_q = spec if isinstance(spec, tuple) and len(spec) == 2 else (spec, 0.0)
    try:
        R, q = np.atleast_2d(np.array(given_R, dtype=np.float64)), np.array(given_q, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConstraintError(
            f'constraints must be words such as "x1 = x2, x3 + x4 = 1", an array R or a tuple (R, q); got {spec!r}'
        ) from error
    if R.ndim != 2 or R.shape[1] != len(names):
        raise ConstraintError(
            f"R has shape {R.shape}; it needs a column for each of the {len(names)} coefficients {list(names)}"
        )
    q = np.broadcast_to(q, len(R)).copy() if q.ndim == 0 else q.ravel()
    if q.shape != (len(R),):
        raise ConstraintError(f"q has {q.size} values, but R has {len(R)} rows")
    if not (np.isfinite(R).all() and np.isfinite(q).all()):
        raise ConstraintError("R and q must be finite")
    return R, q


def _minus(row: Vector, value: Any) -> Vector:
    """Return a row with a number taken off its constant."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ConstraintError(f"the value of a constraint must be a number; got {value!r}") from error
    reduced: Vector = row - np.append(np.zeros(len(row) - 1), number)
    return reduced


@dataclass
class _Parser:
    """A recursive descent over one text; a value is p coefficients and a constant.

    Parameters
    ----------
    text : str
        Constraints, separated by commas.
    names : sequence of str
        Of the coefficients.
    """

    text: str
    names: Sequence[str]
    at: int = 0

    def __post_init__(self) -> None:
        self.longest_first = sorted(enumerate(self.names), key=lambda named: len(named[1]), reverse=True)

    def constraints(self) -> list[Vector]:
        """Return left less right side of every equation; a chain a = b = c is two."""
        rows = []
        while True:
            sides = [self._sum()]
            while self._take("="):
                sides.append(self._sum())
            if len(sides) == 1:
                sides.append(np.zeros_like(sides[0]))
            rows += [left - right for left, right in pairwise(sides)]
            if not self._take(","):
                break
        if self._peek():
            raise self._wrong(f"expected an operator at {self.text[self.at :]!r}")
        return rows

    def _sum(self) -> Vector:
        total = self._product()
        while operator := self._take("+-"):
            term = self._product()
            total = total + term if operator == "+" else total - term
        return total

    def _product(self) -> Vector:
        value = self._operand()
        while operator := self._take("*/"):
            other = self._operand()
            if operator == "/":
                if other[:-1].any() or other[-1] == 0:
                    raise self._wrong("it divides by something that is not a number other than 0")
                value = value / other[-1]
            elif not other[:-1].any():
                value = value * other[-1]
            elif not value[:-1].any():
                value = other * value[-1]
            else:
                raise self._wrong("it multiplies coefficients with each other")
        return value

    def _operand(self) -> Vector:
        if sign := self._take("+-"):
            operand = self._operand()
            return operand if sign == "+" else 0.0 - operand
        rest = self._peek()
        value = np.zeros(len(self.names) + 1)
        for j, name in self.longest_first:
            for written in (name, f"`{name}`"):
                if rest.startswith(written) and not _continues(rest, written):
                    self.at += len(written)
                    value[j] = 1.0
                    return value
        if number := _NUMBER.match(rest):
            self.at += number.end()
            value[-1] = float(number.group())
            return value
        if self._take("("):
            value = self._sum()
            if not self._take(")"):
                raise self._wrong("a bracket is not closed")
            return value
        unknown = _UNKNOWN.match(rest)
        if unknown is None:
            raise self._wrong(f"expected a coefficient or a number {f'at {rest!r}' if rest else 'at its end'}")
        raise self._wrong(f"{unknown.group()!r} is not a coefficient{nearest(unknown.group(), self.names)}")

    def _peek(self) -> str:
        """Return what is left, without leading blanks."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at :]

    def _take(self, operators: str) -> str:
        """Return the operator that comes next and go past it, or nothing."""
        rest = self._peek()
        if rest and rest[0] in operators:
            self.at += 1
            return rest[0]
        return ""

    def _wrong(self, why: str) -> ConstraintError:
        return ConstraintError(f"cannot read the constraint {self.text!r}: {why}")


def _continues(rest: str, name: str) -> bool:
    """Return whether a longer name goes on after one that it begins with, as x10 or x1:x2 do after x1."""
    end = rest[len(name) : len(name) + 1]
    if end in {":", "["}:
        return True
    return (name[-1].isalnum() or name[-1] == "_") and bool(end) and (end.isalnum() or end in "_.(")
