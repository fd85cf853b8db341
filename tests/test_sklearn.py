"""The estimators for scikit-learn: its own checks, its estimators at the same objective, containers, searches."""

import pickle

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.metrics import d2_tweedie_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import dglm
from dglm.data import count_passes
from dglm.errors import DataError, DomainError, RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, NegativeBinomial, Poisson, Tweedie
from dglm.links import CLogLog, Log, LogLog, Power, Probit
from dglm.penalties import L1, L2
from dglm.sklearn import GLMClassifier, GLMRegressor
from dglm.solvers import IRLS
from dglm.testing import forbid_compute

N, P = 240, 4
CHUNK = 90


# scikit-learn's data are separable, or have more columns than rows: maximum likelihood says so
@pytest.mark.filterwarnings("ignore::dglm.errors.PerfectSeparationWarning")
@pytest.mark.filterwarnings("ignore::dglm.errors.RankDeficientWarning")
@parametrize_with_checks(
    [
        GLMRegressor(),
        GLMRegressor(family=Poisson(), penalty=L1(alpha=0.01)),
        GLMClassifier(),
        GLMClassifier(family=Binomial(Probit()), penalty=L2(alpha=0.1), solver="lbfgs"),
    ]
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(11)
    X = rng.normal(size=(N, P))
    eta = 0.3 + X @ [0.6, -0.4, 0.0, 0.2]
    return {
        "X": X,
        "count": rng.poisson(np.exp(eta)).astype(float),
        "clumped": rng.negative_binomial(2, 2 / (2 + np.exp(eta))).astype(float),
        "positive": rng.gamma(2.0, np.exp(eta) / 2),
        "number": eta + rng.normal(size=N),
        "class": np.where(rng.random(N) < 1 / (1 + np.exp(-eta)), "yes", "no"),
        "weight": rng.integers(0, 4, N).astype(float),
        "offset": rng.normal(size=N) / 2,
    }


def at_same_objective(alpha, W):
    """Return pairs of estimators whose objectives docs/notation.rst says are the same, and the response."""
    tight = {"tol": 1e-12, "max_iter": 100_000}
    return [
        (PoissonRegressor(alpha=alpha, **tight), GLMRegressor(family=Poisson(), penalty=L2(alpha)), "count"),
        (GammaRegressor(alpha=alpha, **tight), GLMRegressor(family=Gamma(Log()), penalty=L2(alpha)), "positive"),
        (
            TweedieRegressor(power=1.5, alpha=alpha, link="log", **tight),
            GLMRegressor(family=Tweedie(power=1.5), penalty=L2(alpha)),
            "count",
        ),
        (Ridge(alpha=alpha * W, solver="cholesky"), GLMRegressor(penalty=L2(alpha)), "number"),
        (Lasso(alpha=alpha, **tight), GLMRegressor(penalty=L1(alpha)), "number"),
        (
            ElasticNet(alpha=alpha, l1_ratio=0.3, **tight),
            GLMRegressor(penalty=dglm.ElasticNet(alpha, l1_ratio=0.3)),
            "number",
        ),
        (LogisticRegression(C=1 / (alpha * W), **tight), GLMClassifier(penalty=L2(alpha)), "class"),
        (
            LogisticRegression(C=1 / (alpha * W), l1_ratio=1.0, solver="saga", random_state=0, **tight),
            GLMClassifier(penalty=L1(alpha)),
            "class",
        ),
    ]


@pytest.mark.parametrize("case", range(8))
@pytest.mark.parametrize("weighted", [False, True])
def test_estimates_and_scores_are_those_of_scikit_learn_at_the_same_objective(rows, case, weighted):
    w = rows["weight"] if weighted else None
    theirs, ours, response = at_same_objective(0.05, N if w is None else w.sum())[case]
    X, y = rows["X"], rows[response]
    theirs.fit(X, y, sample_weight=w)
    ours.fit(X, y, sample_weight=w)
    assert ours.coef_.shape == theirs.coef_.shape
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    np.testing.assert_allclose(ours.score(X, y, sample_weight=w), theirs.score(X, y, sample_weight=w), atol=1e-6)
    if response == "class":
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-5)
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-5)


