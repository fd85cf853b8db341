"""Parameters of the family's own, estimated together with the coefficients."""

import pickle
import warnings
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from pathlib import Path

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize

import dglm
from dglm.data import Block, count_passes
from dglm.errors import ConvergenceWarning, IncompatibleSolverError, PerfectSeparationWarning
from dglm.families import Family, NegativeBinomial, Poisson, ShapeFamily, Tweedie
from dglm.links import Identity, Log, Sqrt
from dglm.matrix import DenseMatrix
from dglm.objective import ShapeCurvature, ShapeLoglike, packed
from dglm.penalties import L1, L2, SmoothPenalty
from dglm.solvers import UNWATCHED, Solver, Status
from dglm.testing import check_family

VALIDATION = Path(__file__).parents[1] / "validation"
QUINE = pd.read_csv(VALIDATION / "quine.csv").assign(counts=lambda d: np.resize([1.0, 2.0, 3.0], len(d)))
MASS = pd.read_csv(VALIDATION / "negative_binomial.csv")
SETTINGS = list(MASS[["formula", "weights"]].drop_duplicates().itertuples(index=False, name=None))
FREE = [NegativeBinomial(alpha=None), NegativeBinomial(Sqrt(), alpha=None), Tweedie(power=None)]


def negative_binomial_rows(n=800, alpha=0.5, seed=0, offset=None):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.standard_normal((n, 2))])
    mu = np.exp(X @ np.array([0.8, 0.4, -0.3]) + (0.0 if offset is None else offset))
    return X, rng.poisson(rng.gamma(1 / alpha, alpha * mu)).astype(float)


def tweedie_rows(n=800, power=1.5, phi=1.2, seed=0, weights=None):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.standard_normal((n, 2))])
    mu = np.exp(X @ np.array([0.8, 0.4, -0.3]))
    v = np.ones(n) if weights is None else weights
    return X, Tweedie(power=power).distribution(mu, v, phi).rvs(random_state=rng)


@pytest.mark.parametrize("family", FREE, ids=repr)
def test_derivatives_of_the_likelihood(family):
    check_family(family)


