"""What is drawn: the numbers of the curves, on the axes that were given, as what each estimate is."""

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import dglm
from dglm.families import Binomial, Poisson
from dglm.plots.axes import log_ticks
from dglm.testing import count_passes

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

N = 500
DRAWN = ("residuals", "calibration", "roc", "lift", "qq", "leverage")


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = pd.DataFrame(rng.normal(size=(N, 3)), columns=["x1", "x2", "x3"])
    rows["carrier"] = rng.choice(["AA", "DL", "UA"], N)
    eta = rows["x1"] - 0.5 * rows["x2"] + 0.4 * (rows["carrier"] == "UA")
    return rows.assign(
        late=(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float), calls=rng.poisson(np.exp(eta / 2)).astype(float)
    )


@pytest.fixture(scope="module")
def model(data) -> dglm.GLM:
    return dglm.GLM.from_formula("late ~ x1 + x2 + x3 + carrier", data, family=Binomial())


@pytest.fixture(scope="module")
def mle(model) -> dglm.results.GLMResults:
    return model.fit()


@pytest.fixture(autouse=True)
def figures():
    yield
    plt.close("all")


def texts(ax) -> str:
    legend = ax.get_legend()
    return " ".join([ax.get_xlabel(), *(text.get_text() for text in (legend.get_texts() if legend else []))])


def labels(ax) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


def test_every_plot_returns_the_axes_that_it_was_given(mle) -> None:
    figure, axes = plt.subplots(2, 5)
    flat = iter(axes.ravel())
    for name in (*DRAWN, "coefficients", "trace"):
        given = next(flat)
        assert getattr(mle.plot, name)(given) is given
        assert given.has_data()
    for name in ("x1", "carrier"):
        given = next(flat)
        assert mle.plot.effect(name, ax=given) is given
    figure.canvas.draw()
    assert mle.plot.trace() is not mle.plot.trace()


def test_plots_of_dask_rows_are_those_of_rows_in_memory(data, mle) -> None:
    lazy = dd.from_pandas(data, npartitions=3)
    with dask.config.set(scheduler="synchronous"):
        there = dglm.GLM.from_formula("late ~ x1 + x2 + x3 + carrier", lazy, family=Binomial()).fit()
        with count_passes() as passes:
            drawn = {name: getattr(there.plot, name)() for name in DRAWN}
    assert passes.count == 3
    for name, ax in drawn.items():
        here = getattr(mle.plot, name)()
        for one, other in zip(here.get_lines(), ax.get_lines(), strict=True):
            np.testing.assert_allclose(other.get_xydata(), one.get_xydata(), rtol=1e-6, atol=1e-7)


def test_neither_coefficients_nor_the_trace_need_a_pass(mle) -> None:
    with count_passes() as passes:
        mle.plot.coefficients()
        mle.plot.trace()
    assert passes.count == 0


def test_maximum_likelihood_has_intervals(mle) -> None:
    ax = mle.plot.coefficients()
    assert labels(ax) == ["x1", "x2", "x3", "carrier[T.DL]", "carrier[T.UA]"]
    (bars,) = (c for c in ax.collections if isinstance(c, matplotlib.collections.LineCollection))
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, mle.conf_int().iloc[1:])
    assert "95% interval" in texts(ax)
    ratios = mle.plot.coefficients(exponentiate=True, intercept=True)
    assert ratios.get_xscale() == "log"
    assert len(labels(ratios)) == 6


def test_ridge_has_no_intervals_but_what_was_taken(model) -> None:
    ridge = model.fit(penalty=dglm.L2(0.1))
    ax = ridge.plot.coefficients()
    (right,) = ax.child_axes
    shown = [text.get_text() for text in right.get_yticklabels()]
    assert shown == [f"{100 * share:.0f}%" for share in ridge.shrinkage.iloc[1:]]
    assert "no intervals" in texts(ax)
    stems = np.array([segment[:, 0] for segment in ax.collections[0].get_segments()])
    np.testing.assert_allclose(stems[:, 0], 0)
    np.testing.assert_allclose(stems[:, 1], ridge.params.iloc[1:])


