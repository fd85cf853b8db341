"""Fits of groups of equal rows against fits of the rows."""

from __future__ import annotations

import itertools
import pathlib

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import dglm
from dglm import errors, families, links
from dglm.data import Block, CompressedBlock, count_passes, equal_rows, expected_groups
from dglm.model import compressing
from dglm.objective import Groups, SaturatedLoglike, group_block

NUMBERS = ("llf", "deviance", "null_deviance", "pearson_chi2", "scale", "nobs", "n_rows", "n_dropped", "df_resid")

# family, weights and offset, covariance; each pair of what may go wrong together occurs
CASES = [
    (families.Gaussian(), ("freq_weights", "var_weights"), "HC0"),
    (families.Gaussian(), (), "HC3"),
    (families.Gaussian(links.Log()), ("offset", "var_weights"), "HC1"),
    (families.Binomial(), ("var_weights", "offset"), "HC1"),
    (families.Binomial(links.Probit()), ("freq_weights",), "HC2"),
    (families.Binomial(links.CLogLog()), (), "nonrobust"),
    (families.Poisson(), ("exposure", "freq_weights"), "HC0"),
    (families.Poisson(), ("exposure", "var_weights"), "HC3"),
    (families.Poisson(links.Sqrt()), ("freq_weights", "var_weights"), "cluster"),
    (families.Gamma(), ("freq_weights",), "HC1"),
    (families.Gamma(links.Log()), ("exposure", "var_weights"), "HC2"),
    (families.InverseGaussian(links.Log()), ("offset", "freq_weights"), "nonrobust"),
    (families.NegativeBinomial(alpha=0.7), ("whole_offset", "freq_weights"), "HC0"),
    (families.Tweedie(power=1.4), ("exposure", "freq_weights", "var_weights"), "cluster"),
    (families.Tweedie(power=1.0), ("exposure",), "HC1"),
]


