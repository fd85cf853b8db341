"""loglike, score, hessian and information of a model: statsmodels', their own derivatives, weights and partitions."""

import warnings

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import dglm
from dglm.errors import ConvergenceWarning, DomainError
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Identity, Log, Probit, Sqrt
from dglm.testing import count_passes

N = 120
FORMULA = "x + z + g"
FAMILIES = [
    ("count", Poisson(), sm.families.Poisson()),
    ("count", Poisson(Sqrt()), sm.families.Poisson(sm.families.links.Sqrt())),
    ("won", Binomial(), sm.families.Binomial()),
    ("won", Binomial(Probit()), sm.families.Binomial(sm.families.links.Probit())),
    ("size", Gamma(Log()), sm.families.Gamma(sm.families.links.Log())),
    ("size", Gamma(), sm.families.Gamma()),
    ("real", Gaussian(), sm.families.Gaussian()),
    ("real", Gaussian(Log()), sm.families.Gaussian(sm.families.links.Log())),
]
IDS = [repr(family) for _, family, _ in FAMILIES]
each_family = pytest.mark.parametrize(("response", "family", "peer"), FAMILIES, ids=IDS)
SCALES = pytest.mark.parametrize("scale", [None, 1.0, 2.5])
# not the maximum, and inside the range of every link
BETA = np.array([1.2, 0.05, 0.1, 0.02, -0.04])


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    x, z = rng.normal(size=N), rng.random(N) + 2
    frame = pd.DataFrame({"x": x, "z": z, "g": rng.choice(list("abc"), N)})
    return frame.assign(
        count=rng.poisson(2.0, N).astype(float),
        won=(rng.random(N) < 0.6).astype(float),
        size=rng.gamma(2.0, 1.0, N),
        real=3 + rng.normal(size=N),
        shift=0.02 * rng.normal(size=N),
        f=rng.integers(0, 4, N).astype(float),
        v=rng.random(N) + 0.5,
    )


def pair(data, response, family, peer, **extras):
    model = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", data, family=family, **extras)
    with warnings.catch_warnings():
        # of links that do not keep the mean in its range
        warnings.simplefilter("ignore")
        return model, sm.GLM(data[response], np.asarray(model.exog), family=peer, **extras)


@SCALES
@each_family
def test_statsmodels(data, response, family, peer, scale) -> None:
    model, theirs = pair(data, response, family, peer, freq_weights=data["f"] + 1, offset=data["shift"])
    theirs.scaletype = None
    np.testing.assert_allclose(model.score(BETA, scale), theirs.score(BETA, scale), rtol=1e-9, atol=1e-9)
    for observed in (True, False):
        expected = theirs.hessian(BETA, scale, observed=observed)
        np.testing.assert_allclose(model.hessian(BETA, scale, observed=observed), expected, rtol=1e-9, atol=1e-9)
    # Fisher's information is positive; statsmodels' GLM returns minus that, against its own documentation
    information = model.information(BETA, scale)
    np.testing.assert_allclose(information, -theirs.information(BETA, scale), rtol=1e-9, atol=1e-9)
    assert (np.linalg.eigvalsh(information) > 0).all()
    if scale == 2.5 and isinstance(family, Binomial):
        # its binomial likelihood ignores the scale, which its score does not: one is not the other's derivative
        assert theirs.loglike(BETA, scale) == theirs.loglike(BETA, 1.0)
        return
    assert model.loglike(BETA, scale) == pytest.approx(theirs.loglike(BETA, scale), rel=1e-10)


def derivative(f, at: np.ndarray) -> np.ndarray:
    """Return the derivative by Richardson's extrapolation of central differences."""
    columns = []
    for unit in np.eye(len(at)):
        rough, fine = ((np.asarray(f(at + h * unit)) - f(at - h * unit)) / (2 * h) for h in (2e-3, 1e-3))
        columns.append((4 * fine - rough) / 3)
    return np.array(columns)


@each_family
def test_score_and_hessian_are_derivatives(data, response, family, peer) -> None:
    extras = {"freq_weights": "f", "var_weights": "v", "offset": "shift"}
    model = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", data, family=family, **extras)
    score, hessian = model.score(BETA, 1.7), model.hessian(BETA, 1.7)
    numerical = derivative(lambda b: model.loglike(b, 1.7), BETA)
    np.testing.assert_allclose(score, numerical, rtol=1e-7, atol=1e-7 * np.abs(score).max())
    numerical = derivative(lambda b: model.score(b, 1.7), BETA)
    np.testing.assert_allclose(hessian, numerical, rtol=1e-7, atol=1e-7 * np.abs(hessian.to_numpy()).max())
    # the expectation of the score's derivative is known in closed form for the observed one at y = mu
    if family.canonical:
        np.testing.assert_allclose(model.hessian(BETA, observed=False), model.hessian(BETA), rtol=1e-12)


@each_family
def test_the_maximum_likelihood_estimate_is_the_maximum(data, response, family, peer) -> None:
    model = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", data, family=family, offset="shift")
    result = model.fit(tol=1e-12)
    assert np.max(np.abs(model.score(result.params) * result.bse)) < 1e-9
    covariance = np.linalg.inv(model.information(result.params))
    np.testing.assert_allclose(covariance, result.cov_params(), rtol=1e-7, atol=1e-12)
    if family.name != "Gaussian":
        # whose llf is at the variance that maximises it
        assert model.loglike(result.params) == pytest.approx(result.llf, rel=1e-13)
    else:
        assert model.loglike(result.params, result.deviance / N) == pytest.approx(result.llf, rel=1e-13)


