"""anova, drop1, compare and score tests: each other, statsmodels, repeated rows, partitions, refusals, passes."""

import warnings
from dataclasses import replace

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import dglm
from dglm.errors import ConvergenceWarning, DataError, FormulaError, NestingWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import CLogLog, Log, Probit
from dglm.results import GLMResults, ScoreTest
from dglm.testing import count_passes, forbid_compute

N = 240
TIGHT = 1e-12
FAMILIES = [
    ("count", Poisson(), sm.families.Poisson()),
    ("won", Binomial(), sm.families.Binomial()),
    ("won", Binomial(Probit()), sm.families.Binomial(sm.families.links.Probit())),
    ("size", Gamma(Log()), sm.families.Gamma(sm.families.links.Log())),
    ("real", Gaussian(), sm.families.Gaussian()),
]
IDS = [repr(family) for _, family, _ in FAMILIES]
each_family = pytest.mark.parametrize(("response", "family", "peer"), FAMILIES, ids=IDS)
EXTRAS = {"freq_weights": "f", "var_weights": "v", "offset": "shift"}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    x, z, u = rng.normal(size=(3, N))
    g, h = rng.choice(list("abc"), N), rng.choice(["s", "t"], N)
    eta = 0.4 * x - 0.2 * z + 0.3 * (g == "b") * (h == "t")
    return pd.DataFrame(
        {
            **{"x": x, "z": z, "u": u, "g": g, "h": h},
            "count": rng.poisson(np.exp(eta)).astype(float),
            "won": (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
            "size": rng.gamma(2.0, np.exp(eta) / 2),
            "real": eta + rng.normal(size=N),
            "shift": 0.2 * rng.normal(size=N),
            "f": rng.integers(0, 4, N).astype(float),
            "v": rng.random(N) + 0.5,
        }
    )


def fitted(data, response, family, right="x + z + g * h", *, scale=None, **extras) -> GLMResults:
    return dglm.GLM.from_formula(f"{response} ~ {right}", data, family=family, **extras).fit(tol=TIGHT, scale=scale)


def applicable(family) -> tuple[str, ...]:
    return ("LR", "Rao") if family.dispersion_fixed else ("LR", "F", "Rao")


def assert_tables_close(a: pd.DataFrame, b: pd.DataFrame, rtol: float) -> None:
    assert list(a.index) == list(b.index)
    assert list(a.columns) == list(b.columns)
    size = np.nanmax(np.abs(a["Deviance"]))
    for name in a.columns:
        np.testing.assert_allclose(a[name], b[name], rtol=rtol, atol=1e-11 * size, err_msg=name)


# --- anova and drop1 --------------------------------------------------------------------------------------------------


@each_family
def test_each_row_of_anova_is_two_fits(data, response, family, peer) -> None:
    whole = fitted(data, response, family, **EXTRAS)
    rights = ["1", "x", "x + z", "x + z + g", "x + z + g + h", "x + z + g * h"]
    apart = [fitted(data, response, family, right, **EXTRAS) for right in rights]
    for test in applicable(family):
        table = whole.anova(test=test)
        assert list(table.index) == ["NULL", "x", "z", "g", "h", "g:h"]
        np.testing.assert_allclose(table["Resid. Dev"], [r.deviance for r in apart], rtol=1e-11)
        np.testing.assert_array_equal(table["Resid. Df"], [r.df_resid for r in apart])
        for name, smaller, larger in zip(table.index[1:], apart, apart[1:], strict=False):
            row = table.loc[name]
            assert row["Df"] == larger.df_model - smaller.df_model
            if test == "LR":
                statistic = (smaller.deviance - larger.deviance) / whole.scale
                p = stats.chi2.sf(statistic, row["Df"])
            elif test == "F":
                statistic = (smaller.deviance - larger.deviance) / row["Df"] / whole.scale
                p = stats.f.sf(statistic, row["Df"], whole.df_resid)
            else:
                # the score of the larger model at the smaller one, written out
                embedded = smaller.params.reindex(larger.params.index).fillna(0.0)
                model = dglm.GLM.from_formula(
                    f"{response} ~ {rights[apart.index(larger)]}", data, family=family, **EXTRAS
                )
                s, information = model.score(embedded, 1.0), model.information(embedded, 1.0)
                statistic = s @ np.linalg.solve(information, s) / whole.scale
                p = stats.chi2.sf(statistic, row["Df"])
            assert row[test] == pytest.approx(statistic, rel=1e-8), (name, test)
            assert row.iloc[-1] == pytest.approx(p, rel=1e-7), (name, test)


@each_family
def test_the_last_term_has_one_test(data, response, family, peer) -> None:
    whole = fitted(data, response, family)
    smaller = fitted(data, response, family, "x + z + g + h")
    for test in applicable(family):
        last, dropped = whole.anova(test=test).loc["g:h"], whole.drop1(test=test).loc["g:h"]
        for name in ("Df", test, last.index[-1]):
            assert dropped[name] == pytest.approx(last[name], rel=1e-9), name
        if test != "Rao":
            compared = dglm.compare(smaller, whole, test=test).loc["m1"]
            for name in ("Df", "Deviance", "Resid. Df", "Resid. Dev", test, last.index[-1]):
                assert compared[name] == pytest.approx(last[name], rel=1e-9), name
        else:
            added = smaller.score_test("g:h", observed=False)
            # the score test knows the dispersion of the smaller model only
            assert added.statistic * smaller.scale == pytest.approx(last["Rao"] * whole.scale, rel=1e-8)


@each_family
def test_drop1_respects_marginality(data, response, family, peer) -> None:
    table = fitted(data, response, family).drop1(test="LR")
    # g and h stay as long as their interaction does
    assert list(table.index) == ["<none>", "x", "z", "g:h"]
    without = fitted(data, response, family, "z + g * h")
    assert table.loc["x", "Deviance"] == pytest.approx(without.deviance, rel=1e-11)
    if family.dispersion_fixed or family.name == "Gaussian":
        assert table.loc["x", "AIC"] == pytest.approx(without.aic, rel=1e-11)
    assert list(fitted(data, response, family).drop1(test=None).columns) == ["Df", "Deviance", "AIC"]


@pytest.mark.parametrize("table", ["anova", "drop1"])
@each_family
def test_repeated_rows_and_partitions(data, response, family, peer, table) -> None:
    weighted = fitted(data, response, family, **EXTRAS)
    others = {"var_weights": "v", "offset": "shift"}
    repeated = fitted(data.loc[data.index.repeat(data["f"])], response, family, **others)
    # a partition without rows, and one in which a level does not occur
    rows = dd.concat([dd.from_pandas(data.sort_values("g"), npartitions=3, sort=False), dd.from_pandas(data.head(0))])
    with dask.config.set(scheduler="synchronous"):
        parts = fitted(rows, response, family, **EXTRAS)
        for test in applicable(family):
            expected = getattr(weighted, table)(test=test)
            assert_tables_close(getattr(repeated, table)(test=test), expected, 1e-8)
            for persist in (True, False):
                assert_tables_close(getattr(parts, table)(test=test, persist=persist), expected, 1e-8)


def test_without_a_formula_every_column_is_a_term(data) -> None:
    X = np.column_stack([np.ones(N), data["x"], data["z"]])
    y = data["count"].to_numpy()
    named = fitted(data, "count", Poisson(), "x + z")
    plain = dglm.GLM(y, X, family=Poisson()).fit(tol=TIGHT)
    lazy = dglm.GLM(da.from_array(y, chunks=100), da.from_array(X, chunks=(100, 2)), family=Poisson()).fit(tol=TIGHT)
    frame = dglm.GLM(data["count"], sm.add_constant(data[["x", "z"]]), family=Poisson()).fit(tol=TIGHT)
    for table in ("anova", "drop1"):
        expected = getattr(named, table)()
        for result, names in ((plain, ["x2", "x3"]), (lazy, ["x2", "x3"]), (frame, ["x", "z"])):
            found = getattr(result, table)()
            # the constant column is the null model, and is not dropped
            assert list(found.index[1:]) == names
            np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-9)


