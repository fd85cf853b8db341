"""The formula engines by name."""

from __future__ import annotations

from collections.abc import Mapping

from dglm.design.engine import FormulaEngine
from dglm.design.formulaic_engine import FormulaicEngine
from dglm.design.patsy_engine import PatsyEngine

ENGINES: Mapping[str, type[FormulaEngine]] = {"formulaic": FormulaicEngine, "patsy": PatsyEngine}


def engine_named(name: str) -> type[FormulaEngine]:
    """Return a formula engine.

    Parameters
    ----------
    name : str
        ``"formulaic"`` or ``"patsy"``.

    Returns
    -------
    type
        That parses formulas.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in ENGINES:
        raise ValueError(f"engine must be {' or '.join(map(repr, ENGINES))}; got {name!r}")
    return ENGINES[name]