def in_container(kind, array, name):
    """Return an array in another container."""
    frame = pd.DataFrame(array, columns=list("abcd")) if array.ndim == 2 else pd.Series(array, name=name)
    match kind:
        case "pandas":
            # whose labels do not count
            return frame.set_axis(np.arange(len(frame))[::-1] if array.ndim == 2 else np.arange(len(frame)))
        case "polars":
            return pl.from_pandas(frame)
        case "dask array":
            return da.from_array(array, chunks=(CHUNK, -1)[: array.ndim])
        case "dask frame":
            return dd.from_pandas(frame, npartitions=3)
        case "unknown chunks":
            return da.from_array(array, chunks=(CHUNK, -1)[: array.ndim])[da.ones(N, dtype=bool, chunks=CHUNK)]
    return sparse.csc_array(array) if array.ndim == 2 else list(array)


@pytest.mark.parametrize("kind", ["pandas", "polars", "sparse", "dask array", "dask frame", "unknown chunks"])
@pytest.mark.parametrize(
    ("estimator", "response"),
    [
        (GLMRegressor(family=Poisson(), penalty=L1(alpha=0.02)), "count"),
        (GLMClassifier(family=Binomial(CLogLog())), "class"),
    ],
)
def test_every_container_gives_what_arrays_give(rows, kind, estimator, response):
    given = {name: in_container(kind, rows[name], name) for name in ("X", response, "weight", "offset")}
    extras = {"sample_weight": given["weight"], "offset": given["offset"]}
    plain = {"sample_weight": rows["weight"], "offset": rows["offset"]}
    expected = clone(estimator).fit(rows["X"], rows[response], **plain)
    found = clone(estimator).fit(given["X"], given[response], **extras)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found.intercept_, expected.intercept_, rtol=1e-10)
    named = kind in {"pandas", "polars", "dask frame"}
    assert getattr(found, "feature_names_in_", np.array([])).tolist() == (list("abcd") if named else [])
    assert found.n_features_in_ == P
    score = found.score(given["X"], given[response], **extras)
    np.testing.assert_allclose(score, expected.score(rows["X"], rows[response], **plain), rtol=1e-10)
    methods = ["predict"] if response == "count" else ["predict", "predict_proba", "decision_function"]
    for method in methods:
        lazy = kind not in {"pandas", "polars", "sparse"}
        if lazy:
            with forbid_compute():
                predicted = getattr(found, method)(given["X"], offset=given["offset"])
            assert isinstance(predicted, (da.Array, dd.Series, dd.DataFrame))
            assert isinstance(predicted, da.Array) == isinstance(given["X"], da.Array)
            assert kind != "dask array" or predicted.chunks[0] == given["X"].chunks[0]
            computed = predicted.compute()
            assert not hasattr(predicted, "dtype") or predicted.dtype == computed.dtype
        else:
            computed = getattr(found, method)(given["X"], offset=given["offset"])
            assert isinstance(computed, np.ndarray)
        wanted = getattr(expected, method)(rows["X"], offset=rows["offset"])
        if wanted.dtype.kind == "f":
            np.testing.assert_allclose(computed, wanted, rtol=1e-9, atol=1e-12)
        else:
            np.testing.assert_array_equal(np.asarray(computed, dtype=object), wanted.astype(object))


