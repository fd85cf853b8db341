"""Covariances: closed forms, repeated rows, groups of every type over partitions, passes, and what is refused."""

import pickle
from itertools import pairwise

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dglm
from dglm.data import GroupedBlock, comparable, distinct, joined
from dglm.errors import DataError, RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Identity, Log, Probit
from dglm.matrix import Basis, DenseMatrix
from dglm.objective import ClusterScores, Leverages, Meat, MeatAt, ScoresAt
from dglm.objective.objective import evaluate
from dglm.testing import count_passes, forbid_compute

COV = {
    "nonrobust": ("nonrobust", {}),
    "observed": ("nonrobust", {"information": "observed"}),
    **{kind: (kind, {}) for kind in ("HC0", "HC1", "HC2", "HC3")},
    "expected HC3": ("HC3", {"information": "expected"}),
    "cluster": ("cluster", {"groups": "firm"}),
    "two-way": ("cluster", {"groups": ("firm", "year")}),
    "uncorrected": ("cluster", {"groups": "firm", "use_correction": False, "df_correction": False}),
}
FAMILIES = {"real": Gaussian(), "share": Binomial(Probit()), "count": Poisson(), "size": Gamma(Log())}
TIGHT = {"tol": 1e-11}


def frame(n: int = 240, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    firm = rng.choice([f"firm {i}" for i in range(30)], n)
    mu = np.exp(0.2 + 0.3 * x - 0.2 * z)
    trials = rng.integers(1, 6, n)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "firm": firm,
            "year": rng.integers(2000, 2012, n),
            "real": 1 + x + np.abs(x) * rng.normal(size=n),
            "share": rng.binomial(trials, mu / (1 + mu)) / trials,
            "count": rng.poisson(mu).astype(float),
            "size": rng.gamma(2.0, mu),
            "f": rng.integers(0, 4, n),
            "v": trials.astype(float),
            "shift": 0.1 * rng.normal(size=n),
        }
    )


def fit(rows, kind, response="count", **extras):
    cov_type, cov_kwds = COV[kind]
    options = TIGHT | {name: extras.pop(name) for name in ("use_t", "solver", "tol") if name in extras}
    model = dglm.GLM.from_formula(f"{response} ~ x + z", rows, family=FAMILIES[response], **extras)
    return model.fit(cov_type=cov_type, cov_kwds=cov_kwds, **options)


# --- what they are ----------------------------------------------------------------------------------------------------


def closed_form(data, kind, response, beta):
    """Every formula written out over all rows, with matrices of n by n where they are simplest."""
    family, link = FAMILIES[response], FAMILIES[response].link
    X = np.column_stack([np.ones(len(data)), data["x"], data["z"]])
    y, v = data[response].to_numpy(), data["v"].to_numpy()
    eta = X @ beta + data["shift"].to_numpy()
    mu, dmu = link.inverse(eta), link.inverse_deriv(eta)
    s = v * (y - mu) * dmu / family.variance(mu)
    W = v * dmu**2 / family.variance(mu)
    n, k = X.shape
    phi = 1.0 if family.dispersion_fixed else np.sum(v * (y - mu) ** 2 / family.variance(mu)) / (n - k)
    expected = X.T @ np.diag(W) @ X
    # minus the Hessian of the log-likelihood, by differences of the score
    h = 1e-5

    def score(b):
        at = link.inverse(X @ b + data["shift"].to_numpy())
        return X.T @ (v * (y - at) * link.inverse_deriv(X @ b + data["shift"].to_numpy()) / family.variance(at))

    observed = -np.column_stack([(score(beta + h * e) - score(beta - h * e)) / (2 * h) for e in np.eye(k)])
    cov_type, kwds = COV[kind]
    information = kwds.get("information", "expected" if cov_type == "nonrobust" else "observed")
    A = np.linalg.inv(expected if information == "expected" else observed)
    if cov_type == "nonrobust":
        return phi * A
    hat = np.diag(np.sqrt(np.diag(W)) @ X @ np.linalg.inv(expected) @ X.T @ np.sqrt(np.diag(W)))

    def clustered(labels):
        same = labels[:, None] == labels[None, :]
        groups = len(np.unique(labels))
        factor = groups / (groups - 1) * (n - 1) / (n - k) if kwds.get("use_correction", True) else 1.0
        return factor * (X.T @ (same * np.outer(s, s)) @ X)

    if cov_type == "cluster":
        firm, year = data["firm"].to_numpy(dtype=str), data["year"].to_numpy(dtype=str)
        B = clustered(firm)
        if kind == "two-way":
            B = B + clustered(year) - clustered(np.char.add(np.char.add(firm, "/"), year))
    else:
        power = {"HC2": 1, "HC3": 2}.get(cov_type, 0)
        B = X.T @ np.diag(s**2 / (1 - hat) ** power) @ X * (n / (n - k) if cov_type == "HC1" else 1.0)
    return A @ B @ A