def test_a_model_of_an_intercept_alone(data) -> None:
    result = fitted(data, "count", Poisson(), "1")
    assert list(result.anova().index) == ["NULL"]
    assert result.anova().loc["NULL", "Resid. Dev"] == result.deviance
    assert list(result.drop1().index) == ["<none>"]


def test_a_model_without_an_intercept_begins_with_nothing(data) -> None:
    result = fitted(data, "count", Poisson(), "0 + x + z")
    table = result.anova()
    y = data["count"]
    nothing = 2 * np.sum(np.where(y > 0, y * np.log(np.where(y > 0, y, 1)), 0) - (y - 1))
    assert table.loc["NULL", "Resid. Dev"] == pytest.approx(nothing, rel=1e-12)
    assert table.loc["NULL", "Resid. Df"] == N
    assert table["Df"].tolist()[1:] == [1, 1]


def test_quasi_likelihood_scales_the_tests(data) -> None:
    plain, quasi = fitted(data, "count", Poisson()), fitted(data, "count", Poisson(), scale="X2")
    assert quasi.scale != 1
    np.testing.assert_allclose(quasi.anova()["LR"] * quasi.scale, plain.anova()["LR"], rtol=1e-10)
    F = quasi.anova(test="F").loc["x"]
    assert F["Pr(>F)"] == pytest.approx(stats.f.sf(F["F"], 1, quasi.df_resid), rel=1e-12)