def test_the_result_is_that_of_the_model(rows):
    X = pd.DataFrame(rows["X"], columns=list("abcd"))
    y = pd.Series(rows["class"], name="late")
    found = GLMClassifier(family=Binomial(Probit()), solver=IRLS(), tol=1e-10).fit(X, y)
    data = X.assign(late=y)
    expected = dglm.GLM.from_formula("late ~ a + b + c + d", data, family=Binomial(Probit())).fit(tol=1e-10)
    np.testing.assert_allclose(found.result_.params, expected.params, rtol=1e-8)
    np.testing.assert_allclose(found.result_.bse, expected.bse, rtol=1e-8)
    assert found.result_.params.index.tolist() == ["const", "a", "b", "c", "d"]
    assert "late = yes" in str(found.result_.summary())
    assert found.n_iter_ == found.result_.n_iter
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict_proba(X), found.predict_proba(X))


def test_a_weight_of_two_is_the_row_twice_and_none_is_the_row_left_out(rows):
    X, y, w = rows["X"], rows["class"], rows["weight"].astype(int)
    weighted = GLMClassifier().fit(X, y, sample_weight=w)
    repeated = GLMClassifier().fit(X.repeat(w, axis=0), y.repeat(w))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-11)
    np.testing.assert_allclose(weighted.result_.bse, repeated.result_.bse, rtol=1e-11)
    # from the start on, not at the optimum alone
    steps = zip(weighted.result_.fit_history, repeated.result_.fit_history, strict=True)
    assert all(np.isclose(a.objective, b.objective, rtol=1e-12) for a, b in steps)


def test_an_offset_is_asked_for_again(rows):
    X, y, offset = rows["X"], rows["count"], rows["offset"]
    model = GLMRegressor(family=Poisson()).fit(X, y, offset=offset)
    expected = dglm.GLM(y, np.column_stack([np.ones(N), X]), family=Poisson(), offset=offset).fit()
    np.testing.assert_allclose(np.append(model.intercept_, model.coef_), expected.params, rtol=1e-9)
    np.testing.assert_allclose(model.predict(X, offset=offset), expected.fittedvalues, rtol=1e-9)
    score = model.score(X, y, offset=offset)
    np.testing.assert_allclose(score, d2_tweedie_score(y, model.predict(X, offset=offset), power=1), rtol=1e-12)
    for call in (lambda: model.predict(X), lambda: model.score(X, y)):
        with pytest.raises(DataError, match="pass offset="):
            call()


def test_parameters_of_parameters(rows):
    model = GLMRegressor(family=Poisson(Power(0.5)), penalty=L2(alpha=1.0), solver=IRLS())
    params = model.get_params()
    assert params["penalty__alpha"] == 1.0
    assert params["family__link__power"] == 0.5
    assert params["solver__max_iter"] == IRLS().max_iter
    assert set(model.get_params(deep=False)) == {"family", "penalty", "solver", "fit_intercept", "max_iter", "tol"}
    same = model.set_params(penalty=L1(alpha=3.0), penalty__alpha=0.5, family__link__power=2.0, fit_intercept=False)
    assert same is model
    assert (model.penalty, model.family, model.fit_intercept) == (L1(alpha=0.5), Poisson(Power(2.0)), False)
    assert clone(model).get_params() == model.get_params()
    for wrong in ("penalty__l", "nothing", "nothing__alpha", "max_iter__alpha"):
        with pytest.raises(ValueError, match="Invalid parameter"):
            model.set_params(**{wrong: 1})
    with pytest.raises(ValueError, match=r"'alpha' for penalty=None"):
        GLMRegressor().set_params(penalty__alpha=0.1)
    # with what belongs to the family estimated, too
    assert GLMRegressor(family=NegativeBinomial(alpha=None)).fit(rows["X"], rows["clumped"]).result_.family.alpha > 0


