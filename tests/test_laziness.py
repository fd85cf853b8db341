"""What is computed, and how often: building a model computes nothing, every pass is counted, little is read."""

import subprocess
import sys
from pathlib import Path

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import dglm
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log
from dglm.testing import count_passes, forbid_compute


def frame(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=n), rng.random(n)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "g": rng.choice(list("abc"), n),
            "won": (rng.random(n) < 1 / (1 + np.exp(-x))).astype(float),
            "count": rng.poisson(np.exp(0.3 * x)).astype(float),
            "size": rng.gamma(2.0, np.exp(0.3 * x)),
            "time": rng.random(n) + 0.5,
        }
    )


@pytest.mark.parametrize(
    "formula", ["won ~ x", "won ~ np.log(z) * x + I(x ** 2)", "won ~ C(g, levels=['a', 'b', 'c'])", "won ~ 1"]
)
def test_building_a_model_of_numbers_computes_nothing(formula: str) -> None:
    ddf = dd.from_pandas(frame(), npartitions=4)
    with forbid_compute(), count_passes() as passes:
        model = dglm.GLM.from_formula(formula, ddf, family=Binomial(), offset="z", freq_weights=ddf["z"])
        assert model.exog_names[0] == "Intercept"
        assert model.endog_names == "won"
        assert isinstance(model.exog, da.Array)
        assert isinstance(model.endog, da.Array)
    assert passes.count == 0


def test_known_categories_need_no_pass() -> None:
    ddf = dd.from_pandas(frame().astype({"g": "category"}), npartitions=4)
    with forbid_compute():
        model = dglm.GLM.from_formula("won ~ g", ddf, family=Binomial())
    assert model.exog_names == ["Intercept", "g[T.b]", "g[T.c]"]


def test_levels_of_all_factors_are_learned_in_one_pass() -> None:
    ddf = dd.from_pandas(frame().assign(h=lambda d: d["g"] * 2), npartitions=4)
    with count_passes() as passes:
        dglm.GLM.from_formula("won ~ g * h + C(x > 0)", ddf, family=Binomial())
    assert passes.count == 1


def test_building_a_model_of_dask_arrays_computes_nothing() -> None:
    X = da.random.default_rng(0).random((100, 3), chunks=(30, 2))
    with forbid_compute():
        dglm.GLM(X[:, 0], X[:, 1:])


def test_rows_of_results_are_lazy_until_computed() -> None:
    ddf = dd.from_pandas(frame(), npartitions=4)
    result = dglm.GLM.from_formula("won ~ x + g", ddf, family=Binomial()).fit()
    with forbid_compute():
        lazy = [result.predict(ddf), result.fittedvalues, result.resid_response, result.resid_pearson]
        lazy += [result.resid_deviance, result.resid_working]
        assert all(isinstance(series, dd.Series) for series in lazy)
        assert all(series.npartitions == 4 for series in lazy)
        with_prediction = ddf.assign(p=result.predict(ddf))
    assert len(with_prediction.compute()) == len(frame())


def test_forbid_compute_can_fail() -> None:
    with pytest.raises(AssertionError), forbid_compute():
        dd.from_pandas(frame(), npartitions=2)["x"].sum().compute()


@pytest.mark.parametrize(
    ("family", "response", "extra"),
    [
        # survey, then one pass per iterate; families whose dispersion is estimated finish with one more, unless their
        # likelihood at it is known
        (Binomial(), "won", 0),
        (Poisson(), "count", 0),
        (Gaussian(), "size", 0),
        (Gamma(Log()), "size", 1),
    ],
)
@pytest.mark.parametrize("penalty", [None, dglm.L2(alpha=0.1)], ids=["none", "l2"])
def test_a_fit_makes_one_pass_per_iterate(family, response: str, extra: int, penalty) -> None:
    for rows in (frame(), dd.from_pandas(frame(), npartitions=3)):
        model = dglm.GLM.from_formula(f"{response} ~ x + z", rows, family=family)
        with count_passes() as passes:
            result = model.fit(penalty=penalty)
        assert passes.count == result.n_passes == 1 + (1 + result.n_iter) + extra
        # the rows were surveyed already
        with count_passes() as passes:
            again = model.fit(penalty=penalty)
        assert passes.count == again.n_passes == result.n_passes - 1
        np.testing.assert_array_equal(again.params, result.params)


