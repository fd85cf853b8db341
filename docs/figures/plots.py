"""The figures of the page on plots, of rows that lie on dask; run by the build, always the same.

Run from the repository's root: python docs/figures/plots.py [FOLDER].
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import dask
import dask.dataframe as dd
import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import dglm
from dglm.families import Binomial, NegativeBinomial, Poisson
from dglm.links import Log, Sqrt

STYLE = {"figure.dpi": 110, "font.size": 9, "axes.spines.top": False}
CARRIERS = {"AA": 0.0, "B6": 0.6, "DL": -0.4, "UA": 0.3, "WN": 0.1}
FORMULA = "late ~ bs(hour, df=5) + carrier + log_km + snow + wind + age + seats + weekday"
LINEAR = FORMULA.replace("bs(hour, df=5)", "hour")


def flights(part: int, n: int = 10_000) -> pd.DataFrame:
    """Return some made-up flights: a partition."""
    rng = np.random.default_rng([7, part])
    rows = pd.DataFrame(rng.normal(size=(n, 5)), columns=["snow", "wind", "age", "seats", "weekday"])
    rows["hour"] = np.round(5 + 18 * rng.beta(1.6, 1.4, n), 1)
    rows["log_km"] = rng.normal(0.0, 0.5, n)
    rows["carrier"] = rng.choice(list(CARRIERS), n, p=[0.3, 0.08, 0.27, 0.2, 0.15])
    eta = -1.6 + np.sin((rows["hour"] - 9) / 3.5) + rows["carrier"].map(CARRIERS).astype(float)
    eta += 0.25 * rows["log_km"] + 0.45 * rows["snow"] + 0.2 * rows["wind"] + 0.05 * rows["age"]
    rows["late"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    rows["calls"] = rng.poisson(np.exp(0.8 + 0.4 * rows["snow"]) * rng.gamma(2.0, 0.5, n)).astype(float)
    return rows


@cache
def rows() -> dd.DataFrame:
    """Return the flights, read anew in every pass."""
    return dd.from_map(flights, range(4), meta=flights(0, 4))


@cache
def model(formula: str = FORMULA) -> dglm.GLM:
    """Return a model of late flights."""
    return dglm.GLM.from_formula(formula, rows(), family=Binomial())


@cache
def estimate(formula: str = FORMULA, penalty: dglm.penalties.Penalty | None = None) -> dglm.results.Results:
    """Return a fit."""
    return model(formula).fit(penalty=penalty)


LASSO, RIDGE = dglm.L1(0.004), dglm.L2(0.003)


def coefficients() -> Figure:
    """Draw three kinds of estimates as what they are."""
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 4.2), layout="constrained")
    for ax, name, penalty in zip(
        axes, ("fit()", "fit(penalty=L2)", "fit(penalty=L1)"), (None, RIDGE, LASSO), strict=True
    ):
        estimate(penalty=penalty).plot.coefficients(ax).set_title(name)
    return figure


def effects() -> Figure:
    """Draw a spline, the straight line that it replaced, and a categorical, with their bands."""
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.6), layout="constrained")
    estimate().plot.effect("hour", axes[0])
    estimate(LINEAR).plot.effect("hour", axes[1])
    estimate().plot.effect("carrier", axes[2])
    return figure


def residuals() -> Figure:
    """Draw binned residuals of counts under a wrong link and under the right one."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.6), sharey=True, layout="constrained")
    for ax, link in zip(axes, (Sqrt(), Log()), strict=True):
        result = dglm.GLM.from_formula("calls ~ snow", rows(), family=Poisson(link=link)).fit()
        result.plot.residuals(ax, kind="pearson", bins=60)
        ax.annotate(f"{link.name} link", (0.5, 0.95), xycoords="axes fraction", ha="center", va="top")
    return figure


def qq() -> Figure:
    """Draw quantile residuals of counts that vary more than Poisson ones, under two families."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.8), sharey=True, layout="constrained")
    for ax, family in zip(axes, (Poisson(), NegativeBinomial(alpha=None)), strict=True):
        result = dglm.GLM.from_formula("calls ~ snow", rows(), family=family).fit()
        result.plot.qq(ax).set_title(result.model_family)
    return figure


def ranking() -> Figure:
    """Draw calibration, ROC and lift of rows that were held out."""
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.6), layout="constrained")
    held_out = dd.from_map(flights, [90, 91], meta=flights(0, 4))
    estimate().plot.calibration(axes[0], data=held_out)
    estimate().plot.roc(axes[1], data=held_out)
    estimate().plot.lift(axes[2], data=held_out)
    return figure


def leverage() -> Figure:
    """Draw leverage against Cook's distance."""
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    estimate().plot.leverage(ax)
    return figure


def traces() -> Figure:
    """Draw how two solvers came to their optimum."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
    estimate().plot.trace(axes[0])
    model().fit(solver="lbfgs").plot.trace(axes[1])
    return figure


def paths() -> Figure:
    """Draw a path and a cross-validation."""
    figure, axes = plt.subplots(1, 2, figsize=(10.0, 4.2), layout="constrained")
    cv = model().fit_cv(dglm.L1(alpha=1.0), alphas=40)
    cv.path.plot(axes[0])
    cv.plot(axes[1])
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "coefficients": coefficients,
    "effects": effects,
    "residuals": residuals,
    "qq": qq,
    "ranking": ranking,
    "leverage": leverage,
    "traces": traces,
    "path_and_cv": paths,
}


def make(folder: Path) -> None:
    """Write every figure as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    with dask.config.set(scheduler="synchronous"):
        for name, draw in FIGURES.items():
            with plt.rc_context(STYLE):
                figure = draw()
                figure.savefig(folder / f"plots_{name}.png", metadata={"Software": None})
                plt.close(figure)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "made")
