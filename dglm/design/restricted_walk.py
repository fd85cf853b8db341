"""The walk over the trees of restricted formulas: every node is one that is allowed where it stands, or refused."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import NamedTuple

from dglm.design.allowed import (
    CONTRASTS,
    FIRST_SETTING,
    FUNCTIONS,
    MAX_DEPTH,
    MAX_EXPONENT,
    MAX_POWER,
    NUMPY_CONSTANTS,
    NUMPY_FUNCTIONS,
    TRANSFORMS,
)
from dglm.design.calls import dotted_name
from dglm.design.names import nearest, stand_ins
from dglm.design.restricted_settings import Settings, literal_number

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitAnd, ast.BitOr)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_WHY: dict[type[ast.AST], str] = {
    ast.Compare: "rows are compared by one of < <= > >= == != at a time",
    ast.List: "lists are settings, such as levels=[...]",
    ast.Tuple: "lists are settings, such as levels=[...]",
}


class Value(NamedTuple):
    """What is known of the value of an expression without evaluating it.

    Attributes
    ----------
    text : bool
        Whether it may be text, which no arithmetic is done with.
    power : int
        Of the columns in it, at most.
    of_rows : bool
        Whether there is a column in it.
    """

    text: bool = False
    power: int = 1
    of_rows: bool = False


@dataclass(frozen=True)
class Expressions(Settings):
    """The walk over expressions of Python.

    Parameters
    ----------
    where : str
        The formula or expression, for messages.
    columns : frozenset of str
        Of the data.
    functions : frozenset of str
        Opted in.
    texts : frozenset of str
        Columns that are no numbers.
    """

    functions: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def check_whole(self, node: ast.expr) -> None:
        """Refuse a whole expression, or a list, which stands alone where it is the setting of a transform.

        Parameters
        ----------
        node : ast.expr
            Its tree.

        Raises
        ------
        FormulaError
            If it may not be evaluated.
        """
        if isinstance(node, (ast.List, ast.Tuple)):
            self.check_setting(node)
        else:
            self.check(node)

    def check(self, node: ast.expr, depth: int = 0) -> Value:
        """Return what is known of a value, if it may be evaluated.

        Parameters
        ----------
        node : ast.expr
            Tree of an expression.
        depth : int
            How deep it lies in others.

        Returns
        -------
        Value
            Without evaluating anything.

        Raises
        ------
        FormulaError
            If it may not.
        """
        if depth > MAX_DEPTH:
            raise self.refusal(node, f"more than {MAX_DEPTH} operators lie in one another; make it a column first")
        match node:
            case ast.Constant():
                self.check_literal(node)
                return Value(text=isinstance(node.value, str))
            case ast.Name():
                return self._column(node)
            case ast.Attribute():
                return self._constant_of_numpy(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert(), operand=operand):
                return self._number(operand, depth)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._raised(node, self._number(left, depth), right)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC):
                a, b = self._number(left, depth), self._number(right, depth)
                power = a.power + b.power if isinstance(op, ast.Mult) else max(a.power, b.power)
                return Value(power=power, of_rows=a.of_rows or b.of_rows)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, _COMPARISONS):
                a, b = self.check(left, depth + 1), self.check(right, depth + 1)
                return Value(of_rows=a.of_rows or b.of_rows)
            case ast.Call():
                return self._call(node, depth + 1)
        raise self.refusal(node, _WHY.get(type(node), "only columns, calls, numbers and arithmetic may"))

    def _number(self, node: ast.expr, depth: int) -> Value:
        value = self.check(node, depth + 1)
        if value.text:
            raise self.refusal(node, "there is no arithmetic with text; compare it, or wrap the column in C()")
        return value

    def _raised(self, node: ast.expr, base: Value, exponent: ast.expr) -> Value:
        number = literal_number(exponent)
        if number is None or abs(number) > MAX_EXPONENT:
            raise self.refusal(node, f"an exponent is a number, at most {MAX_EXPONENT}, written out")
        return self._powered(node, base, max(1, math.ceil(abs(number))))

    def _powered(self, node: ast.expr, base: Value, exponent: int) -> Value:
        if not base.of_rows:
            raise self.refusal(node, "a power without a column in it is a number; write that")
        if base.power * exponent > MAX_POWER:
            raise self.refusal(node, f"its exponents multiply up to more than {MAX_POWER}")
        return base._replace(power=base.power * exponent)

    def _column(self, node: ast.Name) -> Value:
        name = stand_ins(node.id).get(node.id, node.id)
        if name in self.columns:
            return Value(text=name in self.texts, of_rows=True)
        if name in {*TRANSFORMS, *FUNCTIONS, *CONTRASTS, *self.functions}:
            raise self.refusal(node, "a function has to be called; contrasts are arguments of C()")
        raise self.refusal(node, f"it is no column of the data, and nothing else is known{nearest(name, self.columns)}")

    def _constant_of_numpy(self, node: ast.Attribute) -> Value:
        name = dotted_name(node) or ""
        self.refuse_hidden(node, name)
        if name in {f"np.{constant}" for constant in NUMPY_CONSTANTS}:
            return Value()
        raise self.refusal(node, "nothing has attributes but np, in np.log(x) and its like")

    def _call(self, node: ast.Call, depth: int) -> Value:
        name = dotted_name(node.func)
        if name is None:
            raise self.refusal(node.func, "only functions that are named can be called")
        self.refuse_hidden(node, name)
        for argument in (*node.args, *node.keywords):
            if isinstance(argument, ast.Starred) or (isinstance(argument, ast.keyword) and argument.arg is None):
                raise self.refusal(node, "starred arguments have to be written out")
        if name in FUNCTIONS or (name.startswith("np.") and name[3:] in NUMPY_FUNCTIONS):
            return self._function_of_rows(node, name, depth)
        if name == "Q":
            return self._quoted(node)
        if name in TRANSFORMS:
            return self._transform(node, name, depth)
        if name in self.functions:
            return self._opted_in(node, depth)
        if name in CONTRASTS:
            raise self.refusal(node, "contrasts are arguments of C()")
        if "." in name and not name.startswith("np."):
            raise self.refusal(node.func, "nothing has methods or attributes but np, in np.log(x) and its like")
        if name.startswith("np."):
            raise self.refusal(node.func, "of numpy there are functions of single rows, such as np.log and np.where")
        raise self.refusal(
            node.func, f"it is no function that is allowed; pass functions={{{name!r}: ...}} to allow it"
        )

    def _function_of_rows(self, node: ast.Call, name: str, depth: int) -> Value:
        expected = 1 if name in FUNCTIONS else NUMPY_FUNCTIONS[name[3:]]
        if node.keywords or len(node.args) != expected:
            raise self.refusal(node, f"{name} takes {expected} argument(s) and no settings here")
        branches = node.args[1:] if name == "np.where" else node.args
        others = [self.check(argument, depth) for argument in node.args if argument not in branches]
        values = [self.check(a, depth) if name == "np.where" else self._number(a, depth) for a in branches]
        value = _joint([*values, *others])._replace(text=any(v.text for v in values))
        return self._powered(node, value, 2) if name == "np.square" else value

    def _quoted(self, node: ast.Call) -> Value:
        match node:
            case ast.Call(args=[ast.Constant(value=str() as column)], keywords=[]) if column in self.columns:
                return Value(text=column in self.texts, of_rows=True)
        raise self.refusal(node, "Q() holds the name of a column of the data")

    def _transform(self, node: ast.Call, name: str, depth: int) -> Value:
        if not node.args or len(node.args) > 1 + TRANSFORMS[name]:
            raise self.refusal(node, f"{name} takes data and at most {TRANSFORMS[name]} setting(s) without a name")
        data, *settings = node.args
        value = self.check(data, depth)
        for i, setting in enumerate(settings):
            self.check_setting(setting, FIRST_SETTING.get(name) if i == 0 else None)
        self.check_settings(node.keywords)
        return value if name in {"I", "C"} else Value(of_rows=value.of_rows)

    def _opted_in(self, node: ast.Call, depth: int) -> Value:
        given = list(node.args)
        for keyword in node.keywords:
            if str(keyword.arg).startswith("_"):
                raise self.refusal(node, f"the argument {keyword.arg!r} is private")
            given.append(keyword.value)
        values = []
        for argument in given:
            if isinstance(argument, (ast.List, ast.Tuple)):
                self.check_setting(argument)
            else:
                values.append(self.check(argument, depth))
        return _joint(values)._replace(text=False)


def _joint(values: list[Value]) -> Value:
    """Return what is known of a value that is made of some."""
    return Value(any(v.text for v in values), max((v.power for v in values), default=1), any(v.of_rows for v in values))
