"""What must not change an estimate: the scheduler (bit by bit), the partitioning, the order of rows, repetition.

Source of the promises: same partitioning, bitwise equal results on every scheduler and any number of workers; another
partitioning, 1e-10 relative.
"""

import dask
import numpy as np
import pandas as pd
import pytest
from dask import dataframe as dd
from distributed import Client, LocalCluster

import dglm
from validation.datasets import dglm_family

# A fit's coefficients are only as comparable as its stopping rule allows: 1e-10 needs a smaller tolerance than that.
TIGHT = 1e-11
SAME = 1e-10

FORMULA = "y ~ x1 + x2 + x3 + g"
MODELS = [("Gaussian", "Identity"), ("Binomial", "Logit"), ("Poisson", "Log"), ("Gamma", "Log")]
PENALTIES = {"unpenalised": None, "l2": dglm.L2(0.05), "l1": dglm.L1(0.05)}
ALL_MODELS = pytest.mark.parametrize(("family", "link"), MODELS)
ALL_PENALTIES = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)


def rows(family, n=240, seed=7):
    """Return rows with a categorical column, a column with a large mean, and weights."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x1": rng.standard_normal(n),
            "x2": 100 + rng.standard_normal(n),
            "x3": rng.uniform(-1, 1, n),
            "g": rng.choice(["a", "b", "c"], n),
            "counts": rng.integers(1, 4, n).astype(float),
        }
    )
    # no true slope is zero: an estimate that is nothing but noise has no relative accuracy
    levels = frame["g"].map({"a": 0.0, "b": 0.4, "c": -0.5})
    eta = 0.3 + 0.4 * frame["x1"] - 0.3 * (frame["x2"] - 100) + 0.6 * frame["x3"] + levels
    mu = np.exp(eta)
    draws = {
        "Gaussian": lambda: eta + rng.standard_normal(n),
        "Binomial": lambda: (rng.uniform(size=n) < mu / (1 + mu)).astype(float),
        "Poisson": lambda: rng.poisson(mu).astype(float),
        "Gamma": lambda: rng.gamma(3.0, mu / 3.0),
    }
    return frame.assign(y=draws[family]())


def fit(data, family, link, penalty, *, formula=FORMULA, tol=None, **kwargs):
    model = dglm.GLM.from_formula(formula, data, family=dglm_family(family, link), **kwargs)
    return model.fit(penalty=penalty, tol=tol)


def numbers(result):
    """Return everything that is promised to be the same, as named arrays."""
    names = ["params", "deviance", "null_deviance", "pearson_chi2", "llf", "scale"]
    if hasattr(result, "bse"):
        names += ["bse", "pvalues"]
    return {name: np.atleast_1d(np.asarray(getattr(result, name), dtype=float)) for name in names}


def assert_bitwise_equal(found, expected):
    assert {name: value.tobytes() for name, value in found.items()} == {
        name: value.tobytes() for name, value in expected.items()
    }


def assert_close(found, expected, rtol=SAME):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # coefficients that are zero must be so exactly
        np.testing.assert_array_equal(found[name] == 0, value == 0, err_msg=name)
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=0, err_msg=name)


@pytest.fixture(autouse=True)
def _tasks_in_turn():
    # hundreds of passes over a few rows: threads would cost more than the arithmetic
    with dask.config.set(scheduler="synchronous"):
        yield


# --- schedulers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@ALL_PENALTIES
@ALL_MODELS
def test_threads_give_the_same_bits_as_one_thread(family, link, penalty):
    # enough partitions for a tree of two levels, and for threads to finish out of order
    ddf = dd.from_pandas(rows(family), npartitions=20)
    expected = numbers(fit(ddf, family, link, penalty))
    with dask.config.set(scheduler="threads", num_workers=5):
        assert_bitwise_equal(numbers(fit(ddf, family, link, penalty)), expected)


@pytest.mark.parametrize("persist", [True, False])
def test_keeping_blocks_does_not_change_a_bit(persist):
    ddf = dd.from_pandas(rows("Poisson"), npartitions=5)
    expected = numbers(fit(ddf, "Poisson", "Log", None))
    model = dglm.GLM.from_formula(FORMULA, ddf, family=dglm_family("Poisson", "Log"))
    assert_bitwise_equal(numbers(model.fit(persist=persist)), expected)


@pytest.mark.distributed
@pytest.mark.timeout(120)
@ALL_PENALTIES
@ALL_MODELS
def test_a_cluster_of_processes_gives_the_same_bits(client, family, link, penalty):
    ddf = dd.from_pandas(rows(family), npartitions=9)
    expected = numbers(fit(ddf, family, link, penalty))
    scheduler = client.cluster.scheduler
    before = scheduler.transition_counter
    with dask.config.set(scheduler=client):
        assert_bitwise_equal(numbers(fit(ddf, family, link, penalty)), expected)
    # the cluster did the work: lest one process be compared with itself
    assert scheduler.transition_counter > before + ddf.npartitions


@pytest.mark.distributed
@pytest.mark.timeout(120)
@pytest.mark.parametrize("cov_type", ["HC3", "cluster"])
def test_a_cluster_of_processes_gives_the_same_robust_covariance(client, cov_type):
    ddf = dd.from_pandas(rows("Gamma"), npartitions=9)
    # a group is in several partitions
    options = {"cov_type": cov_type, "cov_kwds": {"groups": ddf["x1"] > 0} if cov_type == "cluster" else None}
    model = dglm.GLM.from_formula(FORMULA, ddf, family=dglm_family("Gamma", "Log"))
    expected = model.fit(**options).cov_params()
    with dask.config.set(scheduler=client):
        found = dglm.GLM.from_formula(FORMULA, ddf, family=dglm_family("Gamma", "Log")).fit(**options).cov_params()
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


# --- partitions, order, repetition, units ----------------------------------------------------------------------------


@pytest.mark.parametrize("npartitions", [2, 3, 7, 20])
@ALL_PENALTIES
@ALL_MODELS
def test_partitioning_changes_rounding_only(family, link, penalty, npartitions):
    frame = rows(family)
    one, several = (
        fit(dd.from_pandas(frame, npartitions=n), family, link, penalty, tol=TIGHT, freq_weights="counts")
        for n in (1, npartitions)
    )
    assert_close(numbers(several), numbers(one))


@ALL_PENALTIES
@ALL_MODELS
def test_empty_and_uneven_partitions_change_rounding_only(family, link, penalty):
    frame = rows(family)
    cuts = [frame.iloc[:1], frame.iloc[1:1], frame.iloc[1:200], frame.iloc[200:]]
    uneven = dd.from_delayed([dask.delayed(cut) for cut in cuts], meta=frame.iloc[:0], verify_meta=False)
    assert uneven.npartitions == len(cuts)
    expected = numbers(fit(frame, family, link, penalty, tol=TIGHT))
    assert_close(numbers(fit(uneven, family, link, penalty, tol=TIGHT)), expected)


@pytest.mark.parametrize("order", ["shuffled", "sorted by the response", "sorted by a level"])
@ALL_PENALTIES
@ALL_MODELS
def test_order_of_rows_changes_rounding_only(family, link, penalty, order):
    frame = rows(family)
    reordered = {
        "shuffled": frame.sample(frac=1, random_state=1),
        "sorted by the response": frame.sort_values("y"),
        "sorted by a level": frame.sort_values("g", ascending=False),
    }[order].reset_index(drop=True)
    expected = numbers(fit(dd.from_pandas(frame, npartitions=3), family, link, penalty, tol=TIGHT))
    found = fit(dd.from_pandas(reordered, npartitions=3), family, link, penalty, tol=TIGHT)
    assert_close(numbers(found), expected)


@ALL_PENALTIES
@ALL_MODELS
def test_a_weight_of_two_is_the_row_twice(family, link, penalty):
    frame = rows(family)
    repeated = frame.loc[frame.index.repeat(frame["counts"].astype(int))].reset_index(drop=True)
    weighted = fit(dd.from_pandas(frame, npartitions=3), family, link, penalty, tol=TIGHT, freq_weights="counts")
    written_out = fit(dd.from_pandas(repeated, npartitions=3), family, link, penalty, tol=TIGHT)
    assert weighted.nobs == written_out.nobs == len(repeated)
    assert weighted.df_resid == pytest.approx(written_out.df_resid, rel=SAME)
    assert_close(numbers(weighted), numbers(written_out))


@ALL_MODELS
def test_a_weight_of_zero_is_no_row(family, link):
    frame = rows(family)
    used = frame.assign(used=(frame["x3"] > -0.5).astype(float))
    weighted = fit(dd.from_pandas(used, npartitions=3), family, link, None, tol=TIGHT, freq_weights="used")
    left_out = fit(frame[used["used"] == 1], family, link, None, tol=TIGHT)
    assert_close(numbers(weighted), numbers(left_out))


@pytest.mark.parametrize("unit", [1e-6, 1e3])
@ALL_MODELS
def test_rescaling_a_column_rescales_its_coefficient(family, link, unit):
    frame = rows(family)
    original = fit(frame, family, link, None, tol=TIGHT)
    rescaled = fit(frame.assign(x1=frame["x1"] * unit), family, link, None, tol=TIGHT)
    for name in ("params", "bse"):
        value = getattr(rescaled, name).copy()
        value["x1"] *= unit
        np.testing.assert_allclose(value, getattr(original, name), rtol=SAME)
    for name in ("deviance", "llf", "pearson_chi2"):
        np.testing.assert_allclose(getattr(rescaled, name), getattr(original, name), rtol=SAME)


@pytest.mark.parametrize("unit", [1e-6, 1e3])
@ALL_MODELS
def test_rescaling_a_column_and_its_penalty_rescales_its_coefficient(family, link, unit):
    # |beta_j| grows by 1 / unit, so the weight that leaves the problem the same is the unit
    frame = rows(family)
    original = fit(frame, family, link, dglm.L1(0.01), tol=TIGHT).params
    penalty = dglm.L1(0.01, weights={"x1": unit})
    rescaled = fit(frame.assign(x1=frame["x1"] * unit), family, link, penalty, tol=TIGHT).params
    rescaled["x1"] *= unit
    np.testing.assert_allclose(rescaled, original, rtol=SAME)


@ALL_PENALTIES
@ALL_MODELS
def test_moving_a_column_moves_the_intercept_only(family, link, penalty):
    # the intercept is not penalised, so that nothing else may notice where a column has its zero
    frame = rows(family)
    original = fit(frame, family, link, penalty, tol=TIGHT).params
    moved = fit(frame.assign(x1=frame["x1"] + 50), family, link, penalty, tol=TIGHT).params
    moved["Intercept"] += 50 * moved["x1"]
    scale = np.max(np.abs(original))
    np.testing.assert_allclose(moved, original, rtol=1e-9, atol=1e-9 * scale)
