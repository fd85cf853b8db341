"""What one topic adds holds beside what another does: constraints, covariances, predictions, parameters, files."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import dglm
from dglm.families import NegativeBinomial, Poisson, Tweedie

N = 300
COVARIANCES = {
    "nonrobust": {},
    "HC3": {"cov_type": "HC3"},
    "cluster, t": {"cov_type": "cluster", "cov_kwds": {"groups": "firm"}, "use_t": True},
}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=N) + 5, "z": rng.normal(size=N), "pop": rng.uniform(1, 3, N)})
    frame["sum"] = frame["x"] + frame["z"]
    rate = frame["pop"] * np.exp(0.1 * frame["sum"]) * rng.gamma(2.0, 0.5, N)
    return frame.assign(g=rng.choice(list("abc"), N), firm=rng.integers(0, 40, N), y=rng.poisson(rate).astype(float))


def computed(values):
    return np.asarray(values.compute(scheduler="synchronous") if hasattr(values, "compute") else values)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_rows_of_a_constrained_fit_are_those_of_the_combined_columns(data, covariance, lazy):
    rows = dd.from_pandas(data, npartitions=3) if lazy else data
    options = {"family": Poisson(), "offset": "np.log(pop)"}
    constrained = dglm.GLM.from_formula("y ~ x + z + g", rows, **options)
    tied = constrained.fit_constrained("x = z", **COVARIANCES[covariance])
    direct = dglm.GLM.from_formula("y ~ sum + g", rows, **options).fit(**COVARIANCES[covariance])
    for of in (
        lambda r: r.get_prediction().summary_frame(),
        lambda r: r.get_hat_matrix_diag(),
        lambda r: r.get_influence().cooks_distance[0],
        lambda r: r.get_influence().resid_studentized,
    ):
        np.testing.assert_allclose(computed(of(tied)), computed(of(direct)), rtol=1e-9, atol=1e-12)
    # the effect of x alone is that of the sum, and so is its error
    effect = tied.get_margeff().summary_frame().loc["x"]
    np.testing.assert_allclose(effect, direct.get_margeff().summary_frame().loc["sum"], rtol=1e-8)
    assert tied.aic == pytest.approx(direct.aic, rel=1e-12)


def test_an_estimated_parameter_beside_clusters_transforms_and_files(data, tmp_path):
    ddf = dd.from_pandas(data, npartitions=3)
    model = dglm.GLM.from_formula("y ~ scale(x) + g", ddf, family=NegativeBinomial(alpha=None), exposure="pop")
    result = model.fit(cov_type="cluster", cov_kwds={"groups": "firm"})
    known = dglm.GLM.from_formula("y ~ scale(x) + g", data, family=result.family, exposure="pop")
    again = known.fit(cov_type="cluster", cov_kwds={"groups": "firm"})
    np.testing.assert_allclose(result.params, again.params, rtol=1e-7)
    np.testing.assert_allclose(result.bse, again.bse, rtol=1e-7)
    assert result.llf == pytest.approx(again.llf, rel=1e-11)
    assert result.llnull == pytest.approx(again.llnull, rel=1e-9)
    assert result.aic == pytest.approx(again.aic + 2, rel=1e-11)
    result.save(tmp_path / "result")
    loaded = dglm.load(tmp_path / "result")
    assert str(loaded.summary()) == str(result.summary())
    np.testing.assert_array_equal(loaded.predict(data), result.predict(data))


@pytest.mark.parametrize("family", [NegativeBinomial(alpha=None), Tweedie(power=None)], ids=["alpha", "power"])
def test_criteria_count_estimated_parameters_everywhere(data, family):
    result = dglm.GLM.from_formula("y ~ x + g", data, family=family).fit()
    assert result.drop1().loc["<none>", "AIC"] == pytest.approx(result.aic, rel=1e-10)
    assert result.info_criteria("aic") == result.aic
    with pytest.raises(ValueError, match="needs a family whose parameters are known"):
        dglm.GLM.from_formula("y ~ x + g", data, family=family).fit_constrained("x = 0")
    with pytest.raises(ValueError, match="needs a family whose parameters are known"):
        dglm.GLM.from_formula("y ~ x + g", data, family=family).loglike(np.zeros(4))