def rows(family: families.Family, n: int = 400, seed: int = 7) -> pd.DataFrame:
    """Rows of few distinct covariates, with weights of 0 among others, and something missing in some."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "a": pd.Categorical(rng.choice(list("pqr"), n)),
            "b": pd.Categorical(rng.choice(list("uv"), n)),
            "k": rng.integers(0, 3, n) * 0.75,
            "freq_weights": rng.integers(0, 4, n).astype(float),
            "var_weights": rng.choice([0.0, 0.5, 1.0, 3.0], n, p=[0.05, 0.35, 0.3, 0.3]),
            "offset": rng.normal(0, 0.2, n),
            "whole_offset": rng.integers(0, 2, n) * 0.3,
            "exposure": rng.uniform(0.2, 3.0, n),
            "firm": rng.integers(0, 12, n),
        }
    )
    eta = 0.4 + 0.3 * (data["a"] == "q") - 0.2 * (data["b"] == "v") + 0.2 * data["k"]
    mu = np.asarray(np.exp(eta))
    if isinstance(family, families.Binomial):
        y = rng.binomial(1, 0.3 + 0.1 * mu / mu.max(), n).astype(float)
    elif family.domain == "be finite":
        y = mu + rng.normal(0, 0.5, n)
    elif family.counts or family.variance_power not in {2.0, 3.0}:
        y = rng.poisson(mu).astype(float)
    else:
        y = rng.gamma(3.0, mu / 3.0)
    data["y"] = y
    data.loc[[3, 50], "k"] = np.nan
    data.loc[70, "y"] = np.nan
    return data


def model(data, family, extras=(), formula="y ~ a * b + k"):
    named = {"offset" if name == "whole_offset" else name: name for name in extras}
    return dglm.GLM.from_formula(formula, data, family=family, **named)


def on_dask(data: pd.DataFrame) -> dd.DataFrame:
    """Partitions of one row, of none and of many."""
    edges = [0, 1, 1, 130, 131, len(data)]
    parts = [data.iloc[i:j] for i, j in itertools.pairwise(edges)]
    return dd.from_delayed([dask.delayed(part) for part in parts], meta=data.iloc[:0], verify_meta=False)


def assert_same(found, expected, rtol=1e-10):
    np.testing.assert_allclose(found.params, expected.params, rtol=rtol, atol=1e-13)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=rtol)
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=rtol, err_msg=name)
    np.testing.assert_allclose(found.aic, expected.aic, rtol=rtol)


@pytest.mark.parametrize(("family", "extras", "cov_type"), CASES, ids=lambda v: str(v) if isinstance(v, str) else None)
def test_a_fit_of_groups_is_the_fit_of_the_rows(family, extras, cov_type):
    data = rows(family)
    kwds = {"cov_type": cov_type, "cov_kwds": {"groups": "firm"} if cov_type == "cluster" else None, "tol": 1e-12}
    expected = model(data, family, extras).fit(compress=False, **kwds)
    of_memory = model(data, family, extras).fit(compress=True, **kwds)
    with dask.config.set(scheduler="synchronous"):
        of_dask = model(on_dask(data), family, extras).fit(compress=True, **kwds)
    assert expected.compressed is None
    assert of_memory.compressed == of_dask.compressed
    for found in (of_memory, of_dask):
        assert_same(found, expected)
        assert found.dropped.to_dict() == expected.dropped.to_dict()
    rates = "exposure" in extras or ("offset" in extras and isinstance(family.link, links.Log))
    whole = family.variance_power is not None or "offset" not in extras
    if whole or rates:
        # 3 x 2 x 3 rows of the design, with either offset for one family
        assert of_memory.compressed == 18 * (2 if "whole_offset" in extras else 1)


def test_counts_in_two_columns():
    data = rows(families.Poisson()).dropna()
    data["lost"] = np.arange(len(data)) % 4
    found, expected = (
        model(data, families.Binomial(links.LogLog()), ("freq_weights",), "y + lost ~ a * b + k").fit(
            compress=compress, tol=1e-12, cov_type="HC0"
        )
        for compress in (True, False)
    )
    assert found.compressed == 18
    assert_same(found, expected)


def test_what_is_aliased_or_separated_is_so_without_groups():
    data = rows(families.Binomial()).dropna().assign(twice=lambda d: 2 * d["k"])
    data["y"] = np.where(data["a"] == "r", 1.0, data["y"])
    fits = []
    for compress in (True, False):
        with pytest.warns((errors.PerfectSeparationWarning, errors.RankDeficientWarning)):
            fits.append(model(data, families.Binomial(), formula="y ~ a + k + twice").fit(compress=compress))
    found, expected = fits
    assert found.status is expected.status
    assert found.status.value == "perfect separation"
    assert np.array_equal(np.isnan(found.params), np.isnan(expected.params))


def test_models_of_groups_and_of_rows_compare():
    data, family = rows(families.Poisson()), families.Poisson()
    small = model(data, family, ("exposure",), "y ~ a").fit(compress=True)
    large = model(data, family, ("exposure",), "y ~ a + b").fit(compress=False)
    mixed = dglm.compare(small, large)
    same = dglm.compare(model(data, family, ("exposure",), "y ~ a").fit(compress=False), large)
    np.testing.assert_allclose(mixed.to_numpy(), same.to_numpy(), rtol=1e-9)


def test_passes():
    data = rows(families.Poisson())
    with count_passes() as counted:
        fitted = model(data, families.Poisson(), ("exposure",))
        found = fitted.fit(compress=True, cov_type="HC0")
        assert (counted.count, found.n_passes, len(found.pass_seconds)) == (1, 1, 1)
        # the groups stay with the model
        assert fitted.fit(compress=True, penalty=dglm.L1(alpha=0.01)).n_passes == 0
        # a cluster may have rows in many groups; leverages depend on the exposure
        assert fitted.fit(compress=True, cov_type="cluster", cov_kwds={"groups": "firm"}).n_passes == 1
        assert fitted.fit(compress=True, cov_type="HC3").n_passes == 1
    # no sum of gamma responses tells their likelihood at another dispersion
    assert model(rows(families.Gamma()), families.Gamma(links.Log())).fit(compress=True).n_passes == 2


@pytest.mark.parametrize(
    ("penalty", "solver"),
    [
        (dglm.L2(alpha=0.1), None),
        (dglm.L1(alpha=0.02), None),
        (dglm.L1(alpha=0.02, standardize=True), "proximal_gradient"),
        (dglm.L2(alpha=0.1), "lbfgs"),
        (dglm.L1(alpha=0.02), "admm"),
    ],
)
def test_penalties(penalty, solver):
    data, family = rows(families.Poisson()), families.Poisson()
    kwds = {"penalty": penalty, "solver": solver, "tol": 1e-11, "max_iter": 5000}
    found = model(data, family, ("exposure",)).fit(compress=True, **kwds)
    expected = model(data, family, ("exposure",)).fit(compress=False, **kwds)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9, atol=1e-11)
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, err_msg=name)


def test_schedulers_agree_bit_by_bit():
    data = on_dask(rows(families.Gamma(), 2000))
    found = []
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            found.append(model(data, families.Gamma(links.Log()), ("exposure",)).fit(compress=True, cov_type="HC0"))
    one, two = found
    assert np.array_equal(one.params, two.params)
    assert np.array_equal(one.bse, two.bse)
    assert (one.llf, one.deviance, one.pearson_chi2) == (two.llf, two.deviance, two.pearson_chi2)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), extreme=st.sampled_from([1.0, 1e-12, 1e12]))
def test_order_and_duplicates_do_not_matter(seed, extreme):
    family, rng = families.Poisson(), np.random.default_rng(seed)
    data = rows(family, 120, seed % 1000).dropna()
    data["var_weights"] = np.where(rng.random(len(data)) < 0.5, extreme, 1.0) * data["var_weights"]
    data["freq_weights"] = rng.integers(1, 4, len(data)).astype(float)
    twice = data.loc[data.index.repeat(data["freq_weights"].astype(int))].sample(frac=1, random_state=seed % 1000)
    with np.errstate(all="ignore"):
        one = model(data, family, ("exposure", "freq_weights", "var_weights"), "y ~ a + k").fit(compress=True)
        two = model(twice, family, ("exposure", "var_weights"), "y ~ a + k").fit(compress=True)
    assert one.compressed == two.compressed
    for name in ("deviance", "null_deviance", "pearson_chi2", "llf", "nobs"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-8, err_msg=name)
    np.testing.assert_allclose(one.params, two.params, rtol=1e-6, atol=1e-8)


def test_arrays_with_columns_of_any_type():
    rng, n = np.random.default_rng(3), 500
    X = np.column_stack([np.ones(n), rng.integers(-2, 2, n), rng.choice([0.1, 1e6, -3.7], n)])
    y = rng.normal(size=n)
    for values in (X, np.asfortranarray(X), X.astype(np.float32), np.round(X).astype(np.int8)):
        found = dglm.GLM(y, values).fit(compress=True)
        assert found.compressed == len(np.unique(values, axis=0))
        assert_same(found, dglm.GLM(y, values).fit(compress=False))


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(0, 60),
    kinds=st.lists(st.sampled_from(["level", "whole", "far", "float", "constant", "bool"]), min_size=1, max_size=5),
    seed=st.integers(0, 2**32 - 1),
)
def test_equal_rows_are_found(n, kinds, seed):
    rng = np.random.default_rng(seed)
    made = {
        "level": lambda: rng.integers(-1, 3, n).astype(np.int8),
        "whole": lambda: rng.integers(-2, 2, n).astype(float),
        "far": lambda: rng.choice(np.array([-(2**62), 0, 2**62]), n),
        "float": lambda: rng.choice([0.25, -1e300, 1e300, 1e-300], n),
        "constant": lambda: np.full(n, 0.1),
        "bool": lambda: rng.random(n) < 0.5,
    }
    # many times over, so that products of numbers of codes overflow
    columns = [made[kind]() for kind in kinds for _ in range(12)]
    groups, first = equal_rows(columns)
    table = [tuple(column[i] for column in columns) for i in range(n)]
    assert len(first) == len(set(table))
    assert all(table[i] == table[first[groups[i]]] for i in range(n))
    assert all(groups[i] >= groups[first[g]] == g and table.index(table[i]) == i for g, i in enumerate(first))


def test_too_many_groups_are_given_up(monkeypatch):
    data = rows(families.Poisson()).assign(x=lambda d: np.arange(len(d)) * 0.01)
    monkeypatch.setattr("dglm.objective.groups.MOST_BYTES", 2000)
    with pytest.raises(errors.DataError, match=r"compress=True, but there are .* distinct rows .* too many to hold"):
        model(data, families.Poisson(), formula="y ~ x").fit(compress=True)
    # auto makes the pass in vain, and says so by what it counts
    monkeypatch.setattr(compressing, "AUTO_ROWS", 0)
    monkeypatch.setattr(compressing, "expected_groups", lambda columns, n_rows: 1.0)
    with count_passes() as counted:
        found = model(data, families.Poisson(), formula="y ~ x").fit()
    assert found.compressed is None
    assert found.n_passes == counted.count
    expected = model(data, families.Poisson(), formula="y ~ x").fit(compress=False)
    assert found.n_passes == expected.n_passes + 1
    assert np.array_equal(found.params, expected.params)
    # on dask, where rows with categories as codes are not compared with those that the fit reads then
    with dask.config.set(scheduler="synchronous"):
        many = model(dd.from_pandas(data, npartitions=16), families.Poisson(), formula="y ~ a + x")
        assert many.fit(persist=False).compressed is None


def test_once_too_many_always_too_many(monkeypatch):
    monkeypatch.setattr("dglm.objective.groups.MOST_BYTES", 3000)
    family, rng = families.Poisson(), np.random.default_rng(0)
    parts = []
    for i in range(3):
        X = np.column_stack([np.ones(20), rng.normal(size=20) if i == 1 else np.arange(20)])
        block = Block(X=dglm.matrix.DenseMatrix(X), y=rng.poisson(1.0, 20).astype(float))
        parts.append(group_block(block, family, ["1", "x"], "y", 1.0))
    total = parts[0] + parts[1] + parts[2]
    assert (total.given_up, len(total), total.response.n_rows) == (40, 0, 60)
    assert (parts[0] + (parts[1] + parts[2])).given_up == 40


def test_auto_looks_first(monkeypatch):
    monkeypatch.setattr(compressing, "AUTO_ROWS", 300)
    monkeypatch.setattr(compressing, "LOOK_SHARE", 2)
    data = rows(families.Poisson(), 800).assign(x=lambda d: np.sin(np.arange(len(d))))
    family = families.Poisson()
    assert model(data, family, ("exposure",)).fit().compressed == 18
    with count_passes() as counted:
        found = model(data, family, formula="y ~ a + x").fit()
    assert found.compressed is None
    assert found.n_passes == counted.count
    # a look costs as much as a pass where there are few partitions
    assert model(dd.from_pandas(data, npartitions=3), family).fit().compressed is None
    with dask.config.set(scheduler="synchronous"):
        assert model(dd.from_pandas(data, npartitions=16), family).fit().compressed == 18
    # what is wrong with a row is said of its place among all
    wrong = data.assign(y=np.where(np.arange(len(data)) == 701, -1.0, data["y"]))
    with pytest.raises(errors.DomainError, match=r"found -1.0 in row \d+ of partition 0"):
        model(wrong, family).fit()


def test_auto_makes_no_pass_for_more_groups_than_are_held(monkeypatch):
    monkeypatch.setattr(compressing, "AUTO_ROWS", 300)
    monkeypatch.setattr(compressing, "LOOK_SHARE", 2)
    data = rows(families.Poisson(), 800)
    fitted = model(data, families.Poisson(), ("exposure",))
    assert fitted.fit().compressed == 18
    # a row takes some hundred bytes
    monkeypatch.setattr("dglm.objective.groups.MOST_BYTES", 1000)
    with count_passes() as counted:
        found = model(data, families.Poisson(), ("exposure",)).fit()
    assert found.compressed is None
    assert found.n_passes == counted.count == fitted.fit(compress=False).n_passes


def test_small_data_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(compressing, "expected_groups", lambda *_: pytest.fail("was looked at"))
    assert model(rows(families.Poisson()), families.Poisson()).fit().compressed is None


def test_expected_groups():
    rng, n = np.random.default_rng(5), 2_000_000
    for true in (40, 5_000, 100_000):
        drawn = rng.integers(0, true, 4000)
        assert true / 2 < expected_groups([drawn], n) < 2 * true
    # no two alike say nothing of how many there are, however many there may be
    for many in (n, 10**9):
        assert expected_groups([rng.normal(size=2500)], many) == many
    # a few common groups and a tail of rare ones
    tail = np.where(rng.random(4000) < 0.5, 0, rng.integers(0, 10**9, 4000))
    assert expected_groups([tail], n) > n / 4


def test_what_cannot_be_compressed_is_said(tmp_path):
    data = rows(families.Poisson()).dropna()
    with pytest.raises(ValueError, match=r"compress=True is not possible: NegativeBinomial.* estimates its alpha"):
        model(data, families.NegativeBinomial(alpha=None)).fit(compress=True)
    assert model(data, families.NegativeBinomial(alpha=None), formula="y ~ a").fit().compressed is None
    with pytest.raises(ValueError, match="async_admm is for rows on a cluster"):
        model(data, families.Poisson()).fit(penalty=dglm.L1(alpha=0.1), solver="async_admm", compress=True)
    with pytest.raises(ValueError, match=r'compress must be "auto", True or False; got \'yes\''):
        model(data, families.Poisson()).fit(compress="yes")
    with pytest.raises(ValueError, match="a checkpoint keeps what the passes of a fit return"):
        model(data, families.Poisson()).fit(compress=True, checkpoint=tmp_path / "never")
    X = sparse.csr_array(np.eye(6))
    with pytest.raises(errors.DataError, match="rows of a SparseMatrix are not compared"):
        dglm.GLM(np.arange(6.0), X).fit(compress=True)


def outcome(data, *, compress):
    """What a fit says of bad rows; nothing where they count for nothing."""
    try:
        model(data, families.Poisson(), ("freq_weights",)).fit(compress=compress)
    except errors.DataError as error:
        return str(error)
    return None


def test_bad_rows_are_refused_as_without_groups():
    data, family = rows(families.Poisson()).dropna(), families.Poisson()
    assert data["freq_weights"].iloc[100] == 0
    assert data["freq_weights"].iloc[101] > 0
    for name, value in (("y", -1.0), ("k", np.inf), ("k", 1e200), ("freq_weights", -1.0)):
        for row in (100, 101):
            bad = data.assign(**{name: np.where(np.arange(len(data)) == row, value, data[name])})
            said = outcome(bad, compress=False)
            assert outcome(bad, compress=True) == said
            assert said is not None or (row == 100 and value == 1e200)
    for nothing in (data.iloc[:0], data.assign(k=np.nan), data.assign(freq_weights=0.0)):
        with pytest.raises(errors.DataError):
            model(nothing, family, ("freq_weights",), "y ~ k").fit(compress=True)


def test_offsets_that_would_overflow_stay_offsets():
    data = rows(families.Poisson()).dropna()
    data["offset"] = np.where(np.arange(len(data)) % 50 == 0, -400.0, 0.1 * data["offset"])
    data["y"] = np.where(data["offset"] < -1, 0.0, data["y"])
    found, expected = (model(data, families.Poisson(), ("offset",)).fit(compress=c, tol=1e-12) for c in (True, False))
    assert_same(found, expected)


def test_a_result_says_that_it_was_compressed_and_keeps_it(tmp_path):
    result = model(rows(families.Poisson()), families.Poisson()).fit(compress=True)
    assert "Distinct rows (compressed):              18" in str(result.summary())
    result.save(tmp_path / "fit")
    assert dglm.load(tmp_path / "fit").compressed == 18
    # rows are read again as after any fit
    assert len(result.resid_pearson) == result.n_rows
    assert "compressed" not in str(model(rows(families.Poisson()), families.Poisson()).fit().summary())


def test_what_reads_the_rows_once_more_after_a_fit_of_groups_takes_them_for_the_same():
    # they were grouped as codes, and few levels are columns of numbers in a fit
    data = rows(families.Poisson())
    of_groups = model(on_dask(data), families.Poisson()).fit(penalty=dglm.L1(0.05), compress=True)
    expected = model(data, families.Poisson()).fit(penalty=dglm.L1(0.05))
    assert of_groups.alpha_max == pytest.approx(expected.alpha_max, rel=1e-9)


def test_steps_over_groups_are_told_and_are_no_passes():
    told = []
    fitted = model(rows(families.Poisson()), families.Poisson(), ("exposure",))
    result = fitted.fit(compress=True, callback=told.append, max_passes=2)
    assert result.converged
    assert len(told) >= 2
    assert {record.n_passes for record in told} == {1}
    # least squares have their information from the survey
    assert model(rows(families.Gaussian()), families.Gaussian()).fit(compress=True).n_passes == 1


def test_a_sum_that_groups_do_not_tell_is_refused():
    block = CompressedBlock.__new__(CompressedBlock)
    with pytest.raises(TypeError, match="SaturatedLoglike does not follow from groups"):
        SaturatedLoglike.of_groups(block, np.ones(1), families.Gamma())
    assert isinstance(Groups, type)


@pytest.mark.parametrize("asked", [True, np.True_])
def test_rows_that_changed_since_they_were_grouped_are_noticed_by_clusters(asked: bool, tmp_path: pathlib.Path) -> None:
    data = pd.DataFrame({"g": list("abab") * 10, "y": np.arange(40) ** 2 % 11, "c": np.arange(40) // 6})
    dd.from_pandas(data, npartitions=2).to_parquet(tmp_path, write_index=False)
    rows = dd.from_map(pd.read_parquet, sorted(tmp_path.glob("*.parquet")), meta=data.iloc[:0])
    model = dglm.GLM.from_formula("y ~ C(g)", rows, family=families.Poisson())
    with dask.config.set(scheduler="synchronous"):
        grouped = model.fit(compress=asked, cov_type="cluster", cov_kwds={"groups": "c"})
        plain = model.fit(compress=False, cov_type="cluster", cov_kwds={"groups": "c"})
        assert grouped.compressed == 2
        np.testing.assert_allclose(grouped.bse, plain.bse, rtol=1e-9)
        data.assign(y=lambda d: d.y + 1).iloc[:20].to_parquet(min(tmp_path.glob("*.parquet")))
        with pytest.raises(errors.ChangedDataError, match="partition 0"):
            model.fit(compress=asked, cov_type="cluster", cov_kwds={"groups": "c"})