def test_the_lasso_marks_what_is_zero_and_what_is_not_penalised(model) -> None:
    lasso = model.fit(penalty=dglm.L1(0.02, weights={"x1": 0.0}))
    ax = lasso.plot.coefficients()
    by_name = {line.get_label(): line for line in ax.get_lines()}
    assert by_name["not penalised"].get_xdata().tolist() == [lasso.params["x1"]]
    assert len(by_name["exactly zero"].get_xdata()) == len(lasso.params) - lasso.n_nonzero > 0
    assert len(by_name["selected"].get_xdata()) == lasso.n_nonzero - 2
    assert "no intervals" in texts(ax)
    assert "shrunk: no interval" in texts(lasso.plot.effect("x1"))


def test_bounds_are_drawn_and_what_is_at_one(model) -> None:
    bounded = model.fit(bounds={"x1": (0, 0.5), "x2": (0, None)})
    ax = bounded.plot.coefficients()
    by_name = {line.get_label(): line for line in ax.get_lines()}
    assert by_name["at a bound"].get_xdata().tolist() == [0.5, 0.0]
    assert len(by_name["estimated"].get_xdata()) == 3


def test_debiased_estimates_have_intervals(model) -> None:
    ax = model.fit(penalty=dglm.L1(0.02)).debias().plot()
    assert "95% interval" in texts(ax)
    assert len(labels(ax)) == 5


def test_only_the_largest_of_many_coefficients_are_drawn(mle) -> None:
    ax = mle.plot.coefficients(largest=2)
    assert labels(ax) == mle.tvalues.iloc[1:].abs().nlargest(2).index.tolist()
    assert "3 smaller ones are not drawn" in ax.get_title(loc="left")


def test_an_effect_without_its_interactions_says_so(data) -> None:
    result = dglm.GLM.from_formula("calls ~ x1 * x2", data, family=Poisson()).fit()
    assert result.plot.effect("x1").get_title(loc="left") == "without x1:x2"
    assert len(result.plot.effect("x1", partial=False).containers) == 0


def test_the_trace_shows_whether_the_certificate_holds(model, mle) -> None:
    ax = mle.plot.trace()
    iterates = ax.get_lines()[0].get_ydata()
    assert iterates.tolist() == [each.certificate for each in mle.fit_history]
    assert mle.certificate.tol in ax.get_lines()[2].get_ydata()
    with pytest.warns(dglm.errors.ConvergenceWarning):
        halted = model.fit(max_iter=1).plot.trace()
    assert "does not hold" in texts(halted)


@pytest.mark.parametrize("n", [2, 3])
def test_very_few_rows_can_be_drawn(data, n) -> None:
    few = dglm.GLM.from_formula("calls ~ 1", data.head(n), family=Poisson()).fit()
    for name in ("residuals", "calibration", "lift", "qq", "leverage", "coefficients", "trace"):
        getattr(few.plot, name)().figure.canvas.draw()


def test_a_fit_through_every_row_can_be_drawn(data) -> None:
    # every leverage is 1, and no distance is defined
    saturated = dglm.GLM.from_formula("calls ~ x1", data.head(2)).fit()
    assert "2 observations of leverage 1" in saturated.plot.leverage().get_title(loc="left")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.9, 1.45, [0.9, 1.0, 1.1, 1.2, 1.3, 1.4]),
        (0.08, 3, [0.1, 0.2, 0.5, 1, 2]),
        (3e-5, 2e-2, [1e-4, 1e-3, 1e-2]),
        (1e-12, 1e3, [1e-12, 1e-9, 1e-6, 1e-3, 1, 1e3]),
        (0.5, 0.5, [0.5]),
    ],
)
def test_logarithmic_axes_have_few_round_labels(low, high, ticks) -> None:
    np.testing.assert_allclose(log_ticks(low, high), ticks, rtol=1e-12)
