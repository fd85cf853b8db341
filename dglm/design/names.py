"""Which names an expression touches, found by reading it: nothing is evaluated."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator

_BACKTICKED = re.compile(r"`([^`]*)`")


def expression_tree(expression: str) -> tuple[ast.Expression, dict[str, str]]:
    """Parse a factor's expression, in which columns of any name may stand in backticks.

    Parameters
    ----------
    expression : str
        Python, but for the backticks.

    Returns
    -------
    tuple of ast.Expression and dict
        The tree, and what its stand-ins for backticked names stand for.
    """
    aliases: dict[str, str] = {}

    def alias(match: re.Match[str]) -> str:
        stand_in = f"_backticked_{len(aliases)}"
        aliases[stand_in] = match.group(1)
        return stand_in

    return ast.parse(_BACKTICKED.sub(alias, expression).strip(), mode="eval"), aliases


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
    tree, aliases = expression_tree(expression)
    read, bound, quoted = set(), set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(aliases.get(name, name))
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(name)), *_]):
                quoted.add(name)
    return (read - bound) | quoted


def calls_in(expression: str) -> Iterator[tuple[str, str]]:
    """Yield the functions that an expression calls by a plain name.

    Parameters
    ----------
    expression : str
        Of a factor.

    Yields
    ------
    tuple of str and str
        The function's name, and the call as written.
    """
    for node in ast.walk(expression_tree(expression)[0]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, ast.unparse(node)


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
