"""engine="patsy": what scripts from statsmodels mean, also where that is learned, predicted from and saved."""

import inspect
import pickle
from dataclasses import dataclass

import dask.dataframe as dd
import numpy as np
import pandas as pd
import patsy
import pytest
import statsmodels.formula.api as smf
from statsmodels.genmod import families as sm_families

import dglm
from dglm.design import Learner, learned_by
from dglm.design.patsy_transforms import learner_of
from dglm.design.statistics import Range
from dglm.errors import DataError, FormulaError, UnseenLevelError
from dglm.families import Binomial, Poisson
from dglm.testing import check_learner, count_passes, forbid_compute

SHIFT = 0.5


class Memory:
    """A user's own: cut off at quantiles."""

    def memorize_chunk(self, x, share=0.1):
        self.bounds = np.quantile(np.asarray(x), [share, 1 - share])

    def memorize_finish(self):
        pass

    def transform(self, x, share=0.1):
        self.bounds = self.bounds + 0.0  # what it does to itself is of no consequence to other partitions
        return np.clip(x, *self.bounds)


class Shares:
    """A user's own, of two columns."""

    def memorize_chunk(self, group, y):
        self.means = pd.Series(np.asarray(y)).groupby(np.asarray(group, dtype=object)).mean().to_dict()

    def memorize_finish(self):
        pass

    def transform(self, group, y):
        return pd.Series(np.asarray(group, dtype=object)).map(self.means).to_numpy(dtype=float)


@dataclass(frozen=True)
class UnitRange(Learner):
    margin: float = 0.0

    def observe(self, values):
        return Range.of(np.asarray(values))

    def finish(self, total):
        return {"lower": total.lower - self.margin, "upper": total.upper + self.margin}


class ToUnit:
    def memorize_chunk(self, x, margin=0.0):
        self.lower, self.upper = np.min(x) - margin, np.max(x) + margin

    def memorize_finish(self):
        pass

    def transform(self, x, margin=0.0):
        return (x - self.lower) / (self.upper - self.lower)


winsorised, mean_of = patsy.stateful_transform(Memory), patsy.stateful_transform(Shares)
to_unit = learned_by(UnitRange)(patsy.stateful_transform(ToUnit))


def squashed(values):
    return np.tanh(SHIFT * values)


class Named(patsy.Treatment):
    def code_without_intercept(self, levels):
        return patsy.ContrastMatrix(np.eye(len(levels))[:, 1:], [f" is {level}" for level in levels[1:]])


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 120
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.gamma(2.0, size=n),
            "k": rng.integers(0, 4, n),
            "g": rng.choice(list("abcd"), n),
            "h": pd.Categorical(rng.choice(["low", "high"], n), categories=["low", "high"]),
            "b": rng.random(n) < 0.5,
            "a column": rng.normal(size=n),
        }
    )
    frame["y"] = rng.poisson(np.exp(0.3 * frame["x"] + 0.4 * (frame["g"] == "b"))).astype(float)
    frame["won"] = np.where(frame["x"] + rng.normal(size=n) > 0, "yes", "no")
    return frame


def built(formula: str, rows, npartitions: int | None = 4, **options) -> dglm.GLM:
    """Return a model in the scope of this file."""
    frame = inspect.currentframe().f_back
    scope = {**globals(), **frame.f_locals}
    rows = rows if npartitions is None else dd.from_pandas(rows, npartitions=npartitions)
    return dglm.GLM.from_formula(formula, rows, engine="patsy", **{"context": scope, **options})


def whole(formula: str, data: pd.DataFrame):
    return patsy.dmatrices(formula, data, 1)[1]


# as statsmodels has it


