"""Columns held as codes are the dense ones in every product, and every result of theirs."""

import contextlib
import pickle
import tracemalloc
import warnings
from collections.abc import Iterator
from functools import reduce
from operator import add

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dglm
from dglm.data import Block, GroupedBlock
from dglm.design import columns as design_columns
from dglm.errors import DataError, TooWideError, UnseenLevelError
from dglm.families import Gaussian, Poisson
from dglm.matrix import Basis, CodedColumns, DenseMatrix, SideBySide
from dglm.objective import ClusterScores, Curvature, FactoredCurvature, Gradient, Meat, ObservedCurvature
from dglm.objective.clusters import ScoresAt
from dglm.objective.meat import Leverages, MeatAt
from dglm.testing.sums import dense as numbers_of

# of the sums of absolute values, some dozens of roundings
ROUNDING = 1e-13


@contextlib.contextmanager
def held_as(kind: str) -> Iterator[None]:
    """Hold every categorical factor as codes, or none."""
    with pytest.MonkeyPatch.context() as patch:
        limit = 10**9 if kind == "dense" else 0
        patch.setattr(design_columns, "DENSE_IN_ALL", limit)
        patch.setattr(design_columns, "DENSE_OF_ONE", limit)
        yield


def matrix(n: int, levels: int, share: float, offset: float, seed: int) -> SideBySide:
    """Return every kind of coded column in a shuffled order, some dominated by one level."""
    rng = np.random.default_rng(seed)
    sizes = (levels, 7, 3)
    codes = tuple(np.where(rng.random(n) < share, size - 1, rng.integers(0, size, n)).astype(np.int8) for size in sizes)
    contrasts = rng.standard_normal((3, 2))
    parts = [
        (0, np.arange(levels), None),
        (1, np.arange(7) - 1, None),
        (2, contrasts, None),
        (2, np.array([1, -1, 0]), None),
        (1, np.arange(7), 0),
        (2, contrasts, 1),
        (1, np.arange(7) - 1, 1),
    ]
    widths = [3, *(c.max() + 1 if c.ndim == 1 else c.shape[1] for _, c, _ in parts)]
    edges = np.cumsum(widths)
    order = rng.permutation(edges[-1])
    coded = tuple(
        CodedColumns(factor, coding, order[a:b], by)
        for (factor, coding, by), a, b in zip(parts, edges, edges[1:], strict=False)
    )
    dense = rng.standard_normal((n, 3)) * [1.0, 1.0, 0.0] + [0.0, offset, 1.0]
    return SideBySide(dense, order[:3], codes, (rng.standard_normal(n) + offset, rng.random(n)), coded)


@settings(max_examples=40, deadline=None)
@given(
    n=st.sampled_from([0, 1, 2, 65, 700]),
    levels=st.integers(1, 20),
    share=st.sampled_from([0.0, 0.6, 0.98, 1.0]),
    offset=st.sampled_from([0.0, 1e4]),
    weights=st.sampled_from(["positive", "some zero", "of both signs"]),
    seed=st.integers(0, 10**6),
)
def test_products_are_those_of_the_dense_columns(n, levels, share, offset, weights, seed):
    X = matrix(n, levels, share, offset, seed)
    dense = DenseMatrix(X.toarray())
    rng = np.random.default_rng(seed + 1)
    w, r, beta = rng.random(n), rng.standard_normal(n), rng.standard_normal(X.shape[1])
    w *= {"positive": 1, "some zero": rng.integers(0, 2, n), "of both signs": rng.choice([-1, 1], n)}[weights]
    size = np.abs(dense.values)
    assert np.all(np.abs(X.matvec(beta) - dense.matvec(beta)) <= ROUNDING * size @ np.abs(beta))
    centre = dense.values.mean(axis=0) if n else np.zeros(X.shape[1])
    about = np.abs(dense.less(centre))
    np.testing.assert_array_equal(X.less(centre), dense.less(centre))
    error = np.abs(X.cross(r).about(centre) - dense.cross(r).about(centre))
    assert np.all(error <= ROUNDING * about.T @ np.abs(r))
    gram, expected = X.gram(w), dense.gram(w)
    assert gram.mass == pytest.approx(expected.mass)
    np.testing.assert_array_equal(gram.second, gram.second.T)
    # numbers far from zero times a level are centred together, as dense columns are
    bound = 100 * ROUNDING * about.T @ (np.abs(w)[:, None] * about)
    assert np.all(np.abs(gram.about(centre).second - expected.about(centre).second) <= bound)
    diagonal = X.gram_diagonal(w).about(centre).diagonal
    assert np.all(np.abs(diagonal - expected.about(centre).diagonal) <= np.diag(bound))
    some = rng.permutation(X.shape[1])[: rng.integers(0, X.shape[1])]
    np.testing.assert_array_equal(X.columns(some).toarray(), dense.values[:, some])
    constant = np.diag(X.gram(np.ones(n)).second) == 0
    np.testing.assert_array_equal(constant, np.diag(dense.gram(np.ones(n)).second) == 0)
    np.testing.assert_array_equal(X.gram(np.ones(n)).centre[constant], dense.gram(np.ones(n)).centre[constant])


