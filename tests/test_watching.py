"""Callbacks, limits and the log of a fit: what is told is what happened, and what is returned is the best of it."""

import logging
import warnings
from itertools import pairwise

import dask
import dask.array as da
import numpy as np
import pytest

import dglm
from dglm.errors import ConvergenceWarning
from dglm.families import NegativeBinomial, Poisson
from dglm.solvers import ADMM, IterationRecord, LocalLinear, ProximalGradient, ProximalNewton, Status

L1 = dglm.L1(alpha=0.01)
SCAD = dglm.SCAD(alpha=0.02)
# every solver, under a penalty that it takes
CASES = [
    (None, "irls"),
    (None, "newton"),
    (dglm.L2(alpha=0.1), "lbfgs"),
    (None, "gradient_descent"),
    (L1, "proximal_newton"),
    (L1, "proximal_lbfgs"),
    (L1, "proximal_gradient"),
    (dglm.L2(alpha=0.1), "admm"),
    (L1, "admm"),
    (SCAD, "local_linear"),
    (SCAD, LocalLinear(inner=ProximalGradient())),
]
NAMES = [f"{solver if isinstance(solver, str) else 'with inner'}-{penalty}" for penalty, solver in CASES]


@pytest.fixture(scope="module")
def rows():
    """Columns so correlated that methods without second derivatives go up now and then."""
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(300, 6)) @ np.linalg.cholesky(np.full((6, 6), 0.95) + 0.05 * np.eye(6)).T
    X = np.column_stack([np.ones(300), Z])
    return X, rng.poisson(np.exp(X @ [0.2, 0.5, -0.3, 0.1, 0.0, 0.0, 0.2])).astype(float)


@pytest.fixture(scope="module")
def model(rows):
    X, y = rows
    surveyed = dglm.GLM(y, X, family=Poisson())
    surveyed.fit()
    return surveyed


