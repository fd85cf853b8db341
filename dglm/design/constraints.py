"""Linear hypotheses R beta = q, from matrices or from text such as ``"x1 = x2, x3 + x4 = 1"``.

Text is read by Python's own parser, with names of coefficients put aside first: ``C(g)[T.b]:x`` needs no quotes.
(formulaic's reads ``a = b = c`` as a + c = b, and refuses ``x = -1``, ``1e3`` and ``a:b``.)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.design.names import nearest, parsed
from dglm.errors import FormulaError


@dataclass(frozen=True)
class Constraints:
    """R beta = q.

    Attributes
    ----------
    matrix : (m, p) array
        R.
    values : (m,) array
        q.
    labels : tuple of str
        Each constraint as it was written, or ``c0``, ``c1``, ...
    """

    matrix: Matrix
    values: Vector
    labels: tuple[str, ...]

    def in_words(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return each constraint as an equation, however it was given.

        Parameters
        ----------
        names : sequence of str
            Of the p coefficients.

        Returns
        -------
        tuple of str
            Such as ``"x1 - 2 * x2 = 0.5"``.

        Examples
        --------
        >>> read_constraints(([[1.0, -2.0]], 0.5), ["x1", "x2"]).in_words(["x1", "x2"])
        ('x1 - 2 * x2 = 0.5',)
        """
        return tuple(
            f"{_combination(row, names)} = {value:g}" for row, value in zip(self.matrix, self.values, strict=True)
        )


def read_constraints(spec: Any, names: Sequence[str]) -> Constraints:
    """Read linear hypotheses.

    Parameters
    ----------
    spec : str, sequence of str, mapping, (m, p) array, or tuple of (m, p) array and (m,) array
        Equations between sums of coefficients, separated by commas, where an expression alone is equal to 0;
        names that do not begin with a letter stand in backticks. Or ``{"x1 + x2": 1}``, expressions with
        their values; or R, with q = 0; or (R, q).
    names : sequence of str
        Of the p coefficients.

    Returns
    -------
    Constraints
        One row for each equation.

    Raises
    ------
    FormulaError
        If text cannot be read, is not linear, or names no coefficient.
    ValueError
        If arrays have the wrong shape, or a row without a coefficient.

    Examples
    --------
    >>> found = read_constraints("x1 = x2, 2 * (x1 + a:b) = 1", ["x1", "x2", "a:b"])
    >>> found.matrix, found.values
    (array([[ 1., -1.,  0.],
           [ 2.,  0.,  2.]]), array([0., 1.]))
    """
    if isinstance(spec, str):
        return _from_text(spec, names)
    if isinstance(spec, Mapping):
        return _from_text(", ".join(f"{left} = {_number(value)}" for left, value in spec.items()), names)
    if isinstance(spec, (list, tuple)) and spec and all(isinstance(s, str) for s in spec):
        return _from_text(", ".join(spec), names)
    R, q = spec if isinstance(spec, tuple) and len(spec) == 2 else (spec, 0.0)
    try:
        matrix, values = np.atleast_2d(np.array(R, dtype=np.float64)), np.asarray(q, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'constraints must be words such as "x1 = x2, x3 + x4 = 1", an array R or a tuple (R, q); got {spec!r}'
        ) from error
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or not np.isfinite(matrix).all():
        raise ValueError(
            f"constraints must be finite numbers, one column for each of the {len(names)} coefficients; got an array "
            f"of shape {np.shape(R)}"
        )
    if values.size not in {1, len(matrix)} or not np.isfinite(values).all():
        raise ValueError(
            f"the values of {len(matrix)} constraints must be as many finite numbers; got an array of shape "
            f"{np.shape(q)}"
        )
    empty = np.flatnonzero(~matrix.any(axis=1))
    if empty.size or len(matrix) == 0:
        raise ValueError(f"constraint {empty[0]} has no coefficient" if empty.size else "there are no constraints")
    values = np.broadcast_to(values.ravel(), len(matrix)).copy()
    return Constraints(matrix, values, tuple(f"c{i}" for i in range(len(matrix))))


def _combination(row: Vector, names: Sequence[str]) -> str:
    """Return a sum of coefficients in words."""
    text = ""
    for j in np.flatnonzero(row).tolist():
        size = "" if abs(row[j]) == 1 else f"{abs(row[j]):g} * "
        sign = ("- " if row[j] < 0 else "+ ") if text else ("-" if row[j] < 0 else "")
        name = names[j] if _is_bare(names[j]) else f"`{names[j]}`"
        text += f"{' ' if text else ''}{sign}{size}{name}"
    return text


def _is_bare(name: str) -> bool:
    """Return whether a name needs no backticks: one that begins as a number or an operator is not told from them."""
    return name[:1].isalpha() or name[:1] == "_"