def test_tiles_cover_the_rows_and_may_be_written_out():
    X = matrix(20_000, 20, 0.0, 0.0, 3)
    values = X.toarray()
    for expanded in (False, True):
        seen = 0
        for rows, tile in X.tiles(expanded=expanded):
            assert rows.start == seen
            seen = rows.stop
            np.testing.assert_array_equal(tile.toarray(), values[rows])
            within = [part.toarray() for _, part in tile.tiles(expanded=True)]
            np.testing.assert_array_equal(np.vstack(within), values[rows])
        assert seen == len(values)
    assert pickle.loads(pickle.dumps(X)).nbytes == X.nbytes == 20_000 * (3 * 8 + 3 + 2 * 8)


def test_rows_are_kept_spread_and_extended():
    X = matrix(50, 4, 0.0, 0.0, 5)
    kept = np.arange(60) % 6 > 0
    spread = X.among(kept)
    np.testing.assert_array_equal(spread.missing(), ~kept)
    np.testing.assert_array_equal(spread.finite(), kept)
    assert np.isnan(spread.toarray()[~kept]).any(axis=1).all()
    np.testing.assert_array_equal(spread.where(kept).toarray(), X.toarray())
    more = np.random.default_rng(0).standard_normal((50, 2))
    np.testing.assert_array_equal(X.beside(more).toarray(), np.hstack([X.toarray(), more]))


def test_a_wide_formula_is_fitted_under_a_penalty_without_products_of_columns():
    rng = np.random.default_rng(4)
    n, levels = 20_000, 6_000
    data = pd.DataFrame({"x": rng.standard_normal(n), "g": rng.integers(0, levels, n)})
    effect = rng.standard_normal(levels) / 2
    data["y"] = rng.poisson(np.exp(0.3 * data["x"] + effect[data["g"]]))
    model = dglm.GLM.from_formula("y ~ x + C(g)", data, family=Poisson())
    p = len(model.exog_names)
    tracemalloc.start()
    result = model.fit(penalty=dglm.L2(alpha=1e-3), tol=1e-9)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.converged
    assert p > 5_000
    # a fourth of one matrix of products
    assert peak < 8 * p * p / 4
    mu = result.predict(data).to_numpy()
    residual = data["y"].to_numpy() - mu
    codes, seen = pd.factorize(data["g"], sort=True)
    # score less the ridge, without dglm: of x, the intercept and every level but the first
    gradient = np.bincount(codes, residual, len(seen))[1:] / n - 1e-3 * result.params.to_numpy()[2:]
    assert model.exog_names[:2] == ["Intercept", "x"]
    assert np.abs(gradient).max() < 1e-7
    assert abs(residual.mean()) < 1e-7
    with pytest.raises(TooWideError):
        model.fit()


SUMS = (Gradient, Curvature, ObservedCurvature, FactoredCurvature, Meat, ClusterScores)