@pytest.mark.parametrize("response", FAMILIES)
@pytest.mark.parametrize("kind", COV)
def test_covariance_is_its_formula(kind, response):
    data = frame()
    for rows in (data, dd.from_pandas(data, npartitions=4)):
        result = fit(rows, kind, response, var_weights="v", offset="shift")
        expected = closed_form(data, kind, response, np.asarray(result.params))
        found = np.asarray(result.cov_params())
        size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        # the differences that the reference takes for the observed information leave 1e-9
        np.testing.assert_allclose(found / size, expected / size, rtol=1e-8, atol=1e-8)
        np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("kind", COV)
@pytest.mark.parametrize("response", ["real", "count"])
def test_frequency_weights_are_rows_repeated(kind, response):
    data = frame()
    repeated = data.loc[data.index.repeat(data["f"])].reset_index(drop=True)
    weighted = fit(dd.from_pandas(data, npartitions=3), kind, response, freq_weights="f", var_weights="v")
    expected = fit(repeated, kind, response, var_weights="v")
    np.testing.assert_allclose(weighted.cov_params(), expected.cov_params(), rtol=1e-9, atol=1e-13)
    assert weighted.df_resid_inference == expected.df_resid_inference


@pytest.mark.parametrize("kind", COV)
def test_rows_of_zero_weight_count_for_nothing(kind):
    data = frame()
    # a mean below zero, where the score is infinite; a firm and a year of its own; and a firm that is missing
    extra = pd.DataFrame({"x": [-1e3, 0.0], "z": 0.0, "count": 3.0, "firm": ["nobody", None], "year": [1900, 1901]})
    extra = extra.assign(f=0, v=1.0)
    both = pd.concat([data.assign(f=1), extra], ignore_index=True)
    cov_type, cov_kwds = COV[kind]

    def covariance(rows, **weights):
        model = dglm.GLM.from_formula("count ~ x + z", rows, family=Poisson(Log()), **weights)
        return model.fit(cov_type=cov_type, cov_kwds=cov_kwds, **TIGHT)

    expected = covariance(data)
    for weights in ({"freq_weights": "f"}, {"freq_weights": "f", "var_weights": "v"}):
        found = covariance(both.assign(v=1.0), **weights)
        np.testing.assert_allclose(found.cov_params(), expected.cov_params(), rtol=1e-12, atol=1e-15)
        assert found.cov_kwds == expected.cov_kwds


def test_an_infinite_score_of_zero_weight_is_not_nan():
    # identity link: the mean of the last row is 0, where score and information are infinite
    X = DenseMatrix(np.array([[1.0], [2.0], [0.0]]))
    y, f, beta, basis = np.array([1.0, 1.5, 2.0]), np.array([1.0, 1.0, 0.0]), np.array([0.8]), Basis(np.zeros(1), None)
    codes, keys = np.array([0, 1, -1]), (pd.Index(["a", "b"]),)
    block = GroupedBlock(X=X, y=y, freq_weights=f, codes=codes, keys=keys)
    scores = (y[:2] - 0.8 * X.values[:2, 0]) / (0.8 * X.values[:2, 0]) * X.values[:2, 0]
    point = MeatAt(beta, Leverages(basis, np.array([[0.1]])), 2)
    leverages = 0.1 * X.values[:2, 0] ** 2 / (0.8 * X.values[:2, 0])
    requests = [(Meat, MeatAt(beta)), (Meat, point), (ClusterScores, ScoresAt(beta, basis))]
    hc0, hc3, clusters = evaluate(block, requests, Poisson(Identity())).parts
    assert basis.gram(hc0.gram)[0, 0] == pytest.approx(np.sum(scores**2))
    assert basis.gram(hc3.gram)[0, 0] == pytest.approx(np.sum((scores / (1 - leverages)) ** 2))
    np.testing.assert_allclose(clusters.totals[:, 0], scores)


