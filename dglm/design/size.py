"""How many columns a formula gives: refused where the matrices of a fit would not fit, before anything is allocated."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import reduce
from operator import mul

from dglm.design.engine import Categorical, Numeric, Product
from dglm.errors import FormulaError

# Of the free memory, what one matrix of columns by columns may take; a pass holds several.
INFORMATION_SHARE = 0.125
# Bytes that need no asking.
SMALL = 2**26


def refuse_too_many_columns(
    formula: str,
    products: Sequence[Product],
    shown: Mapping[str, Numeric | Categorical],
    levels: Mapping[str, tuple[Hashable, ...]],
    free_memory: Callable[[], int],
) -> None:
    """Refuse a formula whose information matrix takes more than an eighth of the free memory.

    Parameters
    ----------
    formula : str
        As the user wrote it.
    products : sequence of Product
        Groups of columns of the design.
    shown : mapping of str to Numeric or Categorical
        The factors.
    levels : mapping of str to tuple
        The levels of categorical ones.
    free_memory : callable
        Returns the free memory in bytes; asked where there are more than a few thousand columns.

    Raises
    ------
    FormulaError
        Naming the factor with the most levels and what can be done.
    """
    p = sum(_n_columns(product, shown, levels) for product in products)
    nbytes = 8 * p**2
    if nbytes <= SMALL or nbytes <= INFORMATION_SHARE * (free_bytes := free_memory()):
        return
    size = f"{p:,} columns, whose information matrix takes {_gigabytes(nbytes)}, more than an eighth of the free memory"
    used = [factor for product in products for factor, _ in product.factors if factor in levels]
    if not used:
        raise FormulaError(f"the formula {formula!r} gives {size} ({_gigabytes(free_bytes)}); leave terms out")
    most = max(used, key=lambda factor: len(levels[factor]))
    hashed = f"hashed({most}, levels=1000)" if most.isidentifier() else "hashed(..., levels=1000)"
    raise FormulaError(
        f"{most!r} has {len(levels[most]):,} levels, and the formula {size} ({_gigabytes(free_bytes)}). Is it an "
        f"identifier? Group its levels, spread them over fewer columns with {hashed}, or leave it "
        f'out and allow for dependence within its levels with cov_type="cluster"'
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


def _gigabytes(nbytes: float) -> str:
    return f"{nbytes / 1e9:,.1f} GB"