def test_extreme_statistics_keep_their_p_values(data) -> None:
    result = fitted(data.assign(real=2 * data["x"] + data["real"]), "real", Gaussian(), "x + z")
    for test in ("LR", "F", "Rao"):
        assert 0 < result.anova(test=test).loc["x"].iloc[-1] < 1e-40


def test_an_exact_fit_has_no_dispersion_to_test_by() -> None:
    x = np.arange(8.0)
    frame = pd.DataFrame({"x": x, "z": x % 2, "y": 2 * x + 1})
    result = dglm.GLM.from_formula("y ~ z + x", frame).fit()
    for test in ("LR", "F", "Rao"):
        assert result.anova(test=test).loc["x"].iloc[-1] < 1e-12
        assert result.drop1(test=test).loc["x"].iloc[-1] < 1e-12
    assert result.score_test(x**2).k_constraint == 1
    assert result.pseudo_rsquared() == pytest.approx(1, abs=1e-12)


def test_models_share_passes_in_batches_that_fit_in_memory(data, monkeypatch) -> None:
    rows = dd.from_pandas(data, npartitions=2)
    result = fitted(rows, "count", Poisson())
    whole = {test: (result.anova(test=test), result.drop1(test=test)) for test in ("LR", "Rao")}
    # room for the information of two models of eight columns
    monkeypatch.setattr(dglm.results.submodels, "PASS_BYTES", 2 * 8 * 8**2)
    for test, tables in whole.items():
        for expected, found in zip(tables, (result.anova(test=test), result.drop1(test=test)), strict=True):
            pd.testing.assert_frame_equal(found, expected, check_exact=True)
            assert found.attrs["n_passes"] > expected.attrs["n_passes"]


def test_smaller_models_that_do_not_converge_are_named() -> None:
    x = np.linspace(-1, 1, 60)
    frame = pd.DataFrame({"x": x, "z": np.cos(7 * x), "y": (x + 0.001 * np.cos(9 * x) > 0).astype(float)})
    with pytest.warns(dglm.errors.PerfectSeparationWarning):
        result = dglm.GLM.from_formula("y ~ x + z", frame, family=Binomial()).fit()
    with pytest.warns(ConvergenceWarning, match=r"not converged: the model without z \(perfect separation") as caught:
        result.drop1()
    # the user's line, not one of ours
    assert caught[0].filename == __file__


def test_tests_that_do_not_go_together_are_refused(data) -> None:
    poisson = fitted(data, "count", Poisson())
    constrained = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson()).fit_constrained("x = z")
    for table in ("anova", "drop1"):
        with pytest.raises(ValueError, match="test must be 'LR', 'F' or 'Rao'; got 'Wald'"):
            getattr(poisson, table)(test="Wald")
        with pytest.raises(ValueError, match=r"an F test needs a dispersion that was estimated, and this Poisson fit"):
            getattr(poisson, table)(test="F")
        with pytest.raises(ValueError, match="needs a dispersion that was estimated"):
            getattr(fitted(data, "size", Gamma(Log()), scale=0.5), table)(test="F")
        with pytest.raises(NotImplementedError, match="cannot be left out one by one under constraints"):
            getattr(constrained, table)()
    with pytest.raises(NotImplementedError, match="under constraints"):
        constrained.drop1(test=None)
    for penalty, kind in ((dglm.L2(alpha=0.1), "L2Results"), (dglm.L1(alpha=0.1), "L1Results")):
        penalised = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson()).fit(penalty=penalty)
        for name in ("anova", "drop1", "score_test"):
            with pytest.raises(AttributeError, match=f"{kind} has no '{name}'"):
                getattr(penalised, name)