def test_search_in_a_pipeline_finds_what_scikit_learn_finds(rows):
    X, y = pd.DataFrame(rows["X"], columns=list("abcd")), rows["count"]
    alphas = [0.01, 0.1, 1.0]
    ours = make_pipeline(StandardScaler(), GLMRegressor(family=Poisson(), penalty=L2(alpha=1.0)))
    theirs = make_pipeline(StandardScaler(), PoissonRegressor(tol=1e-10, max_iter=10_000))
    found = GridSearchCV(ours, {"glmregressor__penalty__alpha": alphas}).fit(X, y)
    expected = GridSearchCV(theirs, {"poissonregressor__alpha": alphas}).fit(X, y)
    for key in ("mean_test_score", "split0_test_score"):
        np.testing.assert_allclose(found.cv_results_[key], expected.cv_results_[key], rtol=1e-6)
    assert found.best_params_["glmregressor__penalty__alpha"] == expected.best_params_["poissonregressor__alpha"]
    whole = GridSearchCV(GLMRegressor(family=Poisson()), {"penalty": [L1(alpha=3.0), None]}, cv=2).fit(X, y)
    assert whole.best_params_ == {"penalty": None}


def test_cross_validation_on_dask_arrays_and_sparse_matrices(rows):
    X, y = rows["X"], rows["class"]
    expected = cross_val_score(GLMClassifier(), X, y, cv=3)
    lazy = cross_val_score(GLMClassifier(), da.from_array(X, chunks=(CHUNK, -1)), da.from_array(y, chunks=CHUNK), cv=3)
    np.testing.assert_allclose(lazy, expected, rtol=1e-12)
    np.testing.assert_allclose(cross_val_score(GLMClassifier(), sparse.csr_array(X), y, cv=3), expected, rtol=1e-12)


