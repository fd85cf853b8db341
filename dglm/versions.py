"""What a report of a problem should say: versions, and the machine that they run on."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import psutil
from threadpoolctl import threadpool_info

from dglm._version import __version__
from dglm.data import usable_cores
from dglm.matrix import AT_ONCE

NEEDED = (
    "numpy", "scipy", "pandas", "pyarrow", "dask", "distributed", "formulaic", "interface-meta",
    "narwhals", "patsy", "cloudpickle", "threadpoolctl", "psutil", "fsspec", "tqdm",
)  # fmt: skip
# What dglm imports when it is asked for, and what users give to dglm or compare it with.
OPTIONAL = ("matplotlib", "scikit-learn", "polars", "statsmodels", "numba", "s3fs", "gcsfs", "bokeh", "ipython")

MISSING = "not installed"


def show_versions(*, as_json: bool = False) -> None:
    """Print the versions of dglm, of python and of the packages around it, and what machine they run on.

    Nothing is imported for it.

    Parameters
    ----------
    as_json : bool
        Print an object of JSON, for programs, in place of lines.

    Examples
    --------
    >>> import dglm
    >>> dglm.show_versions()
    system
    ------
    dglm           : ...
    python         : ...
    OS             : ...
    processor      : ...
    cores          : ... usable of ...
    memory         : ... GiB, of which ... GiB are free
    BLAS           : ...
    loops          : ...
    <BLANKLINE>
    needed
    ------
    numpy          : ...
    """
    sections = environment()
    if as_json:
        sys.stdout.write(f"{json.dumps(sections, indent=2)}\n")
        return
    blocks = [
        "\n".join([title, "-" * len(title), *(f"{name:15}: {value}" for name, value in section.items())])
        for title, section in sections.items()
    ]
    sys.stdout.write("\n\n".join(blocks) + "\n")


def environment() -> dict[str, dict[str, str]]:
    """Return what `show_versions` prints.

    Returns
    -------
    dict of str to dict of str to str
        Of the system, of packages that dglm needs, and of some that it does not.

    Examples
    --------
    >>> from dglm.versions import environment
    >>> sorted(environment())
    ['needed', 'optional', 'system']
    """
    return {
        "system": _system(),
        "needed": {name: _version_of(name) for name in NEEDED},
        "optional": {name: _version_of(name) for name in OPTIONAL},
    }


def _system() -> dict[str, str]:
    memory = psutil.virtual_memory()
    return {
        "dglm": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "OS": platform.platform(),
        "processor": platform.machine(),
        "cores": f"{usable_cores()} usable of {psutil.cpu_count() or 'an unknown number'}",
        "memory": f"{memory.total / 2**30:.1f} GiB, of which {memory.available / 2**30:.1f} GiB are free",
        "BLAS": "; ".join(dict.fromkeys(_blas_libraries())) or "unknown",
        "loops": f"compiled, {AT_ONCE} numbers at once" if AT_ONCE else "none compiled: numpy's",
    }


def _blas_libraries() -> Iterator[str]:
    """Describe those that are loaded: numpy and scipy may each have brought one."""
    for library in threadpool_info():
        if library["user_api"] == "blas":
            threads = library["num_threads"]
            kind = f", {library['architecture']}" if library.get("architecture") else ""
            number = library["version"] or "of unknown version"
            yield f"{library['internal_api']} {number}, {threads} thread{'s' if threads != 1 else ''}{kind}"


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return MISSING