def test_a_result_without_its_rows_says_so(data) -> None:
    result = fitted(data, "real", Gaussian())
    # as one that was loaded from a file
    alone = GLMResults(replace(result._estimate, table=None))
    for call in (alone.anova, alone.drop1, lambda: alone.score_test("u"), lambda: alone.llf_scaled(2.0)):
        with pytest.raises(DataError, match="the rows that were fitted did not travel"):
            call()
    assert alone.llnull == result.llnull


def test_passes(data) -> None:
    rows = dd.from_pandas(data, npartitions=3)
    for family, response in ((Poisson(), "count"), (Gaussian(), "real")):
        result = fitted(rows, response, family)
        for table, test, more in (("anova", "LR", 0), ("anova", "Rao", 1), ("drop1", "LR", 0), ("drop1", "Rao", 1)):
            with count_passes() as passes:
                found = getattr(result, table)(test=test)
            # all five models of anova, or three of drop1, side by side; Gaussian criteria need one more
            criteria = 1 if family.name == "Gaussian" and table == "drop1" else 0
            assert passes.count == found.attrs["n_passes"]
            assert passes.count <= (1 if family.name == "Gaussian" else 6) + more + criteria
    # terms cost no passes of their own
    with count_passes() as few:
        fitted(rows, "count", Poisson(), "x + z").anova()
    with count_passes() as many:
        fitted(rows, "count", Poisson(), "x + z + u + v + f + shift + np.cos(x) + np.sin(x) + np.cos(z)").anova()
    assert many.count <= few.count + 4


# --- compare ----------------------------------------------------------------------------------------------------------


def test_compare_uses_the_larger_model_s_dispersion(data) -> None:
    m0, m1 = (fitted(data, "size", Gamma(Log()), right) for right in ("x", "x + z + g"))
    table = dglm.compare(m0, m1, test="F")
    F = (m0.deviance - m1.deviance) / 3 / m1.scale
    assert table.loc["m1", "F"] == pytest.approx(F, rel=1e-12)
    assert table.loc["m1", "Pr(>F)"] == pytest.approx(stats.f.sf(F, 3, m1.df_resid), rel=1e-10)
    with count_passes() as passes:
        dglm.compare(m0, m1)
    assert passes.count == 0


def test_compare_knows_constrained_models(data) -> None:
    model = dglm.GLM.from_formula("count ~ x + z + u", data, family=Poisson())
    whole, tied = model.fit(tol=TIGHT), model.fit_constrained("x = z, u = 0", tol=TIGHT)
    half = model.fit_constrained("x = z", tol=TIGHT)
    # a constraint on a smaller formula, too
    other = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson()).fit_constrained("x = z", tol=TIGHT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for m0, m1, df in ((tied, whole, 2), (half, whole, 1), (tied, half, 1), (other, half, 1)):
            table = dglm.compare(m0, m1)
            assert table.loc["m1", "Df"] == df
            assert table.loc["m1", "LR"] == pytest.approx(2 * (m1.llf - m0.llf), rel=1e-9)
    with pytest.warns(NestingWarning, match="names of the coefficients do not show"):
        dglm.compare(model.fit_constrained("x = 0.3, z = -0.2"), model.fit_constrained("u = 0.01"))


def test_models_of_other_rows_are_refused(data) -> None:
    m1 = fitted(data, "count", Poisson(), "x + z")
    lost = data.assign(z=data["z"].where(np.arange(N) != 7))
    other = data.assign(count=data["count"].where(np.arange(N) != 7, 9.0))
    swapped = data.assign(count=data["count"].to_numpy()[::-1], x=data["x"].to_numpy()[::-1])
    for m0, what in (
        (fitted(data.head(200), "count", Poisson(), "x"), "rows used 200 and 240"),
        (fitted(other, "count", Poisson(), "x"), "mean response"),
        (fitted(data, "count", Poisson(), "x", freq_weights="f"), "observations"),
        (fitted(data, "count", Poisson(), "x", var_weights="v"), "sum of weights"),
    ):
        with pytest.raises(DataError, match=f"not of the same rows, response and weights: {what}"):
            dglm.compare(m0, m1)
    with pytest.raises(DataError, match=r"rows used 240 and 239.*values missing"):
        dglm.compare(fitted(data, "count", Poisson(), "x"), fitted(lost, "count", Poisson(), "x + z"))
    # the order of rows, and of partitions, does not matter
    dglm.compare(fitted(swapped, "count", Poisson(), "x"), m1)
    dglm.compare(fitted(dd.from_pandas(data, npartitions=3), "count", Poisson(), "x"), m1)


def test_models_that_cannot_be_compared_are_refused(data) -> None:
    m0, m1 = fitted(data, "count", Poisson(), "x"), fitted(data, "count", Poisson(), "x + z")
    with pytest.raises(ValueError, match=r"different families or links: Poisson\(.*Gaussian"):
        dglm.compare(m0, fitted(data, "count", Gaussian(), "x + z"))
    with pytest.raises(
        ValueError, match="the first model must be the smaller one; it has 3 coefficients and the second 2"
    ):
        dglm.compare(m1, m0)
    with pytest.raises(ValueError, match="the larger model does not contain the smaller one: its deviance is larger"):
        dglm.compare(m0, fitted(data, "count", Poisson(), "u + v"))
    with pytest.warns(NestingWarning, match="names of the coefficients do not show"):
        dglm.compare(fitted(data, "count", Poisson(), "u"), m1)
    with pytest.warns(NestingWarning, match="the offsets do not show") as caught:
        dglm.compare(fitted(data, "count", Poisson(), "u", offset="shift"), m1)
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="an F test needs a dispersion that was estimated"):
        dglm.compare(m0, m1, test="F")
    with pytest.raises(ValueError, match="test must be 'LR' or 'F'; got 'Rao'"):
        dglm.compare(m0, m1, test="Rao")
    penalised = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson()).fit(penalty=dglm.L2(alpha=0.1))
    with pytest.raises(TypeError, match="test= is for two fits of maximum likelihood; got L2Results"):
        dglm.compare(m0, penalised, test="LR")


