"""Paths and cross-validations: against separate fits, other packages, loops over folds, and what they cost."""

from __future__ import annotations

import pickle

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, lasso_path
from sklearn.metrics import roc_auc_score

import dglm
from dglm.data import count_passes
from dglm.errors import ConvergenceWarning, DataError, IncompatibleSolverError, TooWideError
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log
from dglm.matrix import DenseMatrix, DesignMatrix, SparseMatrix
from dglm.objective import Trials, TrialsAt
from dglm.objective.scoring import AUC
from dglm.penalties import SCAD, GroupL1
from dglm.testing import check_sum, forbid_compute

N, P = 900, 8
FAMILIES = {"real": Gaussian(), "won": Binomial(), "count": Poisson(), "size": Gamma(Log())}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    Z = rng.normal(size=(N, P))
    Z[:, 1] = 0.9 * Z[:, 0] + 0.4 * Z[:, 1]
    eta = Z @ np.array([0.8, 0.0, -0.5, 0.0, 0.3, 0.0, 0.0, 0.1]) - 0.4
    data = pd.DataFrame(Z, columns=[f"x{j}" for j in range(P)])
    data["g"] = rng.choice(list("abc"), N)
    data["real"] = eta + rng.normal(size=N)
    data["won"] = (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float)
    data["count"] = rng.poisson(np.exp(eta)).astype(float)
    data["size"] = rng.gamma(2.0, np.exp(eta) / 2)
    data["w"] = rng.integers(1, 4, N).astype(float)
    data["log_t"] = rng.normal(scale=0.3, size=N)
    data["part"] = rng.integers(0, 4, N)
    return data


def model_of(rows, response: str, **given) -> dglm.GLM:
    formula = f"{response} ~ " + " + ".join(f"x{j}" for j in range(P))
    return dglm.GLM.from_formula(formula, rows, family=FAMILIES[response], **given)


@pytest.mark.parametrize(
    ("response", "penalty", "given"),
    [
        ("real", dglm.L1(alpha=1.0), {}),
        ("real", dglm.ElasticNet(1.0, 0.5), {"offset": "log_t", "freq_weights": "w"}),
        ("won", dglm.ElasticNet(1.0, 0.5, weights={"x0": 0.0}), {}),
        ("count", dglm.L1(alpha=1.0, penalize_intercept=True), {"freq_weights": "w"}),
        ("count", dglm.L2(alpha=1.0), {"offset": "log_t"}),
        ("size", dglm.L1(alpha=1.0), {"var_weights": "w"}),
        ("real", dglm.L2(alpha=1.0), {}),
    ],
)
def test_a_path_is_the_separate_fits(rows, response, penalty, given) -> None:
    model = model_of(rows, response, **given)
    path = model.fit_path(penalty, alphas=12)
    assert path.converged
    assert path.params.shape == (P + 1, 12)
    for i in (0, 4, 11):
        alpha = float(path.alphas[i])
        own = (
            type(penalty)(alpha, **{k: getattr(penalty, k) for k in ("weights", "penalize_intercept")})
            if not (isinstance(penalty, dglm.ElasticNet) and not isinstance(penalty, dglm.L1))
            else dglm.ElasticNet(alpha, penalty.l1_ratio, weights=penalty.weights)
        )
        alone, ours = model.fit(penalty=own), path[i]
        np.testing.assert_allclose(ours.params, alone.params, rtol=1e-6, atol=1e-7)
        assert type(ours) is type(alone)
        for quantity in ("deviance", "null_deviance", "llf", "scale", "df_resid", "pearson_chi2"):
            assert getattr(ours, quantity) == pytest.approx(getattr(alone, quantity), rel=1e-7), quantity
        assert path.deviance[i] == pytest.approx(alone.deviance, rel=1e-9)
        if isinstance(penalty, dglm.L2):
            np.testing.assert_allclose(ours.shrinkage, alone.shrinkage, atol=1e-7)
            assert path.df[i] == pytest.approx(alone.effective_df, rel=0.02)
    assert path.null_deviance == pytest.approx(alone.null_deviance)
    assert path.at(path.alphas[4]) is path[4]