@pytest.mark.parametrize("kind", COV)
def test_solvers_agree(kind):
    data = frame()
    for response in ("share", "size"):
        irls, newton = (fit(data, kind, response, solver=solver) for solver in ("irls", "newton"))
        np.testing.assert_allclose(newton.cov_params(), irls.cov_params(), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("kind", COV)
def test_columns_far_from_zero_keep_their_digits(kind):
    data = frame()
    shifted = data.assign(x=data["x"] + 1e6, z=data["z"] - 1e6)
    near, far = (fit(rows, kind, "real", tol=1e-8) for rows in (data, shifted))
    # the rows themselves are rounded to 1e-10
    slopes = near.cov_params().loc[["x", "z"], ["x", "z"]]
    np.testing.assert_allclose(far.cov_params().loc[["x", "z"], ["x", "z"]], slopes, rtol=1e-7, atol=1e-10)
    # the mean at a row, an intercept of 1e6 and slopes that cancel it
    at, shifted = np.array([[1.0, 0.5, 0.5]]), np.array([[1.0, 1e6 + 0.5, -1e6 + 0.5]])
    assert far.cov_params(shifted)[0, 0] == pytest.approx(near.cov_params(at)[0, 0], rel=1e-7)
    assert far.t_test(shifted).sd[0] == pytest.approx(near.t_test(at).sd[0], rel=1e-7)


@pytest.mark.parametrize("kind", COV)
def test_aliased_columns_are_left_out(kind):
    data = frame()
    cov_type, cov_kwds = COV[kind]
    expected = fit(data, kind)
    with pytest.warns(RankDeficientWarning):
        found = dglm.GLM.from_formula("count ~ x + z + I(x + z)", data, family=Poisson()).fit(
            cov_type=cov_type, cov_kwds=cov_kwds, **TIGHT
        )
    V = found.cov_params()
    assert V.iloc[3].isna().all()
    assert V.iloc[:, 3].isna().all()
    np.testing.assert_allclose(V.iloc[:3, :3], expected.cov_params(), rtol=1e-8, atol=1e-12)
    assert found.df_resid_inference == expected.df_resid_inference
    # a combination with a coefficient that was not estimated has no variance
    combinations = found.cov_params([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    np.testing.assert_array_equal(np.isnan(combinations), [[False, True], [True, True]])


def test_normalized_covariance_is_that_of_unit_scale():
    result = fit(frame(), "nonrobust", "size")
    np.testing.assert_allclose(result.scale * result.normalized_cov_params, result.cov_params(), rtol=1e-14)
    observed = fit(frame(), "observed", "size")
    np.testing.assert_allclose(observed.scale * observed.normalized_cov_params, observed.cov_params(), rtol=1e-14)
    assert np.max(np.abs(observed.cov_params() / result.cov_params() - 1)).max() > 1e-3


@pytest.mark.parametrize("kind", ["HC0", "HC3", "cluster"])
def test_a_sandwich_does_not_depend_on_the_dispersion(kind):
    cov_type, cov_kwds = COV[kind]
    model = dglm.GLM.from_formula("size ~ x + z", frame(), family=Gamma(Log()))
    found = [model.fit(cov_type=cov_type, cov_kwds=cov_kwds, scale=scale).cov_params() for scale in (None, 1.0, 30.0)]
    pd.testing.assert_frame_equal(found[0], found[1])
    pd.testing.assert_frame_equal(found[0], found[2])


def test_two_ways_with_few_groups_may_give_no_standard_error():
    data = frame(40, seed=0).assign(firm=np.arange(40) % 2, year=np.arange(40) // 2 % 2)
    result = dglm.GLM.from_formula("real ~ x + z", data).fit(cov_type="cluster", cov_kwds={"groups": ("firm", "year")})
    V = np.asarray(result.cov_params())
    assert (np.diag(V) < 0).any()
    np.testing.assert_array_equal(np.isnan(result.bse), np.diag(V) < 0)
    assert "WARNING: the two-way covariance is not positive" in str(result.summary())


# --- groups -----------------------------------------------------------------------------------------------------------


def in_parts(*parts):
    """A dask frame whose partitions keep the types that they have."""
    return dd.from_map(lambda i: parts[i], range(len(parts)), meta=parts[0].iloc[:0])


LABELS = {
    "strings": lambda ids: pd.Series([f"firm {i}" for i in ids]),
    "objects": lambda ids: pd.Series([f"firm {i}" for i in ids], dtype=object),
    "integers": lambda ids: pd.Series(ids),
    "small integers": lambda ids: pd.Series(ids, dtype="int8"),
    "unsigned": lambda ids: pd.Series(ids.astype("uint64") + np.uint64(2**63)),
    "neighbours beyond 2^53": lambda ids: pd.Series(ids + 2**60),
    "floats": lambda ids: pd.Series(ids + 0.5),
    "nullable": lambda ids: pd.Series(ids, dtype="Int64"),
    "arrow": lambda ids: pd.Series([f"firm {i}" for i in ids], dtype="string[pyarrow]"),
    "categories": lambda ids: pd.Series([f"firm {i}" for i in ids], dtype="category"),
    "dates": lambda ids: pd.Timestamp("2020-01-01") + pd.Series(pd.to_timedelta(ids, unit="D")),
    "zoned dates": lambda ids: pd.Series(pd.date_range("2020-01-01", periods=30, tz="Europe/Rome")[ids]),
    "tuples": lambda ids: pd.Series([(int(i), "a") for i in ids]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_groups_of_every_type(kind):
    data = frame()
    ids = np.random.default_rng(0).integers(0, 30, len(data))
    expected = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": ids}
    )
    data["group"] = LABELS[kind](ids).to_numpy() if kind == "tuples" else LABELS[kind](ids).array
    parts = [data.iloc[i : i + 60] for i in range(0, 240, 60)]
    if kind == "categories":
        # every partition with its own
        parts = [part.assign(group=part["group"].cat.remove_unused_categories()) for part in parts]
    for rows in (data, in_parts(*parts)):
        result = dglm.GLM.from_formula("count ~ x + z", rows, family=Poisson()).fit(
            cov_type="cluster", cov_kwds={"groups": "group"}
        )
        assert result.cov_kwds["n_groups"] == (30,)
        np.testing.assert_allclose(result.cov_params(), expected.cov_params(), rtol=1e-9)


def test_booleans_are_two_groups():
    data = frame().assign(group=lambda d: d["x"] > 0)
    results = [
        dglm.GLM.from_formula("count ~ z", rows, family=Poisson()).fit(cov_type="cluster", cov_kwds={"groups": "group"})
        for rows in (data, data.assign(group=data["group"].astype(int)))
    ]
    np.testing.assert_allclose(results[0].bse, results[1].bse, rtol=1e-12)


def test_groups_compare_by_value_whatever_their_type_in_a_partition():
    data = frame().assign(group=np.random.default_rng(0).integers(0, 30, 240))
    whole = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": "group"}
    )
    parts = [data.iloc[i : i + 60] for i in range(0, 240, 60)]
    # integers, floats (as where some are missing in rows that are dropped), unsigned and nullable ones
    gap = parts[1].iloc[:1].assign(x=np.nan, group=np.nan)
    mixed = in_parts(
        parts[0],
        pd.concat([gap, parts[1].astype({"group": float})]),
        parts[2].astype({"group": "uint16"}),
        parts[3].astype({"group": "Int32"}),
    )
    found = dglm.GLM.from_formula("count ~ x + z", mixed, family=Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": "group"}
    )
    assert found.n_dropped == 1
    assert found.cov_kwds["n_groups"] == whole.cov_kwds["n_groups"]
    np.testing.assert_allclose(found.cov_params(), whole.cov_params(), rtol=1e-9)


@pytest.mark.parametrize("kind", ["HC0", "HC3", "cluster", "two-way"])
def test_partitions_do_not_matter(kind):
    data = frame()
    whole = fit(data, kind, "size")
    empty = data.iloc[:0]
    cases = {
        "many of one row": in_parts(*(data.iloc[i : i + 1] for i in range(40)), data.iloc[40:]),
        "sorted, so that every firm is in one": dd.from_pandas(data.sort_values("firm").reset_index(drop=True), 7),
        "empty ones": in_parts(empty, data.iloc[:50], empty, data.iloc[50:], empty),
    }
    for name, rows in cases.items():
        with dask.config.set(scheduler="synchronous"):
            found = fit(rows, kind, "size")
        np.testing.assert_allclose(found.cov_params(), whole.cov_params(), rtol=1e-9, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("kind", ["HC2", "cluster", "two-way"])
def test_schedulers_give_the_same_bits(kind):
    rows = dd.from_pandas(frame(), npartitions=11)
    found = []
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            found.append(fit(rows, kind, "size").cov_params())
    pd.testing.assert_frame_equal(*found, check_exact=True)


def test_groups_as_aligned_collections():
    data = frame()
    expected = fit(data, "two-way").cov_params()
    firm, year = data["firm"], data["year"]
    codes = pd.factorize(firm)[0]
    ddf = dd.from_pandas(data, npartitions=3)
    cases = [
        (data, (firm, year)),
        (data, [firm, "year"]),
        (data, ("firm", year.to_numpy())),
        (data, data[["firm", "year"]]),
        (data, np.column_stack([codes, year])),
        (ddf, (ddf["firm"], "year")),
        (ddf, ddf[["firm", "year"]]),
    ]
    for rows, groups in cases:
        model = dglm.GLM.from_formula("count ~ x + z", rows, family=Poisson())
        found = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, **TIGHT)
        np.testing.assert_allclose(found.cov_params(), expected, rtol=1e-9, atol=1e-13)
    # models of arrays and frames
    X = np.column_stack([np.ones(len(data)), data[["x", "z"]]])
    y = data["count"].to_numpy()
    lazy = da.from_array(X, chunks=(70, 2))
    exog = pd.DataFrame(X, columns=["const", "x", "z"])
    arrays = [
        (y, X, (firm.to_numpy(), year.to_numpy())),
        (y, X, (list(firm), year)),
        (y, X, [list(codes), list(year)]),
        (y, lazy, (da.from_array(codes, chunks=50), year.to_numpy())),
        (data["count"], exog, (firm, year)),
        (ddf["count"], ddf.assign(const=1.0)[["const", "x", "z"]], (ddf["firm"], ddf["year"])),
    ]
    for endog, rows, groups in arrays:
        found = dglm.GLM(endog, rows, family=Poisson()).fit(cov_type="cluster", cov_kwds={"groups": groups}, **TIGHT)
        np.testing.assert_allclose(found.cov_params(), expected, rtol=1e-9, atol=1e-13)


def test_rows_that_are_dropped_take_their_groups_with_them():
    data = frame()
    data.loc[[3, 100, 239], "x"] = np.nan
    data.loc[[3, 100], "firm"] = None
    expected = fit(data.dropna().reset_index(drop=True), "cluster")
    for rows in (data, dd.from_pandas(data, npartitions=4)):
        found = fit(rows, "cluster")
        assert found.n_dropped == 3
        np.testing.assert_allclose(found.cov_params(), expected.cov_params(), rtol=1e-9, atol=1e-13)


def test_small_files_may_be_joined_otherwise_where_groups_are_read_too(tmp_path):
    # dask joins them by how little of them is read
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {"x": rng.normal(size=240), "firm": rng.integers(0, 30, 240)} | {f"z{j}": 0.0 for j in range(3)}
    )
    data["y"] = rng.poisson(np.exp(0.3 * data["x"]))
    files = tmp_path / "rows"
    files.mkdir()
    for number in range(6):
        data.iloc[40 * number : 40 * number + 40].to_parquet(files / f"{number}.parquet")
    joined_to = [dd.read_parquet(files)[columns].optimize().npartitions for columns in (["y", "x"], ["y", "x", "firm"])]
    assert joined_to == [2, 3]
    model, clusters = dglm.GLM.from_formula("y ~ x", files, family=Poisson()), {"groups": "firm"}
    expected = dglm.GLM.from_formula("y ~ x", data, family=Poisson()).fit(cov_type="cluster", cov_kwds=clusters)
    ways = ({}, {"persist": False}, *[{"checkpoint": tmp_path / "sums"}] * 2)
    with dask.config.set(scheduler="synchronous"):
        found = [model.fit(cov_type="cluster", cov_kwds=clusters, **way) for way in ways]
    for result in found:
        np.testing.assert_allclose(result.bse, expected.bse, rtol=1e-10)
    assert found[-1].n_passes == found[-2].n_passes


def test_group_columns_are_read_only_when_asked_for():
    data = frame()
    ddf = dd.from_pandas(data, npartitions=3)
    # the column is not one of the formula's, and does not change its design
    model = dglm.GLM.from_formula("count ~ x + z", ddf, family=Poisson())
    assert "firm" not in model.design.columns
    with forbid_compute(), pytest.raises(AssertionError, match="forbid_compute"):
        model.fit(cov_type="cluster", cov_kwds={"groups": "firm"})


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
    st.booleans(),
)
def test_cluster_scores_add_up_to_those_of_all_rows(groups, cuts, two_ways):
    n = len(groups)
    rng = np.random.default_rng(n)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2)) + 5.0])
    y, f = rng.poisson(1.0, n).astype(float), rng.integers(0, 3, n).astype(float)
    point = ScoresAt(np.array([0.1, 0.02, -0.03]), Basis(np.array([1.0, 5.0, 5.0]), 0))

    def scores(rows):
        ways = [pd.Index([g[way] for g in groups[rows]]) for way in range(1 + two_ways)]
        keys, codes = distinct(ways)
        block = GroupedBlock(X=DenseMatrix(X[rows]), y=y[rows], freq_weights=f[rows], codes=codes, keys=keys)
        return ClusterScores.of(block, point, Poisson())

    edges = np.unique([0, n, *(min(cut, n) for cut in cuts)])
    parts = [scores(slice(a, b)) for a, b in pairwise(edges)] or [scores(slice(0, 0))]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    mu = np.exp(X @ point.beta)
    Z = np.column_stack([np.ones(n), X[:, 1:] - 5.0])
    table = pd.DataFrame((f * (y - mu))[:, None] * Z)
    if n:
        expected = table.groupby([pd.Series([str(g[: 1 + two_ways]) for g in groups])]).sum()
        found = {str(key): row for key, row in zip(zip(*total.keys, strict=True), total.totals, strict=True)}
        assert set(found) == set(expected.index)
        for key, row in found.items():
            np.testing.assert_allclose(row, expected.loc[key], rtol=1e-10, atol=1e-12)
    else:
        assert total.totals.shape == (0, 3)