@pytest.mark.parametrize("sum_type", SUMS)
def test_sums_over_coded_rows_are_those_over_dense_rows(sum_type):
    rng = np.random.default_rng(8)
    n = 900
    X = matrix(n, 5, 0.0, 0.0, 8)
    p = X.shape[1]
    beta = rng.standard_normal(p) / 10
    family = Gaussian(dglm.links.Log())
    basis = Basis(X.toarray().mean(axis=0), int(X.positions[2]))
    inverse = np.eye(p) / n
    point = {
        Meat: MeatAt(beta, Leverages(basis, inverse), 2),
        ClusterScores: ScoresAt(beta, basis),
    }.get(sum_type, beta)
    y, f = rng.standard_normal(n), rng.integers(0, 3, n) * 1.0

    def over(X, rows):
        codes, keys = rng.integers(0, 1, rows.stop - rows.start), (pd.Index(["only"]),)
        block = Block(X=X, y=y[rows], freq_weights=f[rows])
        return sum_type.of(GroupedBlock.of(block, codes, keys), point, family)

    everything = slice(0, n)
    whole = numbers_of(over(DenseMatrix(X.toarray()), everything))
    parts = [slice(0, 1), slice(1, 1), slice(1, 400), slice(400, n)]
    split = reduce(add, (over(X._some(rows), rows) for rows in parts))
    for found in (numbers_of(over(X, everything)), numbers_of(split)):
        for key, value in whole.items():
            if key != "keys":
                np.testing.assert_allclose(found[key], value, rtol=1e-11, atol=1e-11 * np.max(np.abs(value)))


TERMS = (
    "g",
    "C(h, contr.sum)",
    "C(k, contr.helmert)",
    "C(k, contr.poly):x",
    "x",
    "z",
    "g:h",
    "g:x",
    "C(h, contr.treatment('h2'))",
    "bs(x, df=4, degree=2):k",
    "g:k:z",
    "scale(z):h",
)


def frame(n: int, seed: int, *, missing: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "g": rng.choice(list("abcde"), n),
            "h": pd.Categorical(rng.choice(["h1", "h2", "h3"], n), categories=["h3", "h1", "h2"]),
            "k": rng.choice(["p", "q"], n),
            "x": rng.uniform(0, 1, n),
            "z": rng.standard_normal(n) + 3,
            "f": rng.integers(0, 3, n) * 1.0,
        }
    )
    data["y"] = rng.poisson(np.exp(data.x + (data.g == "b") - 0.3 * (data.k == "p"))) * 1.0
    if missing:
        data.loc[rng.integers(0, n, 3), "g"] = None
        data.loc[rng.integers(0, n, 3), "x"] = np.nan
    return data


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    terms=st.lists(st.sampled_from(TERMS), min_size=1, max_size=4, unique=True),
    intercept=st.booleans(),
    missing=st.booleans(),
    partitions=st.sampled_from([0, 1, 4]),
    observed=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_formulas_give_the_same_fit_held_as_codes(terms, intercept, missing, partitions, observed, seed):
    data = frame(240, seed, missing=missing)
    # away from zero, where estimates under the log link have no end
    formula = f"{'I(y + 1)' if observed else 'y'} ~ {int(intercept)} + {' + '.join(terms)}"
    rows = dd.from_pandas(data, npartitions=partitions) if partitions else data
    # off the canonical link the observed information of a row may be negative
    family = Gaussian(dglm.links.Log()) if observed else Poisson()
    solver = "newton" if observed else None
    found = {}
    for kind in ("dense", "codes"):
        with held_as(kind), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = dglm.GLM.from_formula(formula, rows, family=family, freq_weights="f")
            found[kind] = (np.asarray(model.exog), model.fit(solver=solver, tol=1e-10))
    (X, dense), (Z, codes) = found["dense"], found["codes"]
    np.testing.assert_array_equal(X, Z)
    np.testing.assert_array_equal(np.isnan(dense.params), np.isnan(codes.params))
    # both are known to the tolerance in standard errors, which are large where columns are nearly collinear
    known = ~np.isnan(dense.params)
    error = np.maximum(1e-12 * np.max(np.abs(dense.params[known])), 2e-10 * dense.bse[known])
    assert (np.abs(codes.params - dense.params)[known] <= error).all()
    np.testing.assert_allclose(codes.bse, dense.bse, rtol=1e-10)
    assert codes.converged == dense.converged
    # a certificate may come out on either side of its tolerance
    assert abs(codes.n_passes - dense.n_passes) <= 1


