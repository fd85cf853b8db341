"""Loading: a saved result, on this machine or another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from dglm.families import Family
from dglm.links import Link
from dglm.penalties import Penalty
from dglm.results.base import Results
from dglm.results.dispatch import results_of
from dglm.results.saving import read_estimate


def load(
    path: str | os.PathLike[str],
    *,
    context: Mapping[str, Any] | None = None,
    families: Iterable[type[Family]] = (),
    links: Iterable[type[Link]] = (),
    penalties: Iterable[type[Penalty]] = (),
) -> Results:
    """Return a result that was saved with `Results.save`.

    Nothing in the file is executed by loading it. Predicting evaluates the formula, which is code like any other; it
    can be read in the file beforehand.

    Parameters
    ----------
    path : str or path
        Of the file.
    context : mapping of str to object, optional
        Where functions, and whatever else the formula names and a file cannot hold, are looked up. Numbers, strings,
        small arrays and well-known modules were saved, and stay as they were.
    families, links, penalties : iterable of type, optional
        Classes of your own that the model was built with.

    Returns
    -------
    GLMResults, L2Results or L1Results
        As it was saved, without the rows that were fitted.

    Raises
    ------
    StorageError
        If the file holds no result, is damaged or of a later format, or needs a class that was not given.
    TypeError
        If a class is of another kind than its argument says.

    Examples
    --------
    >>> import dglm, pathlib, tempfile, pandas as pd
    >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
    >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "deaths.dglm"
    ...     result.save(path)
    ...     again = dglm.load(path)
    >>> again.predict(data).equals(result.predict(data))
    True
    """
    classes = {"families": families, "links": links, "penalties": penalties}
    return results_of(read_estimate(path, context={} if context is None else context, classes=classes))
