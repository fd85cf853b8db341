"""Fits of many rows begin at a pilot: a fit to a sample of them, which saves passes and changes no estimate."""

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest

import dglm
from dglm.data import count_passes
from dglm.data.tables import block_starts
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log, Probit
from dglm.objective import pilot
from dglm.penalties import L1, L2, ElasticNet

N, SAMPLE = 400_000, 2**14


def data(family, seed=14):
    """Skewed columns and an intercept, in an order that a sample from the head would not stand for."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(N), rng.exponential(size=N), rng.uniform(size=N), rng.random(N) < 0.1]).astype(float)
    X = X[np.argsort(X[:, 1])]
    eta = X @ [0.2, -0.4, 0.8, 0.5]
    if isinstance(family, Binomial):
        return X, (rng.random(N) < family.link.inverse(eta)).astype(float)
    return X, rng.poisson(np.exp(eta)).astype(float) if isinstance(family, Poisson) else rng.gamma(2.0, np.exp(eta) / 2)


@pytest.fixture
def small_samples(monkeypatch):
    monkeypatch.setattr(pilot, "FEWEST_SAMPLED", SAMPLE)


def fitted(X, y, family, penalty=None, **settings):
    model = dglm.GLM(y, X, family=family, **settings)
    with count_passes() as passes:
        result = model.fit(penalty=penalty)
    assert result.converged
    assert result.n_passes == passes.count
    return model, result


@pytest.mark.parametrize(
    ("family", "penalty", "passes"),
    [
        (Binomial(), None, 3),
        (Binomial(), L1(alpha=1e-3), 3),
        (Binomial(), L2(alpha=1e-4), 3),
        (Poisson(), None, 3),
        (Poisson(), ElasticNet(alpha=1e-3, l1_ratio=0.5), 3),
        (Binomial(link=Probit()), None, 5),
        (Gamma(link=Log()), None, 7),
    ],
    ids=str,
)
def test_pilot_saves_passes_and_changes_no_estimate(monkeypatch, small_samples, family, penalty, passes):
    X, y = data(family)
    model, found = fitted(X, y, family, penalty)
    assert model._pilot is not None
    monkeypatch.setattr(pilot, "FEWEST_SAMPLED", N)
    plain, expected = fitted(X, y, family, penalty)
    assert plain._pilot is None
    assert found.n_passes == passes
    assert found.n_passes < expected.n_passes
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.deviance, expected.deviance, rtol=1e-13)
    np.testing.assert_allclose(found.null_deviance, expected.null_deviance, rtol=1e-13)
    if penalty is None:
        np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)


def on_dask(X, y, sizes):
    chunks = tuple(sizes)
    return da.from_array(X, chunks=(chunks, X.shape[1])), da.from_array(y, chunks=(chunks,))


@pytest.mark.parametrize("penalty", [None, L1(alpha=1e-3)], ids=str)
def test_some_partitions_are_sampled_on_dask(monkeypatch, small_samples, penalty):
    X, y = data(Binomial())
    order = np.random.default_rng(9).permutation(N)
    X, y = X[order], y[order]
    # one of no rows, one of one, and others of many sizes
    sizes = np.r_[0, 1, np.random.default_rng(8).multinomial(N - 1, np.full(30, 1 / 30))].tolist()
    read = []
    with dask.config.set(scheduler="synchronous"):
        X_lazy, y_lazy = on_dask(X, y, sizes)
        noted = X_lazy.map_blocks(lambda block: read.append(len(block)) or block, dtype=float, meta=np.empty((0, 0)))
        model = dglm.GLM(y_lazy, noted, family=Binomial())
        read.clear()
        found = model.fit(penalty=penalty, persist=False, compress=False)
        assert model._pilot is not None
        assert found.n_passes == 3
        assert len(read) == 3 * len(sizes) + pilot.FEWEST_PARTITIONS
        kept = dglm.GLM(y_lazy, X_lazy, family=Binomial()).fit(penalty=penalty, persist=True)
    with dask.config.set(scheduler="threads"):
        threads = dglm.GLM(y_lazy, X_lazy, family=Binomial()).fit(penalty=penalty, persist=False)
    # whoever has the partitions, and wherever
    assert np.array_equal(found.params, kept.params)
    assert np.array_equal(found.params, threads.params)
    monkeypatch.setattr(pilot, "FEWEST_SAMPLED", N)
    plain, expected = fitted(X_lazy, y_lazy, Binomial(), penalty)
    assert plain._pilot is None
    assert found.n_passes < expected.n_passes
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9, atol=1e-11)


def test_partitions_that_stand_for_no_others_cost_no_more_than_passes(small_samples):
    X, y = data(Poisson())
    # rows are sorted by a column, so that no two partitions have a value of it in common
    X_lazy, y_lazy = on_dask(X, y, [N // 20] * 20)
    _, found = fitted(X_lazy, y_lazy, Poisson())
    expected = dglm.GLM(y, X, family=Poisson()).fit()
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)


def test_no_pilot_of_few_partitions_on_dask(small_samples):
    X, y = data(Binomial())
    assert fitted(*on_dask(X, y, [N // 8] * 8), Binomial())[0]._pilot is None


def test_designs_with_categories_have_a_pilot(monkeypatch, small_samples):
    X, y = data(Binomial())
    frame = pd.DataFrame({"y": y, "x": X[:, 1], "c": pd.Categorical(np.arange(N) * 7919 % 11), "z": X[:, 3]})

    def model():
        return dglm.GLM.from_formula("y ~ x + c + z", frame, family=Binomial())

    found = (piloted := model()).fit()
    assert piloted._pilot is not None
    assert found.n_passes == 3
    monkeypatch.setattr(pilot, "FEWEST_SAMPLED", N)
    expected = model().fit()
    assert expected.n_passes > 3
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9, atol=1e-11)


def test_weights_and_offsets_are_the_samples_too(monkeypatch, small_samples):
    X, y = data(Poisson())
    rng = np.random.default_rng(4)
    given = {"freq_weights": rng.integers(0, 3, N).astype(float), "offset": rng.uniform(-1, 1, N)}
    model, found = fitted(X, y, Poisson(), **given)
    assert model._pilot is not None
    monkeypatch.setattr(pilot, "FEWEST_SAMPLED", N)
    expected = fitted(X, y, Poisson(), **given)[1]
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.null_deviance, expected.null_deviance, rtol=1e-11)


def test_fits_with_a_pilot_are_bitwise_repeatable(small_samples):
    X, y = data(Binomial())
    one, other = (fitted(X, y, Binomial())[1] for _ in range(2))
    assert np.array_equal(one.params, other.params)
    assert np.array_equal(one.bse, other.bse)


def test_no_pilot_where_it_would_not_pay(small_samples):
    X, y = data(Binomial())
    assert fitted(X, y, Gaussian())[0]._pilot is None
    assert fitted(X[: 20 * SAMPLE], y[: 20 * SAMPLE], Binomial())[0]._pilot is None


@pytest.mark.parametrize("in_sample", [0, 1])
def test_no_pilot_where_a_column_is_constant_in_the_sample_or_separates_it(small_samples, in_sample):
    X, y = data(Binomial())
    rows = block_starts(N)[1]
    sampled = pilot._strips(rows, SAMPLE / N)
    rare = np.concatenate([sampled[:in_sample], np.setdiff1d(np.arange(rows), sampled)[:40]])
    X[:, 3] = 0.0
    X[rare, 3], y[rare] = 1.0, np.arange(len(rare)) % 2
    assert fitted(X, y, Binomial())[0]._pilot is None


def test_wrong_values_are_reported_with_their_place(small_samples):
    X, y = data(Binomial())
    y[0] = 2.0
    with pytest.raises(dglm.errors.DomainError, match="row 0 of partition 0"):
        dglm.GLM(y, X, family=Binomial()).fit()
    y[0], X[-1, 2] = 1.0, np.inf
    with pytest.raises(dglm.errors.DataError, match="is inf in row"):
        dglm.GLM(y, X, family=Binomial()).fit()


def test_interrupted_fit_goes_on_from_its_checkpoint(small_samples, tmp_path):
    X, y = data(Binomial())
    with pytest.warns(dglm.errors.ConvergenceWarning):
        dglm.GLM(y, X, family=Binomial()).fit(checkpoint=tmp_path / "fit", max_passes=2)
    with count_passes() as passes:
        resumed = dglm.GLM(y, X, family=Binomial()).fit(checkpoint=tmp_path / "fit")
    assert passes.count == 1
    assert np.array_equal(resumed.params, fitted(X, y, Binomial())[1].params)
