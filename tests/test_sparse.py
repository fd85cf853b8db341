"""Sparse rows: the products of the same rows held densely, and the same fits, whatever their format."""

import dask.array as da
import numpy as np
import pytest
from scipy import sparse

import dglm
from dglm.design.values import sparse_rows
from dglm.errors import DataError
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log
from dglm.matrix import DenseMatrix, SparseMatrix, row_slice

RNG = np.random.default_rng(12)
N = 900


def stored(n, p, density=0.15):
    return sparse.random(n, p, density, format="csr", rng=RNG)


# an intercept, columns with few entries, one without any, a constant other than one, one far from zero
ROWS = sparse.csr_array(
    sparse.hstack(
        [
            np.ones((N, 1)),
            stored(N, 5),
            sparse.csr_array((N, 1)),
            np.full((N, 1), -2.5),
            100 + RNG.random((N, 1)),
        ]
    )
)
DENSE = ROWS.toarray()
X = sparse.csr_array(ROWS[:, :6])
ETA = DENSE[:, :6] @ np.array([0.3, 1.0, -1.0, 0.5, 0.0, 0.7])


def with_wide_indices(X):
    made = sparse.csr_array(X.shape)
    made.data, made.indices, made.indptr = X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return made


KINDS = {
    "float64": ROWS,
    "float32": ROWS.astype(np.float32),
    "int8": (4 * ROWS).astype(np.int8),
    "bool": ROWS.astype(bool),
    "int64 indices": with_wide_indices(ROWS),
    "stored zeros": ROWS + 0 * stored(N, 9),
    "no rows": ROWS[:0],
    "one row": ROWS[:1],
    "no entries": sparse.csr_array((50, 3)),
}


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_products_are_those_of_dense_rows(values, monkeypatch):
    # many tiles
    monkeypatch.setattr("dglm.matrix.sparse.MIN_TILE_ROWS", 100)
    monkeypatch.setattr("dglm.matrix.sparse.TILE_ENTRIES", 300)
    n, p = values.shape
    found, dense = SparseMatrix.of(values), values.toarray().astype(float)
    reference = DenseMatrix(dense)
    w, r, beta = RNG.random(n), RNG.standard_normal(n), RNG.standard_normal(p)
    size = np.abs(dense).T @ np.ones(n) + 1
    np.testing.assert_allclose(found.matvec(beta), reference.matvec(beta), atol=1e-12)
    for about in (np.zeros(p), dense.mean(axis=0) if n else np.ones(p)):
        np.testing.assert_allclose(found.cross(r).about(about), dense.T @ r - about * r.sum(), atol=1e-13 * size.max())
        for weights in (w, r):
            exact = (dense - about).T @ (weights[:, None] * (dense - about))
            tolerance = 1e-14 * (size.max() + np.abs(about).max(initial=0) * n) ** 2 / max(n, 1)
            np.testing.assert_allclose(found.gram(weights).about(about).second, exact, atol=tolerance)
            for matrix in (found, reference):
                diagonal = matrix.gram_diagonal(weights).about(about)
                np.testing.assert_allclose(diagonal.diagonal, np.diag(exact), atol=tolerance)
                np.testing.assert_allclose(diagonal.first, (dense - about).T @ weights, atol=1e-13 * size.max() + 1e-12)
    np.testing.assert_array_equal(np.concatenate([t.toarray() for _, t in found.tiles()]), dense)
    np.testing.assert_array_equal(found.less(beta), dense - beta)


def test_rows_are_kept_spread_and_extended():
    X = SparseMatrix.of(ROWS[:50])
    kept = np.arange(60) % 6 > 0
    spread = X.among(kept)
    np.testing.assert_array_equal(spread.missing(), ~kept)
    np.testing.assert_array_equal(spread.finite(), kept)
    np.testing.assert_array_equal(np.any(list(spread.missing_columns().values()), axis=0), ~kept)
    np.testing.assert_array_equal(spread.where(kept).toarray(), X.toarray())
    np.testing.assert_array_equal(spread.where(kept).centre, X.centre)
    more = RNG.standard_normal((50, 2))
    np.testing.assert_array_equal(X.beside(more).toarray(), np.hstack([X.toarray(), more]))


