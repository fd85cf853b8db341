"""The constant that a model adds to arrays and frames that have none."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dglm
from dglm.errors import DataError
from dglm.families import Binomial, Poisson
from dglm.penalties import L1

N = 150


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, 3)) * (rng.random((N, 3)) < 0.6)
    return X, rng.poisson(np.exp(0.4 + X @ [0.5, -0.3, 0.1])).astype(float)


def collections(X, y):
    """Return X in every container, beside its response."""
    frame, series = pd.DataFrame(X, columns=list("abc")), pd.Series(y, name="y")
    lazy, lazy_y = da.from_array(X, chunks=(60, 2)), da.from_array(y, chunks=60)
    return {
        "numpy": (X, y),
        "float32, by columns": (np.asfortranarray(X.astype(np.float32)), y),
        "sparse": (sparse.csc_matrix(X), y),
        "pandas": (frame, series),
        "dask array": (lazy, lazy_y),
        "sparse on dask": (lazy.map_blocks(sparse.csr_array), lazy_y),
        "dask frame": (dd.from_pandas(frame, npartitions=3), dd.from_pandas(series, npartitions=3)),
    }


@pytest.mark.parametrize("penalty", [None, L1(alpha=0.05)])
def test_a_constant_is_added_where_the_rows_are(data, penalty, tmp_path):
    X, y = data
    new = X[:20] + 1
    for kind, (exog, endog) in collections(X, y).items():
        values = exog.astype(np.float64) if kind.startswith("float32") else X
        expected = dglm.GLM(y, np.column_stack([np.ones(N), values]), family=Poisson()).fit(penalty=penalty)
        model = dglm.GLM(endog, exog, family=Poisson(), add_constant=True)
        assert model.exog_names[0] == "const", kind
        result = model.fit(penalty=penalty)
        np.testing.assert_allclose(result.params, expected.params, rtol=1e-9, atol=1e-13, err_msg=kind)
        # the intercept is told by its place, and so not penalised
        result.save(tmp_path / "fit.dglm")
        rows = pd.DataFrame(new, columns=list("abc")) if hasattr(exog, "columns") else new
        predicted = dglm.load(tmp_path / "fit.dglm").predict(rows)
        wanted = expected.predict(np.column_stack([np.ones(20), new]))
        np.testing.assert_allclose(predicted, wanted, rtol=1e-9, err_msg=kind)


def test_a_constant_beside_one_of_that_name(data):
    X, y = data
    frame = pd.DataFrame({"const": X[:, 0]})
    with pytest.raises(DataError, match="a column 'const' of its own; rename it"):
        dglm.GLM(y, frame, add_constant=True)
    assert dglm.GLM(y, frame).exog_names == ["const"]


def test_a_row_that_counts_twice_starts_a_fit_where_the_row_twice_does(data):
    X, y = data
    f = np.arange(N) % 3
    weighted = dglm.GLM(y > 1, X, family=Binomial(), freq_weights=f, add_constant=True).fit()
    repeated = dglm.GLM((y > 1).repeat(f), X.repeat(f, axis=0), family=Binomial(), add_constant=True).fit()
    steps = zip(weighted.fit_history, repeated.fit_history, strict=True)
    assert all(np.isclose(a.objective, b.objective, rtol=1e-12) for a, b in steps)


def test_predictions_of_dask_arrays_have_the_chunks_of_the_rows(data):
    X, y = data
    lazy = da.from_array(X, chunks=(60, 3))
    result = dglm.GLM(da.from_array(y, chunks=60), lazy, family=Poisson(), add_constant=True).fit()
    assert result.predict(lazy[:100]).chunks == ((60, 40),)
    np.testing.assert_allclose(result.predict(lazy[:100]).compute(), result.predict(X[:100]), rtol=1e-14)
    # rows that were fitted may have been dropped
    assert np.isnan(result.fittedvalues.shape[0])