def _number(value: Any) -> str:
    """Return a number as text that is read back as it is."""
    try:
        return repr(float(value))
    except (TypeError, ValueError) as error:
        raise FormulaError(f"the value of a constraint must be a number; got {value!r}") from error


def _from_text(text: str, names: Sequence[str]) -> Constraints:
    """Parse equations, with stand-ins for the names of coefficients."""
    aliased, named = _with_stand_ins(text, names)
    # Python's own equality chains as mathematicians' does: a = b = c are two equations
    source = f"({re.sub('={1,2}', '==', aliased)})"
    try:
        tree = parsed(source)
    except SyntaxError as error:
        raise FormulaError(f"cannot read the constraints {text!r}{_unknown(aliased, names)}") from error
    rows: list[Vector] = []
    labels = []
    for equation in tree.elts if isinstance(tree, ast.Tuple) else [tree]:
        if isinstance(equation, ast.Compare) and not all(isinstance(op, ast.Eq) for op in equation.ops):
            raise FormulaError(f"{_as_written(equation, named, names)!r} is not an equation")
        sides = [equation.left, *equation.comparators] if isinstance(equation, ast.Compare) else [equation]
        terms = [_linear(side, named, names) for side in sides]
        written = [_as_written(side, named, names) for side in sides]
        for i in range(max(len(terms) - 1, 1)):
            row = terms[i] - terms[i + 1] if len(terms) > 1 else terms[i]
            if not row[:-1].any():
                raise FormulaError(f"the constraint {' = '.join(written)!r} says nothing of a coefficient")
            rows.append(row)
            labels.append(" = ".join(written[i : i + 2]) if len(terms) > 1 else f"{written[i]} = 0")
    if not rows:
        raise FormulaError("there are no constraints")
    table = np.stack(rows)
    return Constraints(table[:, :-1], 0.0 - table[:, -1], tuple(labels))


def _with_stand_ins(text: str, names: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Return the text with an identifier in place of every name, in backticks or not, and what it stands for."""
    position = {name: j for j, name in enumerate(names)}
    # longer names first, so that a:b is not read as a and b
    bare = sorted(filter(_is_bare, names), key=len, reverse=True)
    alternatives = [r"`([^`]*)`", *(_bounded(name) for name in bare)]
    used: dict[str, int] = {}

    def stand_in(match: re.Match[str]) -> str:
        name = match.group(0) if match.group(1) is None else match.group(1)
        if name not in position:
            raise FormulaError(f"there is no coefficient {name!r}{nearest(name, names)}")
        alias = f"_coefficient_{position[name]}_"
        used[alias] = position[name]
        return alias

    return re.sub("|".join(alternatives), stand_in, text), used


def _bounded(name: str) -> str:
    """Return a pattern that finds a name, but not inside a longer one."""
    after = r"(?!\w)" if name[-1].isalnum() or name[-1] == "_" else ""
    return r"(?<![\w.])" + re.escape(name) + after


def _linear(node: ast.expr, named: dict[str, int], names: Sequence[str]) -> Vector:
    """Return the coefficients of an expression and, last, its constant."""
    result = np.zeros(len(names) + 1)
    match node:
        case ast.Name(id=name) if name in named:
            result[named[name]] = 1.0
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            result[-1] = value
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=operand):
            result = _linear(operand, named, names) * (-1.0 if isinstance(sign, ast.USub) else 1.0)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            result = _linear(left, named, names) + _linear(right, named, names)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            result = _linear(left, named, names) - _linear(right, named, names)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            a, b = _linear(left, named, names), _linear(right, named, names)
            if isinstance(op, ast.Mult) and not a[:-1].any():
                a, b = b, a
            if b[:-1].any() or (isinstance(op, ast.Div) and b[-1] == 0):
                raise FormulaError(f"{_as_written(node, named, names)!r} is not linear in the coefficients")
            result = a * b[-1] if isinstance(op, ast.Mult) else a / b[-1]
        case _:
            written = _as_written(node, named, names)
            raise FormulaError(f"{written!r} is neither a coefficient nor a number{nearest(written, names)}")
    return result


def _as_written(node: ast.expr, named: dict[str, int], names: Sequence[str]) -> str:
    """Return an expression with the names of the coefficients back."""
    text = ast.unparse(node)
    return re.sub(r"_coefficient_\d+_", lambda m: names[named[m.group(0)]], text)


def _unknown(aliased: str, names: Sequence[str]) -> str:
    """Return a hint about what is left of a text whose names were put aside."""
    left = [w for w in re.findall(r"[^\W\d][\w.]*", aliased) if not w.startswith("_coefficient_")]
    return f": there is no coefficient {left[0]!r}{nearest(left[0], names)}" if left else ""