def test_diagonals_add_over_rows():
    w = RNG.random(N)
    parts = [SparseMatrix.of(ROWS[a:b]).gram_diagonal(w[a:b]) for a, b in ((0, 1), (1, 1), (1, 400), (400, N))]
    total = (parts[0] + parts[1]) + (parts[2] + parts[3])
    centre = w @ DENSE / w.sum()
    np.testing.assert_allclose(total.centred().centre, centre, rtol=1e-12)
    np.testing.assert_allclose(total.about(centre).diagonal, w @ (DENSE - centre) ** 2, atol=1e-8)


def test_nothing_is_left_of_constant_columns():
    found = SparseMatrix.of(ROWS)
    np.testing.assert_array_equal(found.centre, [1, 0, 0, 0, 0, 0, 0, -2.5, 0])
    assert (found.gram(np.ones(N)).diagonal == 0).tolist() == [j in {0, 6, 7} for j in range(9)]
    # one row that differs, where no sample looks
    almost = ROWS.tolil()
    almost[5, 0] = 2.0
    assert SparseMatrix.of(sparse.csr_array(almost)).centre[0] == 0


def response(family):
    mu = family.link.inverse(ETA)
    if isinstance(family, Binomial):
        return (RNG.random(N) < mu).astype(float)
    return {"Poisson": RNG.poisson, "Gamma": lambda m: RNG.gamma(2, m / 2), "Gaussian": RNG.normal}[family.name](mu)


@pytest.mark.parametrize("family", [Gaussian(), Binomial(), Poisson(), Gamma(Log())], ids=repr)
def test_fits_are_those_of_dense_rows(family):
    y = response(family)
    extras = {"freq_weights": RNG.integers(0, 3, N), "var_weights": RNG.random(N) + 0.5, "offset": 0.1 * RNG.random(N)}
    found, expected = (dglm.GLM(y, values, family=family, **extras) for values in (X, X.toarray()))
    for settings in ({}, {"solver": "newton", "cov_type": "HC3"}, {"solver": "lbfgs"}, {"penalty": dglm.L2(alpha=0.1)}):
        ours, theirs = found.fit(**settings), expected.fit(**settings)
        np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-8, atol=1e-9)
        assert ours.llf == pytest.approx(theirs.llf, rel=1e-11)
        if "penalty" not in settings:
            np.testing.assert_allclose(ours.bse, theirs.bse, rtol=1e-8)
    np.testing.assert_allclose(
        found.fit(penalty=dglm.L1(alpha=0.01)).params, expected.fit(penalty=dglm.L1(alpha=0.01)).params, atol=1e-8
    )


@pytest.mark.parametrize("form", ["csc_matrix", "coo_array", "lil_matrix", "csr_matrix"])
def test_any_format_is_read_and_left_as_it_was(form):
    y = response(Poisson())
    given = getattr(sparse, form)(X)
    if form == "coo_array":
        # entries in two parts
        coo = X.tocoo()
        rows, columns = coo.coords
        halves = np.concatenate([coo.data / 2, coo.data / 2])
        given = sparse.coo_array((halves, (np.tile(rows, 2), np.tile(columns, 2))), shape=coo.shape)
    before = given.copy()
    model = dglm.GLM(y, given, family=Poisson())
    np.testing.assert_array_equal(model.fit().params, dglm.GLM(y, X, family=Poisson()).fit().params)
    assert (model.exog != X).nnz == 0
    assert type(given) is type(before)
    assert given.nnz == before.nnz


def test_columns_that_are_combinations_are_left_out():
    y = response(Gaussian())
    with pytest.warns(dglm.errors.RankDeficientWarning, match="x7 = 0; x8 = -2.5 x1; x10 = x2 . x3"):
        result = dglm.GLM(y, sparse.hstack([ROWS, ROWS[:, [1]] + ROWS[:, [2]]])).fit()
    assert np.flatnonzero(np.isnan(result.params)).tolist() == [6, 7, 9]


