"""The walk over what formulas make of expressions: how many terms there are, and of how many factors."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from dglm.design.allowed import MAX_DEPTH, MAX_ORDER, MAX_TERMS
from dglm.design.restricted_text import ALL_OTHERS, short
from dglm.design.restricted_walk import Expressions
from dglm.errors import FormulaError


@dataclass(frozen=True)
class Terms:
    """The walk over what formulas make of expressions: how many terms, of how many factors.

    Parameters
    ----------
    formula : str
        For messages.
    expressions : Expressions
        The walk over factors.
    """

    formula: str
    expressions: Expressions

    def check(self, side: ast.expr) -> None:
        """Refuse a side of a formula that may not be parsed or evaluated.

        Parameters
        ----------
        side : ast.expr
            Its tree.

        Raises
        ------
        FormulaError
            If it has something that is not allowed, or too much.
        """
        self._count(side, 0)

    def _count(self, node: ast.expr, depth: int) -> tuple[int, int]:
        """Return how many terms there are at most, and how many factors the longest of them multiplies."""
        if depth > MAX_DEPTH:
            raise FormulaError(f"the restricted formula {short(self.formula)} is nested too deeply")
        added: list[ast.expr] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.BitOr)):
            added.append(node.right)  # sums are as deep as they are long
            node = node.left
        n, order = self._product(node, depth)
        for term in added:
            more, its_order = self._count(term, depth + 1)
            n, order = n + more, max(order, its_order)
        if n > MAX_TERMS:
            raise FormulaError(
                f"the restricted formula {short(self.formula)} has {n} terms or more; it may have {MAX_TERMS}"
            )
        if order > MAX_ORDER:
            raise FormulaError(
                f"the restricted formula {short(self.formula)} multiplies {order} factors; it may multiply {MAX_ORDER}"
            )
        return n, order

    def _product(self, node: ast.expr, depth: int) -> tuple[int, int]:
        match node:
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)) if 0 < power <= MAX_ORDER:
                n, order = self._count(left, depth + 1)
                return n**power, order * power
            case ast.BinOp(op=ast.Pow()):
                raise self.expressions.refusal(node, f"in a formula, an exponent is a number from 1 to {MAX_ORDER}")
            case ast.BinOp(left=left, op=ast.Mult() | ast.MatMult() | ast.Div() as op, right=right):
                a, a_order = self._count(left, depth + 1)
                b, b_order = self._count(right, depth + 1)
                if isinstance(op, ast.Div):  # what is nested is in all of the parents
                    return a + b, a * a_order + b_order
                return a * b + (a + b if isinstance(op, ast.Mult) else 0), a_order + b_order
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return self._count(operand, depth + 1)
            case ast.Name(id=name) if name == ALL_OTHERS:
                return len(self.expressions.columns), 1
            case ast.Constant(value=str()):
                raise self.expressions.refusal(node, "a formula is made of columns; text may stand inside calls")
        value = self.expressions.check(node)
        if not (value.of_rows or isinstance(node, ast.Constant)):
            raise self.expressions.refusal(node, "there is no column in it; 1 is the intercept")
        return 1, 1