def test_keys_of_different_types_are_equal_where_their_values_are():
    keys = (pd.Index([1, 2, 2**60, 2**60 + 1]),)
    for other in (np.array([1.0, 3.0]), np.array([1, 3], dtype=object), pd.array([1, 3], dtype="UInt8")):
        (together,), _ = distinct(joined(keys, comparable((pd.Index(other),))))
        assert together.tolist() == [1, 2, 2**60, 2**60 + 1, 3]
    # as floats, the last two integers would be one
    (together,), _ = distinct(joined(keys, comparable((pd.Index([0.5]),))))
    assert together.tolist() == [1, 2, 2**60, 2**60 + 1, 0.5]
    (words,), _ = distinct(joined((pd.Index(["a"], dtype=object),), comparable((pd.CategoricalIndex(["b", "a"]),))))
    assert words.tolist() == ["a", "b"]
    # no rows have no type
    (same,), _ = distinct(joined((pd.Index([], dtype=object),), (pd.Index([1, 2]),)))
    assert same.dtype == np.int64


@given(st.lists(st.tuples(st.integers(-3, 3), st.text(max_size=2)), min_size=1, max_size=50))
def test_distinct_groups_are_those_of_a_dictionary(pairs):
    keys, codes = distinct([pd.Index([p[0] for p in pairs]), pd.Index([p[1] for p in pairs], dtype=object)])
    order = list(dict.fromkeys(pairs))
    assert list(zip(*keys, strict=True)) == order
    assert codes.tolist() == [order.index(p) for p in pairs]