def test_terms_enter_a_path_whole(rows) -> None:
    model = dglm.GLM.from_formula("won ~ x0 + x2 + x4 + g", rows, family=Binomial())
    path = model.fit_path(GroupL1(alpha=1.0), alphas=8)
    assert path.converged
    np.testing.assert_allclose(
        path.params.iloc[:, 5], model.fit(penalty=GroupL1(alpha=float(path.alphas[5]))).params, atol=1e-7
    )
    together = path.params.loc[["g[T.b]", "g[T.c]"]] != 0
    assert (together.iloc[0] == together.iloc[1]).all()


def test_at_alpha_max_everything_penalised_is_zero_and_just_below_something_is_not(rows) -> None:
    for response in ("real", "won"):
        model = model_of(rows, response)
        path = model.fit_path(dglm.L1(alpha=1.0), alphas=30)
        assert path.alphas[0] == pytest.approx(model.alpha_max(dglm.L1(alpha=1.0)), rel=1e-7)
        assert path.alphas[-1] == pytest.approx(1e-3 * path.alphas[0])
        assert path.df[0] == 1
        assert path.df[1] > 1
        assert path.entry.index[0] == "Intercept"
        assert path.entry.iloc[1] == path.alphas[1]


def test_lasso_paths_of_scikit_learn(rows) -> None:
    X, y = rows[[f"x{j}" for j in range(P)]].to_numpy(), rows["real"].to_numpy()
    path = model_of(rows, "real").fit_path(dglm.L1(alpha=1.0), alphas=20)
    alphas, theirs, _ = lasso_path(X - X.mean(axis=0), y - y.mean(), alphas=path.alphas, tol=1e-12, max_iter=100_000)
    np.testing.assert_allclose(path.alphas, alphas)
    np.testing.assert_allclose(path.params.iloc[1:], theirs, atol=1e-8)


def test_logistic_cross_validation_of_scikit_learn(rows) -> None:
    """LogisticRegression on the same folds; the intercept is not penalised by lbfgs."""
    alphas = [0.3, 0.03, 0.003]
    cv = model_of(rows, "won").fit_cv(dglm.L2(alpha=1.0), folds="part", alphas=alphas)
    X, y, part = rows[[f"x{j}" for j in range(P)]].to_numpy(), rows["won"].to_numpy(), rows["part"].to_numpy()
    for k in range(4):
        train = part != k
        for i, alpha in enumerate(alphas):
            theirs = LogisticRegression(C=1 / (alpha * train.sum()), tol=1e-12, max_iter=10_000)
            mu = theirs.fit(X[train], y[train]).predict_proba(X[~train])[:, 1]
            loss = -2 * np.mean(np.where(y[~train] == 1, np.log(mu), np.log1p(-mu)))
            assert cv.scores.loc[k].iloc[i] == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize(
    ("response", "given"),
    [
        ("real", {}),
        ("real", {"offset": "log_t", "freq_weights": "w"}),
        ("won", {}),
        ("count", {"offset": "log_t", "var_weights": "w"}),
    ],
)
def test_scores_are_those_of_a_loop_over_folds(rows, response, given) -> None:
    penalty = dglm.ElasticNet(1.0, 0.5)
    alphas = [0.2, 0.05, 0.001]
    cv = model_of(rows, response, **given).fit_cv(penalty, folds="part", alphas=alphas)
    assert cv.converged
    assert cv.folds == (0, 1, 2, 3)
    family = FAMILIES[response]
    for k in cv.folds:
        train, test = rows[rows["part"] != k], rows[rows["part"] == k]
        own = model_of(train, response, **given)
        w = np.ones(len(test))
        for name in ("freq_weights", "var_weights"):
            w = w * (test[given[name]] if name in given else 1.0)
        assert cv.fold_weights[k] == pytest.approx(w.sum())
        for i, alpha in enumerate(alphas):
            fit = own.fit(penalty=dglm.ElasticNet(alpha, 0.5))
            np.testing.assert_allclose(cv.fold_params[k][:, i], fit.params, atol=1e-5)
            mu = np.asarray(fit.predict(test))
            loss = np.average(family.unit_deviance(test[response].to_numpy(), mu), weights=w)
            assert cv.scores.loc[k].iloc[i] == pytest.approx(loss, rel=1e-6)
    mean = np.average(cv.scores, axis=0, weights=cv.fold_weights)
    np.testing.assert_allclose(cv.mean, mean)
    spread = np.sqrt(np.average((cv.scores - mean) ** 2, axis=0, weights=cv.fold_weights) / 3)
    np.testing.assert_allclose(cv.standard_error, spread)
    assert cv.alpha_min == alphas[int(np.argmin(mean))]
    within = mean <= mean.min() + spread[int(np.argmin(mean))]
    assert cv.alpha_1se == alphas[int(np.argmax(within))]
    np.testing.assert_allclose(
        cv.best.params, model_of(rows, response, **given).fit(penalty=dglm.ElasticNet(cv.alpha, 0.5)).params, atol=1e-7
    )