@pytest.mark.parametrize("family", ["Gaussian", "Poisson"])
@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + b + C(k)",
        "y ~ C(g, Treatment('b')) * center(z) + np.log(z)",
        "y ~ 0 + g + bs(x, df=5):h",
        "y ~ scale(z) + C(g, Sum) * h + Q('a column')",
        "y ~ bs(x, df=5) + cr(z, df=3, constraints='center') + g",
    ],
)
def test_a_fit_is_statsmodels_to_the_names(data: pd.DataFrame, formula: str, family: str) -> None:
    expected = smf.glm(formula, data, family=getattr(sm_families, family)()).fit(tol=1e-13)
    found = built(formula, data, family=getattr(dglm.families, family)()).fit(tol=1e-12)
    pd.testing.assert_series_equal(found.params, expected.params, rtol=1e-7, atol=1e-9, check_names=False)
    pd.testing.assert_series_equal(found.bse, expected.bse, rtol=1e-6, check_names=False)
    np.testing.assert_allclose(found.llf, expected.llf, rtol=1e-10)


@pytest.mark.parametrize(("response", "label"), [("won", "won = yes"), ("b", "b = True"), ("h", "h = high")])
def test_of_two_levels_the_second_is_modelled(data: pd.DataFrame, response: str, label: str) -> None:
    # statsmodels models the first of each
    expected = smf.glm(f"{response} ~ x + z", data, family=sm_families.Binomial()).fit(tol=1e-13)
    found = built(f"{response} ~ x + z", data, family=Binomial()).fit(tol=1e-12)
    pd.testing.assert_series_equal(found.params, -expected.params, rtol=1e-7, atol=1e-9, check_names=False)
    assert label in str(found.summary())


def test_two_terms_on_the_left_are_counts(data: pd.DataFrame) -> None:
    rows = data.assign(died=data["k"] + 1.0, lived=5.0 - data["k"])
    expected = smf.glm("died + lived ~ x * g", rows, family=sm_families.Binomial()).fit(tol=1e-13)
    for response in ("died + lived", "np.column_stack([died, lived])"):
        found = built(f"{response} ~ x * g", rows, family=Binomial()).fit(tol=1e-12)
        pd.testing.assert_series_equal(found.params, expected.params, rtol=1e-6, atol=1e-8, check_names=False)


# what it does not take over from patsy


def test_a_level_that_only_dropped_rows_have_is_no_level(data: pd.DataFrame) -> None:
    rows = data.copy()
    rows.loc[5, ["g", "x"]] = "rare", np.nan
    # patsy keeps a column of zeros, for which there is no estimate
    assert "g[T.rare]" in whole("y ~ g + x", rows).design_info.column_names
    model = built("y ~ g + x", rows)
    assert model.exog_names == ["Intercept", "g[T.b]", "g[T.c]", "g[T.d]", "x"]
    assert model.fit().n_dropped == 1


def test_a_missing_value_is_left_out_of_what_is_learned(data: pd.DataFrame) -> None:
    rows = data.copy()
    rows.loc[[5, 80], "x"] = np.nan
    assert len(whole("y ~ center(x)", rows)) == 0
    exog = built("y ~ center(x) + scale(x)", rows).exog.compute()
    kept = rows["x"].dropna()
    np.testing.assert_allclose(exog[:, 1], kept - kept.mean(), atol=1e-14)
    np.testing.assert_allclose(exog[:, 2], (kept - kept.mean()) / kept.std(ddof=0), atol=1e-14)


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (lambda d: d["b"].astype("boolean").mask(d["k"] == 3), ["c[T.True]"]),
        (lambda d: d["k"].astype("Int64"), ["c"]),
        (lambda d: d["g"].astype("string[pyarrow]"), ["c[T.b]", "c[T.c]", "c[T.d]"]),
        (lambda d: pd.to_datetime("2020-01-01") + pd.to_timedelta(d["b"] * 1, unit="D"), [None]),
    ],
    ids=["boolean", "Int64", "string", "datetime"],
)
def test_columns_of_every_type_are_read(data: pd.DataFrame, column, names) -> None:
    rows = data.assign(c=column(data))
    expected = ["c[T.Timestamp('2020-01-02 00:00:00')]"] if names == [None] else names
    model = built("y ~ c", rows)
    assert model.exog_names == ["Intercept", *expected]
    assert len(model.exog.compute()) == rows["c"].notna().sum()


