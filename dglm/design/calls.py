"""Calls: transforms that learn, found in an expression by reading it; and the expression without them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from dglm.design.names import as_written, expression_tree, names_bound, names_in
from dglm.errors import FormulaError

#: Whether a function, by its dotted name, learns.
Learns = Callable[[str], bool]

#: What a name in an expression stands for: a column, one number, a function of the elements of all its arguments, one
#: of the elements of its first with settings, or something that reading does not tell.
Kind = Literal["column", "number", "ufunc", "transform", "unknown"]

# Functions that give a missing value where their argument is missing, and nowhere else.
_KEEP_MISSING = {"I", "exp", "np.exp", "np.tanh", "np.abs", "np.sin", "np.cos", "np.square", "np.arctan", "abs"}


@dataclass(frozen=True)
class Call:
    """A call of a transform that learns.

    Parameters
    ----------
    name : str
        The call itself in Python's normal form, which tells equal calls.
    function : str
        Dotted name.
    data : str
        Expression of the first argument.
    arguments : tuple of str
        Expressions of the others.
    keywords : tuple of (str, str)
        The same, by name.
    """

    name: str
    function: str
    data: str
    arguments: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]


def dotted_name(node: ast.expr) -> str | None:
    """Return the name of a function, with the modules that it is looked up in.

    Parameters
    ----------
    node : ast.expr
        What is called.

    Returns
    -------
    str or None
        None where it is not a plain dotted name.
    """
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            inner = dotted_name(value)
            return None if inner is None else f"{inner}.{attribute}"
    return None


def function_calls(expression: str) -> Iterator[tuple[str, str]]:
    """Yield the functions that an expression calls by name.

    Parameters
    ----------
    expression : str
        Of a factor.

    Yields
    ------
    tuple of str and str
        The dotted name, and the call as written.
    """
    for node in ast.walk(expression_tree(expression)):
        if isinstance(node, ast.Call) and (name := dotted_name(node.func)) is not None:
            yield name, as_written(normal_form(node))


def learning_calls(expression: str, learns: Learns) -> list[Call]:
    """Return the calls in an expression that learn, inner ones first.

    Parameters
    ----------
    expression : str
        Of a factor.
    learns : callable
        Whether a function does.

    Returns
    -------
    list of Call
        Each once.

    Raises
    ------
    FormulaError
        If one has no data, or stands where its data cannot be known before.
    """
    tree = expression_tree(expression)
    found = {}
    for node in _post_order(tree):
        if isinstance(node, ast.Call) and _is_learning(node, learns):
            call = _call(node)
            inside = names_in(normal_form(node)) & names_bound(tree)
            if inside:
                raise FormulaError(
                    f"{as_written(call.name)} learns from {', '.join(sorted(inside))}, which a lambda or comprehension "
                    f"around it binds; call it on columns"
                )
            found[call.name] = call
    return list(found.values())


def normal_form(node: ast.AST) -> str:
    """Return the text of a tree, as formulaic writes it.

    Parameters
    ----------
    node : ast.AST
        An expression.

    Returns
    -------
    str
        On one line.
    """
    return ast.unparse(node).replace("\n", " ")


def is_elementwise(expression: str, kind: Callable[[str], Kind]) -> bool:
    """Return whether an expression is arithmetic and comparisons of columns, and of functions that map elements.

    Parameters
    ----------
    expression : str
        Of a factor.
    kind : callable
        What a dotted name stands for.

    Returns
    -------
    bool
        False where the text does not tell.
    """

    def elementwise(node: ast.expr) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return kind(name) in {"column", "number"}
            case ast.UnaryOp(operand=operand):
                return elementwise(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return not isinstance(op, ast.MatMult) and elementwise(left) and elementwise(right)
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq() | ast.NotEq()]):
                return elementwise(left) and elementwise(node.comparators[0])
            case ast.Call(func=function, args=[data, *others], keywords=keywords):
                rest = [*others, *(keyword.value for keyword in keywords)]
                match kind(dotted_name(function) or ""):
                    case "ufunc":
                        return elementwise(data) and all(map(elementwise, others)) and not keywords
                    case "transform":
                        return elementwise(data) and not any(map(reads_column, rest))
        return False

    def reads_column(node: ast.expr) -> bool:
        return any(isinstance(n, ast.Name) and kind(n.id) == "column" for n in ast.walk(node))

    return elementwise(expression_tree(expression))


def missing_like(expression: str, learns: Callable[[str], bool | None]) -> str | None:
    """Return an expression without calls that learn whose values are missing in the same rows, where that is certain.

    Parameters
    ----------
    expression : str
        Of a factor.
    learns : callable
        For a call by its name in normal form: None where it learns nothing, otherwise whether it keeps missing values.

    Returns
    -------
    str or None
        None where it is not certain before the calls have learned.
    """
    outer = _outside(expression_tree(expression), learns)
    return None if outer is None else normal_form(outer)


def _outside(node: ast.expr, learns: Callable[[str], bool | None]) -> ast.expr | None:
    """Return a node with its calls that learn replaced by their data; None where missing values may come or go."""
    if not any(isinstance(n, ast.Call) and learns(normal_form(n)) is not None for n in ast.walk(node)):
        return node
    match node:
        case ast.Call() if (keeps := learns(normal_form(node))) is not None:
            return _outside(_data(node), learns) if keeps else None
        case ast.Call(func=function, args=[argument], keywords=[]) if dotted_name(function) in _KEEP_MISSING:
            return _outside(argument, learns)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            return _outside(operand, learns)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
            sides = _outside(left, learns), _outside(right, learns)
            return None if sides[0] is None or sides[1] is None else ast.BinOp(sides[0], op, sides[1])
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=int() | float() as value)) if value:
            return _outside(left, learns)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)) if power > 0:
            return _outside(left, learns)
    return None


def _call(node: ast.Call) -> Call:
    data = _data(node)
    return Call(
        name=normal_form(node),
        function=str(dotted_name(node.func)),
        data=normal_form(data),
        arguments=tuple(normal_form(argument) for argument in node.args if argument is not data),
        keywords=tuple((str(k.arg), normal_form(k.value)) for k in node.keywords if k.value is not data),
    )


def _data(node: ast.Call) -> ast.expr:
    """Return the first argument."""
    named = [keyword.value for keyword in node.keywords if keyword.arg == "data"]
    if any(isinstance(argument, ast.Starred) for argument in node.args) or any(k.arg is None for k in node.keywords):
        raise FormulaError(f"{as_written(normal_form(node))} has starred arguments; write them out")
    if not (node.args or named):
        raise FormulaError(f"{as_written(normal_form(node))} has no data to learn from; give it a column first")
    return node.args[0] if node.args else named[0]


def _is_learning(node: ast.AST, learns: Learns) -> bool:
    return isinstance(node, ast.Call) and (name := dotted_name(node.func)) is not None and learns(name)


def _post_order(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield from _post_order(child)
    yield node