# --- cost -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "solver", "extra"),
    [
        # after the survey and one pass for every iterate; a sandwich needs one finishing pass, in which all is asked
        ("count", "irls", {"nonrobust": 0, "observed": 0, "HC0": 1, "HC1": 1, "HC2": 1, "HC3": 1, "cluster": 1}),
        ("size", "irls", {"nonrobust": 1, "observed": 1, "HC0": 1, "HC1": 1, "HC2": 1, "HC3": 1, "cluster": 1}),
        ("share", "irls", {"nonrobust": 0, "observed": 1, "HC0": 1, "HC3": 1, "expected HC3": 1, "two-way": 1}),
        # Newton knows the observed information; leverages need the expected one first
        ("share", "newton", {"nonrobust": 1, "observed": 1, "HC0": 1, "HC2": 2, "HC3": 2, "cluster": 1}),
        ("count", "newton", {"nonrobust": 0, "HC0": 1, "HC3": 1, "cluster": 1}),
    ],
)
def test_what_each_costs(response, solver, extra):
    for rows in (frame(), dd.from_pandas(frame(), npartitions=3)):
        for kind, passes_expected in extra.items():
            with count_passes() as passes:
                result = fit(rows, kind, response, solver=solver)
            assert passes.count == result.n_passes == 1 + (1 + result.n_iter) + passes_expected, kind