def test_other_scores(rows) -> None:
    model, penalty = model_of(rows, "won"), dglm.L1(alpha=1.0)

    def brier(y, mu, w):
        return float(np.sum(w * (y - mu) ** 2)), float(w.sum())

    found = {s: model.fit_cv(penalty, folds="part", alphas=[0.1, 0.01], scoring=s) for s in ("auc", "mse", brier)}
    np.testing.assert_allclose(found["mse"].fold_scores, found[brier].fold_scores)
    assert found[brier].scoring == "brier"
    assert found["mse"].n_passes == model.fit_cv(penalty, folds="part", alphas=[0.1, 0.01]).n_passes + 1
    X = np.column_stack([np.ones(N), rows[[f"x{j}" for j in range(P)]]])
    for k in range(4):
        test = (rows["part"] == k).to_numpy()
        mu = 1 / (1 + np.exp(-X[test] @ found["auc"].fold_params[k]))
        y = rows.loc[test, "won"].to_numpy()
        for i in range(2):
            assert found["auc"].fold_scores[k, i] == pytest.approx(roc_auc_score(y, mu[:, i]), abs=5e-4)
            assert found["mse"].fold_scores[k, i] == pytest.approx(np.mean((y - mu[:, i]) ** 2))
    # ties and weights: pairs within a class count one half, at most
    mu, y, w = np.array([0.2, 0.2, 0.7, 0.9]), np.array([0.0, 1.0, 0.5, 1.0]), np.array([1.0, 2.0, 2.0, 0.5])
    exact = roc_auc_score([0, 1, 0, 1, 1], [0.2, 0.2, 0.7, 0.7, 0.9], sample_weight=[1, 2, 1, 1, 0.5])
    assert AUC().score(AUC().terms(y, mu, w)) == pytest.approx(exact, abs=1e-12)
    auc = found["auc"]
    assert auc.alpha_min == auc.alphas[int(np.argmax(auc.mean))]


