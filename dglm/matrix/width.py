"""Width: from how many columns on a p x p matrix is made only where it is asked for. The one place that says so."""

from __future__ import annotations

from dglm.errors import TooWideError

# 5,000 columns: 200 MB for each matrix of products, and 40 GFlop to factorise it.
WIDE = 5_000
# What a second-order fit holds at a time: the information, its scaled copy, its factor, and one that is being summed.
COPIES = 4


def is_wide(p: int) -> bool:
    """Return whether a design has so many columns that p x p matrices are made only if asked for.

    Parameters
    ----------
    p : int
        Number of columns.

    Returns
    -------
    bool
        True above 5,000.
    """
    return p > WIDE


def check_square(p: int, free_bytes: int, what: str, advice: str = "") -> None:
    """Refuse p x p matrices of a wide design that memory cannot hold.

    Parameters
    ----------
    p : int
        Number of columns.
    free_bytes : int
        Memory that is free.
    what : str
        What needs them, for the message.
    advice : str
        That ends the message: what else could be done about the columns.

    Raises
    ------
    TooWideError
        If `COPIES` of them are more than what is free.
    """
    needed = COPIES * 8 * p * p
    if is_wide(p) and needed > free_bytes:
        raise TooWideError(
            f"{what} makes {p:,} x {p:,} matrices, {COPIES} of {8 * p * p:,} bytes each, but {free_bytes:,} bytes are "
            f"free; fit with a penalty and a solver that makes none: L2(alpha) with LBFGS() or GradientDescent(), "
            f"L1(alpha) with ProximalLBFGS(){advice}"
        )
