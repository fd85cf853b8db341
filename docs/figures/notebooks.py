"""Tables as notebooks show them, for the page notebooks: what `_repr_html_` of the page's own objects returns."""

from pathlib import Path

import numpy as np
import pandas as pd

import dglm
from dglm.families import Binomial


def make(folder: Path) -> None:
    """Write a file of HTML for each table.

    Parameters
    ----------
    folder : Path
        Where.
    """
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 3))
    won = rng.random(400) < 1 / (1 + np.exp(-(0.8 * X[:, 0] - 0.4 * X[:, 1])))
    data = pd.DataFrame(X, columns=["a", "b", "noise"]).assign(won=won)
    model = dglm.GLM.from_formula("won ~ a + b + noise", data, family=Binomial())
    mle, ridge, lasso = (model.fit(penalty=penalty) for penalty in (None, dglm.L2(0.1), dglm.L1(0.03)))
    shown = {"mle": mle, "compared": dglm.compare(mle, ridge, lasso), "path": model.fit_path(dglm.L1(alpha=1.0))}
    for name, each in shown.items():
        (folder / f"notebooks_{name}.html").write_text(each._repr_html_(), encoding="utf-8")
