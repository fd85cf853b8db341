"""Families with links of the user's choice: fits against statsmodels, tails, far starts, bounds of the mean."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from dask import array as da
from scipy import stats
from statsmodels.genmod.families import links as sm_links

import dglm
from dglm.data import Block
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import (
    CDF,
    Cauchit,
    CLogLog,
    Identity,
    Inverse,
    InverseSquared,
    Log,
    LogComplement,
    Logit,
    LogLog,
    NegativeBinomial,
    Power,
    Probit,
    Sqrt,
)
from dglm.matrix import DenseMatrix
from dglm.objective import Curvature
from dglm.solvers import Status
from dglm.testing import check_family

# With the centre and the half-width of eta; means stay inside the range of the family.
FITS = [
    (Binomial(Logit()), sm_links.Logit(), 0.2, 1.5),
    (Binomial(Probit()), sm_links.Probit(), 0.2, 1.2),
    (Binomial(Cauchit()), sm_links.Cauchy(), 0.2, 1.5),
    (Binomial(CLogLog()), sm_links.CLogLog(), -0.3, 1.0),
    (Binomial(LogLog()), sm_links.LogLog(), 0.3, 1.0),
    (Binomial(Log()), sm_links.Log(), -1.2, 0.7),
    (Binomial(LogComplement()), sm_links.LogC(), -1.2, 0.7),
    (Binomial(CDF(stats.t(5))), sm_links.CDFLink(dbn=stats.t(5)), 0.2, 1.2),
    (Binomial(CDF(stats.skewnorm(2))), sm_links.CDFLink(dbn=stats.skewnorm(2)), 0.6, 0.7),
    (Binomial(CDF(stats.johnsonsu(1, 2))), sm_links.CDFLink(dbn=stats.johnsonsu(1, 2)), -0.5, 0.6),
    (Poisson(Power(0.75)), sm_links.Power(power=0.75), 3.0, 1.5),
    (Poisson(Power(2.0)), sm_links.Power(power=2.0), 20.0, 12.0),
    (Poisson(InverseSquared()), sm_links.InverseSquared(), 0.2, 0.1),
    (Poisson(NegativeBinomial(0.5)), sm_links.NegativeBinomial(alpha=0.5), -0.6, 0.25),
    (Gamma(Power(0.75)), sm_links.Power(power=0.75), 3.0, 1.5),
    (Gamma(Power(-0.5)), sm_links.Power(power=-0.5), 1.0, 0.4),
    (Gamma(InverseSquared()), sm_links.InverseSquared(), 1.0, 0.6),
    (Gaussian(Power(3.0)), sm_links.Power(power=3.0), 9.0, 5.0),
]
FAMILIES = [family for family, *_ in FITS]
SLOPES = np.array([0.6, -0.4])


def rows(family, centre, half_width, n=500):
    rng = np.random.default_rng(11)
    x = rng.uniform(-1, 1, (n, 2))
    mu = family.link.inverse(centre + half_width * (x @ SLOPES))
    draw = {
        "Binomial": lambda: (rng.random(n) < mu).astype(float),
        "Poisson": lambda: rng.poisson(mu).astype(float),
        "Gamma": lambda: rng.gamma(4.0, mu / 4.0),
        "Gaussian": lambda: mu + 0.2 * rng.standard_normal(n),
    }
    return np.column_stack([np.ones(n), x]), draw[family.name]()


@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")
@pytest.mark.parametrize(("family", "theirs", "centre", "half_width"), FITS, ids=[repr(f.link) for f in FAMILIES])
def test_fit_is_that_of_statsmodels(family, theirs, centre, half_width):
    X, y = rows(family, centre, half_width)
    model = sm.GLM(y, X, family=getattr(sm.families, family.name)(theirs, check_link=False))
    expected = model.fit(tol=1e-13, tol_criterion="params", maxiter=500)
    in_memory = dglm.GLM(y, X, family=family).fit(tol=1e-11)
    chunks = (200, 150, 150)
    on_dask = dglm.GLM(da.from_array(y, chunks=(chunks,)), da.from_array(X, chunks=(chunks, 3)), family=family)
    for found in (in_memory, on_dask.fit(tol=1e-11)):
        assert found.converged
        np.testing.assert_allclose(found.params, expected.params, rtol=1e-8)
        if family.name == "Gaussian":
            # statsmodels evaluates it at another variance: see docs/validation.rst
            np.testing.assert_allclose(found.deviance, expected.deviance, rtol=1e-8)
        else:
            np.testing.assert_allclose(found.llf, expected.llf, rtol=1e-8)


@pytest.mark.parametrize(("family", "theirs", "centre", "half_width"), FITS, ids=[repr(f.link) for f in FAMILIES])
def test_newton_finds_the_same(family, theirs, centre, half_width):
    X, y = rows(family, centre, half_width)
    model = dglm.GLM(y, X, family=family)
    np.testing.assert_allclose(model.fit(solver="newton").params, model.fit().params, rtol=1e-6, atol=1e-8)


CHECKED = [
    # scipy's ppf and sf of skewnorm are good to 1e-8 and 1e-14 only
    *(family for family in FAMILIES if family.link != CDF(stats.skewnorm(2))),
    Binomial(Power(3.0)),
    Binomial(InverseSquared()),
    Binomial(NegativeBinomial()),
    Binomial(CDF(stats.gumbel_r())),
    Binomial(CDF(stats.expon())),
    Binomial(CDF(stats.uniform())),
    Poisson(Power(1 / 3)),
    Poisson(Power(1.0)),
    Gamma(NegativeBinomial(0.2)),
    Gaussian(Power(1.0)),
]


@pytest.mark.parametrize("family", CHECKED, ids=lambda family: f"{family.name} {family.link!r}")
def test_family_conforms_with_its_link(family):
    check_family(family)


# -- contributions of rows, against 1000 digits

# (as text, since pandas before 3 reads numbers to fifteen digits)
VALUES = pd.read_csv(Path(__file__).parent / "link_values.csv", dtype=str).set_index("link").astype(float)


@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize(
    "link", [Probit(), CLogLog(), LogLog(), Cauchit(), Log(), LogComplement(), CDF(stats.t(5))], ids=repr
)
def test_contributions_of_a_row_keep_their_digits_in_every_tail(link, y):
    exact = VALUES.loc[repr(link)].query("abs(log_odds) < 1e150")
    eta, mu, nu = exact["eta"].to_numpy(), exact["inverse"].to_numpy(), exact["inverse_complement"].to_numpy()
    odds, slope, bend = (exact[name].to_numpy() for name in ("log_odds", "log_odds_deriv", "log_odds_deriv2"))
    family = Binomial(link)
    response = np.full_like(eta, y)
    with np.errstate(all="ignore"):
        at, observed = family.pointwise(response, eta), family.observed_information(response, eta)
    # the exponent of a probability e^-700 has 3 digits before the point, which the probability lacks after it
    close = {"rtol": 2e-13, "atol": 1e-300}
    np.testing.assert_allclose(at.deviance, 2 * np.logaddexp(0, odds if y == 0 else -odds), **close)
    np.testing.assert_allclose(at.score, nu * slope if y == 1 else -mu * slope, **close)
    # one factor at a time: the square of the slope overflows where mu (1 - mu) is zero
    information = (np.minimum(mu, nu) * slope) * (np.maximum(mu, nu) * slope)
    np.testing.assert_allclose(at.information, information, **close)
    expected = information - (nu if y == 1 else -mu) * bend
    cancelling = 4e-15 * (information + np.abs((nu if y == 1 else -mu) * bend))
    # where what is left of the two is less than either
    np.testing.assert_array_less(np.abs(observed - expected), 3e-11 * np.abs(expected) + cancelling + 1e-300)


# -- far starts

FAR = [
    (Binomial(CLogLog()), [[3, 3, 3], [5, 5, -5], [-10, 0, 0]], [[7, 0, 0], [20, 10, 10], [30, 0, 0]]),
    (Binomial(LogLog()), [[3, 3, 3], [10, 0, 0], [5, 5, -5]], [[-7, 0, 0], [-20, -10, 10], [-30, 0, 0]]),
    (Binomial(Probit()), [[3, 3, 3], [20, 10, 10], [0, 0, 300]], [[10, 0, 0], [-30, 0, 0], [0, 40, 0]]),
    (Binomial(Cauchit()), [[30, 0, 0], [0, 0, 300]], [[20, 10, 10], [-30, 0, 0]]),
]


@pytest.mark.parametrize(("family", "irls", "newton"), FAR, ids=[repr(f.link) for f, *_ in FAR])
def test_fits_from_far_starts_arrive(family, irls, newton):
    # exp(-exp(6.7)) is 0: log(1 - mu), taken of it, would make every one of these infinite
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(500), rng.standard_normal((500, 2))])
    y = (rng.random(500) < family.link.inverse(X @ [0.2, 0.6, -0.4])).astype(float)
    model = dglm.GLM(y, X, family=family)
    best = model.fit(tol=1e-10).params
    # where no row is near its mean, the expected information underflows: it takes the observed one to come back
    for solver, starts in (("irls", irls), ("newton", [*irls, *newton])):
        for start in starts:
            found = model.fit(start_params=start, solver=solver)
            assert found.status is Status.CONVERGED, (solver, start)
            np.testing.assert_allclose(found.params, best, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("link", "far"), [(CLogLog(), 340.0), (LogLog(), 340.0), (Probit(), 1e74)], ids=repr)
def test_deviance_is_finite_as_long_as_sums_of_squares_would_be(link, far):
    y, eta = np.array([0.0, 1.0]), np.array([far, -far])
    at = Binomial(link).pointwise(y, eta)
    assert np.isfinite(at.deviance).all()
    assert (at.deviance > 600).all()
    assert (at.score * np.sign(eta) <= -1).all()
    with np.errstate(all="ignore"):
        beyond = Binomial(link).pointwise(y, 1e3 * eta)
    assert (beyond.deviance[y == (link == LogLog())] == np.inf).all()


# -- bounds of the mean


# eta of the means 0 and 1, and of what is no probability
BOUNDS = [
    (Identity(), 0.0, 1.0, [-0.1, 1.1]),
    (Sqrt(), 0.0, 1.0, [1.1]),
    (Power(2.0), 0.0, 1.0, [-0.1, 1.1]),
    (Log(), -np.inf, 0.0, [0.1, 800.0]),
    (LogComplement(), 0.0, -np.inf, [0.1, 800.0]),
    (Inverse(), np.inf, 1.0, [-0.1, 0.9]),
    (CDF(stats.uniform()), 0.0, 1.0, [np.nan]),
    (Probit(), -np.inf, np.inf, [np.nan]),
]


@pytest.mark.parametrize(("link", "zero", "one", "beyond"), BOUNDS, ids=[repr(link) for link, *_ in BOUNDS])
def test_bounds_are_certain_and_what_is_beyond_is_impossible(link, zero, one, beyond):
    y = np.array([0.0, 0.5, 1.0])
    for eta, expected in (
        (zero, [0, np.inf, np.inf]),
        (one, [np.inf, np.inf, 0]),
        *((e, [np.inf] * 3) for e in beyond),
    ):
        with np.errstate(all="ignore"):
            at = Binomial(link).pointwise(y, np.full(3, eta))
        np.testing.assert_array_equal(at.deviance, expected)
        assert np.isfinite(at.score).all()
        assert np.isfinite(at.information).all()


def test_rows_without_weight_may_have_means_beyond():
    x, y = np.array([[-1.0], [-2.0], [3.0]]), np.array([0.0, 1.0, 1.0])
    weighted = Block(X=DenseMatrix(x), y=y, freq_weights=np.array([1.0, 1.0, 0.0]))
    kept = Block(X=DenseMatrix(x[:2]), y=y[:2])
    with np.errstate(all="ignore"):
        found, expected = (Curvature.of(block, np.array([1.0]), Binomial(Log())) for block in (weighted, kept))
    assert found.deviance == pytest.approx(expected.deviance, rel=1e-14)
    assert found.pearson_chi2 == pytest.approx(expected.pearson_chi2, rel=1e-14)
    np.testing.assert_allclose(found.score.about(np.zeros(1)), expected.score.about(np.zeros(1)))
    assert np.isfinite(found.information.second).all()
