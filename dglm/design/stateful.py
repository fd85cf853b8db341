"""How an expression is evaluated whose calls are given what they learned: formulaic's protocol for its transforms.

formulaic's own evaluation parses every expression again on every partition, which two threads cannot do at once, and
pastes the text of calls into code.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from types import CodeType
from typing import Any

from formulaic.utils.layered_mapping import LayeredMapping

from dglm.design.calls import dotted_name, normal_form
from dglm.design.names import expression_tree

# What stateful transforms are called with, and where an expression finds it.
_GIVEN = {"_context": "__dglm_context__", "_metadata": "__dglm_metadata__", "_spec": "__dglm_spec__"}
_STATES = "__dglm_states__"


def evaluate(
    expression: str,
    scope: Mapping[str, Any],
    states: MutableMapping[str, Any],
    *,
    metadata: Any = None,
    spec: Any = None,
) -> Any:
    """Return what an expression gives in a scope; a transform new to `states` may leave there what it learned.

    Parameters
    ----------
    expression : str
        Of a factor.
    scope : mapping of str to object
        Columns, variables, functions.
    states : mapping of str to mapping
        What transforms learned, by call.
    metadata, spec : object
        What formulaic hands to its transforms.

    Returns
    -------
    object
        Series, array, mapping of columns, scalar.

    Raises
    ------
    Exception
        Whatever the expression raises.

    Examples
    --------
    >>> import numpy as np
    >>> from formulaic.transforms import TRANSFORMS
    >>> state = {"center(x)": {"ddof": 0, "center": 1.0, "scale": None}}
    >>> evaluate("2 * center(x)", {"x": np.array([1.0, 2.0]), "center": TRANSFORMS["center"]}, state)
    array([0., 2.])
    """
    stateful = frozenset(name for name, function in _calls(expression) if _is_stateful(function, scope))
    for call in stateful:
        if call not in states:
            states[call] = {}
    given = dict(zip(_GIVEN.values(), (scope, metadata, spec), strict=True))
    # a formula is code, unless it is restricted, and then it has been read before
    return eval(_compiled(expression, stateful), {}, LayeredMapping({**given, _STATES: states}, scope))  # noqa: S307


@lru_cache(maxsize=1024)
def _calls(expression: str) -> tuple[tuple[str, str], ...]:
    """Return the calls of functions by their names: each in its normal form, with the dotted name."""
    calls = (node for node in ast.walk(expression_tree(expression)) if isinstance(node, ast.Call))
    named = ((normal_form(node), dotted_name(node.func)) for node in calls)
    return tuple((call, name) for call, name in named if name is not None)


def _is_stateful(function: str, scope: Mapping[str, Any]) -> bool:
    first, *attributes = function.split(".")
    found = scope.get(first)
    for attribute in attributes:
        found = getattr(found, attribute, None)
    return bool(getattr(found, "__is_stateful_transform__", False))


@lru_cache(maxsize=1024)
def _compiled(expression: str, stateful: frozenset[str]) -> CodeType:
    tree = ast.Expression(_Given(stateful).visit(expression_tree(expression)))
    return compile(ast.fix_missing_locations(tree), "<formula>", "eval")


class _Given(ast.NodeTransformer):
    """Adds to calls the arguments that stateful transforms take."""

    def __init__(self, stateful: frozenset[str]) -> None:
        self.stateful = stateful

    def visit_Call(self, node: ast.Call) -> ast.Call:
        call = normal_form(node)
        self.generic_visit(node)
        if call not in self.stateful:
            return node
        given = [ast.keyword(argument, ast.Name(name, ast.Load())) for argument, name in _GIVEN.items()]
        state = ast.Subscript(ast.Name(_STATES, ast.Load()), ast.Constant(call), ast.Load())
        return ast.Call(node.func, node.args, [*node.keywords, *given, ast.keyword("_state", state)])