def test_objects_that_are_booleans_have_two_levels_whichever_occur(data: pd.DataFrame) -> None:
    rows = data.assign(c=data["b"].astype(object).where(data["b"], None))
    assert built("y ~ c", rows, None).exog_names == whole("y ~ c", rows).design_info.column_names


# learning


@pytest.mark.parametrize(
    ("n_passes", "formula"),
    [
        (0, "y ~ np.log(z) + I(x ** 2) + h + b + I(x > 0)"),
        (0, "y ~ C(g, levels=['a', 'b', 'c', 'd'])"),
        (0, "y ~ bs(x, knots=[0.0], lower_bound=-9, upper_bound=9) + cr(x, knots=[0], lower_bound=-9, upper_bound=9)"),
        (1, "y ~ center(x) + scale(z) + bs(x, df=5) + cr(z, df=4) + cc(x, df=4) + g * C(k) + I(2 * center(z))"),
        (2, "y ~ cr(x, df=4, constraints='center') + g"),
        (1, "y ~ C(center(x) > 0)"),  # booleans have known levels
        (3, "y ~ scale(bs(center(x), df=4))"),
        (2, "y ~ winsorised(x) + g"),
    ],
)
def test_as_few_passes_as_can_be(data: pd.DataFrame, n_passes: int, formula: str) -> None:
    with count_passes() as passes:
        model = built(formula, data)
    assert model.design.n_passes == passes.count == n_passes
    if n_passes == 0:
        with forbid_compute():
            built(formula, data)


@pytest.mark.parametrize("npartitions", [None, 1, 7])
def test_what_users_transforms_learn_is_gathered_or_learned(data: pd.DataFrame, npartitions: int | None) -> None:
    formula = (
        "y ~ winsorised(x) + winsorised(center(z), share=0.2):g + mean_of(g, y=z) + to_unit(x, margin=1.0) "
        "+ squashed(z) + C(k, Named)"
    )
    expected = whole(formula, data)
    model = built(formula, data, npartitions)
    assert model.exog_names == expected.design_info.column_names
    exog = model.exog if npartitions is None else model.exog.compute(scheduler="sync")
    np.testing.assert_allclose(exog, expected, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("center", {}),
        ("scale", {"center": False, "ddof": 1}),
        ("bs", {"df": 7}),
        ("cr", {"df": 5, "constraints": "center"}),
        ("cc", {"df": 5}),
    ],
)
def test_learners_do_not_depend_on_the_split(name: str, keywords: dict) -> None:
    learner = learner_of(vars(patsy.builtins)[name], [], keywords, exact_knots=False)
    rng = np.random.default_rng(2)
    check_learner(learner, np.where(rng.random(90) < 0.1, np.nan, rng.normal(size=90)))


def test_knots_of_many_distinct_values_are_exact_on_request() -> None:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"y": 1.0, "x": rng.lognormal(size=100_000)})
    model = built("y ~ bs(x, df=6)", data, 3, exact_knots=True)
    knots = np.percentile(data["x"], [25, 50, 75])
    np.testing.assert_allclose(model.design.engine.state["bs(x, df=6)"]["knots"][4:-4], knots, rtol=1e-15)
    assert set(built("y ~ bs(x, df=6)", data, 3).design.rank_errors) == {"bs(x, df=6)"}


# what was learned travels