@pytest.fixture(scope="module")
def both():
    data = frame(400, 1, missing=True)
    rows = dd.from_pandas(data, npartitions=3)
    found = {}
    for kind in ("dense", "codes"):
        with held_as(kind):
            model = dglm.GLM.from_formula("y ~ g*x + h + C(k, contr.sum)", rows, family=Poisson(), freq_weights="f")
            found[kind] = model, model.fit()
            block = model._blocks(True).parts[0].compute(scheduler="synchronous")
            assert isinstance(block.X, SideBySide if kind == "codes" else DenseMatrix)
    return data, found


@pytest.mark.parametrize(
    "quantity",
    [
        lambda model, result, data, path: result.get_prediction(data).summary_frame(),
        lambda model, result, data, path: result.predict(data),
        lambda model, result, data, path: model.fit(cov_type="HC3").bse,
        lambda model, result, data, path: model.fit(cov_type="cluster", cov_kwds={"groups": "g"}).bse,
        lambda model, result, data, path: result.get_influence().hat_matrix_diag,
        lambda model, result, data, path: result.get_influence().dfbetas,
        lambda model, result, data, path: result.get_margeff().summary_frame(),
        lambda model, result, data, path: result.resid_pearson,
        lambda model, result, data, path: result.drop1(),
        lambda model, result, data, path: (result.save(path), dglm.load(path).predict(data))[1],
    ],
)
def test_results_do_not_depend_on_how_columns_are_held(both, quantity, tmp_path):
    data, fits = both
    found = []
    for kind, (model, result) in fits.items():
        with held_as(kind):
            value = quantity(model, result, data, tmp_path / "result.dglm")
            found.append(value.compute(scheduler="synchronous") if hasattr(value, "compute") else value)
    first, second = (np.asarray(value, dtype=float) for value in found)
    np.testing.assert_allclose(second, first, rtol=1e-9, atol=1e-12)


def test_a_constant_column_of_codes_is_the_intercept():
    data = frame(60, 2, missing=False).assign(g="only")
    with held_as("codes"):
        model = dglm.GLM.from_formula("y ~ 0 + g + x", dd.from_pandas(data.sort_values("x"), npartitions=3))
        assert model.fit().null_deviance == pytest.approx(float(((data.y - data.y.mean()) ** 2).sum()))


def test_levels_that_are_new_or_missing():
    data = frame(60, 3, missing=False)
    with held_as("codes"):
        result = dglm.GLM.from_formula("y ~ g + h", data, family=Poisson()).fit()
        new = data.head(4).astype({"g": object})
        new.loc[1, "g"], new.loc[2, "g"] = None, "zzz"
        with pytest.raises(UnseenLevelError, match="zzz"):
            result.predict(new)
        new.loc[2, "h"] = None
        np.testing.assert_array_equal(np.isnan(result.predict(new)), [False, True, True, False])
        data.loc[7, "g"] = None
        with pytest.raises(DataError, match=r"g missing \(nan\) in row 7 of partition 0"):
            dglm.GLM.from_formula("y ~ g + h", data, missing="raise").fit()


def test_a_factor_of_many_levels_takes_a_byte_or_two_a_row():
    n, levels = 5000, 300
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"y": rng.random(n), "x": rng.random(n), "g": rng.integers(0, levels, n).astype(str)})
    block = dglm.GLM.from_formula("y ~ g + x", data)._blocks(True).parts[0]
    assert isinstance(block.X, SideBySide)
    assert block.X.nbytes == n * (2 * 8 + 2)
