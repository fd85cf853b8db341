"""Linear hypotheses: how they are read, tails and statistics against closed forms, and what cannot be tested."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import dglm
from dglm.design import read_constraints
from dglm.errors import FormulaError, RankDeficientWarning
from dglm.families import Poisson
from dglm.inference import f_pvalue, independent_rows, symmetric_intervals, two_sided_pvalues, wald_statistic

# --- reading ----------------------------------------------------------------------------------------------------------

NAMES = ["Intercept", "x1", "x2", "x10", "C(g)[T.b]", "C(g)[T.b]:x1", "np.log(x1)", "a:b", 'Q("my col")', "I(x1 ** 2)"]
NAMES += ["my col", "0", "C(h, levels=['u', 'v'])[T.v]", "C(h)[T.x1, x2 = 3]", "x1.5"]


def read(text):
    """Return each equation as a dict of coefficients, with its value."""
    found = read_constraints(text, NAMES)
    return [
        ({NAMES[j]: row[j] for j in np.flatnonzero(row)}, value)
        for row, value in zip(found.matrix, found.values, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "equations"),
    [
        ("x1", [({"x1": 1}, 0)]),
        ("x1 = x2", [({"x1": 1, "x2": -1}, 0)]),
        ("x1 = x2, x10 + x2 = 1", [({"x1": 1, "x2": -1}, 0), ({"x10": 1, "x2": 1}, 1)]),
        ("(x1 = x2), (x10 = 2)", [({"x1": 1, "x2": -1}, 0), ({"x10": 1}, 2)]),
        ("x1 = x2 = x10 = 3", [({"x1": 1, "x2": -1}, 0), ({"x2": 1, "x10": -1}, 0), ({"x10": 1}, 3)]),
        ("x1 == -1", [({"x1": 1}, -1)]),
        ("x1=-1e-3", [({"x1": 1}, -1e-3)]),
        ("2 * (x1 - x2) / 4 + 1 = x2", [({"x1": 0.5, "x2": -1.5}, -1)]),
        ("x1 / 1829 = 1", [({"x1": 1 / 1829}, 1)]),
        ("-x1 + +x2 = 3 - 1", [({"x1": -1, "x2": 1}, 2)]),
        ("x1 * 2 = 0", [({"x1": 2}, 0)]),
        ("1 = x1", [({"x1": -1}, -1)]),
        ("C(g)[T.b] = 0.5", [({"C(g)[T.b]": 1}, 0.5)]),
        ("C(g)[T.b]:x1 = C(g)[T.b]", [({"C(g)[T.b]:x1": 1, "C(g)[T.b]": -1}, 0)]),
        ("np.log(x1) = x1", [({"np.log(x1)": 1, "x1": -1}, 0)]),
        ("a:b", [({"a:b": 1}, 0)]),
        ('Q("my col") = my col', [({'Q("my col")': 1, "my col": -1}, 0)]),
        ("`my col` = `0`", [({"my col": 1, "0": -1}, 0)]),
        ("x1 = 0", [({"x1": 1}, 0)]),
        ("I(x1 ** 2) = x1", [({"I(x1 ** 2)": 1, "x1": -1}, 0)]),
        ("C(h, levels=['u', 'v'])[T.v] = 0, x1", [({"C(h, levels=['u', 'v'])[T.v]": 1}, 0), ({"x1": 1}, 0)]),
        ("C(h)[T.x1, x2 = 3] = 3", [({"C(h)[T.x1, x2 = 3]": 1}, 3)]),
        ("x1.5 = x1", [({"x1.5": 1, "x1": -1}, 0)]),
        (["x1 = x2", "x10 = 1"], [({"x1": 1, "x2": -1}, 0), ({"x10": 1}, 1)]),
        ("x1\n = x2", [({"x1": 1, "x2": -1}, 0)]),
    ],
)
def test_equations_are_read_as_they_are_meant(text, equations):
    assert read(text) == equations


def test_labels_are_the_equations():
    found = read_constraints("x1 = 2 * a:b = 1, C(g)[T.b]", NAMES)
    assert found.labels == ("x1 = 2 * a:b", "2 * a:b = 1", "C(g)[T.b] = 0")
    assert read_constraints(np.eye(2), ["a", "b"]).labels == ("c0", "c1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("np.log(x2) = 0", r"'np.log\(x2\)' is neither a coefficient nor a number; did you mean 'np.log\(x1\)'"),
        ("C(g)[T.c] = 0", r"'C\(g\)\[T.c\]' is neither a coefficient nor a number; did you mean 'C\(g\)\[T.b\]'"),
        ("`C(g)[T.c]` = 0", r"there is no coefficient 'C\(g\)\[T.c\]'; did you mean 'C\(g\)\[T.b\]'"),
        ("x1 * x2 = 0", r"'x1 \* x2' is not linear"),
        ("1 / x1 = 0", r"'1 / x1' is not linear"),
        ("x1 / 0 = 0", r"'x1 / 0' is not linear"),
        ("x1 ** 2 = 0", r"'x1 \*\* 2' is neither a coefficient nor a number"),
        ("exp(x1) = 0", r"'exp\(x1\)' is neither"),
        ("x1 < 2", r"'x1 < 2' is not an equation"),
        ("x1 >= 2", r"cannot read the constraints 'x1 >= 2'"),
        ("x1 = ", r"cannot read the constraints"),
        ("other col = 1", r"cannot read the constraints 'other col = 1': there is no coefficient 'other'"),
        ("1 = 1", r"the constraint '1 = 1' says nothing of a coefficient"),
        ("x1 = x1", r"says nothing of a coefficient"),
        ("0 = 1", r"says nothing of a coefficient"),
        ("x1 = True", r"'True' is neither"),
        ("", r"there are no constraints"),
        ("__import__('os').getcwd() = 1", r"is neither a coefficient nor a number"),
    ],
)
def test_text_that_is_no_linear_hypothesis(text, words):
    with pytest.raises(FormulaError, match=words):
        read_constraints(text, NAMES)


def test_matrices_and_values():
    for spec in ([1.0, -1.0], [[1, -1]], np.array([[1.0, -1.0]]), ([1, -1], 0), ([[1, -1]], [0.0])):
        found = read_constraints(spec, ["a", "b"])
        np.testing.assert_array_equal(found.matrix, [[1.0, -1.0]])
        np.testing.assert_array_equal(found.values, [0.0])
    found = read_constraints((np.eye(2), 3.0), ["a", "b"])
    np.testing.assert_array_equal(found.values, [3.0, 3.0])
    for spec, words in (
        (np.eye(3), r"one column for each of the 2 coefficients; got an array of shape \(3, 3\)"),
        ([np.nan, 1.0], "must be finite numbers"),
        ((np.eye(2), [1.0, 2.0, 3.0]), r"the values of 2 constraints .* shape \(3,\)"),
        ([[1.0, 0.0], [0.0, 0.0]], "constraint 1 has no coefficient"),
        (np.empty((0, 2)), "there are no constraints"),
    ):
        with pytest.raises(ValueError, match=words):
            read_constraints(spec, ["a", "b"])


@given(st.data())
def test_what_is_written_is_what_is_read(data):
    names = data.draw(
        st.lists(st.text("abxyz :[].()T,=' 0123456789_", min_size=1, max_size=8), min_size=1, unique=True)
    )
    coefficients = data.draw(st.lists(st.integers(-9, 9), min_size=len(names), max_size=len(names)))
    value = data.draw(st.integers(-9, 9))
    if not any(coefficients):
        coefficients[0] = 1
    text = " + ".join(f"{c} * `{name}`" for c, name in zip(coefficients, names, strict=True)) + f" = {value}"
    found = read_constraints(text, names)
    np.testing.assert_array_equal(found.matrix, [coefficients])
    np.testing.assert_array_equal(found.values, [value])


# --- tails and quantiles ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statistic", "df_num", "df_denom", "p"),
    [
        # regularised incomplete beta and gamma functions by mpmath in 40 digits
        (200.0, 3, 7, 3.8172276787440550e-07),
        (5.0, 10, 1e4, 2.7899907910275703e-07),
        (1e40, 1, 1, 6.3661977236758134e-21),
        (1e40, 1, 2, 1.0e-40),
        (50.0, 2, np.inf, 1.9287498479639178e-22),
        (0.1, 5, np.inf, 0.99212329323262958),
        (0.0, 2, 9, 1.0),
        (np.inf, 2, 9, 0.0),
    ],
)
def test_upper_tails_keep_their_digits(statistic, df_num, df_denom, p):
    assert f_pvalue(statistic, df_num, df_denom) == pytest.approx(p, rel=1e-13)
    if df_num == 1:
        assert two_sided_pvalues(np.array([-np.sqrt(statistic)]), df_denom)[0] == pytest.approx(p, rel=1e-13)


@pytest.mark.parametrize("df", [1, 2, 29.5, 1e4])
def test_t_tails_and_quantiles_belong_together(df):
    t = np.array([0.0, 0.5, 2.0, 10.0, 30.0])
    np.testing.assert_allclose(two_sided_pvalues(t, df), 2 * stats.t.sf(t, df), rtol=1e-10)
    assert (two_sided_pvalues(t, df) > 0).all()
    for alpha in (0.9, 0.05, 1e-6):
        upper = symmetric_intervals(np.zeros(1), np.ones(1), alpha, df)[0, 1]
        # scipy before 1.17 finds quantiles of t to ten digits
        digits = 1e-11 if np.lib.NumpyVersion(scipy.__version__) >= "1.17.0" else 1e-10
        assert two_sided_pvalues(np.array([upper]), df)[0] == pytest.approx(alpha, rel=digits)


def test_no_degrees_of_freedom_give_no_pvalue():
    assert np.isnan(two_sided_pvalues(np.array([1.0]), 0.0)).all()
    assert np.isnan(f_pvalue(1.0, 2, -1.0))
    assert np.isnan(f_pvalue(np.nan, 2, 5))


# --- statistics -------------------------------------------------------------------------------------------------------


def frame(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, n))
    g = rng.choice(list("pqr"), n)
    y = rng.poisson(np.exp(0.3 + 0.2 * a - 0.1 * b + 0.2 * (g == "q")))
    return pd.DataFrame({"a": a, "b": b, "g": g, "y": y, "same": 2 * a, "group": rng.integers(0, 5, n)})


@pytest.fixture(scope="module")
def result():
    return dglm.GLM.from_formula("y ~ a * C(g) + b", dd.from_pandas(frame(), 3), family=Poisson()).fit()


def test_a_joint_test_is_its_quadratic_form(result):
    R = np.zeros((3, 7))
    R[0, 1], R[1, 2], R[2, [3, 4]] = 1.0, 1.0, (1.0, -2.0)
    q = np.array([0.1, 0.0, -0.3])
    difference = R @ result.params.to_numpy() - q
    expected = difference @ np.linalg.solve(R @ result.cov_params().to_numpy() @ R.T, difference)
    test = result.wald_test((R, q))
    assert test.statistic == pytest.approx(expected, rel=1e-12)
    assert test.pvalue == pytest.approx(stats.chi2.sf(expected, 3), rel=1e-12)
    assert (test.df_num, test.df_denom, test.distribution) == (3, np.inf, "chi2")
    f = result.f_test((R, q))
    assert f.statistic == f.fvalue == pytest.approx(expected / 3, rel=1e-12)
    assert f.pvalue == pytest.approx(stats.f.sf(expected / 3, 3, 293), rel=1e-11)
    assert (f.df_num, f.df_denom, f.distribution) == (3, 293, "F")
    np.testing.assert_array_equal(result.wald_test((R, q), scalar=False).statistic, [[test.statistic]])
    with pytest.raises(AttributeError, match="a chi2, not an F"):
        test.fvalue  # noqa: B018
    assert str(test).startswith("<Wald test (chi2): statistic=")
    assert str(f).startswith("<F test: F=")


def test_a_test_of_one_coefficient_is_its_line_of_the_summary(result):
    for name in result.params.index:
        test = result.t_test(f"`{name}`")
        assert test.effect[0] == result.params[name]
        np.testing.assert_allclose(test.sd, result.bse[name], rtol=1e-12)
        np.testing.assert_allclose(test.tvalue, result.tvalues[name], rtol=1e-12)
        np.testing.assert_allclose(test.pvalue, result.pvalues[name], rtol=1e-10)
        np.testing.assert_allclose(test.conf_int(0.1)[0], result.conf_int(0.1).loc[name], rtol=1e-10)
        assert result.wald_test(f"`{name}`").statistic == pytest.approx(result.tvalues[name] ** 2, rel=1e-11)


def test_the_interval_is_of_the_estimate_and_the_statistic_of_the_difference(result):
    plain, shifted = result.t_test("a - b"), result.t_test("a - b = 1")
    np.testing.assert_array_equal(plain.conf_int(), shifted.conf_int())
    assert plain.effect == shifted.effect
    np.testing.assert_allclose(shifted.statistic, (plain.effect - 1) / plain.sd)
    frame = shifted.summary_frame()
    assert list(frame.columns) == ["coef", "std err", "z", "P>|z|", "Conf. Int. Low", "Conf. Int. Upp."]
    assert list(frame.index) == ["a - b = 1"]
    assert "a - b = 1" in str(shifted)
    assert "[0.05" in str(shifted.summary(alpha=0.1))


def test_p_values_do_not_underflow():
    data = frame().assign(y=lambda d: 0.9 * d["a"] + 0.3 * d["b"])
    result = dglm.GLM.from_formula("y ~ a", data).fit(use_t=True)
    assert result.tvalues["a"] > 50
    for p in (
        result.pvalues["a"],
        result.t_test("a").pvalue[0],
        result.f_test("a").pvalue,
        result.wald_test("a").pvalue,
    ):
        assert 0 < p < 1e-100


def test_terms_have_the_columns_of_their_factors(result):
    assert result._estimate.design.terms == (
        ("Intercept", (0,)),
        ("a", (1,)),
        ("C(g)", (2, 3)),
        ("b", (4,)),
        ("a:C(g)", (5, 6)),
    )
    table = result.wald_test_terms().table
    assert list(table.index) == ["Intercept", "a", "C(g)", "b", "a:C(g)"]
    assert list(table["df_constraint"]) == [1, 1, 2, 1, 2]
    expected = result.wald_test("C(g)[T.q], C(g)[T.r]")
    assert table.loc["C(g)", "statistic"] == expected.statistic
    assert table.loc["C(g)", "pvalue"] == expected.pvalue
    assert list(result.wald_test_terms(skip_single=True).table.index) == ["C(g)", "a:C(g)"]
    assert "a:C(g)" in str(result.wald_test_terms())
    assert list(result.wald_test_terms().summary_frame()) == ["chi2", "P>chi2", "df constraint"]


def test_a_term_coded_in_several_groups_is_one():
    # without main effects the interaction takes a column for every level of g in one term
    found = dglm.GLM.from_formula("y ~ a:g + b", frame(), family=Poisson())
    terms = dict(found.design.terms)
    assert [found.exog_names[j] for j in terms["a:g"]] == [n for n in found.exog_names if n.startswith("a:g")]
    two = dglm.GLM.from_formula("y ~ 0 + g + g:h", frame().assign(h=frame()["g"] > "p"), family=Poisson())
    assert sorted(j for _, columns in two.design.terms for j in columns) == list(range(len(two.exog_names)))
    arrays = dglm.GLM(frame()["y"], frame()[["a", "b"]])
    assert arrays.design.terms == (("a", (0,)), ("b", (1,)))


def test_terms_by_f_under_use_t():
    terms = (
        dglm.GLM.from_formula("y ~ a + g", frame(), family=Poisson())
        .fit(cov_type="cluster", cov_kwds={"groups": "group"}, use_t=True)
        .wald_test_terms()
    )
    assert list(terms.table.columns) == ["statistic", "pvalue", "df_constraint", "df_denom"]
    assert (terms.table["df_denom"] == 4).all()
    np.testing.assert_allclose(terms.pvalues, stats.f.sf(terms.statistic, terms.df_constraints, 4), rtol=1e-10)


# --- what cannot be tested --------------------------------------------------------------------------------------------


def test_hypotheses_that_others_imply_are_no_degrees_of_freedom(result):
    once = result.wald_test("a = b, b = 0.1")
    for redundant in (
        "a = b, b = 0.1, a = 0.1",
        "a = b, 2 * a = 2 * b, b = 0.1",
        "a = b, a + b = 0.2, b = 0.1, a = 0.1",
    ):
        test = result.wald_test(redundant)
        assert (test.df_num, len(test.labels)) == (2, 2)
        assert test.statistic == pytest.approx(once.statistic, rel=1e-10)
        assert result.f_test(redundant).df_num == 2
    # each on its own is a test still
    assert len(result.t_test("a = b, 2 * a = 2 * b").effect) == 2


def test_units_of_columns_do_not_decide_what_is_redundant():
    R = np.array([[1e-12, 0.0], [0.0, 1e12], [1e-12, 1e12]])
    np.testing.assert_array_equal(independent_rows(R, np.zeros(3)), [True, True, False])


@pytest.mark.parametrize("text", ["a = 0, a = 1", "a = b, b = 1, a = 1.1"])
def test_hypotheses_that_contradict_each_other(result, text):
    with pytest.raises(ValueError, match=r"constraint \d \(counting from 0\) contradicts the others"):
        result.wald_test(text)


def test_aliased_coefficients_cannot_be_tested():
    with pytest.warns(RankDeficientWarning):
        result = dglm.GLM.from_formula("y ~ a + same + g", frame(), family=Poisson()).fit()
    for text in ("same", "a = same", "a, same = 0"):
        for test in (result.t_test, result.wald_test, result.f_test):
            with pytest.raises(ValueError, match="same cannot be tested: left out of the fit as combinations"):
                test(text)
    assert result.wald_test("a").statistic > 0
    terms = result.wald_test_terms().table
    assert list(terms.index) == ["Intercept", "a", "g"]
    assert np.isfinite(terms["statistic"]).all()


def test_few_groups_cannot_test_many_coefficients():
    model = dglm.GLM.from_formula("y ~ a * g + b", frame(), family=Poisson())
    result = model.fit(cov_type="cluster", cov_kwds={"groups": "group"})
    everything = ", ".join(f"`{name}`" for name in result.params.index)
    # scores add up to zero over five groups
    with pytest.raises(ValueError, match="the covariance of these 7 constraints has rank 4"):
        result.wald_test(everything)
    assert np.isfinite(result.wald_test("a, b").statistic)
    few = model.fit(cov_type="cluster", cov_kwds={"groups": frame()["a"] > 0})
    terms = few.wald_test_terms().table
    np.testing.assert_array_equal(np.isnan(terms["pvalue"]), terms["df_constraint"] > 1)


def test_a_singular_or_missing_covariance_gives_no_statistic():
    assert np.isnan(wald_statistic(np.ones(2), np.full((2, 2), np.nan))[0])
    for V, rank in (
        (np.ones((2, 2)), 1),
        (np.diag([1.0, -1.0]), 1),
        (np.zeros((2, 2)), 0),
        (np.array([[1.0, 2.0], [2.0, 1.0]]), 1),
    ):
        statistic, found = wald_statistic(np.ones(2), V)
        assert np.isnan(statistic)
        assert found == rank
