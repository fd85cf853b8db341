"""Compiled loops over sparse rows: exact sums, nothing beside the entries, the same bits whatever is added at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import dglm
from dglm.data import Block
from dglm.families import Binomial, Gaussian, Poisson, loops
from dglm.matrix import SparseMatrix, row_slice, sparse_rows
from dglm.matrix.sparse_rows import AT_ONCE, compiled, products
from dglm.objective import Curvature, DiagonalCurvature, Gradient, evaluate

pytestmark = pytest.mark.skipif(not AT_ONCE, reason="no C compiler when dglm was installed")

rng = np.random.default_rng(11)
#: Rows without an entry, of whole and broken groups of eight, and of more than a panel has room for.
LENGTHS = [0, 1, 7, 8, 9, 16, 33, 200, 511, 512, 513, 1100]


def rows_of_lengths(lengths, p=1200, dtype=np.float64, index=np.int32):
    """Return rows of so many entries each, in any of p columns."""
    pointers = np.cumsum([0, *lengths]).astype(index)
    indices = np.concatenate([np.sort(rng.choice(p, k, replace=False)) for k in lengths]).astype(index)
    made = sparse.csr_array((len(lengths), p), dtype=dtype)
    made.data, made.indices, made.indptr = rng.standard_normal(pointers[-1]).astype(dtype), indices, pointers
    return made


def with_parts(values, **parts):
    """Return rows with other arrays in place of their own."""
    made = sparse.csr_array(values.shape, dtype=parts.get("data", values.data).dtype)
    for name in ("data", "indices", "indptr"):
        setattr(made, name, parts.get(name, getattr(values, name)))
    return made


def of_width(width, patch):
    patch.setattr(sparse_rows, "AT_ONCE", width)
    patch.setattr(loops, "AT_ONCE", width)


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 8, 63, 64, 65, 200])
def test_products_are_exact(n, dtype, index):
    values = rows_of_lengths(
        [LENGTHS[(i * 5) % len(LENGTHS)] if i % 3 else i % 20 for i in range(1, n + 1)], 1200, dtype, index
    )
    r, w = rng.standard_normal(n), rng.standard_normal(n)
    assert compiled(values)
    found, X = products(values, r, w), values.toarray().astype(np.longdouble)
    for one, terms in (
        (found.cross, r[:, None] * X),
        (found.first, w[:, None] * X),
        (found.squares, w[:, None] * X**2),
        (found.totals, np.column_stack([r, w])),
    ):
        assert (np.abs(one - terms.sum(axis=0)) <= 4e-16 * np.sqrt(n) * np.abs(terms).sum(axis=0)).all()


@st.composite
def problems(draw):
    """Return rows of a few entries, weights and an offset, and coefficients."""
    seed, n, p = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 150)), draw(st.integers(1, 60))
    values = sparse.random_array((n, p), density=draw(st.sampled_from([0.0, 0.05, 0.5, 1.0])), format="csr", rng=seed)
    values = values.astype(draw(st.sampled_from([np.float64, np.float32])))
    r = np.random.default_rng(seed)
    weights = np.where(r.random(n) < 0.2, 0.0, r.uniform(0.5, 2, n)) if draw(st.booleans()) else None
    offset = r.normal(size=n) if draw(st.booleans()) else None
    y = r.integers(0, 3, n) / 2
    return Block(X=SparseMatrix.of(values), y=y, var_weights=weights, offset=offset), r.standard_normal(p)


def numbers(found):
    """Return the numbers of a sum."""
    score = (found.deviance, found.pearson_chi2, found.score.total, found.score.deviations)
    if not isinstance(found, DiagonalCurvature):
        return score
    information = found.information
    return (*score, information.mass, information.total, information.first, information.diagonal)


@given(problems(), st.sampled_from([Binomial(), Poisson(), Gaussian()]))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_one_sweep_brings_what_numpy_brings_and_the_same_bits_at_any_width(problem, family):
    block, beta = problem
    requests = ((Gradient, beta), (DiagonalCurvature, beta))
    found = {}
    for width in (0, 2, 4, 8):
        if width <= AT_ONCE:
            with pytest.MonkeyPatch.context() as patch:
                of_width(width, patch)
                assert compiled(block.X.values) == (width > 0)
                found[width] = [number for sums in evaluate(block, requests, family).parts for number in numbers(sums)]
    for one, other in zip(found[min(AT_ONCE, 4)], found[AT_ONCE], strict=True):
        assert np.array_equal(one, other)
    # with multiplications and additions in two steps, and with those of numpy
    for width in (0, 2):
        for one, other in zip(found[width], found[AT_ONCE], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11 * np.abs(other).max(initial=1.0))


@pytest.mark.parametrize("family", [Binomial(), Poisson()])
def test_sums_of_many_spans_of_rows_add_up_and_no_vector_of_rows_is_written(family, monkeypatch):
    # an intercept, a column that every row has, and others
    n = 30_000
    X = sparse.csr_array(
        sparse.hstack([np.ones((n, 1)), 2 + rng.random((n, 1)), sparse.random_array((n, 40), density=0.1, rng=3)])
    )
    beta = 0.2 * rng.standard_normal(42)
    block = Block(X=SparseMatrix.of(X), y=rng.integers(0, 2, n) * 1.0, offset=rng.normal(size=n) / 4)
    assert X.nnz > 2 * 2**16
    with monkeypatch.context() as patch:
        patch.setattr(type(family), "pointwise", lambda *_: pytest.fail("vectors of rows were written"))
        gradient, found = evaluate(block, ((Gradient, beta), (DiagonalCurvature, beta)), family).parts
    with monkeypatch.context() as patch:
        of_width(0, patch)
        (wanted,) = evaluate(block, ((DiagonalCurvature, beta),), family).parts
    for one, other in zip(numbers(found), numbers(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13 * found.information.total)
    for one, other in zip(numbers(gradient), numbers(found), strict=False):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13 * found.information.total)
    # of the intercept nothing is left about its value
    assert found.score.deviations[0] == found.information.diagonal[0] == 0
    assert found.score.centre[0] == found.information.centre[0] == 1


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_rows_of_more_entries_than_a_panel_has_room_for_are_predicted_whole(index):
    values = rows_of_lengths(LENGTHS * 2, index=index)
    beta = 0.1 * rng.standard_normal(1200)
    y = rng.poisson(1.0, 2 * len(LENGTHS)) * 1.0
    found = Gradient.of(Block(X=SparseMatrix.of(values), y=y), beta, Poisson())
    at = Poisson().pointwise(y, values.toarray() @ beta)
    assert found.deviance == pytest.approx(at.deviance.sum(), rel=1e-13)
    np.testing.assert_allclose(found.score.deviations, values.toarray().T @ at.score, atol=1e-12)


def test_the_information_itself_is_made_by_tile():
    block = Block(X=SparseMatrix.of(rows_of_lengths([3] * 50, p=6)), y=np.ones(50))
    (found,) = evaluate(block, ((Curvature, np.zeros(6)),), Poisson()).parts
    np.testing.assert_allclose(found.information.second, (block.X.values.T @ block.X.values).toarray(), rtol=1e-13)


@pytest.mark.parametrize(
    ("part", "at", "value"),
    [
        ("indices", 4, 9),
        ("indices", 7, -1),
        ("indices", -1, 2**31 - 1),
        ("indptr", 3, 10_000),
        ("indptr", 2, 0),
        ("indptr", -1, 12),
        ("indptr", 0, -4),
    ],
)
def test_entries_that_are_in_no_column_are_refused(part, at, value):
    values = rows_of_lengths([2, 3, 4, 2], p=9)
    array = getattr(values, part).copy()
    array[at] = value
    broken = SparseMatrix(with_parts(values, **{part: array}), np.zeros(9))
    with pytest.raises(IndexError, match="a stored entry is in no column, or a row has entries that are not stored"):
        Gradient.of(Block(X=broken, y=np.ones(4)), np.zeros(9), Poisson())
    with pytest.raises(IndexError, match="a stored entry is in no column"):
        broken.cross_and_diagonal(np.ones(4), np.ones(4))


def test_where_arrays_begin_in_memory_does_not_change_a_bit():
    # as they do after one process sent them to another; and rows that are not the first
    values = rows_of_lengths(LENGTHS)
    r, w = rng.standard_normal(values.shape[0]), rng.uniform(size=values.shape[0])
    moved = {}
    for name in ("data", "indices", "indptr"):
        array = getattr(values, name)
        moved[name] = np.frombuffer(bytearray(b"x" + array.tobytes()), dtype=np.uint8)[1:].view(array.dtype)
        assert not moved[name].flags.aligned
    for one, other in zip(products(values, r, w), products(with_parts(values, **moved), r, w), strict=True):
        assert np.array_equal(one, other)
    later = products(row_slice(values, 3, values.shape[0]), r[3:], w[3:])
    np.testing.assert_allclose(later.cross, values[3:].T @ r[3:], atol=1e-13)


def test_what_is_no_number_stays_in_its_column():
    values = rows_of_lengths([30] * 100, p=90)
    values.data[values.indices == 5] = np.nan
    found = products(values, np.ones(100), np.ones(100))
    for sums in found[:3]:
        assert np.flatnonzero(np.isnan(sums)).tolist() == [5]


STORED = rows_of_lengths([2, 0, 3], p=5)


@pytest.mark.parametrize(
    "values",
    [
        STORED.astype(np.int8),
        STORED.astype(bool),
        with_parts(STORED, data=np.repeat(STORED.data, 2)[::2]),
        with_parts(STORED, indptr=STORED.indptr.astype(np.int64)),
        STORED[:0],
        sparse.csr_array((3, 0)),
    ],
    ids=["int", "bool", "apart", "two types of index", "no rows", "no columns"],
)
def test_other_rows_are_left_to_scipy(values):
    n, p = values.shape
    assert not compiled(values)
    X = SparseMatrix(values, np.zeros(p))
    assert not X.in_one_sweep(None)
    cross, diagonal = X.cross_and_diagonal(np.ones(n), np.ones(n))
    np.testing.assert_allclose(cross.deviations, values.toarray().astype(float).sum(axis=0))
    np.testing.assert_allclose(diagonal.diagonal, (values.toarray().astype(float) ** 2).sum(axis=0))


@pytest.mark.parametrize("penalty", [dglm.L2(alpha=0.01), dglm.L1(alpha=0.003)])
def test_fits_without_compiled_loops_are_the_same(penalty, monkeypatch):
    monkeypatch.setattr("dglm.matrix.width.WIDE", 30)
    n = 4000
    X = sparse.csr_array(sparse.hstack([np.ones((n, 1)), sparse.random_array((n, 60), density=0.1, rng=5)]))
    y = (rng.random(n) < Binomial().link.inverse(X @ rng.normal(size=61))) * 1.0

    def fitted():
        return dglm.GLM(y, X, family=Binomial()).fit(penalty=penalty)

    found = fitted()
    of_width(0, monkeypatch)
    without = fitted()
    np.testing.assert_allclose(found.params, without.params, rtol=1e-6, atol=1e-8)
    assert found.deviance == pytest.approx(without.deviance, rel=1e-9)
    assert found.n_passes == without.n_passes