def test_a_result_predicts_and_travels(data: pd.DataFrame, tmp_path) -> None:
    formula = "y ~ bs(x, df=5) + scale(squashed(z)):C(g, Sum) + winsorised(x) + C(k, Named)"
    result = built(formula, data, offset="np.log(z)", freq_weights="z + k", family=Poisson()).fit()
    result.save(tmp_path / "result.dglm")
    expected = result.fittedvalues.compute()
    asked = {"squashed": squashed, "winsorised": winsorised, "Named": Named}
    loaded = dglm.load(tmp_path / "result.dglm", context=asked)
    for received in (pickle.loads(pickle.dumps(result)), loaded, pickle.loads(pickle.dumps(loaded))):
        for rows in (data.iloc[[7]], data.iloc[40:60]):
            np.testing.assert_allclose(received.predict(rows), expected.loc[rows.index], rtol=1e-12)
        with forbid_compute():
            predicted = received.predict(dd.from_pandas(data, npartitions=3))
        np.testing.assert_allclose(predicted.compute(scheduler="sync"), expected, rtol=1e-12)
    assert np.isnan(result.predict(data.iloc[:2].assign(x=np.nan))).all()
    # one of the rows that has no value must not hide what the others have
    outside = data.iloc[:3].assign(x=[np.nan, 0.0, 99.0])
    with pytest.raises(FormulaError, match=r"bs\(x, df=5\) was learned between .* found 99.0; give lower_bound="):
        result.predict(outside)
    with pytest.raises(UnseenLevelError, match=r"'C\(g, Sum\)' has 1 level\(s\) .* 'new'"):
        result.predict(data.assign(g="new"))
    with pytest.raises(FormulaError, match=r"needs 'Named' \(type\), which was not saved"):
        dglm.load(tmp_path / "result.dglm", context={"squashed": squashed, "winsorised": winsorised}).predict(data)


def test_weights_and_offsets_may_be_expressions(data: pd.DataFrame) -> None:
    given = built("y ~ x + g", data, offset="center(`a column`)", freq_weights="np.exp(scale(x))").fit()
    offset, weights = data["a column"] - data["a column"].mean(), (data["x"] - data["x"].mean()) / data["x"].std(ddof=0)
    expected = built("y ~ x + g", data, None, offset=offset, freq_weights=np.exp(weights)).fit()
    np.testing.assert_allclose(given.params, expected.params, rtol=1e-10)
    np.testing.assert_allclose(given.predict(data.head(3)), expected.fittedvalues.head(3), rtol=1e-10)
    some = built("y ~ x", data, freq_weights="(x > 0) & b").fit()
    assert some.nobs == ((data["x"] > 0) & data["b"]).sum()


def test_terms_beside_a_model_are_read_as_its_own(data: pd.DataFrame) -> None:
    result = built("y ~ x", data, family=Poisson()).fit()
    # to formulaic a boolean is a number, and scale another one
    names = ["Q('a column')", "b[T.True]", "scale(z)"]
    extra = patsy.dmatrix("Q('a column') + b + scale(z)", data, return_type="dataframe")[names]
    expected = smf.glm("y ~ x", data, family=sm_families.Poisson()).fit(tol=1e-13).score_test(exog_extra=extra)
    found = result.score_test(exog_extra="Q('a column') + b + scale(z)")
    np.testing.assert_allclose(tuple(found), np.ravel(expected[:2]), rtol=1e-7)


def test_terms_of_a_model_are_patsys(data: pd.DataFrame) -> None:
    design = built("y ~ x:g + C(k) * h + x", data).design
    expected = whole("y ~ x:g + C(k) * h + x", data).design_info.term_name_slices
    assert [name for name, _ in design.terms] == list(expected)
    for name, positions in design.terms:
        assert list(positions) == list(range(*expected[name].indices(99)))


