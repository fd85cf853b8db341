"""Which names an expression touches, found by reading it: nothing is evaluated."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable
from keyword import iskeyword
from threading import Lock

# A quoted string, in which a backtick is a backtick, or a name in backticks.
_QUOTED_OR_BACKTICKED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|`([^`]*)`""")
# Trees that two threads make at once share a counter, and fail where it is found changed ("AST constructor recursion
# depth mismatch", seen with Python 3.11).
PARSING = Lock()
_STAND_IN = re.compile(r"\b_backticked_((?:[0-9a-f]{2})+)\b")


def stand_in(name: str) -> str:
    """Return the identifier that stands for a column of any name.

    Parameters
    ----------
    name : str
        As the user wrote it between backticks.

    Returns
    -------
    str
        The name itself where it is an identifier; the same on every worker, and another for every name.
    """
    return name if name.isidentifier() and not iskeyword(name) else f"_backticked_{name.encode().hex()}"


def plain(expression: str) -> str:
    """Return an expression with stand-ins for the names in backticks.

    Parameters
    ----------
    expression : str
        Of a factor.

    Returns
    -------
    str
        Python.
    """
    return _QUOTED_OR_BACKTICKED.sub(lambda found: found[1] or stand_in(found[2]), expression).strip()


def as_written(expression: str) -> str:
    """Return an expression with its stand-ins turned back into names in backticks.

    Parameters
    ----------
    expression : str
        Python.

    Returns
    -------
    str
        As the user would write it.
    """
    return _STAND_IN.sub(lambda found: f"`{bytes.fromhex(found[1]).decode()}`", expression)


def stand_ins(expression: str) -> dict[str, str]:
    """Return the stand-ins in an expression.

    Parameters
    ----------
    expression : str
        Python.

    Returns
    -------
    dict of str to str
        Each with the name that it stands for.
    """
    return {found[0]: bytes.fromhex(found[1]).decode() for found in _STAND_IN.finditer(expression)}


def expression_tree(expression: str) -> ast.expr:
    """Parse a factor's expression, in which columns of any name may stand in backticks.

    Parameters
    ----------
    expression : str
        Python, but for the backticks.

    Returns
    -------
    ast.expr
        With stand-ins for backticked names.
    """
    return parsed(plain(expression))


def parsed(text: str) -> ast.expr:
    """Parse an expression, in one thread at a time.

    Parameters
    ----------
    text : str
        Python.

    Returns
    -------
    ast.expr
        A tree of the caller's own.
    """
    with PARSING:
        return ast.parse(text, mode="eval").body


def names_in(expression: str) -> set[str]:
    """Return the columns and variables that an expression reads.

    Parameters
    ----------
    expression : str
        Of a factor.

    Returns
    -------
    set of str
        Without those that it binds itself (lambda arguments, comprehension variables); with those inside ``Q("...")``.
    """
    tree = expression_tree(expression)
    quoted = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q"
        for name in _strings(node.args[:1])
    }
    aliases = stand_ins(plain(expression))
    return {aliases.get(name, name) for name in _read(tree) - names_bound(tree)} | quoted


def names_bound(tree: ast.AST) -> set[str]:
    """Return the names that an expression binds itself.

    Parameters
    ----------
    tree : ast.AST
        Parsed.

    Returns
    -------
    set of str
        Arguments of lambdas, variables of comprehensions.
    """
    bound = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                bound.add(name)
    return bound


def nearest(name: str, known: Iterable[object]) -> str:
    """Return a hint that names what may have been meant.

    Parameters
    ----------
    name : str
        Not known.
    known : iterable
        What there is.

    Returns
    -------
    str
        ``"; did you mean 'a' or 'b'?"``, or a list of what there is.
    """
    names = [str(k) for k in known]
    lowered = {k.lower(): k for k in names}
    close = [lowered[c] for c in difflib.get_close_matches(name.lower(), list(lowered), n=3, cutoff=0.6)]
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; there are {', '.join(map(repr, names[:20]))}{', ...' if len(names) > 20 else ''}"


def _read(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _strings(nodes: list[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
