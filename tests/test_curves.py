"""The numbers that plots are drawn from: against scikit-learn, scipy, statsmodels and the rows themselves."""

import pickle
from itertools import pairwise

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import patsy
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve

import dglm
from dglm.design import variable_named
from dglm.errors import ChangedDataError, DataError
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.inference import binned
from dglm.inference.binned import Binned
from dglm.results.curves import EncodeVariable
from dglm.results.quantile import EncodeDrawn
from dglm.testing import count_passes, forbid_compute

N = 600
FORMULA = "bs(hour, df=5) + C(carrier) + distance"


def frame(n: int = N, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "hour": rng.uniform(0, 24, n),
            "distance": rng.gamma(2.0, 0.4, n),
            "carrier": rng.choice(["AA", "DL", "UA"], n, p=[0.5, 0.3, 0.2]),
            "f": rng.integers(0, 4, n).astype(float),
            "v": rng.random(n) + 0.5,
        }
    )
    eta = np.sin(rows["hour"] / 4) - 0.5 + 0.6 * (rows["carrier"] == "UA") + 0.4 * rows["distance"]
    return rows.assign(
        late=(rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        calls=rng.poisson(np.exp(eta)).astype(float),
        cost=rng.gamma(2.0, np.exp(eta) / 2),
        real=eta + rng.normal(size=n),
    )


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return frame()


@pytest.fixture(scope="module")
def result(data) -> dglm.results.GLMResults:
    return dglm.GLM.from_formula(f"late ~ {FORMULA}", data, family=Binomial(), freq_weights="f").fit()


def assert_same(one, other, rtol=1e-10, atol=1e-12) -> None:
    """Compare two records field by field."""
    assert type(one) is type(other)
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(getattr(other, name), value, rtol=rtol, atol=atol, err_msg=name)
        elif not isinstance(value, float):
            assert getattr(other, name) == value
        else:
            assert getattr(other, name) == pytest.approx(value, rel=rtol, nan_ok=True)


# the bins


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 60), st.integers(1, 2)), elements=st.floats(-1e12, 1e12)),
    st.integers(0, 60),
    st.sampled_from([2, 8, binned.MOST]),
)
def test_bins_do_not_depend_on_how_rows_are_cut(values, at, most) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # the property is of any number of bins; at least as many as a coarsest level may need
        patch.setattr(binned, "MOST", most * 4)
        terms = np.column_stack([np.ones(len(values)), np.arange(len(values))])
        whole = Binned.of(values, terms)
        rest = Binned.of(values[at:], terms[at:]) + Binned.of(values[:at], terms[:at])
    assert rest.level == whole.level
    np.testing.assert_array_equal(rest.edges, whole.edges)
    np.testing.assert_array_equal(rest.sums, whole.sums)
    assert len(whole.edges) <= most * 4 ** values.shape[1]
    assert whole.sums[:, 0].sum() == len(values)
    np.testing.assert_array_equal(whole.low, values.min(axis=0))
    if whole.level > binned.FINEST:
        finer = np.floor(np.ldexp(values, 1 - whole.level))
        assert len(np.unique(finer, axis=0)) > most * 4 ** values.shape[1]


@pytest.mark.parametrize("far", [1e300, 1e6, 0.0])
def test_an_outlier_does_not_coarsen_the_other_bins(far) -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    without, bins = (Binned.of(x, np.ones((len(x), 1))) for x in (values, np.append(values, far)))
    assert bins.level == without.level
    assert binned.MOST / 4 < len(bins.edges) <= binned.MOST
    assert 2.0**bins.level < 0.01


# means against responses


def test_roc_is_that_of_scikit_learn(data, result) -> None:
    roc, mu, kept = result.curves.roc(), result.fittedvalues, data["f"] > 0
    fpr, tpr, threshold = roc_curve(data["late"], mu, sample_weight=data["f"], drop_intermediate=False)
    # scikit-learn keeps thresholds of rows of weight zero
    changes = np.r_[True, (np.diff(fpr) != 0) | (np.diff(tpr) != 0)]
    np.testing.assert_allclose(roc.fpr, fpr[changes], atol=1e-12)
    np.testing.assert_allclose(roc.tpr, tpr[changes], atol=1e-12)
    np.testing.assert_allclose(roc.threshold, threshold[changes], rtol=1e-10)
    assert roc.auc == pytest.approx(roc_auc_score(data["late"], mu, sample_weight=data["f"]), rel=1e-12)
    assert roc.auc_error == 0
    assert len(roc.to_frame()) == kept.sum() + 1