def test_the_null_model_rides_on_the_finishing_pass_of_clusters():
    rows = dd.from_pandas(frame(), npartitions=3)
    plain, clustered = fit(rows, "nonrobust", "size", offset="shift"), fit(rows, "cluster", "size", offset="shift")
    assert clustered.null_deviance == pytest.approx(plain.null_deviance, rel=1e-12)
    assert clustered.n_passes == plain.n_passes


def test_results_hold_no_groups():
    data = pd.concat([frame()] * 20, ignore_index=True)
    groups = pd.Series([f"a long name of a group, number {i}" for i in range(len(data))])
    ddf = dd.from_pandas(data.assign(group=groups), npartitions=4)
    model = dglm.GLM.from_formula("count ~ x + z", ddf, family=Poisson())
    result = model.fit(cov_type="cluster", cov_kwds={"groups": "group"})
    assert result.cov_kwds == {
        "information": "observed",
        "groups": ("'group'",),
        "use_correction": True,
        "df_correction": True,
        "n_groups": (4800,),
    }
    assert len(pickle.dumps(result._estimate.covariance)) < 5000


# --- what is said -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nonrobust", "Standard errors from the expected information"),
        ("observed", "Standard errors from the observed information"),
        ("HC3", "robust to heteroscedasticity (HC3)"),
        ("two-way", "robust to dependence within groups: 'firm' (30) and 'year' (12)"),
    ],
)
def test_the_summary_names_covariance_and_distribution(kind, words):
    z, t = fit(frame(), kind, "size"), fit(frame(), kind, "size", use_t=True)
    for result, letter in ((z, "z"), (t, "t")):
        text = " ".join(str(result.summary()).split())
        assert words in text
        assert f"Covariance Type: {result.cov_type}" in text
        assert f" {letter} P>|{letter}|" in text
        assert result.use_t == (letter == "t")
    degrees = {"two-way": 11}.get(kind, 237)
    assert t.df_resid_inference == degrees
    assert f"t statistics with {degrees} degrees of freedom" in str(t.summary())