# --- R's MASS -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["newton", "irls"])
@pytest.mark.parametrize(("formula", "weights"), SETTINGS)
def test_quine_is_that_of_mass(formula, weights, solver):
    expected = MASS[(MASS["formula"] == formula) & (MASS["weights"] == weights)].set_index("name")["value"]
    ddf = dd.from_pandas(QUINE, npartitions=3)
    model = dglm.GLM.from_formula(
        formula, ddf, family=NegativeBinomial(alpha=None), freq_weights=None if weights == "none" else "counts"
    )
    with warnings.catch_warnings():
        # the full interaction has columns that are combinations of others, as in R
        warnings.simplefilter("ignore", dglm.errors.RankDeficientWarning)
        result = model.fit(solver=solver, tol=1e-9)
    assert result.converged
    theta = 1 / result.family_params["alpha"]
    assert theta == pytest.approx(expected["theta"], rel=1e-9)
    # se(theta) = se(alpha) / alpha^2
    assert result.family_bse["alpha"] * theta**2 == pytest.approx(expected["se_theta"], rel=1e-9)
    assert 2 * result.llf == pytest.approx(expected["twologlik"], rel=1e-12)
    assert result.deviance == pytest.approx(expected["deviance"], rel=1e-9)
    assert result.null_deviance == pytest.approx(expected["null_deviance"], rel=1e-9)
    assert (result.scale, result.nobs) == (1.0, 146.0 if weights == "none" else QUINE["counts"].sum())
    coef = expected[expected.index.str.startswith("coef:")].to_numpy()
    se = expected[expected.index.str.startswith("se:")].to_numpy()
    # the two name their columns differently, but order them alike
    np.testing.assert_allclose(np.sort(result.params.dropna()), np.sort(coef), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(np.sort(result.bse.dropna()), np.sort(se), rtol=1e-8)
    # MASS's logLik counts theta
    p = len(coef) + 1
    assert result.aic == pytest.approx(-expected["twologlik"] + 2 * p, rel=1e-12)
    assert result.bic == pytest.approx(-expected["twologlik"] + p * np.log(result.nobs), rel=1e-12)


def test_published_theta_of_quine():
    # Venables & Ripley (2002), "Modern Applied Statistics with S", section 7.4: main effects, theta 1.27 (0.16)
    result = dglm.GLM.from_formula("Days ~ Eth + Sex + Age + Lrn", QUINE, family=NegativeBinomial(alpha=None)).fit()
    assert 1 / result.family_params["alpha"] == pytest.approx(1.2749, abs=5e-5)


# --- statsmodels ------------------------------------------------------------------------------------------------------


def test_negative_binomial_is_that_of_statsmodels_discrete_models():
    data = sm.datasets.randhie.load_pandas()
    X = sm.add_constant(data.exog[["lncoins", "idp", "lpi", "fmde", "physlm", "disea"]])
    y = data.endog
    peer = sm.NegativeBinomial(y, X, loglike_method="nb2").fit(method="newton", tol=1e-14, maxiter=200, disp=0)
    result = dglm.GLM(y, X, family=NegativeBinomial(alpha=None)).fit()
    assert result.converged
    assert result.family_params["alpha"] == pytest.approx(peer.params["alpha"], rel=1e-8)
    np.testing.assert_allclose(result.params, peer.params.drop("alpha"), rtol=1e-7)
    assert result.llf == pytest.approx(peer.llf, rel=1e-12)
    assert (result.aic, result.bic) == pytest.approx((peer.aic, peer.bic), rel=1e-12)
    # it inverts the joint Hessian, from which ours, orthogonal as in MASS, differs by what vanishes with n
    assert result.family_bse["alpha"] == pytest.approx(peer.bse["alpha"], rel=5e-3)


@pytest.mark.parametrize(("power", "phi"), [(1.4, 0.7), (1.5, 1.2), (1.75, 3.0)])
def test_tweedie_maximises_the_likelihood_of_statsmodels(power, phi):
    v = np.random.default_rng(5).uniform(0.5, 2.0, 400)
    X, y = tweedie_rows(400, power, phi, weights=v)

    def negative_loglike(z):
        peer = sm.families.Tweedie(var_power=1 + 1 / (1 + np.exp(-z[0])))
        return -peer.loglike_obs(y, np.exp(X @ z[2:]), var_weights=v, scale=np.exp(z[1])).sum()

    result = dglm.GLM(y, X, family=Tweedie(power=None), var_weights=v).fit()
    assert result.converged
    p = result.family_params["power"]
    found = np.array([np.log((p - 1) / (2 - p)), np.log(result.llf_scale), *result.params])
    assert -negative_loglike(found) == pytest.approx(result.llf, rel=1e-11)
    best = optimize.minimize(negative_loglike, found + 0.01, method="BFGS", options={"gtol": 1e-6})
    assert result.llf >= -best.fun - 1e-8 * abs(best.fun)
    # its gradient is differences of function values
    np.testing.assert_allclose(found, best.x, atol=2e-4)
    # standard error of the power from differences of the likelihood, maximised over phi, at the coefficients
    h = 1e-3

    def profile(t):
        return optimize.minimize_scalar(
            lambda s: negative_loglike(np.array([found[0] + t, s, *found[2:]])),
            bracket=(found[1] - 0.1, found[1] + 0.1),
        ).fun

    information = (profile(h) - 2 * profile(0.0) + profile(-h)) / h**2
    assert result.family_bse["power"] == pytest.approx((p - 1) * (2 - p) / np.sqrt(information), rel=1e-3)


def test_dispersion_of_the_standard_errors_is_pearsons_beside_an_estimated_power():
    X, y = tweedie_rows()
    free = dglm.GLM(y, X, family=Tweedie(power=None)).fit()
    given = dglm.GLM(y, X, family=free.family).fit(tol=1e-11)
    assert free.scale == pytest.approx(given.scale, rel=1e-9)
    assert free.scale == pytest.approx(free.pearson_chi2 / free.df_resid, rel=1e-12)
    np.testing.assert_allclose(free.bse, given.bse, rtol=1e-8)
    # llf is at the dispersion that maximises it, which is another one
    assert given.llf_scale == given.scale != free.llf_scale
    assert free.llf > given.llf
    again = Tweedie(power=free.family.power).loglike_obs(y, np.exp(X @ free.params), np.ones(len(y)), free.llf_scale)
    assert free.llf == pytest.approx(again.sum(), rel=1e-12)


# --- what must not change an estimate -------------------------------------------------------------------------------


def same(found, expected, rtol):
    for name in ("params", "bse", "family_params", "family_bse"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=rtol)
    for name in ("llf", "deviance", "null_deviance", "scale", "aic"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=rtol), name


ROWS = {"negative binomial": (FREE[0], negative_binomial_rows), "tweedie": (FREE[2], tweedie_rows)}


@pytest.mark.parametrize(("family", "rows"), ROWS.values(), ids=ROWS)
def test_partitions_and_containers_do_not_matter(family, rows):
    X, y = rows(500)
    frame = pd.DataFrame({"y": y, "a": X[:, 1], "b": X[:, 2]})
    expected = dglm.GLM(y, X, family=family).fit(tol=1e-11)
    # an empty partition, too
    parts = [frame.iloc[:0], frame.iloc[:17], frame.iloc[17:400], frame.iloc[400:]]
    ddf = dd.concat([dd.from_pandas(p, npartitions=1) for p in parts])
    for data in (frame, ddf, frame.sample(frac=1, random_state=1)):
        same(dglm.GLM.from_formula("y ~ a + b", data, family=family).fit(tol=1e-11), expected, 1e-8)


@pytest.mark.parametrize(("family", "rows"), ROWS.values(), ids=ROWS)
def test_frequency_weights_are_repetitions_and_zero_ones_are_nothing(family, rows):
    X, y = rows(300)
    f = np.random.default_rng(3).integers(0, 4, 300)
    weighted = dglm.GLM(y, X, family=family, freq_weights=f.astype(float)).fit(tol=1e-11)
    repeated = dglm.GLM(np.repeat(y, f), np.repeat(X, f, axis=0), family=family).fit(tol=1e-11)
    same(weighted, repeated, 1e-8)
    assert weighted.nobs == f.sum()


@pytest.mark.parametrize(("family", "rows"), ROWS.values(), ids=ROWS)
def test_given_the_estimates_the_coefficients_are_those_of_an_ordinary_fit(family, rows):
    X, y = rows(500)
    free = dglm.GLM(y, X, family=family).fit(tol=1e-11)
    given = dglm.GLM(y, X, family=free.family).fit(tol=1e-11)
    np.testing.assert_allclose(free.params, given.params, rtol=1e-8)
    np.testing.assert_allclose(free.bse, given.bse, rtol=1e-8)
    for name in ("deviance", "null_deviance", "pearson_chi2", "scale"):
        assert getattr(free, name) == pytest.approx(getattr(given, name), rel=1e-9)
    assert free.family_params.index.tolist() == list(family.free)
    assert given.family_params.empty
    assert given.family_bse.empty


@pytest.mark.parametrize("role", ["offset", "exposure"])
def test_null_deviance_beside_an_offset_is_that_of_a_fit_of_the_constant(role):
    offset = 0.5 * np.random.default_rng(1).standard_normal(600)
    X, y = negative_binomial_rows(600, offset=offset)
    given = {role: np.exp(offset) if role == "exposure" else offset}
    result = dglm.GLM(y, X, family=NegativeBinomial(alpha=None), **given).fit()
    assert result.converged
    alone = dglm.GLM(y, X[:, :1], family=result.family, **given).fit(tol=1e-11)
    assert result.null_deviance == pytest.approx(alone.deviance, rel=1e-10)


def test_units_of_the_response_change_nothing_but_the_dispersion():
    X, y = tweedie_rows()
    one, thousand = (dglm.GLM(k * y, X, family=Tweedie(power=None)).fit(tol=1e-11) for k in (1.0, 1e3))
    p = one.family_params["power"]
    assert thousand.family_params["power"] == pytest.approx(p, rel=1e-8)
    assert thousand.scale == pytest.approx(one.scale * 1e3 ** (2 - p), rel=1e-7)
    np.testing.assert_allclose(thousand.params - [np.log(1e3), 0, 0], one.params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(thousand.bse, one.bse, rtol=1e-8)


def test_the_model_and_its_family_stay_as_they_were():
    X, y = negative_binomial_rows(300)
    family = NegativeBinomial(alpha=None)
    model = dglm.GLM(y, X, family=family)
    first, second = model.fit(), model.fit()
    assert model.family is family
    assert family.alpha is None
    same(first, second, 0.0)


# --- the cost -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "rows"), ROWS.values(), ids=ROWS)
def test_passes(family, rows):
    X, y = rows(800)
    model = dglm.GLM(y, X, family=family)
    with count_passes() as passes:
        result = model.fit()
    # the survey, the candidates, one for each iterate, and Fisher's information at the last one
    assert passes.count == result.n_passes == 2 + len(result.fit_history) + 1
    assert result.n_passes <= 9
    with count_passes() as passes:
        model.fit()
    # the survey is known by then
    assert passes.count == result.n_passes - 1
    irls = model.fit(solver="irls")
    assert irls.n_passes == 1 + len(irls.fit_history)


def test_convergence_is_quadratic():
    X, y = negative_binomial_rows(800)
    certificates = [i.certificate for i in dglm.GLM(y, X, family=NegativeBinomial(alpha=None)).fit().fit_history]
    assert certificates[-1] < 1e-8
    assert certificates[-2] < 1e-3
    objectives = [i.objective for i in dglm.GLM(y, X, family=NegativeBinomial(alpha=None)).fit().fit_history]
    assert (np.diff(objectives) <= 1e-13 * abs(objectives[-1])).all()


@pytest.mark.parametrize("start", [[0.0, 0.0, 0.0], [5.0, -1.0, 1.0], [-4.0, 2.0, 0.0]])
@pytest.mark.parametrize(("family", "rows"), ROWS.values(), ids=ROWS)
def test_far_starts_lead_to_the_same_estimate(family, rows, start):
    X, y = rows(400)
    model = dglm.GLM(y, X, family=family)
    found = model.fit(start_params=start)
    assert found.converged
    same(found, model.fit(), 1e-5)


# --- estimates that do not exist ------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["newton", "irls"])
@pytest.mark.parametrize("seed", range(4))
def test_counts_that_vary_less_than_poissons_end_in_poisson(solver, seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(400), rng.uniform(-1, 1, 400)])
    y = rng.binomial(6, 1 / (1 + np.exp(-X @ np.array([-0.5, 0.7])))).astype(float)
    model = dglm.GLM(y, X, family=NegativeBinomial(alpha=None))
    with pytest.warns(
        ConvergenceWarning, match=r"alpha of the family is at its limit, .*e-13: .* fit with Poisson\(\)"
    ):
        result = model.fit(solver=solver)
    assert result.status is Status.BOUNDARY
    assert not result.converged
    assert result.certificate.holds
    assert np.isnan(result.family_bse["alpha"])
    poisson = dglm.GLM(y, X, family=Poisson()).fit()
    np.testing.assert_allclose(result.params, poisson.params, rtol=1e-7)
    np.testing.assert_allclose(result.bse, poisson.bse, rtol=1e-7)
    assert result.llf == pytest.approx(poisson.llf, rel=1e-10)
    assert "WARNING: alpha of the family is at its limit" in str(result.summary())


def test_counts_of_a_poisson_distribution_end_at_either_side_of_the_limit():
    # half of the time such counts vary a little more than their mean
    ended = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = np.column_stack([np.ones(300), rng.standard_normal(300)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            result = dglm.GLM(rng.poisson(np.exp(X @ [1.0, 0.3])), X, family=NegativeBinomial(alpha=None)).fit()
        ended.append(result.status)
        assert result.n_passes <= 14
        poisson = dglm.GLM(result._estimate.table.arrays["endog"], X, family=Poisson()).fit()
        assert result.llf >= poisson.llf - 1e-9 * abs(poisson.llf)
    assert set(ended) == {Status.CONVERGED, Status.BOUNDARY}


def test_power_of_multiples_of_counts_is_at_its_limit():
    rng = np.random.default_rng(0)
    X = np.ones((300, 1))
    with pytest.warns(ConvergenceWarning, match=r"power of the family is at its limit, 1.05: .*Poisson\(\)"):
        result = dglm.GLM(2.5 * rng.poisson(3.0, 300), X, family=Tweedie(power=None)).fit()
    assert result.status is Status.BOUNDARY


def test_power_of_a_response_that_is_never_zero_is_at_its_limit():
    rng = np.random.default_rng(1)
    y = rng.wald(2.0, 1.0, 500)
    with pytest.warns(ConvergenceWarning, match=r"power of the family is at its limit, 1.99: too few .*Gamma\(\)"):
        result = dglm.GLM(y, np.ones((500, 1)), family=Tweedie(power=None)).fit()
    assert result.status is Status.BOUNDARY


HARD = [
    *(("weakly identified power", seed) for seed in range(5)),
    *(("barely more than Poisson", seed) for seed in (12, 38, 103)),
    *(("rare", seed) for seed in range(5)),
]


@pytest.mark.parametrize(("what", "seed"), HARD)
def test_hard_likelihoods_are_maximised(what, seed):
    rng, n = np.random.default_rng(seed), 300
    X = np.column_stack([np.ones(n), rng.standard_normal(n)])
    mu = np.exp(X @ [1.0, 0.3])
    if what == "weakly identified power":
        # a small dispersion, no zeros: the normal distribution says little of its variance function
        family, y = Tweedie(power=None), Tweedie(power=1.5).distribution(mu, np.ones(n), 0.1).rvs(random_state=rng)
    elif what == "barely more than Poisson":
        family, y = NegativeBinomial(alpha=None), rng.binomial(20, mu / 40).astype(float)
    else:
        family, y = NegativeBinomial(alpha=None), rng.poisson(rng.gamma(1.0, 0.02 * mu)).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = dglm.GLM(y, X, family=family).fit()
    assert result.status in {Status.CONVERGED, Status.BOUNDARY}
    assert result.n_passes <= 20
    # nothing near is more likely
    (name,), (value,) = family.free, result.family_params
    for factor in (0.97, 1.03):
        other = 1 + (value - 1) * factor if name == "power" else value * factor
        if name == "power" and not 1.05 <= other <= 1.99:
            continue
        near = family.with_parameters(**{name: other})
        loglike = near.loglike_obs(y, np.exp(X @ result.params), np.ones(n), result.llf_scale).sum()
        assert loglike <= result.llf + 1e-9 * abs(result.llf)


def test_separation_is_told_from_a_limit():
    X, y = negative_binomial_rows(400)
    group = (X[:, 1] > 0).astype(float)
    with pytest.warns(PerfectSeparationWarning):
        result = dglm.GLM(y * group, np.column_stack([np.ones(400), group]), family=NegativeBinomial(alpha=None)).fit()
    assert result.status is Status.SEPARATED


def test_counts_that_are_all_zero_are_no_crash():
    with pytest.warns(ConvergenceWarning):
        result = dglm.GLM(np.zeros(30), np.ones((30, 1)), family=NegativeBinomial(alpha=None)).fit()
    assert not result.converged


def test_too_few_iterations_are_a_status():
    X, y = negative_binomial_rows(300)
    model = dglm.GLM(y, X, family=NegativeBinomial(alpha=None))
    for most in (0, 1):
        with pytest.warns(ConvergenceWarning, match=f"maximum number of iterations reached after {most} iterations"):
            result = model.fit(max_iter=most)
        assert result.status is Status.MAX_ITER
        assert result.n_iter == most


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [L2(alpha=0.1), L1(alpha=0.1)], ids=repr)
def test_a_penalty_is_refused_with_the_way_out(penalty):
    X, y = negative_binomial_rows(50)
    model = dglm.GLM(y, X, family=NegativeBinomial(alpha=None))
    with pytest.raises(
        IncompatibleSolverError, match=r"estimates its alpha .* without a penalty; got L.*family=result"
    ):
        model.fit(penalty=penalty)


def test_a_solver_without_second_derivatives_is_refused_with_the_way_out():
    @dataclass(frozen=True, kw_only=True)
    class Descent(Solver):
        penalties = (SmoothPenalty,)

        def solve(self, objective, start, watch=UNWATCHED):
            raise AssertionError

    X, y = negative_binomial_rows(50)
    with pytest.raises(IncompatibleSolverError, match=r"second derivatives .* got Descent. Use IRLS\(\) or Newton\(\)"):
        dglm.GLM(y, X, family=NegativeBinomial(alpha=None)).fit(solver=Descent())


@pytest.mark.parametrize("family", FREE, ids=repr)
def test_equations_without_a_parameter_say_where_to_get_one(family):
    name = family.free[0]
    with pytest.raises(ValueError, match=f"{name}=None.* has no {name} yet: fit a model with it and use result.family"):
        family.variance(np.ones(2))
    assert "?" in family.name


def test_only_families_with_parameters_have_a_shape():
    assert Poisson().free == ()
    assert Poisson().provisional == Poisson()
    assert NegativeBinomial(alpha=0.3).free == Tweedie(power=1.2).free == ()
    assert NegativeBinomial(alpha=None).with_parameters(alpha=0.3) == NegativeBinomial(alpha=0.3)
    block = Block(X=DenseMatrix(np.ones((2, 1))), y=np.ones(2))
    with pytest.raises(TypeError, match="has no parameters of its own"):
        ShapeLoglike.of(block, np.zeros(2), Poisson())


# --- results --------------------------------------------------------------------------------------------------------


def test_summary_has_the_estimate():
    X, y = negative_binomial_rows(300)
    result = dglm.GLM(y, X, family=NegativeBinomial(alpha=None)).fit()
    alpha, error = result.family_params["alpha"], result.family_bse["alpha"]
    text = str(result.summary())
    assert f"NegativeBinomial(alpha={alpha:.5g})" in text
    assert f"alpha of the family was estimated, {alpha:.4f} with standard error {error:.4f}" in text
    assert isinstance(result.family, Family)
    assert result.family.alpha == alpha


def test_results_travel_and_predict():
    X, y = negative_binomial_rows(300)
    frame = pd.DataFrame({"y": y, "a": X[:, 1]})
    result = dglm.GLM.from_formula("y ~ a", frame, family=NegativeBinomial(alpha=None)).fit()
    received = pickle.loads(pickle.dumps(result))
    pd.testing.assert_series_equal(received.family_params, result.family_params)
    np.testing.assert_allclose(received.predict(frame), np.exp(result.params @ [np.ones(300), frame["a"]]))


@pytest.mark.parametrize("link", [Identity(), Sqrt(), Log()], ids=repr)
def test_other_links(link):
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(600), rng.uniform(-1, 1, 600)])
    eta = X @ {Identity: [6.0, 2.0], Sqrt: [2.5, 0.5], Log: [1.5, 0.4]}[type(link)]
    y = rng.poisson(rng.gamma(3.0, link.inverse(eta) / 3))
    result = dglm.GLM(y, X, family=NegativeBinomial(link, alpha=None)).fit()
    assert result.converged

    def negative_loglike(z):
        mu = link.inverse(X @ z[1:])
        with np.errstate(all="ignore"):
            rows = NegativeBinomial(alpha=np.exp(z[0])).loglike_obs(y.astype(float), mu, np.ones(600), 1.0)
        return np.inf if (mu <= 0).any() else -rows.sum()

    found = np.array([np.log(result.family_params["alpha"]), *result.params])
    gradient = optimize.approx_fprime(found, negative_loglike, 1e-6)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-2)
    assert result.llf == pytest.approx(-negative_loglike(found), rel=1e-12)