# --- score tests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("observed", [True, False])
@each_family
def test_statsmodels_score_test(data, response, family, peer, observed) -> None:
    model = dglm.GLM.from_formula(f"{response} ~ x + g", data, family=family, offset="shift")
    found = model.fit(tol=TIGHT)
    theirs = sm.GLM(data[response], np.asarray(model.exog), family=peer, offset=data["shift"]).fit(
        tol=1e-14, maxiter=300
    )
    extra = data[["z", "u"]].to_numpy()
    expected = theirs.score_test(exog_extra=extra, observed=observed)
    result = found.score_test(extra, observed=observed)
    assert isinstance(result, ScoreTest)
    assert result.statistic == pytest.approx(expected.statistic.item(), rel=1e-7)
    assert result.pvalue == pytest.approx(expected.pvalue.item(), rel=1e-6)
    assert result.k_constraint == expected.k_constraint == 2
    statistic, pvalue = result
    assert (statistic, pvalue) == (result.statistic, result.pvalue)


@pytest.mark.parametrize("observed", [True, False])
@pytest.mark.parametrize(("response", "family", "peer"), [*FAMILIES, ("won", Binomial(CLogLog()), None)])
def test_constraints_by_their_score(data, response, family, peer, observed) -> None:
    model = dglm.GLM.from_formula(f"{response} ~ x + z + g", data, family=family, offset="shift")
    whole, tied = model.fit(tol=TIGHT), model.fit_constrained("x = -z, g[T.b] = 0.1", tol=TIGHT)
    s = model.score(tied.params, tied.scale)
    information = -model.hessian(tied.params, tied.scale, observed=observed)
    expected = s @ np.linalg.solve(information, s)
    for found in (
        tied.score_test(observed=observed),
        whole.score_test(params_constrained=tied.params, k_constraints=2, observed=observed),
    ):
        assert found.statistic == pytest.approx(expected, rel=1e-8)
        assert found.pvalue == pytest.approx(stats.chi2.sf(expected, 2), rel=1e-7)
        assert found.k_constraint == 2
    with count_passes() as passes:
        tied.score_test(observed=observed)
    # the fit has the score and the expected information of all coefficients already
    assert passes.count == (1 if observed and not family.canonical else 0)


def containers(data: pd.DataFrame):
    """Yield a model's rows and the same two columns beside it, in every container."""
    ddf = dd.from_pandas(data, npartitions=3)
    extra = data[["z", "u"]]
    yield data, extra
    yield data, extra.to_numpy()
    yield data, "z + u"
    yield ddf, dd.from_pandas(extra, npartitions=3)
    yield ddf, ddf[["z", "u"]]
    yield ddf, "u + z"