def test_dask_arrays_of_sparse_chunks():
    y = response(Binomial())
    chunks = [X[:250].toarray(), X[250:251].toarray(), X[251:].toarray()]
    lazy = da.concatenate([da.from_array(chunk, chunks=(-1, 3)) for chunk in chunks]).map_blocks(sparse.csr_matrix)
    model = dglm.GLM(da.from_array(y, chunks=200), lazy, family=Binomial())
    found, expected = model.fit(), dglm.GLM(y, X, family=Binomial()).fit()
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)
    np.testing.assert_allclose(found.predict(lazy).compute(), expected.fittedvalues, rtol=1e-9)


def test_missing_and_infinite_entries():
    y = response(Gaussian())
    holed = X.copy()
    holed.data[[3, holed.indptr[200]]] = np.nan
    holed.data[holed.indptr[200] + 1] = np.nan
    rows = np.isnan(holed.toarray()).any(axis=1)
    result = dglm.GLM(y, holed).fit()
    assert result.n_dropped == rows.sum() == 2
    assert result.dropped.to_dict() == {
        f"x{j + 1}": n for j, n in enumerate(np.isnan(holed.toarray()).sum(axis=0)) if n
    }
    np.testing.assert_allclose(result.params, dglm.GLM(y[~rows], X[~rows]).fit().params, rtol=1e-12)
    np.testing.assert_array_equal(np.isnan(result.predict(holed)), rows)
    with pytest.raises(DataError, match=r"x\d missing \(nan\) in row \d+ of partition 0"):
        dglm.GLM(y, holed, missing="raise").fit()
    holed.data[np.isnan(holed.data)] = 1.0
    holed.data[400] = -np.inf
    i, j = np.argwhere(np.isinf(holed.toarray()))[0]
    with pytest.raises(DataError, match=rf"column 'x{j + 1}' is -inf in row {i} of partition 0"):
        dglm.GLM(y, holed).fit()
    holed.data[400] = 1e200
    with pytest.raises(DataError, match=rf"column 'x{j + 1}' is 1e\+200 in row {i} of partition 0, too large"):
        dglm.GLM(y, holed).fit()


def test_columns_are_added_to_sparse_ones():
    y, more = response(Poisson()), RNG.standard_normal((N, 2))
    tests = [dglm.GLM(y, values, family=Poisson()).fit().score_test(exog_extra=more) for values in (X, X.toarray())]
    assert float(tests[0].statistic) == pytest.approx(float(tests[1].statistic), rel=1e-8)


def test_strengths_in_units_of_spread():
    y = response(Poisson())
    penalty = dglm.L1(alpha=0.01, standardize=True)
    found, expected = (dglm.GLM(y, values, family=Poisson()).fit(penalty=penalty) for values in (X, X.toarray()))
    np.testing.assert_allclose(found.params, expected.params, atol=1e-8)


def test_quantities_of_rows_are_those_of_dense_rows():
    y = response(Gaussian())
    found, expected = dglm.GLM(y, X).fit(), dglm.GLM(y, X.toarray()).fit()
    influence, reference = found.get_influence(), expected.get_influence()
    np.testing.assert_allclose(influence.hat_matrix_diag, reference.hat_matrix_diag, rtol=1e-8)
    new = X[:7]
    np.testing.assert_allclose(
        found.get_prediction(new).summary_frame(), expected.get_prediction(new.toarray()).summary_frame(), rtol=1e-8
    )


def test_blocks_share_the_entries_of_the_rows():
    # scipy's constructors copy entries that are less than half of an array
    for stored in (sparse.csr_array(X), sparse.csr_matrix(X)):
        part = sparse_rows(row_slice(stored, 0, stored.shape[0] // 4), "exog")
        assert np.shares_memory(part.data, stored.data)
        assert np.shares_memory(part.indices, stored.indices)