@pytest.mark.parametrize("response", ["real", "won", "count"])
def test_what_paths_cost(rows, response) -> None:
    """One pass for least squares, at most 60 for others; 1.5 times as many with 5 folds."""
    penalty = dglm.L1(alpha=1.0)
    for data in (rows, dd.from_pandas(rows, npartitions=3)):
        with dask.config.set(scheduler="synchronous"):
            with forbid_compute() if data is not rows else count_passes():
                models = [model_of(data, response) for _ in range(2)]
            with count_passes() as alone:
                path = models[0].fit_path(penalty)
            with count_passes() as together:
                cv = models[1].fit_cv(penalty)
                _ = cv.best.summary(), cv.path.summary(), cv.summary()
        assert (len(path), len(cv.path), cv.scores.shape) == (100, 100, (5, 100))
        assert path.converged
        assert cv.converged
        assert path.n_passes == alone.count
        assert cv.n_passes == together.count
        if response == "real":
            assert alone.count == together.count == 1
        else:
            assert alone.count <= 12
            assert together.count <= 1.5 * alone.count
        if data is rows:
            here = cv
        else:
            np.testing.assert_allclose(cv.path.params, here.path.params, rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(cv.fold_scores, here.fold_scores, rtol=1e-9)


@pytest.mark.parametrize("response", ["real", "count"])
def test_folds_do_not_depend_on_partitions_and_rows_not_on_how_they_are_repeated(rows, response) -> None:
    few, penalty = rows.head(240), dglm.L1(alpha=1.0)
    ways = {
        "memory": few,
        "shuffled": few.sample(frac=1.0, random_state=1),
        "dask": dd.from_pandas(few, npartitions=4),
        "uneven": dd.concat([dd.from_pandas(few.iloc[:1], npartitions=1), dd.from_pandas(few.iloc[1:], npartitions=2)]),
    }
    with dask.config.set(scheduler="synchronous"):
        found = {
            way: model_of(data, response, freq_weights="w").fit_cv(penalty, folds=3, seed=5, alphas=[0.1, 0.01])
            for way, data in ways.items()
        }
        again = model_of(ways["dask"], response, freq_weights="w").fit_cv(penalty, folds=3, seed=5, alphas=[0.1, 0.01])
    repeated = few.loc[few.index.repeat(few["w"].astype(int))].reset_index(drop=True)
    found["repeated"] = model_of(repeated, response).fit_cv(penalty, folds=3, seed=5, alphas=[0.1, 0.01])
    base = found.pop("memory")
    for way, cv in found.items():
        np.testing.assert_allclose(cv.fold_weights, base.fold_weights, err_msg=way)
        np.testing.assert_allclose(cv.fold_scores, base.fold_scores, rtol=1e-10, err_msg=way)
        np.testing.assert_allclose(cv.path.params, base.path.params, rtol=1e-9, atol=1e-10, err_msg=way)
    # the same partitioning gives the same bits
    np.testing.assert_array_equal(again.fold_scores, found["dask"].fold_scores)
    np.testing.assert_array_equal(again.path.params, found["dask"].path.params)
    assert (base.fold_weights > 0.2 * base.fold_weights.sum()).all()
    other = model_of(few, response, freq_weights="w").fit_cv(penalty, folds=3, seed=6, alphas=[0.1, 0.01])
    assert not np.allclose(other.fold_weights, base.fold_weights)


def test_a_fit_that_folds_selected_reads_its_rows_again_as_they_lie_and_not_sorted_by_fold(rows) -> None:
    cv = model_of(dd.from_pandas(rows, npartitions=3), "won").fit_cv(dglm.L1(alpha=1.0), alphas=[0.1, 0.01], folds=3)
    here = model_of(rows, "won").fit(penalty=dglm.L1(alpha=cv.alpha))
    assert cv.best.alpha_max == pytest.approx(here.alpha_max, rel=1e-9)


def test_arrays_and_given_folds(rows) -> None:
    X = np.column_stack([np.ones(N), rows[[f"x{j}" for j in range(P)]]])
    y, labels = rows["won"].to_numpy(), np.array(["north", "south", "east"])[np.arange(N) % 3]
    cv = dglm.GLM(y, X, family=Binomial()).fit_cv(dglm.L1(alpha=1.0), folds=labels, alphas=[0.1, 0.01])
    assert cv.folds == ("east", "north", "south")
    assert isinstance(cv.path.params, np.ndarray)
    with dask.config.set(scheduler="synchronous"):
        lazy = dglm.GLM(da.from_array(y, chunks=250), da.from_array(X, chunks=(250, P + 1)), family=Binomial())
        of_dask = lazy.fit_cv(dglm.L1(alpha=1.0), folds=da.from_array(labels, chunks=250), alphas=[0.1, 0.01])
    np.testing.assert_allclose(of_dask.fold_scores, cv.fold_scores, rtol=1e-10)
    column = dglm.GLM.from_formula("won ~ x0 + x1", rows.assign(f=labels), family=Binomial())
    np.testing.assert_allclose(
        column.fit_cv(dglm.L1(alpha=1.0), folds="f", alphas=[0.1]).fold_weights, np.full(3, N / 3)
    )


def test_sparse_rows_are_the_same_rows() -> None:
    rng = np.random.default_rng(5)
    X = np.where(rng.random((400, 6)) < 0.3, rng.normal(size=(400, 6)), 0.0)
    X[:, 0] = 1.0
    y = rng.poisson(np.exp(X @ [0.1, 0.5, -0.5, 0.0, 0.0, 0.2])).astype(float)
    labels, given = np.arange(400) % 3, {"penalty": dglm.L1(alpha=1.0), "alphas": [0.1, 0.01]}
    dense, thin = (dglm.GLM(y, rows, family=Poisson()) for rows in (X, sparse.csr_array(X)))
    here, there = (model.fit_cv(**given, folds=labels) for model in (dense, thin))
    np.testing.assert_allclose(there.fold_scores, here.fold_scores, rtol=1e-9)
    np.testing.assert_allclose(there.path.params, here.path.params, atol=1e-9)
    drawn = thin.fit_cv(**given)
    stored = sparse.csr_array(X[::-1])
    stored = sparse.vstack([stored[:150], stored[150:]], format="csr")
    again = dglm.GLM(y[::-1].copy(), stored, family=Poisson()).fit_cv(**given)
    np.testing.assert_array_equal(again.fold_weights, drawn.fold_weights)
    np.testing.assert_allclose(again.fold_scores, drawn.fold_scores, rtol=1e-9)
    wide = dglm.GLM(np.ones(3), sparse.csr_array(np.ones((3, 6000))))
    with pytest.raises(TooWideError, match="paths of 6,000 coefficients make 6,000 x 6,000 matrices"):
        wide.fit_path(dglm.L1(alpha=1.0))


def test_products_with_many_vectors_are_those_with_each(rows) -> None:
    """Dense, coded and sparse storage: matmat is matvec, crosses are cross, folds are rows."""
    coded = dglm.GLM.from_formula("real ~ x0 + C(part) * g + C(part):x1", rows)
    (block,) = coded._table.partitions(coded.design.columns).map(coded.design.encode).parts
    rng = np.random.default_rng(2)
    stored = (block.X, DenseMatrix(block.X.toarray()), SparseMatrix.of(sparse.csr_array(block.X.toarray())))
    B = rng.normal(size=(block.X.shape[1], 3))
    chosen = rng.permutation(N)[:700]
    for X in stored:
        for _, tile in X.where(chosen).where(slice(100, 500)).tiles():
            values, R = tile.toarray(), rng.normal(size=(400, 3))
            np.testing.assert_array_equal(values, block.X.toarray()[chosen][100:500])
            np.testing.assert_allclose(tile.matmat(B), values @ B, atol=1e-12)
            products, one = tile.crosses(R), DesignMatrix.crosses(tile, R)
            np.testing.assert_allclose(DesignMatrix.matmat(tile, B), values @ B, atol=1e-12)
            for j in range(3):
                origin = np.zeros(len(B))
                np.testing.assert_allclose(products.column(j).about(origin), values.T @ R[:, j], atol=1e-10)
                np.testing.assert_allclose(one.column(j).about(origin), values.T @ R[:, j], atol=1e-10)


def test_codes_have_the_paths_of_their_columns(rows) -> None:
    formula, given = "won ~ x0 + C(part) * g", {"alphas": [0.05, 0.005]}
    coded = dglm.GLM.from_formula(formula, rows, family=Binomial())
    written = dglm.GLM(rows["won"].to_numpy(), coded.exog, family=Binomial())
    folds = (np.arange(N) % 3).tolist()
    here = coded.fit_cv(dglm.ElasticNet(1.0, 0.5), folds=np.array(folds), **given)
    there = written.fit_cv(dglm.ElasticNet(1.0, 0.5), folds=np.array(folds), **given)
    np.testing.assert_allclose(here.path.params, there.path.params, atol=1e-8)
    np.testing.assert_allclose(here.fold_scores, there.fold_scores, rtol=1e-7)


def test_sums_of_many_vectors_add_up() -> None:
    def trials(beta):
        return TrialsAt(np.column_stack([beta, 0.9 * beta]), np.array([-1, -1]), (1,), (None,))

    check_sum(Trials, point=trials)


def test_more_columns_than_rows() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 90))
    eta = X[:, :3] @ [1.0, -1.0, 0.5]
    for family, y in (
        (Gaussian(), eta + 0.1 * rng.normal(size=60)),
        (Binomial(), (eta + rng.logistic(size=60) > 0).astype(float)),
    ):
        model = dglm.GLM(y, np.column_stack([np.ones(60), X]), family=family)
        path = model.fit_path(dglm.L1(alpha=1.0), alphas=8)
        assert path.alphas[-1] == pytest.approx(1e-2 * path.alphas[0])
        assert path.converged
        alone = model.fit(penalty=dglm.L1(alpha=float(path.alphas[4])))
        np.testing.assert_allclose(path[4].params, alone.params, atol=1e-6)


