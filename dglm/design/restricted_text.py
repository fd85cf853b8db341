"""The text of a restricted formula, read token by token into Python's trees: only known tokens come through.

Engines split formulas in ways of their own. What they could split differently (strings with brackets, escapes,
prefixed strings, identifiers that Python would read as others) is refused here, before any of them sees it.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from keyword import iskeyword

from dglm.design.allowed import MAX_BRACKETS, MAX_LENGTH, MAX_OPERATORS, MAX_TEXT
from dglm.design.names import nearest, parsed, stand_in
from dglm.errors import FormulaError

#: Stands for the ``.`` that means all other columns.
ALL_OTHERS = "__all_others__"

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<backticked>`[^`\\]*`)
  | (?P<string>"[^"'`\\()\[\]{}]*" | '[^"'`\\()\[\]{}]*')
  | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
  | (?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
  | (?P<operator>%in%|\*\*|//|<=|>=|==|!=|[-+*/:^~<>=&|%,.])
  | (?P<bracket>[()\[\]])
    """,
    re.VERBOSE,
)
_OPERANDS = {"backticked", "string", "number", "name"}
# What an operator of formulas is in Python, binding at least as tightly as the formula's does; None for those of calls.
_IN_FORMULAS = {"+": "+", "-": "-", "*": "*", "/": "/", ":": "@", "%in%": "@", "**": "**", "^": "**", "|": "|"}
_IN_CALLS = {"+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "&", "|", "~", ",", "="}
_CLOSING = {"(": ")", "[": "]"}
_WHY = {
    "{": "curly brackets are Python code",
    "}": "curly brackets are Python code",
    "\\": "backslashes are escapes",
    "`": "backticks go round the name of a column",
    '"': "strings may hold no quotes, brackets, backticks or backslashes",
    "'": "strings may hold no quotes, brackets, backticks or backslashes",
}
_KEYWORDS = {
    "and": "for rows, and is &",
    "or": "for rows, or is |",
    "not": "for rows, not is ~",
    "in": "compare by ==, and join by |",
    "if": "rows are chosen by np.where(condition, this, that)",
    "lambda": "no functions are made here; pass one, functions={name: ...}",
}


def formula_sides(formula: str, columns: Collection[str]) -> list[ast.expr]:
    """Return the trees of the sides of a formula.

    Parameters
    ----------
    formula : str
        As a stranger wrote it.
    columns : collection of str
        Of the data.

    Returns
    -------
    list of ast.expr
        One or two, with ``@`` for ``:`` and stand-ins for names in backticks or with dots.

    Raises
    ------
    FormulaError
        If it has anything that a restricted formula may not.
    """
    sides = "".join(_translated(formula, columns, calls_only=False)).split("\0")
    if len(sides) > 2:
        raise FormulaError(f"the restricted formula {short(formula)} has several ~; write one, after the response")
    return [_parsed(side, formula) for side in sides if side.strip()]


def restricted_tree(expression: str, columns: Collection[str]) -> ast.expr:
    """Return the tree of an expression of Python.

    Parameters
    ----------
    expression : str
        A factor, a part of one, or what stands beside a formula.
    columns : collection of str
        Of the data.

    Returns
    -------
    ast.expr
        With stand-ins for names in backticks.

    Raises
    ------
    FormulaError
        If it has anything that a restricted formula may not.
    """
    return _parsed("".join(_translated(expression, columns, calls_only=True)), expression)


def short(text: str) -> str:
    """Return a text for a message, in quotes and not too long.

    Parameters
    ----------
    text : str
        Of any length.

    Returns
    -------
    str
        At most a line.
    """
    return repr(text if len(text) <= 100 else f"{text[:97]}...")


def refused(where: str, piece: str, why: str) -> FormulaError:
    """Return the error of a piece that restricted formulas may not have.

    Parameters
    ----------
    where : str
        The formula or expression.
    piece : str
        Of it.
    why : str
        With the way out.

    Returns
    -------
    FormulaError
        To be raised.
    """
    return FormulaError(f"{short(piece)} may not stand in the restricted formula {short(where)}: {why}")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the tokens of a text, refusing what is none."""
    if len(text) > MAX_LENGTH:
        raise refused(text, text, f"it has {len(text)} characters, and may have {MAX_LENGTH}")
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            start = text[position:]
            why = _WHY.get(start[0], "no number, name, string or operator begins so; names of columns go in backticks")
            raise refused(text, start[:20], why)
        position = found.end()
        yield _Token(str(found.lastgroup), found[0])


def _translated(text: str, columns: Collection[str], *, calls_only: bool) -> Iterator[str]:
    """Yield the tokens as Python has them, a null character for the ``~`` between the sides."""
    brackets: list[str] = []
    calls = 0  # how many of the brackets are calls, lists, or in one
    previous, operators = _Token("start", ""), 0
    for token in _tokens(text):
        if token.kind == "space":
            yield " "
            continue
        inside = calls_only or calls > 0
        operators = operators + 1 if token.kind == "operator" else 0
        _refuse_pair(text, previous, token, operators)
        if token.kind == "operator":
            yield _operator(token.text, text, inside=inside, nested=bool(brackets))
        elif token.kind != "bracket":
            yield _operand(token.kind, token.text, text, columns, inside=inside)
        elif token.text in _CLOSING:
            _refuse_opening(text, previous, token, inside=inside)
            brackets.append(token.text)
            calls += previous.kind == "name" or calls > 0
            yield token.text
        else:
            if not brackets or _CLOSING[brackets.pop()] != token.text:
                raise refused(text, token.text, "no such bracket is open")
            calls -= calls > 0
            yield token.text
        if len(brackets) > MAX_BRACKETS:
            raise refused(text, token.text, f"more than {MAX_BRACKETS} brackets lie in one another")
        previous = token
    if brackets:
        raise refused(text, brackets[-1], "it is never closed")


def _refuse_pair(text: str, previous: _Token, token: _Token, operators: int) -> None:
    """Refuse a token after another, or after so many operators."""
    if operators > MAX_OPERATORS:
        raise refused(text, token.text, "so many operators in a row mean nothing")
    if iskeyword(token.text) and token.text not in {"True", "False", "None"}:
        raise refused(text, token.text, _KEYWORDS.get(token.text, "nothing is defined or controlled here"))
    if token.kind in _OPERANDS and previous.kind in _OPERANDS:
        raise refused(
            text, f"{previous.text} {token.text}", "there is no operator between the two, and no prefix of text"
        )


def _refuse_opening(text: str, previous: _Token, token: _Token, *, inside: bool) -> None:
    """Refuse a bracket that calls or subscripts a value."""
    if previous.text in {")", "]"} or previous.kind in {"backticked", "string", "number"}:
        raise refused(text, f"{previous.text}{token.text}", "only functions that are named can be called")
    if token.text == "[" and (previous.kind == "name" or not inside):
        raise refused(text, "[", "square brackets are for lists, as in levels=[...]; nothing is subscripted")


def _operator(operator: str, text: str, *, inside: bool, nested: bool) -> str:
    """Return an operator as Python has it."""
    if inside:
        if operator == ".":
            raise refused(text, operator, "nothing has attributes but np, in np.log and its like")
        if operator not in _IN_CALLS:
            raise refused(text, operator, "it is an operator of formulas, not of what is inside a call")
        return f" {operator} "
    if operator == "~":
        if nested:
            raise refused(text, operator, "it may not stand in brackets")
        return "\0"
    if operator == ".":
        return f" {ALL_OTHERS} "
    if operator not in _IN_FORMULAS:
        raise refused(text, operator, "it may stand only inside a call, as in I(x > 1)")
    return f" {_IN_FORMULAS[operator]} "


def _operand(kind: str, token: str, text: str, columns: Collection[str], *, inside: bool) -> str:
    """Return a name, number or string as Python has it."""
    if kind == "backticked":
        name = token[1:-1]
        if name not in columns:
            raise refused(text, token, f"backticks hold the name of a column{nearest(name[:MAX_TEXT], columns)}")
        if inside and ("'" in name or '"' in name):
            raise refused(text, token, "engines differ about quotes in names inside calls; rename the column")
        return stand_in(name)
    if kind == "string" and (len(token) > MAX_TEXT or not token.isprintable()):
        raise refused(text, token, f"strings have at most {MAX_TEXT} characters, which can be printed")
    if kind == "name":
        if unicodedata.normalize("NFKC", token) != token:
            raise refused(text, token, "Python would read another name; write the column in backticks")
        if any(part.startswith("__") for part in token.split(".")):
            raise refused(text, token, "names with two underscores are Python's own; write a column in backticks")
        if "." in token and token in columns:
            return stand_in(token)
    return token


def _parsed(python: str, text: str) -> ast.expr:
    try:
        return parsed(python.strip())
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        why = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise FormulaError(f"cannot parse the restricted formula {short(text)}: {why}") from error