def test_score_tests_of_every_container(data) -> None:
    found = []
    for rows, extra in containers(data):
        result = fitted(rows, "count", Poisson(), "x + g", **EXTRAS)
        with count_passes() as passes:
            found.append(result.score_test(extra).statistic)
        assert passes.count == 1
    y, X = data["count"].to_numpy(), np.asarray(dglm.GLM.from_formula("count ~ x + g", data).exog)
    settings = {name: data[column].to_numpy() for name, column in EXTRAS.items()}
    more = data[["z", "u"]].to_numpy()
    found.append(dglm.GLM(y, X, family=Poisson(), **settings).fit(tol=TIGHT).score_test(more).statistic)
    lazy = {name: da.from_array(values, chunks=100) for name, values in settings.items()}
    chunked = dglm.GLM(da.from_array(y, chunks=100), da.from_array(X, chunks=(70, 2)), family=Poisson(), **lazy)
    fit = chunked.fit(tol=TIGHT)
    found += [fit.score_test(extra).statistic for extra in (da.from_array(more, chunks=(50, 1)), more)]
    series = {name: data[column] for name, column in EXTRAS.items()}
    frame = dglm.GLM(data["count"], pd.DataFrame(X).rename(columns=str), family=Poisson(), **series)
    found.append(frame.fit(tol=TIGHT).score_test(data[["z", "u"]]).statistic)
    np.testing.assert_allclose(found, found[0], rtol=1e-9)
    # a series, a column's name and an array of one dimension are one column
    result = fitted(data, "count", Poisson(), "x + g", **EXTRAS)
    one = [result.score_test(extra) for extra in (data["z"], "z", "`z`", data["z"].to_numpy(), "~ z")]
    assert {each.k_constraint for each in one} == {1}
    np.testing.assert_allclose([each.statistic for each in one], one[0].statistic, rtol=1e-12)


def test_score_test_of_a_repeated_row(data) -> None:
    result = fitted(data, "count", Poisson(), "x + g", **EXTRAS)
    repeated = data.loc[data.index.repeat(data["f"])]
    again = fitted(repeated, "count", Poisson(), "x + g", var_weights="v", offset="shift")
    assert again.score_test("z * h").statistic == pytest.approx(result.score_test("z * h").statistic, rel=1e-9)


def test_categories_and_functions_in_score_tests(data) -> None:
    result = fitted(data, "count", Poisson(), "x + z")

    def cubed(values):
        return values**3

    found = result.score_test("C(g) + cubed(u) + np.exp(x)")
    assert found.k_constraint == 4
    by_hand = np.column_stack([data["g"] == "b", data["g"] == "c", data["u"] ** 3, np.exp(data["x"])]).astype(float)
    assert found.statistic == pytest.approx(result.score_test(by_hand).statistic, rel=1e-10)
    lazy = fitted(dd.from_pandas(data, npartitions=3), "count", Poisson(), "x + z")
    assert lazy.score_test("C(g) + cubed(u) + np.exp(x)").statistic == pytest.approx(found.statistic, rel=1e-9)
    # beside no intercept all levels are new
    assert fitted(data, "count", Poisson(), "0 + x").score_test("g").k_constraint == 3
    assert result.score_test("cubed(u)", context={"cubed": np.negative}).statistic != found.statistic


def test_combinations_of_the_model_s_columns_are_not_tested(data) -> None:
    result = fitted(data, "count", Poisson(), "x + z")
    nothing = result.score_test(data["x"] + 2 * data["z"] - 1)
    assert nothing.k_constraint == 0
    assert np.isnan(nothing.statistic)
    assert np.isnan(nothing.pvalue)
    half = result.score_test(np.column_stack([data["x"] + data["z"], data["u"]]))
    assert half.k_constraint == 1
    assert half.statistic == pytest.approx(result.score_test("u").statistic, rel=1e-10)


@pytest.mark.parametrize("table", ["pandas", "dask"])
def test_terms_with_transforms_are_terms_as_others(data, table) -> None:
    by_hand = data.assign(centred=data["z"] - data["z"].mean(), scaled=data["u"] / data["u"].std(ddof=1))
    rows = data if table == "pandas" else dd.from_pandas(data, npartitions=3)
    found = fitted(rows, "count", Poisson(), "center(z) * g + poly(x, 2)")
    expected = fitted(by_hand, "count", Poisson(), "centred * g + poly(x, 2)")
    tables = found.anova(), expected.anova()
    assert [name.replace("center(z)", "centred") for name in tables[0].index] == list(tables[1].index)
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-8)
    tests = found.score_test("scale(u) + bs(u, df=4)"), expected.score_test("scaled + bs(u, df=4)")
    assert tests[0].k_constraint == tests[1].k_constraint == 4
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=1e-8)