def test_rows_of_zero_weight_count_for_nothing(rows) -> None:
    few = rows.head(200)
    junk = few.head(40).assign(w=0.0, real=1e6, part=9)
    penalty, given = dglm.L1(alpha=1.0), {"freq_weights": "w"}
    for folds in (3, "part"):
        plain, more = (
            model_of(data, "real", **given).fit_cv(penalty, folds=folds, alphas=[0.1, 0.01])
            for data in (few, pd.concat([few, junk], ignore_index=True))
        )
        np.testing.assert_allclose(more.fold_scores, plain.fold_scores, rtol=1e-9)
        np.testing.assert_allclose(more.path.params, plain.path.params, rtol=1e-8, atol=1e-12)


def test_a_path_travels_with_its_numbers_and_results_with_all(rows) -> None:
    path = model_of(rows, "won").fit_path(dglm.L1(alpha=1.0), alphas=5)
    travelled = pickle.loads(pickle.dumps(path))
    pd.testing.assert_frame_equal(travelled.params, path.params)
    with pytest.raises(DataError, match="did not travel"):
        travelled[0]
    result = pickle.loads(pickle.dumps(path[-1]))
    assert result.support == path[4].support
    assert len(list(path)) == 5


def test_refusals(rows) -> None:
    model, lasso = model_of(rows, "won"), dglm.L1(alpha=1.0)
    with pytest.raises(IncompatibleSolverError, match=r"SCAD.* has no path: it is not convex"):
        model.fit_path(SCAD(alpha=1.0))
    for none in (dglm.penalties.Unpenalised(), None):
        with pytest.raises(IncompatibleSolverError, match="it has no alpha"):
            model.fit_cv(none)
    with pytest.raises(TypeError, match="penalty must be an object"):
        model.fit_path("l1")
    for alphas in (0, [], [0.1, -1.0], [[0.1]], [0.1, 0.1], [np.nan]):
        with pytest.raises(ValueError, match="alphas must be"):
            model.fit_path(lasso, alphas=alphas)
    with pytest.raises(ValueError, match=r"alpha_ratio=0\.1 is for a number of alphas"):
        model.fit_path(lasso, alphas=[0.1], alpha_ratio=0.1)
    with pytest.raises(ValueError, match="alpha_ratio must be between 0 and 1; got 2"):
        model.fit_path(lasso, alpha_ratio=2)
    with pytest.raises(ValueError, match=r"alpha=0\.5 is not on the path; the nearest is 0\.1"):
        model.fit_path(lasso, alphas=[0.1, 0.01]).at(0.5)
    with pytest.raises(ValueError, match="folds must be at least 2"):
        model.fit_cv(lasso, folds=1)
    with pytest.raises(ValueError, match='select must be "min" or "1se"; got \'best\''):
        model.fit_cv(lasso, select="best")
    with pytest.raises(ValueError, match='scoring must be "deviance"'):
        model.fit_cv(lasso, scoring="accuracy")
    with pytest.raises(ValueError, match='scoring="auc" is for responses of two kinds'):
        model_of(rows, "real").fit_cv(lasso, scoring="auc")
    with pytest.raises(DataError, match="folds='prat' is not a column of the data"):
        model.fit_cv(lasso, folds="prat")
    with pytest.raises(DataError, match="all rows are in one fold"):
        model_of(rows.assign(one=1), "won").fit_cv(lasso, folds="one")
    with pytest.raises(DataError, match=r"folds \[.*\] have no rows of positive weight"):
        model_of(rows.head(6), "real").fit_cv(lasso, folds=40)
    with pytest.raises(ConvergenceWarning, match="fits of the path did not converge, the first at alpha="):
        model.fit_path(lasso, max_iter=1)


def test_figures(rows) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    cv = model_of(rows, "real").fit_cv(dglm.L1(alpha=1.0), alphas=20)
    drawn = cv.path.plot()
    assert len(drawn.get_lines()) == (cv.path.params.iloc[1:] != 0).any(axis=1).sum() + 1
    assert drawn.get_xlim() == (cv.alphas[0], cv.alphas[-1])
    scores = cv.plot()
    assert "deviance" in scores.get_ylabel()
    matplotlib.pyplot.close("all")