def fitted(model, **given):
    """Return a fit that was halted, or converged in spite of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(**given)


def penalised(rows, params, penalty):
    """Return Q by its definition, the constant of the likelihood left out."""
    X, y = rows
    eta = X @ params
    b = np.delete(params, 0)
    value = {"NoneType": lambda: 0.0, "L1": lambda: 0.01 * np.abs(b).sum(), "L2": lambda: 0.05 * b @ b}
    return np.mean(np.exp(eta) - y * eta) + value[type(penalty).__name__]()


@pytest.mark.parametrize(("penalty", "solver"), CASES, ids=NAMES)
def test_a_callback_is_told_of_every_iteration_and_changes_no_bit(model, penalty, solver):
    seen = []
    result, plain = (model.fit(penalty=penalty, solver=solver, callback=tell) for tell in (seen.append, None))
    np.testing.assert_array_equal(result.params, plain.params)
    assert (result.fit_history, result.n_passes) == (plain.fit_history, plain.n_passes)
    assert [each.number for each in seen] == list(range(result.n_iter + 1))
    told = [(each.objective, each.certificate, each.step) for each in seen]
    assert told == [(each.objective, each.certificate, each.step) for each in result.fit_history]
    assert all(a.seconds <= b.seconds and a.n_passes <= b.n_passes for a, b in pairwise(seen))
    assert seen[-1].n_passes <= result.n_passes
    np.testing.assert_array_equal(seen[-1].params, result.params)


@pytest.mark.parametrize(("penalty", "solver"), CASES, ids=NAMES)
def test_a_fit_that_is_stopped_returns_the_lowest_iterate_with_its_certificate(model, rows, penalty, solver):
    seen = []

    def rises(record):
        # where the objective goes up, or else at the third iteration
        lowest = min((each.objective for each in seen), default=np.inf)
        seen.append(record)
        patient = solver in ("gradient_descent", "proximal_gradient")
        return record.objective > lowest + 1e-9 or (record.number == 2 and not patient)

    solver = ADMM(rho=0.05) if solver == "admm" and penalty is not None and penalty.alpha == 0.01 else solver
    with pytest.warns(ConvergenceWarning, match="stopped by the callback after"):
        result = model.fit(penalty=penalty, solver=solver, callback=rises)
    assert result.status is Status.STOPPED
    assert result.n_iter == seen[-1].number
    lowest = min(seen, key=lambda each: each.objective)
    assert (lowest.objective == seen[-1].objective) == (
        solver not in ("gradient_descent", "proximal_gradient", ADMM(rho=0.05))
    )
    np.testing.assert_allclose(result.params, lowest.params, rtol=1e-12)
    if penalty is not SCAD:
        values = [penalised(rows, each.params, penalty) for each in seen]
        assert penalised(rows, result.params, penalty) == pytest.approx(min(values), rel=1e-12)
    # the same solver, asked about these params alone
    again = fitted(model, penalty=penalty, solver=solver, start_params=result.params, max_iter=0)
    assert result.certificate.kind == again.certificate.kind
    assert result.certificate.value == pytest.approx(again.certificate.value, rel=1e-6)
    assert not result.certificate.holds
    assert "WARNING: not converged: stopped by the callback." in str(result.summary())


@pytest.mark.parametrize(("penalty", "solver"), CASES, ids=NAMES)
def test_no_iteration_is_begun_beyond_a_limit(rows, penalty, solver):
    X, y = rows
    for limit, status in (({"max_passes": 3}, Status.MAX_PASSES), ({"max_seconds": 1e-9}, Status.MAX_SECONDS)):
        seen = []
        model = dglm.GLM(y, X, family=Poisson())
        result = fitted(model, penalty=penalty, solver=solver, callback=seen.append, **limit)
        assert result.status is status
        assert seen[-1].number == result.n_iter
        assert all(each.n_passes < 3 for each in seen[:-1])
        assert result.n_iter == 0 or status is Status.MAX_PASSES
        # a certificate and standard errors take a pass each, no more
        assert result.n_passes <= seen[-1].n_passes + 2
        assert np.isfinite(result.certificate.value)


def test_a_polish_that_is_halted_falls_back_on_a_lower_consensus(model, rows):
    solver, seen = ADMM(rho=0.05, handover=1.0), []

    def tell(record):
        seen.append(record)

    model.fit(penalty=L1, solver=solver, callback=tell)
    for stop in range(len(seen)):
        result = fitted(model, penalty=L1, solver=solver, callback=lambda record, stop=stop: record.number == stop)
        told = [penalised(rows, each.params, L1) for each in seen[: stop + 1]]
        assert penalised(rows, result.params, L1) == pytest.approx(min(told), rel=1e-12)
        assert result.n_iter == stop


def test_convergence_comes_before_limits(model):
    n_iter = model.fit().n_iter
    result = model.fit(callback=lambda record: record.number == n_iter)
    assert result.status is Status.CONVERGED


def test_only_true_stops(model):
    wrote = model.fit(callback=lambda record: len(str(record)))
    assert wrote.converged
    assert fitted(model, callback=lambda record: record.objective < np.inf).n_iter == 0


def test_a_callback_that_raises_ends_the_fit(model):
    def fails(record):
        raise LookupError(record.number)

    with pytest.raises(LookupError, match="0"):
        model.fit(callback=fails)


def test_params_are_the_users_own_and_read_only(rows):
    X, y = rows
    seen = []
    twice = np.column_stack([X[:, :3], X[:, 1] - 2 * X[:, 2], X[:, 3:]])
    with pytest.warns(dglm.errors.RankDeficientWarning):
        result = dglm.GLM(y, twice, family=Poisson()).fit(callback=seen.append)
    assert all(np.flatnonzero(np.isnan(each.params)).tolist() == [3] for each in seen)
    np.testing.assert_allclose(seen[-1].params, result.params, rtol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        seen[-1].params[0] = 1.0
    with pytest.raises(AttributeError):
        seen[-1].number = 3


def test_constrained_fits_tell_of_all_coefficients(model):
    seen = []
    result = model.fit_constrained("x2 = x3, x4 = 0.5", callback=seen.append)
    for each in seen:
        assert each.params[1] == pytest.approx(each.params[2])
        assert each.params[3] == pytest.approx(0.5)
    np.testing.assert_array_equal(seen[-1].params, result.params)
    with pytest.warns(ConvergenceWarning, match="number of passes"):
        limited = model.fit_constrained("x2 = x3, x4 = 0.5", max_passes=1)
    np.testing.assert_array_equal(limited.params, seen[0].params)


def test_a_family_with_parameters_of_its_own_is_watched():
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(400), rng.normal(size=400)])
    y = rng.negative_binomial(2, 1 / (1 + np.exp(X @ [0.3, 0.5]) / 2)).astype(float)
    model, seen = dglm.GLM(y, X, family=NegativeBinomial(alpha=None)), []
    result = model.fit(callback=seen.append)
    assert [each.number for each in seen] == list(range(result.n_iter + 1))
    assert seen[-1].objective == pytest.approx(-result.llf / 400, rel=1e-12)
    np.testing.assert_array_equal(seen[-1].params, result.params)
    halted = fitted(model, callback=lambda record: record.number == 1)
    assert halted.status is Status.STOPPED
    np.testing.assert_array_equal(halted.params, seen[1].params)
    assert halted.certificate.value == pytest.approx(seen[1].certificate)


def test_a_wide_design_is_watched_by_proximal_newton_and_l_bfgs():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(60), rng.normal(size=(60, 5100))])
    model, seen = dglm.GLM(rng.poisson(np.exp(X[:, 1])).astype(float), X, family=Poisson()), []
    result = model.fit(penalty=dglm.L1(alpha=0.2), solver=ProximalNewton(), callback=seen.append)
    assert [each.number for each in seen] == list(range(result.n_iter + 1))
    np.testing.assert_array_equal(seen[-1].params, result.params)
    halted = fitted(model, penalty=dglm.L2(alpha=1.0), solver="lbfgs", callback=lambda record: record.number == 2)
    assert (halted.status, halted.n_iter) == (Status.STOPPED, 2)


def test_paths_and_cross_validation_end_at_limits(rows):
    X, y = rows
    with pytest.warns(ConvergenceWarning, match="maximum number of passes"):
        path = dglm.GLM(y, X, family=Poisson()).fit_path(L1, alphas=[0.1, 0.01], max_passes=2)
    assert path.n_passes == 2
    assert set(path.status) == {Status.MAX_PASSES}
    free = dglm.GLM(y, X, family=Poisson()).fit_path(L1, alphas=[0.1, 0.01])
    assert (path.certificate > free.certificate).all()
    with pytest.warns(ConvergenceWarning, match="maximum number of seconds"):
        cv = dglm.GLM(y, X, family=Poisson()).fit_cv(L1, folds=3, alphas=[0.1, 0.01], max_seconds=1e-9)
    assert {status for each in cv.fold_status for status in each} == {Status.MAX_SECONDS}
    with pytest.raises(ValueError, match="no strength has a finite deviance"):
        _ = cv.best


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"callback": "print"}, TypeError, "callback must be callable .* got 'print'"),
        ({"max_passes": 0}, ValueError, "max_passes must be a whole number, at least 1, or None; got 0"),
        ({"max_passes": 2.5}, ValueError, "max_passes .* got 2.5"),
        ({"max_passes": True}, ValueError, "max_passes .* got True"),
        ({"max_seconds": -1}, ValueError, "max_seconds must be a finite number above 0, or None; got -1"),
        ({"max_seconds": float("nan")}, ValueError, "max_seconds .* got nan"),
        ({"max_seconds": "1 min"}, ValueError, "max_seconds .* got '1 min'"),
    ],
)
def test_what_is_no_callback_and_no_limit_is_refused_before_rows_are_read(wrong, error, words):
    X, y = np.ones((3, 1)), np.zeros(3)
    with pytest.raises(error, match=words):
        dglm.GLM(y, X).fit(**wrong)
    with pytest.raises(error, match=words):
        dglm.GLM(y, X).fit_constrained("const = 0", **wrong)


def test_the_log_says_how_a_fit_begins_goes_and_ends(rows, caplog, capfd):
    X, y = rows
    lazy = dglm.GLM(da.from_array(y, chunks=100), da.from_array(X, chunks=(100, 7)), family=Poisson())
    with caplog.at_level(logging.DEBUG, logger="dglm"), dask.config.set(scheduler="synchronous"):
        result = lazy.fit(persist=False)
    begins, *each, ends = [record for record in caplog.records if record.name == "dglm.fit"]
    assert (begins.levelname, ends.levelname) == ("INFO", "INFO")
    assert {record.levelname for record in each} == {"DEBUG"}
    assert begins.getMessage() == (
        "fit begins: IRLS(max_iter=100, tol=1e-08), penalty Unpenalised(), 300 rows x 7 columns, "
        "on dask in 3 partitions, read in each pass"
    )
    assert len(each) == result.n_iter + 1
    assert each[0].getMessage().startswith("iteration 0: objective ")
    assert ends.getMessage().startswith(f"fit ends: IRLS, converged after {result.n_iter} iterations, |H^-1 g| / se")
    assert f" {result.n_passes} passes, " in ends.getMessage()
    caplog.clear()
    # nobody asked
    logging.getLogger("dglm").setLevel(logging.NOTSET)
    dglm.GLM(y, X, family=Poisson()).fit()
    assert capfd.readouterr() == ("", "")


def test_a_record_reads_as_a_line():
    record = IterationRecord(
        number=3, objective=1.25, certificate=0.5, step=1.0, seconds=2.0, n_passes=5, params=np.zeros(2)
    )
    assert str(record) == "iteration 3: objective 1.25, certificate 0.5, step 1, passes 5, seconds 2"