def test_t_statistics_have_wider_intervals_and_larger_pvalues():
    z, t = (fit(frame(), "cluster", "size", use_t=use_t) for use_t in (False, True))
    pd.testing.assert_series_equal(z.bse, t.bse)
    assert (t.pvalues > z.pvalues).all()
    width = {r: (r.conf_int()[1] - r.conf_int()[0]) / r.bse / 2 for r in (z, t)}
    # 97.5% quantiles of the normal distribution and of t with 29 degrees of freedom
    np.testing.assert_allclose(width[z], 1.959963984540054, rtol=1e-10)
    np.testing.assert_allclose(width[t], 2.045229642132703, rtol=1e-10)


def test_cov_params_of_combinations_and_columns():
    result = fit(frame(), "HC1", "size")
    V = result.cov_params()
    R = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
    np.testing.assert_allclose(result.cov_params(R), R @ V.to_numpy() @ R.T, rtol=1e-12)
    assert result.cov_params(R[0]) == pytest.approx(R[0] @ V.to_numpy() @ R[0], rel=1e-12)
    np.testing.assert_allclose(result.cov_params(R, other=R[:1]), R @ V.to_numpy() @ R[:1].T, rtol=1e-12)
    assert result.cov_params(column="x") == result.cov_params(column=1) == V.loc["x", "x"]
    np.testing.assert_array_equal(result.cov_params(column=["x", "z"]), V.loc[["x", "z"], ["x", "z"]])
    np.testing.assert_array_equal(result.cov_params(column=1, cov_p=np.diag([1.0, 2.0, 3.0])), 2.0)
    np.testing.assert_allclose(result.cov_params(R, cov_p=np.eye(3)), R @ R.T)
    plain = fit(frame(), "nonrobust", "size")
    np.testing.assert_allclose(plain.cov_params(scale=2.0), 2.0 * plain.normalized_cov_params, rtol=1e-14)
    np.testing.assert_allclose(plain.cov_params(R, scale=1.0), plain.cov_params(R) / plain.scale, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scale": 1.0}, "a sandwich, or cov_p, does not depend on it"),
        ({"column": 1, "r_matrix": [1.0, 0.0, 0.0]}, "exclude each other"),
        ({"other": [1.0, 0.0, 0.0]}, "give r_matrix=, too"),
        ({"r_matrix": [1.0, 0.0]}, r"r_matrix must have 3 columns, one for each coefficient; its shape is \(2,\)"),
        ({"cov_p": np.eye(2)}, r"cov_p must have 3 columns"),
        ({"column": "X"}, "there is no coefficient 'X'; did you mean 'x'"),
    ],
)
def test_cov_params_refuses_what_means_nothing(arguments, words):
    with pytest.raises(ValueError, match=words):
        fit(frame(), "HC0").cov_params(**arguments)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cov_type": "hc0"}, r"there is no cov_type='hc0'; did you mean 'HC0'"),
        ({"cov_type": "HC4"}, r"there is no cov_type='HC4'; did you mean 'HC"),
        ({"cov_type": "clustered"}, r"there is no cov_type='clustered'; did you mean 'cluster'\?"),
        ({"cov_type": None}, r"there is no cov_type=None"),
        ({"cov_type": "HAC", "cov_kwds": {"maxlags": 3}}, r"have no order in time; .*use cov_type=\"cluster\""),
        ({"cov_type": "hac-panel"}, r"have no order in time"),
        ({"cov_type": "cluster"}, r"needs the groups: cov_kwds=\{\"groups\": \"firm\"\}"),
        ({"cov_type": "cluster", "cov_kwds": {"group": "firm"}}, r"has no cov_kwds 'group'; did you mean 'groups'\?"),
        (
            {"cov_type": "HC0", "cov_kwds": {"groups": "firm"}},
            r"cov_type='HC0' has no cov_kwds 'groups'; there are",
        ),
        ({"cov_kwds": {"information": "fisher"}}, r'"information" must be "expected" or "observed"; got \'fisher\''),
        ({"cov_type": "cluster", "cov_kwds": {"groups": "firm", "df_correction": 1}}, r"must be True or False; got 1"),
        (
            {"cov_type": "HC0", "penalty": dglm.L2(alpha=0.1)},
            r"are for estimates without a penalty",
        ),
        ({"use_t": "yes"}, r"use_t must be True, False or None; got 'yes'"),
        ({"use_t": True, "penalty": dglm.L1(alpha=0.1)}, r"those under L1\(alpha=0.1\) have no standard errors"),
    ],
)
def test_options_that_cannot_be(options, words):
    model = dglm.GLM.from_formula("count ~ x + z", dd.from_pandas(frame(), npartitions=3), family=Poisson())
    with count_passes() as passes, pytest.raises(ValueError, match=words):
        model.fit(**options)
    assert passes.count == 0