@pytest.mark.parametrize("table", ["pandas", "dask"])
def test_levels_of_rows_that_are_left_out_do_not_matter_to_score_tests(data, table) -> None:
    gap = data.index[17]
    rare = data.assign(g=data["g"].astype(object).where(data.index != gap, "rare"))
    rare["count"] = rare["count"].where(rare.index != gap)
    rows = rare if table == "pandas" else dd.from_pandas(rare, npartitions=3)
    found, expected = (fitted(d, "count", Poisson(), "x + g") for d in (rows, rare.drop(index=gap)))
    assert found.score_test("z").statistic == pytest.approx(expected.score_test("z").statistic, rel=1e-10)
    assert found.score_test(rows["z"]).statistic == pytest.approx(expected.score_test("z").statistic, rel=1e-10)


def test_values_missing_beside_a_model_that_refuses_them_are_named(data) -> None:
    result = fitted(data, "count", Poisson(), "x + z", missing="raise")
    with pytest.raises(DataError, match=r"u missing \(nan\) in row 50 of partition 0"):
        result.score_test(data["u"].where(np.arange(N) != 50))


def test_score_tests_that_cannot_be_made(data) -> None:
    result = fitted(data, "count", Poisson(), "x + z")
    gaps = data["u"].where(np.arange(N) % 50 != 0)
    with pytest.raises(DataError, match=r"exog_extra \(u\) has values missing in 5 rows that were fitted"):
        result.score_test(gaps)
    with pytest.raises(DataError, match=r"exog_extra \(u\) has values that are infinite"):
        result.score_test(data["u"].where(data["u"] < 1, np.inf))
    with pytest.raises(DataError, match="240 rows"):
        result.score_test(data["u"].to_numpy()[:10])
    with pytest.raises(DataError, match="another index"):
        result.score_test(data["u"].iloc[::-1])
    with pytest.raises(DataError, match="dask collection but the data is in memory"):
        result.score_test(dd.from_pandas(data["u"], npartitions=2))
    with pytest.raises(FormulaError, match="'nothing' in the formula"):
        result.score_test("nothing")
    with pytest.raises(ValueError, match="nothing to test"):
        result.score_test()
    with pytest.raises(ValueError, match="say how many constraints were used"):
        result.score_test(params_constrained=result.params)
    with pytest.raises(ValueError, match="give it alone"):
        result.score_test("u", k_constraints=2)
    arrays = dglm.GLM(data["count"].to_numpy(), data[["x"]].to_numpy(), family=Poisson()).fit()
    with pytest.raises(DataError, match=r"exog_extra='u' is a formula, which needs a model made by GLM.from_formula"):
        arrays.score_test("u")
    with pytest.raises(DataError, match=r"exog_extra has shape \(3,\), but exog has 240 rows"):
        arrays.score_test(np.ones(3))
    lazy = fitted(dd.from_pandas(data, npartitions=3), "count", Poisson(), "x + z")
    with pytest.raises(DataError, match="cannot be matched"):
        lazy.score_test(data["u"])


def test_rows_that_the_fit_dropped_may_lack_the_extra_columns(data) -> None:
    missing = np.arange(N) % 50 == 0
    frame = data.assign(z=data["z"].where(~missing), u=data["u"].where(~missing))
    result = fitted(frame, "count", Poisson(), "x + z")
    found = result.score_test("u")
    again = fitted(data[~missing], "count", Poisson(), "x + z").score_test("u")
    assert found.statistic == pytest.approx(again.statistic, rel=1e-12)


def test_the_users_arrays_stay_as_they_are(data) -> None:
    X, more = np.column_stack([np.ones(N), data["x"]]), data[["z"]].to_numpy()
    before = X.copy(), more.copy()
    with forbid_compute():
        result = dglm.GLM(data["count"].to_numpy(), X, family=Poisson()).fit()
        result.score_test(more)
        result.anova(test="Rao")
        result.drop1()
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(more, before[1])