def test_ordinary_least_squares_takes_two_passes() -> None:
    result = dglm.GLM.from_formula("size ~ x + z", frame()).fit()
    assert (result.n_iter, result.n_passes) == (0, 2)


def test_logistic_regression_takes_few_passes() -> None:
    result = dglm.GLM.from_formula("won ~ x + z + g", frame(), family=Binomial()).fit()
    assert result.n_passes <= 6


def test_newton_on_another_link_needs_one_pass_more_for_the_expected_information() -> None:
    model = dglm.GLM.from_formula("size ~ x", frame(), family=Gamma(Log()))
    newton, irls = model.fit(solver="newton"), model.fit(solver="irls")
    assert newton.n_passes == 2 + newton.n_iter + 1
    np.testing.assert_allclose(newton.bse, irls.bse, rtol=1e-7)


def test_the_null_model_with_an_offset_costs_no_pass() -> None:
    data = frame()
    plain = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit()
    with_offset = dglm.GLM.from_formula("count ~ x", data, family=Poisson(), exposure="time").fit()
    assert with_offset.n_passes == 2 + with_offset.n_iter
    assert plain.n_passes == 2 + plain.n_iter
    # the mean of a Poisson null model with exposure t has a closed form: sum y / sum t
    y, mu = data["count"], data["time"] * data["count"].sum() / data["time"].sum()
    deviance = 2 * np.sum(np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mu), 0) - (y - mu))
    np.testing.assert_allclose(with_offset.null_deviance, deviance, rtol=1e-12)


class RecordingSource:
    """Reads a partition, writing down in a file which columns were asked for."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __call__(self, i: int, columns: list[str] | None = None) -> pd.DataFrame:
        data = frame(50) if columns is None else frame(50)[columns]
        with self.log.open("a") as log:
            log.write(",".join(data.columns) + "\n")
        return data


def test_only_the_named_columns_are_read(tmp_path: Path) -> None:
    log = tmp_path / "columns"
    ddf = dd.from_map(RecordingSource(log), range(3), meta=frame(2))
    with dask.config.set(scheduler="sync"):
        result = dglm.GLM.from_formula("won ~ np.log(z) + g", ddf, family=Binomial(), offset="x").fit()
        result.predict(ddf).compute()
    read = [set(line.split(",")) for line in log.read_text().splitlines()]
    assert read
    assert all(columns <= {"won", "z", "g", "x"} for columns in read)


def test_blocks_are_kept_between_passes_unless_told_otherwise(tmp_path: Path) -> None:
    log = tmp_path / "reads"
    for persist, reads in ((True, 3), (False, None)):
        log.unlink(missing_ok=True)
        ddf = dd.from_map(RecordingSource(log), range(3), meta=frame(2))
        model = dglm.GLM.from_formula("won ~ x", ddf, family=Binomial())
        with dask.config.set(scheduler="sync"):
            result = model.fit(persist=persist)
        assert len(log.read_text().splitlines()) == (reads or 3 * result.n_passes)


def test_in_memory_data_never_touches_a_scheduler() -> None:
    data = frame()
    with forbid_compute():
        result = dglm.GLM.from_formula("won ~ x + g", data, family=Binomial()).fit()
        result.predict(data)
        X = np.column_stack([np.ones(len(data)), data["x"]])
        dglm.GLM(data["won"].to_numpy(), X, family=Binomial()).fit(penalty=dglm.L1(alpha=0.01))
    assert result.converged


def test_importing_loads_no_module_that_few_fits_need() -> None:
    # scipy.stats alone takes as long to load as pandas does
    external = ("scipy.stats", "scipy.optimize", "statsmodels", "sklearn", "matplotlib", "polars", "IPython")
    seldom = (*external, "dglm.testing")
    code = f"import sys, dglm; print([name for name in {seldom} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "[]"
