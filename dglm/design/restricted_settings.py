"""What restricted formulas may have inside calls beside columns: literals, lists of them, and contrasts."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from dglm.design.allowed import CONTRASTS, MAX_NUMBER, MAX_SIZE, SETTINGS
from dglm.design.calls import dotted_name
from dglm.design.names import as_written
from dglm.design.restricted_text import refused
from dglm.errors import FormulaError


@dataclass(frozen=True)
class Settings:
    """The walk over settings of transforms.

    Parameters
    ----------
    where : str
        The formula or expression, for messages.
    columns : frozenset of str
        Of the data.
    """

    where: str
    columns: frozenset[str]

    def refusal(self, node: ast.AST, why: str) -> FormulaError:
        """Return the error of a node.

        Parameters
        ----------
        node : ast.AST
            Of the formula.
        why : str
            It is refused, and how else.

        Returns
        -------
        FormulaError
            To be raised.
        """
        try:
            piece = as_written(ast.unparse(node))
        except RecursionError:
            piece = "..."
        return refused(self.where, piece, why)

    def check_literal(self, node: ast.Constant) -> None:
        """Refuse a literal of another kind than formulas need, or too large a number.

        Parameters
        ----------
        node : ast.Constant
            As parsed.

        Raises
        ------
        FormulaError
            If it may not stand anywhere.
        """
        match node.value:
            case bool() | str() | None:
                return
            case int() | float() as number if abs(number) <= MAX_NUMBER:
                return
            case int() | float():
                raise refused(self.where, "a number", f"it is larger than {MAX_NUMBER:g}, or not finite")
        raise self.refusal(node, "literals are numbers, strings, True, False and None")

    def refuse_hidden(self, node: ast.AST, name: str) -> None:
        """Refuse a function that a column of the data hides.

        Parameters
        ----------
        node : ast.AST
            Where it stands.
        name : str
            Dotted.

        Raises
        ------
        FormulaError
            If there is such a column.
        """
        first, *attributes = name.split(".")
        if first in self.columns and (not attributes or first in {"np", "contr"}):
            raise self.refusal(node, f"{first!r} is a column of the data, which hides the function; rename the column")

    def check_setting(self, node: ast.expr, name: str | None = None) -> None:
        """Refuse a setting that is not a literal, a list of them or, for contrasts, one of these.

        Parameters
        ----------
        node : ast.expr
            Its tree.
        name : str, optional
            Of the setting, where it has one that bounds it.

        Raises
        ------
        FormulaError
            If it is something else, or too large.
        """
        called = node.func if isinstance(node, ast.Call) else node
        if (function := dotted_name(called)) in CONTRASTS:
            self.refuse_hidden(node, str(function))
            for argument in node.args if isinstance(node, ast.Call) else ():
                self.check_setting(argument)
            self.check_settings(node.keywords if isinstance(node, ast.Call) else ())
        elif isinstance(node, (ast.List, ast.Tuple)):
            for element in node.elts:
                self.check_setting(element)
        else:
            self._check_value(node, name)

    def check_settings(self, keywords: Iterable[ast.keyword]) -> None:
        """Refuse settings by name.

        Parameters
        ----------
        keywords : iterable of ast.keyword
            Of a call.

        Raises
        ------
        FormulaError
            If a name is not known, or a value not allowed.
        """
        for keyword in keywords:
            if keyword.arg not in SETTINGS:
                raise self.refusal(keyword.value, f"{keyword.arg!r} is no setting that is allowed")
            self.check_setting(keyword.value, keyword.arg)

    def _check_value(self, node: ast.expr, name: str | None) -> None:
        unsigned = node.operand if isinstance(node, ast.UnaryOp) else node
        if not isinstance(unsigned, ast.Constant) or (unsigned is not node and literal_number(node) is None):
            raise self.refusal(node, "settings are numbers, strings, lists of them, or contrasts, written out")
        self.check_literal(unsigned)
        most, number = MAX_SIZE.get(name or ""), literal_number(node)
        if most is None or unsigned.value is None:
            return
        if number is None or number != int(number) or not 0 <= number <= most:
            raise self.refusal(node, f"{name} is a whole number from 0 to {most}")


def literal_number(node: ast.expr) -> float | None:
    """Return the number that is written out, with or without a sign.

    Parameters
    ----------
    node : ast.expr
        Any tree.

    Returns
    -------
    float or None
        None where it is something else.
    """
    match node:
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant() as operand):
            number = literal_number(operand)
            return None if number is None else -number if isinstance(sign, ast.USub) else number
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
    return None