def test_area_of_many_distinct_means_is_within_its_bound() -> None:
    rows = frame(30_000)
    result = dglm.GLM.from_formula("late ~ bs(hour, df=5) + distance", rows, family=Binomial()).fit()
    roc, exact = result.curves.roc(), roc_auc_score(rows["late"], result.fittedvalues)
    assert 0 < roc.auc_error < 5e-4
    assert abs(roc.auc - exact) <= roc.auc_error
    assert len(roc.tpr) <= binned.MOST + 1


def test_tied_means_count_one_half(data) -> None:
    result = dglm.GLM.from_formula("late ~ C(carrier)", data, family=Binomial()).fit()
    assert len(result.curves.roc().tpr) == 4
    assert result.curves.roc().auc == pytest.approx(roc_auc_score(data["late"], result.fittedvalues), rel=1e-12)


def test_proportions_count_as_their_trials(data) -> None:
    counts = data.groupby("carrier", as_index=False).agg(late=("late", "sum"), n=("late", "size"))
    grouped = dglm.GLM.from_formula("late + I(n - late) ~ C(carrier)", counts, family=Binomial()).fit().curves
    single = dglm.GLM.from_formula("late ~ C(carrier)", data, family=Binomial()).fit().curves
    assert_same(single.roc(), grouped.roc(), rtol=1e-7)
    assert_same(single.calibration(), grouped.calibration(), rtol=1e-7)
    assert_same(single.lift(), grouped.lift(), rtol=1e-7)


def test_calibration_is_that_of_scikit_learn(data) -> None:
    result = dglm.GLM.from_formula(f"late ~ {FORMULA}", data, family=Binomial()).fit()
    found = result.curves.calibration(bins=12)
    observed, predicted = calibration_curve(data["late"], result.fittedvalues, n_bins=12, strategy="quantile")
    np.testing.assert_allclose(found.observed, observed, rtol=1e-12)
    np.testing.assert_allclose(found.predicted, predicted, rtol=1e-12)
    np.testing.assert_array_equal(found.weight, N / 12)
    mu, group = np.sort(result.fittedvalues), np.repeat(np.arange(12), N / 12)
    variance = np.bincount(group, mu * (1 - mu)) / (N / 12) ** 2
    np.testing.assert_allclose(found.std_error, np.sqrt(variance), rtol=1e-10)


