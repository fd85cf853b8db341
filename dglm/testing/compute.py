"""forbid_compute: proof that building something on dask reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import dask


@contextmanager
def forbid_compute() -> Iterator[None]:
    """Raise AssertionError from anything inside that has dask compute or persist.

    It replaces dask's default scheduler, a distributed client's too; only a call that names another one,
    ``x.compute(scheduler="threads")``, gets past it.

    Yields
    ------
    None
        While nothing may be computed.

    Examples
    --------
    >>> import dask.array as da
    >>> x = da.ones(3, chunks=1)
    >>> with forbid_compute():
    ...     total = (x + 1).sum()
    >>> float(total.compute())
    6.0
    >>> with forbid_compute():
    ...     total.compute()
    Traceback (most recent call last):
    ...
    AssertionError: dask was asked to compute under forbid_compute: ...
    """
    with dask.config.set(scheduler=_refuse):
        yield


def _refuse(dsk: object, keys: object, **settings: object) -> NoReturn:
    """Stand in for a scheduler's ``get``."""
    del dsk, settings
    raise AssertionError(f"dask was asked to compute under forbid_compute: {keys!s:.200}")