def test_weights_and_offset_are_routed(rows):
    X, y = rows["X"], rows["count"]
    routed = {"sample_weight": rows["weight"], "offset": rows["offset"]}
    ask = dict.fromkeys(routed, True)
    with sklearn.config_context(enable_metadata_routing=True):
        model = GLMRegressor(family=Poisson()).set_fit_request(**ask).set_score_request(**ask)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        search = GridSearchCV(make_pipeline(scaler, model), {"glmregressor__penalty": [None, L2(0.1)]}, cv=2)
        search.fit(X, y, **routed)
        halves = [np.arange(N // 2), np.arange(N // 2, N)]
        by_hand = []
        for test, train in (halves, halves[::-1]):
            scale = StandardScaler().fit(X[train])
            parts = [{key: values[some] for key, values in routed.items()} for some in (train, test)]
            plain = GLMRegressor(family=Poisson()).fit(scale.transform(X[train]), y[train], **parts[0])
            by_hand.append(plain.score(scale.transform(X[test]), y[test], **parts[1]))
        found = [search.cv_results_[f"split{k}_test_score"][0] for k in range(2)]
    np.testing.assert_allclose(found, by_hand, rtol=1e-10)


def test_more_than_two_classes_say_what_to_do(rows):
    X, y = rows["X"], np.digitize(rows["number"], [-0.5, 0.8])
    for some in ((X, y), (da.from_array(X, chunks=(CHUNK, -1)), da.from_array(y, chunks=CHUNK))):
        with pytest.raises(ValueError, match=r"it has 3 classes. Wrap the estimator, OneVsRestClassifier"):
            GLMClassifier().fit(*some)
    wrapped = OneVsRestClassifier(GLMClassifier(penalty=L2(alpha=0.01))).fit(X, y)
    assert wrapped.score(X, y) > 0.5
    with pytest.raises(ValueError, match="all are of one class: 'a'"):
        GLMClassifier().fit(X, np.full(N, "a"))
    with pytest.raises(TypeError, match="must be Binomial; got Poisson"):
        GLMClassifier(family=Poisson()).fit(X, y > 0)


@pytest.mark.parametrize("link", [Probit(), CLogLog(), LogLog()])
def test_the_decision_is_positive_where_the_second_class_is_predicted(rows, link):
    model = GLMClassifier(family=Binomial(link)).fit(rows["X"], rows["class"])
    X = rows["X"] * 3
    decision, probability = model.decision_function(X), model.predict_proba(X)
    np.testing.assert_array_equal(model.predict(X) == "yes", decision > 0)
    np.testing.assert_allclose(decision, np.log(probability[:, 1] / probability[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, rtol=1e-15)


def test_missing_values(rows):
    X, y = rows["X"].copy(), rows["class"]
    X[100, 2] = np.nan
    lazy, lazy_y = da.from_array(X, chunks=(CHUNK, -1)), da.from_array(y, chunks=CHUNK)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        GLMClassifier().fit(X, y)
    with pytest.raises(DataError, match=r"x3 missing \(nan\) in row 10 of partition 1"):
        GLMClassifier().fit(lazy, lazy_y)
    model = GLMClassifier().fit(rows["X"], y)
    assert np.flatnonzero(np.isnan(model.decision_function(lazy).compute())).tolist() == [100]
    with pytest.raises(DataError, match="row 10 of partition 1 has no class"):
        model.predict(lazy).compute()
    holed = pd.Series(y, dtype="str").where(np.arange(N) != 5)
    with pytest.raises(DataError, match="y has missing values"):
        GLMClassifier().fit(
            dd.from_pandas(pd.DataFrame(rows["X"]), npartitions=2), dd.from_pandas(holed, npartitions=2)
        )


def test_collections_that_do_not_fit(rows):
    X, y = rows["X"], rows["count"]
    lazy = da.from_array(X, chunks=(CHUNK, -1))
    model = GLMRegressor(family=Poisson()).fit(lazy, y)
    with pytest.raises(ValueError, match="X has 3 features, but GLMRegressor is expecting 4"):
        model.predict(lazy[:, :3])
    with pytest.raises(ValueError, match="Expected a 2D collection"):
        model.predict(lazy[:, 0])
    with pytest.raises(ValueError, match="it has 2 dimensions"):
        model.fit(lazy, lazy[:, :2])
    with pytest.raises(ValueError, match="the target y is None"):
        model.fit(lazy, None)
    for call in (model.fit, model.score):
        with pytest.raises(DomainError, match="at least 0 for the Poisson family"):
            call(X, y - 1)
    # names are forgotten with the rows that had them
    model.fit(
        dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=2),
        dd.from_pandas(pd.Series(y), npartitions=2),
    )
    assert model.feature_names_in_.tolist() == list("abcd")
    assert not hasattr(model.fit(lazy, y), "feature_names_in_")


def test_columns_that_cannot_be_told_apart_have_one_coefficient(rows):
    X = np.column_stack([rows["X"], rows["X"][:, 0], np.ones(N)])
    with pytest.warns(RankDeficientWarning, match="x5 = x1; x6 = const"):
        model = GLMRegressor().fit(X, rows["number"])
    assert model.coef_[4:].tolist() == [0, 0]
    expected = GLMRegressor().fit(rows["X"], rows["number"])
    np.testing.assert_allclose(model.predict(X), expected.predict(rows["X"]), rtol=1e-10)
    # by least squares that the first pass makes possible
    assert expected.n_iter_ == 1


def test_without_intercept(rows):
    model = GLMRegressor(family=Gaussian(), fit_intercept=False).fit(rows["X"], rows["number"])
    np.testing.assert_allclose(model.coef_, np.linalg.lstsq(rows["X"], rows["number"], rcond=None)[0], rtol=1e-9)
    assert model.intercept_ == 0.0
    np.testing.assert_allclose(model.predict(rows["X"]), rows["X"] @ model.coef_, rtol=1e-12)


def test_a_score_is_one_pass_and_knows_responses_that_are_all_equal(rows):
    X, y = da.from_array(rows["X"], chunks=(CHUNK, -1)), da.from_array(rows["count"], chunks=CHUNK)
    model = GLMRegressor(family=Poisson()).fit(X, y)
    with count_passes() as n:
        model.score(X, y)
    assert n.count == 1
    assert GLMRegressor().fit(rows["X"], rows["number"]).score(rows["X"], np.full(N, 3.0)) == 0.0