@pytest.mark.parametrize("kind", ["response", "pearson", "deviance"])
def test_binned_residuals_are_means_of_the_rows_residuals(data, kind) -> None:
    result = dglm.GLM.from_formula(f"calls ~ {FORMULA}", data, family=Poisson(), var_weights="v").fit()
    found = result.curves.residuals(kind, against="linear", bins=20).to_frame()
    rows = pd.DataFrame({"x": result.predict(which="linear"), "r": getattr(result, f"resid_{kind}")})
    groups = rows.sort_values("x").reset_index(drop=True).groupby(np.arange(N) // (N // 20))
    np.testing.assert_allclose(found["residual"], groups["r"].mean(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["bound"], 2 * groups["r"].sem(), rtol=1e-9)
    np.testing.assert_allclose(found["x"], groups["x"].mean(), rtol=1e-9)


def test_lift_ranks_rows_by_their_means_even_where_these_fall_with_the_linear_predictor(data) -> None:
    result = dglm.GLM.from_formula("cost ~ C(carrier) + distance", data, family=Gamma()).fit()
    assert result.family.link.name.lower().startswith("inverse")
    lift = result.curves.lift()
    order = np.argsort(-result.fittedvalues.to_numpy(), kind="stable")
    cost = data["cost"].to_numpy()[order]
    np.testing.assert_allclose(lift.gain[1:], np.cumsum(cost) / cost.sum(), rtol=1e-12)
    np.testing.assert_allclose(lift.share[1:], np.arange(1, N + 1) / N, rtol=1e-12)
    np.testing.assert_allclose(lift.lift[1:], np.cumsum(cost) / np.arange(1, N + 1) / cost.mean(), rtol=1e-10)
    calibration = result.curves.calibration(bins=5)
    assert (np.diff(calibration.predicted) > 0).all()


# residuals and influence


def test_quantile_residuals_are_those_of_the_rows_with_the_bands_of_order_statistics(data) -> None:
    result = dglm.GLM.from_formula(f"calls ~ {FORMULA}", data, family=Poisson()).fit()
    found, rank = result.curves.qq(seed=3), np.arange(1, N + 1)
    np.testing.assert_allclose(found.residual, np.sort(result.resid_quantile(3)), rtol=1e-11)
    np.testing.assert_allclose(found.theoretical, stats.norm.ppf((rank - 0.5) / N), rtol=1e-12)
    np.testing.assert_allclose(found.low, stats.norm.ppf(stats.beta.ppf(0.025, rank, N + 1 - rank)), rtol=1e-9)
    np.testing.assert_allclose(found.high, stats.norm.ppf(stats.beta.ppf(0.975, rank, N + 1 - rank)), rtol=1e-9)


def test_leverage_counts_are_those_of_the_rows(data, result) -> None:
    found = result.curves.leverage().to_frame()
    influence = result.get_influence()
    rows = pd.DataFrame(
        {"leverage": influence.hat_matrix_diag, "cooks_distance": influence.cooks_distance[0], "n": data["f"]}
    )
    rows = rows[rows["n"] > 0].sort_values(["leverage", "cooks_distance"])
    np.testing.assert_allclose(found.to_numpy(), rows.to_numpy(), rtol=1e-9)
    assert result.curves.leverage().mean_leverage == pytest.approx(len(result.params) / data["f"].sum())


def test_a_row_of_leverage_one_is_counted_apart(data) -> None:
    rows = data.assign(carrier=np.where(np.arange(N) == 7, "ZZ", data["carrier"]))
    found = dglm.GLM.from_formula("real ~ C(carrier) + distance", rows).fit().curves.leverage()
    assert found.undefined == 1
    assert found.n.sum() == N - 1


# effects


def test_effect_and_band_of_a_spline_are_those_of_its_columns(data) -> None:
    result = dglm.GLM.from_formula(f"late ~ {FORMULA}", data, family=Binomial()).fit()
    columns = patsy.dmatrix("bs(hour, df=5) + C(carrier) + distance", data)
    reference = sm.GLM(data["late"], np.asarray(columns), family=sm.families.Binomial()).fit(tol=1e-13)
    effect = result.curves.effect("hour")
    grid = data.iloc[[0] * len(effect.x)].assign(hour=effect.x)
    X = np.asarray(patsy.build_design_matrices([columns.design_info], grid)[0])
    at = columns.design_info.slice("bs(hour, df=5)")
    R = np.zeros_like(X)
    R[:, at] = X[:, at] - np.asarray(columns)[:, at].mean(axis=0)
    value, se = R @ reference.params, np.sqrt(np.einsum("ij,jk,ik->i", R, reference.cov_params(), R))
    np.testing.assert_allclose(effect.effect, value, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(effect.low, value - stats.norm.ppf(0.975) * se, rtol=1e-6, atol=1e-7)
    assert (effect.x[0], effect.x[-1]) == (data["hour"].min(), data["hour"].max())
    assert_same(effect, result.curves.effect("bs(hour, df=5)"))


def test_partial_residuals_of_a_level_are_their_weighted_means(data) -> None:
    result = dglm.GLM.from_formula("calls ~ C(carrier) + distance", data, family=Poisson(), var_weights="v").fit()
    effect = result.curves.effect("carrier")
    b = result.params
    values = np.array([0.0, b["C(carrier)[T.DL]"], b["C(carrier)[T.UA]"]])
    codes = data["carrier"].map({"AA": 0, "DL": 1, "UA": 2}).to_numpy()
    centred = values - values[codes].mean()
    np.testing.assert_allclose(effect.effect, centred, rtol=1e-10)
    W = data["v"] * result.fittedvalues
    mean = np.bincount(codes, W * result.resid_working) / np.bincount(codes, W)
    np.testing.assert_allclose(effect.partial, centred + mean, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(effect.partial_se, 1 / np.sqrt(np.bincount(codes, W)), rtol=1e-10)
    assert effect.to_frame()["x"].tolist() == ["AA", "DL", "UA"]
    assert effect.partial_frame()["n"].tolist() == np.bincount(codes).tolist()


def test_partial_residuals_show_the_curve_that_a_line_lacks(data) -> None:
    result = dglm.GLM.from_formula("calls ~ hour + distance", data, family=Poisson(), var_weights="v").fit()
    effect = result.curves.effect("hour", bins=12)
    rows = data.assign(W=data["v"] * result.fittedvalues, r=result.resid_working).sort_values("hour")
    groups = rows.assign(Wr=rows["W"] * rows["r"]).groupby(np.arange(N) // (N // 12))
    line = result.params["hour"] * (groups["hour"].mean() - data["hour"].mean())
    np.testing.assert_allclose(effect.partial_x, groups["hour"].mean(), rtol=1e-10)
    np.testing.assert_allclose(effect.partial, line + groups["Wr"].sum() / groups["W"].sum(), rtol=1e-9)
    np.testing.assert_allclose(effect.partial_se, groups["W"].sum() ** -0.5, rtol=1e-10)


@pytest.mark.parametrize(
    "how", [{}, {"engine": "patsy"}, {"eval": "restricted"}], ids=["python", "patsy", "restricted"]
)
def test_terms_of_one_column_are_one_effect(data, how) -> None:
    formula = "real ~ distance + I(distance ** 2) + carrier + distance:carrier + bs(hour, df=4)"
    result = dglm.GLM.from_formula(formula, data, **how).fit()
    assert result.curves.effect("carrier").to_frame()["x"].tolist() == ["AA", "DL", "UA"]
    assert result.curves.effect("hour").terms == ("bs(hour, df=4)",)
    effect = result.curves.effect("distance")
    assert len(effect.terms) == 2
    assert len(effect.others) == 1
    b, x = np.asarray(result.params), effect.x
    names = list(result.params.index)
    shape = b[names.index("distance")] * x + b[names.index("I(distance ** 2)")] * x**2
    np.testing.assert_allclose(np.diff(effect.effect), np.diff(shape), rtol=1e-9, atol=1e-11)


def test_columns_of_arrays_and_frames_have_effects(data) -> None:
    X = pd.DataFrame({"const": 1.0, "distance": data["distance"], "hour": data["hour"]})
    by_frame = dglm.GLM(data["real"], X).fit().curves.effect("distance")
    by_array = dglm.GLM(data["real"].to_numpy(), X.to_numpy()).fit().curves.effect("x2")
    np.testing.assert_allclose(by_array.effect, by_frame.effect, rtol=1e-12)
    slope = sm.OLS(data["real"], X).fit().params["distance"]
    np.testing.assert_allclose(by_frame.effect, slope * (by_frame.x - X["distance"].mean()), rtol=1e-9)


def test_aliased_columns_count_for_nothing_in_an_effect(data) -> None:
    rows = data.assign(twice=2 * data["distance"])
    with pytest.warns(dglm.errors.RankDeficientWarning):
        result = dglm.GLM.from_formula("real ~ distance + twice", rows).fit()
    assert (result.curves.effect("twice").effect == 0).all()
    assert (result.curves.effect("twice").low == 0).all()


# one pass, anywhere


CURVES = ("residuals", "calibration", "roc", "lift")


def every_curve(result):
    curves = result.curves
    yield from (getattr(curves, name)() for name in CURVES)
    yield curves.qq(seed=1)
    yield curves.effect("hour")
    yield curves.effect("carrier")
    if isinstance(result, dglm.results.GLMResults):
        yield curves.leverage()


@pytest.mark.parametrize("penalty", [None, dglm.L2(0.05), dglm.L1(0.01)], ids=["mle", "l2", "l1"])
def test_every_curve_is_one_pass_and_the_same_on_dask(data, penalty) -> None:
    # labels from 0 in no partition but the first, one row alone, and a partition without rows
    cuts = [0, 1, 150, 150, 420, N]
    parts = [data.iloc[a:b] for a, b in pairwise(cuts)]
    lazy = dd.from_map(lambda i: parts[i], range(len(parts)), meta=data.iloc[:0])
    asked = {"family": Binomial(), "freq_weights": "f"}
    here = dglm.GLM.from_formula(f"late ~ {FORMULA}", data, **asked).fit(penalty=penalty)
    with dask.config.set(scheduler="synchronous"):
        there = dglm.GLM.from_formula(f"late ~ {FORMULA}", lazy, **asked).fit(penalty=penalty)
        with count_passes() as passes:
            found = list(every_curve(there))
    # residuals, calibration, ROC and lift are read from the same sums
    assert passes.count == len(found) - len(CURVES) + 1
    with forbid_compute():
        expected = list(every_curve(here))
        assert_same(here.curves.roc(), here.curves.roc())
    for one, other in zip(expected, found, strict=True):
        assert_same(one, other, rtol=1e-7, atol=1e-7)


def test_another_partitioning_gives_the_same_numbers(data) -> None:
    rows = frame(9_000)
    with dask.config.set(scheduler="synchronous"):
        one = dglm.GLM.from_formula("late ~ distance + hour", dd.from_pandas(rows, npartitions=2), family=Binomial())
        result = one.fit()
        others = [dd.from_pandas(rows, npartitions=n) for n in (2, 7)]
        for read in ("residuals", "calibration", "roc", "lift", "qq"):
            assert_same(*(getattr(result.curves, read)(data=other) for other in others), rtol=1e-10)


def test_a_weight_of_two_is_two_residuals(data) -> None:
    result = dglm.GLM.from_formula("calls ~ distance", data, family=Poisson(), freq_weights="f").fit()
    found, rows = result.curves.qq(seed=3), data.assign(r=result.resid_quantile(3))[data["f"] > 0]
    np.testing.assert_allclose(found.residual, np.sort(rows["r"]), rtol=1e-10)
    np.testing.assert_array_equal(found.n, rows.sort_values("r")["f"])
    ends = np.cumsum(found.n)
    np.testing.assert_allclose(found.theoretical, stats.norm.ppf((ends - found.n / 2) / ends[-1]), rtol=1e-10)


@pytest.mark.parametrize("read", [*CURVES, "leverage"])
def test_a_weight_of_two_is_the_row_twice(data, read) -> None:
    twice = data.loc[data.index.repeat(data["f"].astype(int))]
    by_weight = dglm.GLM.from_formula("late ~ distance", data, family=Binomial(), freq_weights="f").fit()
    by_row = dglm.GLM.from_formula("late ~ distance", twice, family=Binomial()).fit()
    one, other = (getattr(each.curves, read)() for each in (by_weight, by_row))
    if read == "leverage":
        # equal rows may be binned apart by rounding
        one, other = (
            each.to_frame().round(9).groupby(["leverage", "cooks_distance"])["n"].sum() for each in (one, other)
        )
        pd.testing.assert_series_equal(one, other, check_exact=False)
    else:
        assert_same(one, other, rtol=1e-7, atol=1e-9)


def test_what_travels_to_workers_and_back_can_be_pickled(result) -> None:
    design, variable = result._estimate.design, variable_named(result._estimate.design, "hour")
    for each in (EncodeDrawn(design, 0), EncodeVariable(design, variable), result.curves.roc(), result.curves):
        assert type(pickle.loads(pickle.dumps(each))) is type(each)


def test_held_out_rows_have_curves_of_their_own(data, result) -> None:
    held_out = frame(300, seed=9).assign(f=1.0)
    with count_passes() as passes:
        roc = result.curves.roc(data=held_out)
        assert passes.count == 1
    assert roc.auc == pytest.approx(roc_auc_score(held_out["late"], result.predict(held_out)), rel=1e-12)
    assert roc.auc != result.curves.roc().auc


def test_rows_that_changed_are_refused(tmp_path, data) -> None:
    data.to_parquet(tmp_path / "rows.parquet")
    model = dglm.GLM.from_formula("late ~ distance", dd.read_parquet(tmp_path), family=Binomial())
    with dask.config.set(scheduler="synchronous"):
        result = model.fit(persist=False)
        data.assign(late=1 - data["late"]).to_parquet(tmp_path / "rows.parquet")
        for read in (result.curves.roc, result.curves.qq, lambda: result.curves.effect("distance")):
            with pytest.raises(ChangedDataError, match="the data changed"):
                read()


def test_what_cannot_be_offered_says_why(data, result) -> None:
    lasso = dglm.GLM.from_formula("late ~ distance", data, family=Binomial()).fit(penalty=dglm.L1(0.01))
    with pytest.raises(AttributeError, match=r"has no 'leverage': .*leverages of maximum likelihood"):
        lasso.curves.leverage()
    with pytest.raises(AttributeError, match=r"has no 'leverage': .*refit"):
        lasso.plot.leverage()
    with pytest.raises(AttributeError, match=r"L1Results\.curves has no attribute 'rok'"):
        lasso.plot.rok()
    poisson = dglm.GLM.from_formula("calls ~ distance + distance:hour + C(hour > 12)", data, family=Poisson()).fit()
    with pytest.raises(ValueError, match=r"roc is for responses of two kinds.*lift"):
        poisson.curves.roc()
    with pytest.raises(ValueError, match=r"an effect is that of one column. Ask for 'distance' or 'hour'"):
        poisson.curves.effect("distance:hour")
    with pytest.raises(ValueError, match=r"no column or term 'distnace'; did you mean 'distance'"):
        poisson.curves.effect("distnace")
    gaussian = dglm.GLM.from_formula("real ~ distance:hour + carrier", data, family=Gaussian()).fit()
    with pytest.raises(ValueError, match="'hour' has no term of its own, only distance:hour"):
        gaussian.curves.effect("hour")
    with pytest.raises(ValueError, match="lift is for responses that are not negative"):
        gaussian.curves.lift()
    with pytest.raises(ValueError, match="kind must be one of 'response', 'pearson', 'deviance'; got 'raw'"):
        result.curves.residuals("raw")
    with pytest.raises(ValueError, match="bins must be at least 1; got 0"):
        result.curves.calibration(bins=0)
    with pytest.raises(DataError, match="the rows that were fitted did not travel"):
        pickle.loads(pickle.dumps(result)).curves.roc()