# --- the sums -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "rows"), ROWS.values(), ids=ROWS)
def test_sums_add_over_rows(family, rows):
    X, y = rows(120)
    rng = np.random.default_rng(0)
    block = Block(
        X=DenseMatrix(X),
        y=y,
        freq_weights=rng.integers(0, 3, 120) * 1.0,
        var_weights=rng.uniform(0.5, 2, 120),
        offset=0.1 * rng.standard_normal(120),
    )
    psi = family.candidates(2.0, 1.5)[2]
    point = packed(psi, np.array([0.7, 0.3, -0.2]))

    def part(rows):
        return Block(
            X=DenseMatrix(X[rows]),
            y=y[rows],
            freq_weights=block.freq[rows],
            var_weights=block.var[rows],
            offset=block.offset[rows],
        )

    at = family.shape_pointwise(y, X @ point[len(psi) :] + block.offset, block.var, psi)
    f, zero = block.freq, np.zeros(3)
    for cuts in ([0, 120], [0, 0, 1, 50, 119, 120, 120]):
        parts = [part(slice(a, b)) for a, b in pairwise(cuts)]
        alone = reduce(add, (ShapeLoglike.of(p, point, family) for p in parts))
        found = reduce(add, (ShapeCurvature.of(p, point, family) for p in parts))
        assert alone.loglike == pytest.approx(f @ at.loglike, rel=1e-12)
        assert found.loglike == pytest.approx(f @ at.loglike, rel=1e-12)
        np.testing.assert_allclose(found.score, at.score @ f, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(found.information, -(at.hessian @ f), rtol=1e-10, atol=1e-10)
        for cross, row in zip(found.cross, at.cross, strict=True):
            np.testing.assert_allclose(cross.about(zero), X.T @ (f * row), rtol=1e-10, atol=1e-10)


def test_a_mean_out_of_range_has_no_likelihood():
    family = NegativeBinomial(Identity(), alpha=None)
    assert isinstance(family, ShapeFamily)
    with np.errstate(all="ignore"):
        at = family.shape_pointwise(np.ones(2), np.array([-1.0, 1.0]), np.ones(2), np.zeros(1))
    assert at.loglike[0] == -np.inf
    assert np.isfinite(at.loglike[1])