ROWS = frame()
ARRAYS = (ROWS["count"].to_numpy(), np.column_stack([np.ones(240), ROWS["x"]]))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ("frim", r"groups='frim' is not a column of the data; did you mean 'firm'\?"),
        (("firm", "jear"), r"groups\[1\]='jear' is not a column of the data; did you mean 'year'\?"),
        (("firm", "year", "x"), r"groups must be given along one way or two; got 3"),
        (list(ROWS["firm"]), r"got 240 \(a list of labels, one for each row, must be an array\)"),
        ((), r"got 0"),
        (np.arange(3), r"groups has shape \(3,\), but the data has 240 rows"),
        (ROWS["firm"].sort_values(), r"groups has another index than the data"),
        (dd.from_pandas(ROWS["firm"], npartitions=2), r"groups is a dask collection but the data is in memory"),
    ],
)
def test_groups_that_cannot_be_joined(groups, words):
    model = dglm.GLM.from_formula("count ~ x + z", ROWS, family=Poisson())
    with count_passes() as passes, pytest.raises(DataError, match=words):
        model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert passes.count == 0


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ("firm", r"groups='firm' names a column, but the model is of arrays; pass the values"),
        (np.arange(3), r"groups has shape \(3,\), but the data has 240 rows"),
        (da.arange(240, chunks=50), r"groups is a dask collection but the data is in memory"),
    ],
)
def test_groups_of_arrays_that_cannot_be_joined(groups, words):
    with pytest.raises(DataError, match=words):
        dglm.GLM(*ARRAYS, family=Poisson()).fit(cov_type="cluster", cov_kwds={"groups": groups})
    y, X = (da.from_array(a, chunks=100) for a in ARRAYS)
    with pytest.raises(DataError, match="groups has 3 rows, but exog has 240"):
        dglm.GLM(y, X, family=Poisson()).fit(cov_type="cluster", cov_kwds={"groups": np.arange(3)})


def test_a_missing_group_names_its_row():
    data = frame()
    data.loc[[130, 131], "firm"] = None
    with pytest.raises(DataError, match=r"'firm' has no group for row 10 of partition 2 \(2 such rows there\)"):
        fit(dd.from_pandas(data, npartitions=4), "cluster")
    with pytest.raises(DataError, match=r"groups has no group for row 130 of partition 0"):
        dglm.GLM(data["count"].to_numpy(), data[["x"]].to_numpy()).fit(
            cov_type="cluster", cov_kwds={"groups": data["firm"].to_numpy()}
        )


def test_groups_that_are_one_or_cannot_be_compared():
    one = frame().assign(year=2000)
    with pytest.raises(DataError, match=r"needs two groups or more, but all rows have 2000 in 'year'; use cov_ty"):
        fit(one, "two-way")
    lists = frame().assign(firm=[[1]] * 240)
    with pytest.raises(DataError, match=r"groups 'firm' of partition 0 cannot be told apart: unhashable"):
        fit(lists, "cluster")


def test_hc2_and_hc3_refuse_a_row_that_a_coefficient_rests_on():
    data = frame().assign(only=lambda d: (np.arange(240) == 18).astype(float))
    model = dglm.GLM.from_formula("count ~ x + only", dd.from_pandas(data, npartitions=4), family=Poisson())
    # its coefficient would be minus infinity otherwise
    assert data["count"].iloc[18] > 0
    for cov_type in ("HC2", "HC3"):
        with pytest.raises(
            DataError, match=rf"{cov_type} divides by one minus the leverage, which is 1 for 1 row\(s\)"
        ):
            model.fit(cov_type=cov_type)
    assert np.isfinite(model.fit(cov_type="HC1").bse).all()
    # two observations of it are enough, as one row of weight 2 or as two
    twice = data.assign(f=np.where(np.arange(240) == 18, 2, 1))
    weighted = dglm.GLM.from_formula("count ~ x + only", twice, family=Poisson(), freq_weights="f").fit(cov_type="HC3")
    repeated = dglm.GLM.from_formula("count ~ x + only", twice.loc[twice.index.repeat(twice["f"])], family=Poisson())
    np.testing.assert_allclose(weighted.bse, repeated.fit(cov_type="HC3").bse, rtol=1e-7, atol=1e-10)
