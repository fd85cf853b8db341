"""The figures of the page on what each estimate is and is not; run by the build, always the same.

Run from the repository's root: python docs/figures/three_estimates.py [FOLDER].
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dglm

MLE, RIDGE, LASSO, GREY = "#1b6ca8", "#c8553d", "#2a7f62", "#8a8a8a"
STYLE = {
    "figure.figsize": (8.0, 3.6),
    "figure.dpi": 110,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "legend.frameon": False,
}
N, P = 100, 8
TRUTH = np.array([0.5, 0.2, -0.4, 0.0, 0.0, 0.3, 0.0, 0.0])
ROOT = np.linalg.cholesky(0.7 ** np.abs(np.subtract.outer(np.arange(P), np.arange(P))))


def sample(rng: np.random.Generator, n: int = N, *, correlated: bool = True) -> dglm.GLM:
    """Return a Gaussian model of fresh rows; neighbouring columns are correlated 0.7, or all independent."""
    Z = rng.normal(size=(n, P))
    X = np.column_stack([np.ones(n), Z @ ROOT.T if correlated else Z])
    return dglm.GLM(1 + X[:, 1:] @ TRUTH + rng.normal(size=n), X)


def slopes(result: dglm.results.Results) -> np.ndarray:
    """Return the coefficients but the intercept."""
    return np.asarray(result.params)[1:]


def sampling_distributions() -> Figure:
    """Draw what three estimates of a coefficient are over repeated samples: one with an effect, one without."""
    rng = np.random.default_rng(1)
    kinds = {"maximum likelihood": None, "ridge": dglm.L2(0.3), "lasso": dglm.L1(0.15)}
    found: dict[str, list[np.ndarray]] = {name: [] for name in kinds}
    for _ in range(600):
        model = sample(rng)
        for name, penalty in kinds.items():
            found[name].append(slopes(model.fit(penalty=penalty)))
    figure, axes = plt.subplots(2, 3, sharex="row", sharey="row", figsize=(8.0, 4.6))
    for row, (j, low, high) in zip(axes, ((0, -0.2, 1.0), (3, -0.5, 0.5)), strict=True):
        bins = np.linspace(low, high, 49)
        for axis, name, colour in zip(row, kinds, (MLE, RIDGE, LASSO), strict=True):
            b = np.array(found[name])[:, j]
            axis.hist(b[b != 0], bins=bins, color=colour, alpha=0.75)
            if (zero := np.mean(b == 0)) > 0:
                axis.bar([0], [np.sum(b == 0)], width=bins[1] - bins[0], color=colour)
                axis.annotate(
                    f"exactly zero:\n{zero:.0%}", (0.97, 0.8), xycoords="axes fraction", ha="right", fontsize=8
                )
            axis.axvline(TRUTH[j], color="black", lw=1)
            axis.axvline(b.mean(), color="black", lw=1, ls=":")
            axis.set_ylim(0, 80)
            axis.set_yticks([])
    for axis, name in zip(axes[0], kinds, strict=True):
        axis.set_title(name)
    axes[0, 0].set_ylabel(f"true value {TRUTH[0]:g}")
    axes[1, 0].set_ylabel("true value 0")
    figure.supxlabel("estimate over 600 samples (line: truth, dots: mean of the estimates)", fontsize=9)
    return figure


def paths() -> Figure:
    """Draw ridge and lasso coefficients of one sample as the penalty gets weaker."""
    model = sample(np.random.default_rng(6), 200)
    mle = slopes(model.fit())
    figure, axes = plt.subplots(1, 2, sharey=True)
    colours = plt.get_cmap("tab10")(np.arange(P))
    largest = {"ridge": 100.0, "lasso": model.alpha_max(dglm.L1(1.0))}
    for axis, name, penalty in zip(axes, largest, (dglm.L2, dglm.L1), strict=True):
        alphas = np.geomspace(largest[name], 1e-3, 60)
        path = np.array([slopes(model.fit(penalty=penalty(alpha))) for alpha in alphas])
        for j in range(P):
            axis.plot(alphas, path[:, j], color=colours[j], lw=1.6 if TRUTH[j] else 1.0, ls="-" if TRUTH[j] else "--")
            axis.plot([alphas[-1]], [mle[j]], "o", ms=4, color=colours[j], clip_on=False)
        axis.set_xscale("log")
        axis.invert_xaxis()
        axis.axhline(0, color=GREY, lw=0.5)
        axis.set_title(name)
    axes[0].set_ylabel("coefficient (dashed: true value 0)")
    figure.supxlabel("alpha, weaker to the right (dots: maximum likelihood)", fontsize=9)
    figure.subplots_adjust(bottom=0.18)
    return figure


def bias_and_variance() -> Figure:
    """Draw the squared bias, the variance and their sum over all slopes against the strength of the penalty."""
    alphas = np.geomspace(0.005, 1.5, 16)
    figure, axes = plt.subplots(1, 2, sharey=True)
    for axis, name, penalty in zip(axes, ("ridge", "lasso"), (dglm.L2, dglm.L1), strict=True):
        rng = np.random.default_rng(2)
        # fewer rows, so that there is a variance to trade
        found = np.array(
            [[slopes(m.fit(penalty=penalty(a))) for a in alphas] for m in (sample(rng, 40) for _ in range(120))]
        )
        rng = np.random.default_rng(2)
        mle = np.array([slopes(sample(rng, 40).fit()) for _ in range(120)])
        bias, variance = np.sum((found.mean(axis=0) - TRUTH) ** 2, axis=1), np.sum(found.var(axis=0), axis=1)
        axis.plot(alphas, bias, color=RIDGE, label="squared bias")
        axis.plot(alphas, variance, color=MLE, label="variance")
        axis.plot(alphas, bias + variance, color="black", lw=2, label="mean squared error")
        axis.axhline(np.sum((mle - TRUTH) ** 2) / len(mle), color=GREY, ls=":", label="that of maximum likelihood")
        axis.set_xscale("log")
        axis.set_title(name)
        axis.set_xlabel("alpha")
    lines, names = axes[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="upper center", ncol=4, fontsize=8, bbox_to_anchor=(0.5, 1.06))
    axes[0].set_ylabel("summed over 8 coefficients")
    return figure


def coverage() -> Figure:
    """Draw how often 95% intervals cover a true value of zero: after selection by the same rows, and in honest ways."""
    rng = np.random.default_rng(3)
    none = TRUTH == 0
    hits: dict[str, list[np.ndarray]] = {"refit()": [], "split()": [], "debias()": [], "maximum\nlikelihood": []}
    for seed in range(250):
        model = sample(rng, 200, correlated=False)
        lasso = model.fit(penalty=dglm.L1(0.1))
        made = (lasso.refit(), lasso.split(0.5, seed).inference, lasso.debias(), model.fit())
        for name, result in zip(hits, made, strict=True):
            low, high = np.asarray(result.conf_int())[1:].T
            there = none & (slopes(result) != 0)
            hits[name].append(((low <= 0) & (high >= 0))[there])
    figure, axis = plt.subplots(figsize=(8.0, 3.2))
    rates = [float(np.mean(np.concatenate(each))) for each in hits.values()]
    counts = [len(np.concatenate(each)) for each in hits.values()]
    bars = axis.bar(list(hits), rates, color=[RIDGE, LASSO, LASSO, MLE], width=0.55)
    for bar, rate, count in zip(bars, rates, counts, strict=True):
        middle = bar.get_x() + bar.get_width() / 2
        axis.annotate(f"{rate:.0%} of {count}", (middle, 0.06), ha="center", color="white", fontsize=9)
    axis.axhline(0.95, color="black", lw=1, ls="--")
    axis.set_ylim(0, 1.08)
    axis.set_yticks([0, 0.5, 0.95], ["0", "50%", "95%"])
    axis.set_ylabel("intervals that cover")
    axis.set_title("95% intervals of coefficients that are zero", fontsize=10)
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "sampling_distributions": sampling_distributions,
    "paths": paths,
    "bias_and_variance": bias_and_variance,
    "coverage": coverage,
}


def make(folder: Path) -> None:
    """Write every figure as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        with plt.rc_context(STYLE):
            figure = draw()
            figure.savefig(folder / f"{name}.png", bbox_inches="tight", metadata={"Software": None})
            plt.close(figure)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "made")
