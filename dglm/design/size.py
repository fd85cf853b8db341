"""How large a formula's design is: refused before anything is allocated where it cannot be held at all.

What a fit makes beside it, matrices of columns by columns, is for `dglm.matrix.width`: some fits make none.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import reduce
from operator import mul

from dglm.data import free_memory
from dglm.design.engine import Categorical, FormulaEngine, Numeric, Product
from dglm.errors import FormulaError

# Names alone take some 100 MB, and a fit a dozen vectors of this length.
MOST_COLUMNS = 1_000_000
# Of the free memory, what one matrix of levels by columns may take; making it takes several.
CODING_SHARE = 0.125
# Bytes that need no asking.
SMALL = 2**26


def refuse_too_many_columns(
    engine: FormulaEngine,
    products: Sequence[Product],
    shown: Mapping[str, Numeric | Categorical],
    levels: Mapping[str, tuple[Hashable, ...]],
) -> None:
    """Refuse a formula of more than a million columns.

    Parameters
    ----------
    engine : FormulaEngine
        Has parsed the formula.
    products : sequence of Product
        Groups of columns of the design.
    shown : mapping of str to Numeric or Categorical
        The factors.
    levels : mapping of str to tuple
        The levels of categorical ones.

    Raises
    ------
    FormulaError
        Naming the factor with the most levels and what can be done.
    """
    p = sum(_n_columns(product, shown, levels) for product in products)
    if p <= MOST_COLUMNS:
        return
    advice = advice_on_levels(engine, [factor for product in products for factor, _ in product.factors], levels)
    raise FormulaError(
        f"the formula {engine.formula!r} gives {p:,} columns, more than {MOST_COLUMNS:,}{advice or '; leave terms out'}"
    )


def advice_on_levels(engine: FormulaEngine, factors: Sequence[str], levels: Mapping[str, tuple[Hashable, ...]]) -> str:
    """Return what can be done about the factor with the most levels.

    Parameters
    ----------
    engine : FormulaEngine
        Knows which transforms a formula can have.
    factors : sequence of str
        Of the design.
    levels : mapping of str to tuple
        The levels of categorical ones, and of others.

    Returns
    -------
    str
        Which continues a message; empty where no factor has levels.
    """
    used = [factor for factor in factors if factor in levels]
    if not used:
        return ""
    most = max(used, key=lambda factor: len(levels[factor]))
    hashed = f"hashed({most}, levels=1000)" if most.isidentifier() else "hashed(..., levels=1000)"
    spread = f"spread them over fewer columns with {hashed}, " if "hashed" in engine.transforms else ""
    return (
        f". {most!r} has {len(levels[most]):,} levels: is it an identifier? Group its levels, {spread}or leave it out "
        f'and allow for dependence within its levels with cov_type="cluster"'
    )


def refuse_wide_coding(factor: str, n_levels: int) -> None:
    """Refuse contrasts whose matrix of levels by columns takes more than an eighth of the free memory.

    Parameters
    ----------
    factor : str
        Coded otherwise than by treatment, which makes no matrix.
    n_levels : int
        How many levels it has.

    Raises
    ------
    FormulaError
        With the codings that make none.
    """
    nbytes = 8 * n_levels**2
    if nbytes <= SMALL or nbytes <= CODING_SHARE * (free_bytes := free_memory()):
        return
    raise FormulaError(
        f"{factor} has {n_levels:,} levels, of which its contrasts make a matrix of {nbytes / 1e9:,.1f} GB, more than "
        f"an eighth of the free memory ({free_bytes / 1e9:,.1f} GB); treatment coding, which C(...) has without "
        f"contrasts or with Treatment(), makes none"
    )


def _n_columns(
    product: Product, shown: Mapping[str, Numeric | Categorical], levels: Mapping[str, tuple[Hashable, ...]]
) -> int:
    """Return the number of columns of a group."""
    widths = []
    for factor, reduced in product.factors:
        values = shown[factor]
        width = len(values.columns) if isinstance(values, Numeric) else len(levels[factor])
        spared = reduced and (not isinstance(values, Numeric) or values.redundant is not None)
        widths.append(width - spared)
    return reduce(mul, widths, 1)