@pytest.mark.parametrize("quantity", ["loglike", "score", "hessian", "information"])
@pytest.mark.parametrize("scale", [None, 2.0])
@each_family
def test_repeated_rows_partitions_and_containers(data, response, family, peer, scale, quantity) -> None:
    extras = {"freq_weights": "f", "var_weights": "v", "offset": "shift"}
    model = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", data, family=family, **extras)
    found = getattr(model, quantity)(BETA, scale)
    repeated = data.loc[data.index.repeat(data["f"])]
    again = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", repeated, family=family, var_weights="v", offset="shift")
    close = {"rtol": 1e-10, "atol": 1e-12 * np.max(np.abs(np.asarray(found)))}
    np.testing.assert_allclose(getattr(again, quantity)(BETA, scale), found, **close)
    parts = dglm.GLM.from_formula(
        f"{response} ~ {FORMULA}", dd.from_pandas(data, npartitions=4), family=family, **extras
    )
    with dask.config.set(scheduler="synchronous"):
        np.testing.assert_allclose(getattr(parts, quantity)(BETA, scale), found, **close)
    arrays = dglm.GLM(
        data[response].to_numpy(),
        np.asarray(model.exog),
        family=family,
        **{name: data[column].to_numpy() for name, column in extras.items()},
    )
    value = getattr(arrays, quantity)(BETA, scale)
    np.testing.assert_array_equal(value, found)
    if quantity != "loglike":
        assert isinstance(value, np.ndarray)
        assert list(found.index) == model.exog_names
    if quantity in {"hessian", "information"}:
        assert list(found.columns) == model.exog_names


def test_params_are_taken_by_name(data) -> None:
    model = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson())
    given = pd.Series(BETA, index=model.exog_names)
    assert model.loglike(given.iloc[::-1]) == model.loglike(BETA)
    np.testing.assert_array_equal(model.score(given.iloc[::-1]), model.score(BETA))
    for wrong in (BETA[:3], np.append(BETA[:4], np.inf), [["a"]]):
        with pytest.raises(ValueError, match=r"5 finite numbers|could not convert"):
            model.loglike(wrong)
    for wrong, message in (
        (given.rename({"x": "ex"}), "without 'x', with 'ex', which the model has not"),
        (given.iloc[[0, 1, 1, 2, 3, 4]], "with 'x' more than once"),
    ):
        with pytest.raises(ValueError, match=f"params is a Series {message}"):
            model.loglike(wrong)
    assert model.loglike(pd.Series(BETA)) == model.loglike(BETA)
    for scale in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="scale must be None or a number above 0"):
            model.score(BETA, scale)


def test_a_start_is_taken_by_name(data) -> None:
    model = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson())
    at, given = {"max_iter": 0}, pd.Series(BETA, index=model.exog_names)
    with pytest.warns(ConvergenceWarning):
        begun = model.fit(start_params=given.iloc[::-1], **at).params
    pd.testing.assert_series_equal(begun, given)
    with pytest.warns(ConvergenceWarning):
        begun = model.fit(start_params=given.iloc[::-1].where(given != BETA[1]), **at).params
    assert begun["x"] == 0
    assert begun["z"] == BETA[2]
    with pytest.warns(ConvergenceWarning):
        begun = model.fit_constrained("x = 0.05", start_params=given.iloc[::-1], **at).params
    pd.testing.assert_series_equal(begun, given)
    with pytest.raises(ValueError, match="start_params is a Series without 'x'"):
        model.fit(start_params=given.drop("x"))


@pytest.mark.filterwarnings("ignore::dglm.errors.RankDeficientWarning")
def test_columns_left_out_count_for_nothing(data) -> None:
    model = dglm.GLM.from_formula("size ~ x + I(2 * x) + z", data, family=Gamma(Log()))
    result = model.fit()
    assert result.params.isna().sum() == 1
    # of rank 3, not 4
    assert model.loglike(result.params) == pytest.approx(result.llf, rel=1e-12)
    assert np.isfinite(model.hessian(result.params)).all(axis=None)


def test_a_mean_out_of_range_has_no_likelihood(data) -> None:
    model = dglm.GLM.from_formula("count ~ x", data, family=Poisson(Identity()))
    assert model.loglike([0.1, 5.0]) == -np.inf


def test_what_cannot_be_fitted_has_no_likelihood_either(data) -> None:
    model = dglm.GLM.from_formula("count ~ x", data.assign(count=data["count"] - 5), family=Poisson())
    with pytest.raises(DomainError, match="count must be finite and at least 0"):
        model.loglike([0.1, 0.1])


@pytest.mark.parametrize(
    ("family", "response", "scale", "passes"),
    [(Poisson(), "count", None, 1), (Gamma(Log()), "size", 2.0, 1), (Gamma(Log()), "size", None, 2)],
)
def test_each_is_one_pass(data, family, response, scale, passes) -> None:
    for rows in (data, dd.from_pandas(data, npartitions=3)):
        model = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", rows, family=family, offset="shift")
        with count_passes() as first:
            model.score(BETA, scale)
        # the survey, which a model makes once
        assert first.count == 2
        for quantity, expected in (("loglike", passes), ("score", 1), ("hessian", 1), ("information", 1)):
            with count_passes() as made:
                getattr(model, quantity)(BETA, scale)
            assert made.count == expected, quantity