# what is refused


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ X1", r"'X1' in the formula 'y ~ X1' is neither a column of the data nor a variable"),
        ("y ~ x +* z", r"cannot parse the formula .*expected a noun"),
        ("y ~ x[", r"cannot parse the formula .*unclosed bracket"),
        ("y ~ x..z", r"cannot parse 'x\.\.z' in the formula"),
        ("y ~ `a column`", r"cannot parse the formula"),
        ("y ~ x + 3", r"numbers besides '0' and '1'"),
        ("x + z", r'no response; write it as "y ~ x \+ z"'),
        ("y:x ~ z", r"the left-hand side of 'y:x ~ z' has the product y:x"),
        ("y + 1 ~ z", r"the left-hand side of 'y \+ 1 ~ z' has an intercept"),
        ("y + x + z ~ k", r"3 columns"),
        ("y ~ 0", r"nothing on its right-hand side"),
        ("y ~ .", r'patsy has no \., as in .*engine="formulaic" has'),
        ("y ~ x %in% g", r"patsy has no %in%"),
        ("y ~ `x`", r'in patsy such a name is Q\("a name"\)'),
        ("y ~ np.array([v for v in x])", r"patsy takes no lambda or comprehension"),
        ("y ~ np.no_such_function(x)", r"cannot evaluate np.no_such_function\(x\): AttributeError"),
        ("y ~ x(z)", r"'x' is a column of the data, which x\(z\) cannot call"),
        ("y ~ te(cr(x, 3), cr(z, 3))", r"te\(cr\(x, 3\), cr\(z, 3\)\) is not learned .* cr\(x, df=4\):cr\(z, df=4\)"),
        ("y ~ bs(x)", r"bs\(x\) needs df or knots"),
        ("y ~ bs(x, df=2)", r"bs\(x, df=2\) needs df of at least 3; got 2"),
        ("y ~ bs(x, df=5, knots=[0])", r"has 1 knots, but df=5 means 2"),
        ("y ~ bs(x, df=4, degree=1.5)", r"needs a degree that is a whole number"),
        ("y ~ bs(x, knots=[99])", r"bs\(x, knots=\[99\]\) cannot be built: .*99"),
        ("y ~ bs(x, df=3, extrapolation='clip')", r"cannot be called so: .*'extrapolation'"),
        ("y ~ bs(np.column_stack([x, z]), df=4)", r"takes one column; got values of shape"),
        ("y ~ bs(x, knots=np.quantile(x, [.5]))", r"has an argument that depends on the rows"),
        ("y ~ cr(x, df=3, knots=[0, 1])", r"has 2 knots, but df=3 means 1"),
        ("y ~ cr(pd.to_datetime(x, unit='D'), df=3)", r"cr\(.* is of type datetime64.*, a date or a time"),
        ("y ~ bs(pd.to_timedelta(x, unit='D'), df=4)", r"bs\(.* is a time span, which has no unit"),
        ("y ~ cr(x, df=1)", r"needs df of at least 2; got 1"),
        ("y ~ center(g)", r"center\(g\) needs numbers"),
        ("y ~ scale(x * 0)", r"cannot scale a column that is constant"),
        ("y ~ C(g, Treatment('e'))", r"C\(g, Treatment\('e'\)\) cannot be coded: .*'e' is none of its levels, 'a'"),
        ("y ~ C(g, np.eye(2))", r"the contrast of C\(g, np.eye\(2\)\) has 2 rows, for 4 levels"),
        ("y ~ C(np.column_stack([g, h]))", r"several columns, which cannot be levels"),
        ("y ~ C('a')", r"one value for all rows, which cannot be levels"),
        ("y ~ I(x - x.mean())", r"depends on other rows than its own.* use center\(x\)"),
        ("y ~ C(x > x.median())", r"depends on other rows than its own"),
        ("y ~ winsorised(x.rank())", r"winsorised\(x.rank\(\)\) depends on other rows than its own"),
        ("y ~ C(g, levels=['a', 'b'])", r"has 2 level\(s\) .* the levels are 'a', 'b'"),
    ],
)
def test_what_cannot_be_is_refused(data: pd.DataFrame, formula: str, message: str) -> None:
    with pytest.raises((FormulaError, DataError), match=message):
        built(formula, data, 2).exog.compute(scheduler="sync")


def test_an_engine_must_be_one_of_them(data: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="engine must be 'formulaic' or 'patsy'; got 'R'"):
        dglm.GLM.from_formula("y ~ x", data, engine="R")
