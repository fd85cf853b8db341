"""A formula over partitions gives the design that its engine, formulaic or patsy, gives on the whole frame."""

from functools import cache

import dask
import dask.dataframe as dd
import formulaic
import numpy as np
import pandas as pd
import patsy
import pytest
from formulaic.transforms import TRANSFORMS

import dglm
from dglm.errors import DataError, DomainError, FormulaError, UnseenLevelError
from dglm.families import Binomial

# Formulas that both engines read, each in its own way; then those that only one reads.
BOTH = [
    "y ~ x",
    "y ~ x + z",
    "y ~ 0 + x",
    "y ~ x - 1",
    "y ~ 1",
    "y ~ np.log(z) + I(x ** 2)",
    "y ~ x:z",
    "y ~ x * z",
    "y ~ (x + z + k) ** 2",
    "y ~ g",
    "y ~ 0 + g",
    "y ~ C(g)",
    "y ~ C(k)",
    "y ~ b",
    "y ~ g * x",
    "y ~ g:x",
    "y ~ 0 + g:x",
    "y ~ g * h",
    "y ~ g:h",
    "y ~ g + h + g:h:x",
    "y ~ x + x:g",
    "y ~ h",
    "y ~ C(g, levels=['d', 'c', 'b', 'a'])",
    "y ~ C(g, levels=pd.Index(['d', 'c', 'b', 'a']))",
    "y ~ np.where(x > 0, z, 0)",
    "y ~ np.column_stack([x, z])",
    "np.log(z) ~ x",
    "I(y > 0) ~ x",
    "y ~ twice(x) + twice(z):g",
    "y ~ x.clip(lower=0)",
    "y ~ C(x > 0)",
    "y ~ np.maximum(x, 0) + np.minimum(x, 0)",
    "y ~ g / x",
    "y ~ (x + g) ** 2 - x",
    "y ~ -1 + h:x",
    "y ~ C(h, Treatment('mid')) + C(g, Sum)",
    "y ~ C(h, Helmert) * x",
    "y ~ C(h, Poly) + C(k, Diff)",
    "y ~ I(x.clip(-1, 1)) + pd.cut(x, [-9, 0, 9])",
    "y ~ center(x)",
    "y ~ scale(x)",
    "y ~ standardize(x) + scale(z, center=False)",
    "y ~ scale(np.log(z)) + np.exp(scale(x)) + g",
    "y ~ center(x) * scale(z) * g",
    "y ~ center(x):g + h",
    "y ~ np.sqrt(center(np.abs(x)) + 9) + g",
    "y ~ C(center(x) > 0) * g",
    "y ~ scale(np.column_stack([x, z]))",
    "y ~ bs(x, df=6)",
    "y ~ bs(x, df=5, degree=2, include_intercept=True) - 1",
    "y ~ bs(x, df=5, include_intercept=True)",
    "y ~ g + g:bs(x, df=5, include_intercept=True)",
    "y ~ bs(k, df=4) + bs(np.log(z), df=5):C(k)",
    "y ~ bs(x, knots=[-0.5, 0.5], lower_bound=-10, upper_bound=10)",
    "y ~ cc(x, df=5)",
    "y ~ cr(x, df=4, constraints='center')",
    "y ~ cc(x, df=4, constraints='center') * h",
    "y ~ cr(x, df=3, constraints=[[1, 2, 3, 4]])",
    "y ~ cr(x, knots=[-0.5, 0.5])",
    "y ~ bs(center(x), df=4)",
    "scale(y) ~ x",
    "np.log(y ** 2 + 1) ~ center(x)",
    "I(y > 0) ~ bs(x, df=4)",
]
FORMULAIC = [
    "y ~ C(g, contr.sum)",
    "y ~ C(g, contr.helmert)",
    "y ~ C(g, contr.treatment(base='c'))",
    "y ~ C(g, contr.treatment('b')) * x",
    "y ~ `a column`",
    "y ~ 3:x",
    "y ~ h %in% g",
    "y ~ . - unused",
    "y ~ C(g, contr.poly):C(h, contr.diff)",
    "y ~ 0 + C(g, contr.sum)",
    "y ~ I([2 * v for v in x])",
    "y ~ scale(z, scale=False) + scale(x, center=1.5) + scale(x, scale=2.0, center=False)",
    "y ~ scale(x, ddof=0) + center(k) + center(b)",
    "y ~ center(x) ** 2 + I(center(x) ** 2) + I(center(x) + scale(z))",
    "y ~ center(`a column`) + `a column`:scale(`a column`) + I(`a column` * `a column`)",
    "y ~ bs(x)",
    "y ~ bs(x, df=4, lower_bound=-1, upper_bound=1, extrapolation='clip')",
    "y ~ bs(x, df=4, lower_bound=-1, upper_bound=1, extrapolation='na') + g",
    "y ~ bs(x, df=4, lower_bound=-1, upper_bound=1, extrapolation='zero')",
    "y ~ bs(x, df=4, lower_bound=-1, upper_bound=1, extrapolation='extend')",
    "y ~ cr(x, df=4) + cs(z, df=5)",
    "y ~ cr(x, df=4, constraints='center', lower_bound=-1, upper_bound=1, extrapolation='clip')",
    "y ~ cr(x, df=4, constraints='center', lower_bound=-1, upper_bound=1, extrapolation='zero')",
    "y ~ poly(x, 3) + poly(z, 2, raw=True)",
    "y ~ poly(k, 2) + poly(x, 5)",
    "y ~ poly(x, 2):center(z)",
    "y ~ scale(bs(center(x), df=4)) + scale(poly(x, 2))",
]
PATSY = [
    "y ~ 0 + b",
    "y ~ b * x",
    "y ~ x + g + z:g + h",
    "y ~ 0 + x:g + h:g + z",
    "y ~ g / h",
    "y ~ C(g, Treatment(reference='b')) * x",
    "y ~ C(g, Treatment(2)) + I(x > 0)",
    "y ~ C(g, Sum('b')):C(h)",
    "y ~ C(C(g, Sum), levels=['d', 'c', 'b', 'a'])",
    "y ~ C(h, Diff) + C(k, Poly([0, 1, 10]))",
    "y ~ 0 + C(k, Poly):x",
    "y ~ C(g, [[1, 0], [0, 1], [1, 1], [2, 3]])",
    "y ~ 0 + C(g, Named) + h",
    "y ~ np.column_stack([x, z]):g",
    "y ~ np.exp(Q('a column')) * g + center(Q('a column'))",
    "y ~ pd.cut(x, [-9, 0, 9]) + C(np.floor(x))",
    "y ~ scale(z, rescale=False) + standardize(x, ddof=1) + center(k)",
    "y ~ I(center(x) ** 2) + I(center(x) + scale(z))",
    "y ~ bs(x, 4) + bs(x, df=5, degree=0)",
    "y ~ bs(x, df=5, knots=[-0.5, 0.5])",
    "y ~ bs(x, 4)[0] + cr(x, 4)[1]",
    "y ~ cr(x, df=4) + cr(z, df=5)",
    "y ~ cr(x, df=4, lower_bound=-1, upper_bound=1) + cc(x, df=4, lower_bound=-1, upper_bound=1)",
    "y ~ cr(x, df=4, constraints='center', lower_bound=-1, upper_bound=1)",
    "y ~ cr(x, 3):cr(z, 3)",
    "y ~ bs(x, df=4):center(z)",
    "b ~ x",
    "np.where(z > 1, 'yes', 'no') ~ x",
]
CASES = [("formulaic", f) for f in BOTH + FORMULAIC] + [("patsy", f) for f in BOTH + PATSY]

STATEFUL = ("center", "scale", "standardize", "bs", "cr", "cs", "cc", "poly")


def twice(values):
    """A function of the caller's scope."""
    return 2 * values


class Named(patsy.Treatment):
    """A contrast of the caller's."""

    def code_with_intercept(self, levels):
        return patsy.ContrastMatrix(np.eye(len(levels)), [f"<{level}>" for level in levels])


def frame(*, missing: bool) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n = 60
    data = pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": rng.normal(size=n),
            "z": rng.gamma(2.0, size=n),
            "k": rng.integers(0, 3, n),
            "b": rng.random(n) < 0.5,
            "g": rng.choice(list("abcd"), n),
            "h": pd.Categorical(rng.choice(["low", "mid", "high"], n), categories=["low", "mid", "high"]),
            "a column": rng.normal(size=n),
            "unused": np.nan,
        }
    )
    # a level that the first partitions do not have, and one that a single row has
    data.loc[:40, "g"] = data.loc[:40, "g"].replace("d", "a")
    if missing:
        data.loc[[3, 17, 44], "x"] = np.nan
        data.loc[[5, 50], "g"] = None
        data.loc[8, "y"] = np.nan
        data.loc[9, "h"] = None
    return data


def of_present_values(transform):
    """Return an engine's transform, taught by the rows that have a value.

    On rows with nan the engines' own center, scale and centred splines learn nan, and then drop every row.
    """

    def taught(x, *args, **kwargs):
        if isinstance(x, dict):
            return {key: taught(column, *args, **kwargs) for key, column in x.items()}
        values = np.asarray(getattr(x, "__wrapped__", x), dtype=float)
        if values.ndim == 2:
            return np.column_stack([taught(column, *args, **kwargs) for column in values.T])
        present = ~np.isnan(values)
        if hasattr(transform, "__patsy_stateful_transform__"):
            found = np.asarray(transform(values[present], *args, **kwargs))
            full = np.full((len(values), *found.shape[1:]), np.nan)
            full[present] = found
            return pd.DataFrame(full) if full.ndim == 2 else full
        state = {}
        transform(values[present], *args, _state=state, **kwargs)
        return transform(values, *args, _state=state, **kwargs)

    return taught


def in_memory(formula: str, data: pd.DataFrame, engine: str = "formulaic") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what an engine makes of the whole frame."""
    context = {"twice": twice, "np": np, "pd": pd, "Named": Named}
    known = vars(patsy.builtins) if engine == "patsy" else TRANSFORMS
    if data.drop(columns="unused").isna().any(axis=None):
        context |= {name: of_present_values(known[name]) for name in STATEFUL if name in known}
    if engine == "patsy":
        scope = patsy.EvalEnvironment([context])
        return patsy.dmatrices(formula, data.reset_index(drop=True), scope, return_type="dataframe")
    matrices = formulaic.model_matrix(formula, data.reset_index(drop=True), context=context)
    return matrices.lhs, matrices.rhs


@cache
def three_partitions(*, missing: bool):
    return dd.from_pandas(frame(missing=missing), npartitions=3)


@pytest.mark.parametrize("missing", [False, True], ids=["clean", "nan"])
@pytest.mark.parametrize(("engine", "formula"), CASES)
def test_design_equals_the_engines_on_the_whole_frame(engine: str, formula: str, missing: bool, monkeypatch) -> None:
    data = frame(missing=missing)
    y, X = in_memory(formula, data, engine)
    for npartitions in (1, 3, 20):
        if npartitions == 3:
            model = dglm.GLM.from_formula(formula, three_partitions(missing=missing), engine=engine)
            exog, endog = dask.compute(model.exog, model.endog, scheduler="sync")
        else:
            # frames in memory are cut in the same way, and faster
            monkeypatch.setattr("dglm.data.tables.MOST_BLOCK_ROWS", -(-len(data) // npartitions))
            model = dglm.GLM.from_formula(formula, data, engine=engine)
            exog, endog = model.exog, model.endog
        assert model.exog_names == list(X.columns)
        np.testing.assert_allclose(exog, X.to_numpy(dtype=float), rtol=1e-12, atol=1e-12)
        # of two levels, the second
        np.testing.assert_allclose(endog, y.to_numpy(dtype=float)[:, -1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["object", "str", "string", "string[pyarrow]", "category"])
@pytest.mark.parametrize("write", [False, True], ids=["from_pandas", "parquet"])
def test_every_kind_of_string_column_gives_the_same_columns(tmp_path, dtype: str, write: bool) -> None:
    data = frame(missing=True)
    expected = in_memory("y ~ g", data)[1]
    # (pandas before 3 makes text of what is missing)
    data["g"] = data["g"].astype(dtype).where(data["g"].notna())
    ddf = dd.from_pandas(data, npartitions=4)
    if write:
        ddf.to_parquet(tmp_path)
        ddf = dd.read_parquet(tmp_path)
    model = dglm.GLM.from_formula("y ~ g", ddf)
    assert model.exog_names == list(expected.columns)
    np.testing.assert_array_equal(model.exog.compute(), expected)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "int64[pyarrow]", "double[pyarrow]", "float32", "int32"])
def test_every_kind_of_number_column_is_read(dtype: str) -> None:
    data = frame(missing=False)
    values = data["k"].astype(dtype)
    if dtype in {"Int64", "Float64", "int64[pyarrow]", "double[pyarrow]"}:
        values[4] = pd.NA
    kept = values.notna().to_numpy()
    ddf = dd.from_pandas(data.assign(k=values), npartitions=3)
    model = dglm.GLM.from_formula("y ~ np.sqrt(k) + k", ddf)
    expected = data["k"].to_numpy(dtype=float)[kept]
    np.testing.assert_allclose(model.exog.compute()[:, 1:], np.column_stack([np.sqrt(expected), expected]), rtol=1e-6)


def test_category_order_is_kept_and_unobserved_categories_stay() -> None:
    data = frame(missing=False)
    data["h"] = pd.Categorical(data["h"], categories=["high", "none", "mid", "low"])
    model = dglm.GLM.from_formula("y ~ h", dd.from_pandas(data, npartitions=3))
    assert model.exog_names == ["Intercept", "h[T.none]", "h[T.mid]", "h[T.low]"]


def test_a_level_that_only_dropped_rows_have_is_no_level() -> None:
    data = frame(missing=False).assign(w=1.0, r=lambda d: np.where(d["b"], "yes", "no"))
    data.loc[11, "g"], data.loc[11, "y"] = "seldom", np.nan
    data.loc[12, "g"], data.loc[12, "w"] = "rare", np.nan
    data.loc[13, "g"], data.loc[13, "x"] = "unknown", np.nan
    data.loc[14, "r"], data.loc[14, "x"] = "perhaps", np.nan
    ddf = dd.from_pandas(data, npartitions=3)
    model = dglm.GLM.from_formula("y ~ g + x", ddf, freq_weights="w")
    assert model.exog_names == ["Intercept", "g[T.b]", "g[T.c]", "g[T.d]", "x"]
    kept = data.drop(index=[11, 12, 13, 14])
    np.testing.assert_array_equal(model.exog.compute(), in_memory("y ~ g + x", kept)[1])
    result = model.fit()
    assert (result.nobs, result.n_dropped) == (56, 4)
    # the other rows of the partition are predicted; a row that lacks nothing but a known level is refused
    predicted = result.predict(data.drop(index=[11, 12]))
    assert list(predicted.index[predicted.isna()]) == [13, 14]
    with pytest.raises(UnseenLevelError, match="'seldom', 'rare'"):
        result.predict(data)
    response = dglm.GLM.from_formula("r ~ x + z", ddf, family=Binomial())
    assert response.design.response.label == "r = yes"
    assert len(response.endog.compute()) == 58
    with pytest.raises(DataError, match="missing"):
        dglm.GLM.from_formula("y ~ g + x", ddf, missing="raise").exog.compute()


@pytest.mark.parametrize("engine", ["formulaic", "patsy"])
def test_a_partition_without_values_may_have_lost_its_type(engine: str) -> None:
    data = frame(missing=False).astype({"g": object})
    data.loc[20:39, "g"] = None
    parts = [data.iloc[:20], data.iloc[20:40].astype({"g": float}), data.iloc[40:]]
    ddf = dd.from_delayed([dask.delayed(part) for part in parts], meta=parts[0].iloc[:0], verify_meta=False)
    fitted = dglm.GLM.from_formula("y ~ g", ddf, engine=engine).fit()
    pd.testing.assert_series_equal(fitted.params, dglm.GLM.from_formula("y ~ g", data).fit().params)
    parts[1] = parts[1].assign(g=1.0)
    numbers = dd.from_delayed([dask.delayed(part) for part in parts], meta=parts[0].iloc[:0], verify_meta=False)
    with pytest.raises(DataError, match="'g' was levels when the model was built, and is numbers in partition 1"):
        dglm.GLM.from_formula("y ~ g", numbers, engine=engine).fit()


@pytest.mark.parametrize("engine", ["formulaic", "patsy"])
def test_empty_and_one_row_partitions(engine: str) -> None:
    data = frame(missing=True)
    pieces = [data.iloc[:0], data.iloc[:1], data.iloc[1:30], data.iloc[30:30], data.iloc[30:]]
    ddf = dd.concat([dd.from_pandas(piece, npartitions=1) for piece in pieces])
    expected = dglm.GLM.from_formula("y ~ center(x) + g + h + bs(z, df=4)", data, engine=engine).fit()
    fitted = dglm.GLM.from_formula("y ~ center(x) + g + h + bs(z, df=4)", ddf, engine=engine).fit()
    np.testing.assert_allclose(fitted.params, expected.params, rtol=1e-10)
    assert fitted.n_dropped == expected.n_dropped == 7


def test_weights_and_offset_drop_in_step() -> None:
    data = frame(missing=True).assign(w=2.0, o=0.5)
    data.loc[20, "w"] = np.nan
    data.loc[21, "o"] = np.nan
    kept = data.dropna(subset=["x", "y", "w", "o"])
    ddf = dd.from_pandas(data, npartitions=4)
    for weights, offset in (("w", "o"), (ddf["w"], ddf["o"])):
        fitted = dglm.GLM.from_formula("y ~ x", ddf, freq_weights=weights, offset=offset).fit()
        assert fitted.nobs == 2 * len(kept)
        slope = np.polyfit(kept["x"], kept["y"] - 0.5, 1)
        np.testing.assert_allclose(fitted.params, slope[::-1], rtol=1e-12)


def test_duplicate_labels_lose_no_rows() -> None:
    data = frame(missing=True)
    data.index = [0] * len(data)
    model = dglm.GLM.from_formula("y ~ x + g", data)
    assert len(model.exog) == len(data.dropna(subset=["x", "y", "g"]))
    assert len(model.fit().fittedvalues) == len(model.exog)


def test_only_the_columns_of_the_formula_are_read() -> None:
    ddf = dd.from_pandas(frame(missing=False), npartitions=3)
    model = dglm.GLM.from_formula("y ~ np.log(z) + g", ddf, freq_weights="k")
    assert set(model.design.columns) == {"y", "z", "g", "k"}
    assert model.design.exog_columns == ["z", "g"]


def test_variables_of_the_caller_are_found_and_others_are_not_kept() -> None:
    shift, unrelated = 3.0, object()
    del unrelated
    model = dglm.GLM.from_formula("y ~ I(x + shift)", frame(missing=False))
    assert set(model.design.engine.context) == {"shift"}
    np.testing.assert_array_equal(model.exog[:, 1], frame(missing=False)["x"] + shift)


def test_a_function_that_cannot_take_made_up_rows_is_shown_real_ones() -> None:
    def picky(values):
        if (values == 1.0).all():
            raise ValueError("these are not my data")
        return values

    model = dglm.GLM.from_formula("y ~ picky(x)", dd.from_pandas(frame(missing=False), npartitions=3))
    assert model.exog_names == ["Intercept", "picky(x)"]


@pytest.mark.parametrize(
    ("response", "label", "second"),
    [
        (lambda d: np.where(d["x"] > 0, "yes", "no"), "r = yes", lambda d: d["x"] > 0),
        (lambda d: pd.Categorical(np.where(d["x"] > 0, "b", "a"), ["b", "a"]), "r = a", lambda d: d["x"] <= 0),
        (lambda d: d["x"] > 0, "r", lambda d: d["x"] > 0),
    ],
    ids=["string", "category", "bool"],
)
def test_a_categorical_response_models_its_second_level(response, label: str, second) -> None:
    # statsmodels models the first level of a string; R, and dglm, the second
    data = frame(missing=False).assign(r=lambda d: response(d))
    for rows in (data, dd.from_pandas(data, npartitions=3)):
        model = dglm.GLM.from_formula("r ~ z", rows, family=Binomial())
        assert model.design.response.label == label
        np.testing.assert_array_equal(np.asarray(model.endog), second(data).astype(float))


def test_three_levels_are_no_binary_response() -> None:
    with pytest.raises(DomainError, match=r"two levels, but 'h' has 3: 'low', 'mid', 'high'"):
        dglm.GLM.from_formula("h ~ x", frame(missing=False), family=Binomial())


def test_counts_in_two_columns_become_proportions_and_trials() -> None:
    data = pd.DataFrame({"won": [1.0, 0.0, 4.0], "lost": [3.0, 0.0, 4.0], "x": [1.0, 2.0, 3.0]})
    model = dglm.GLM.from_formula("won + lost ~ x", data, family=Binomial())
    assert model.endog_names == ["won", "lost"]
    np.testing.assert_array_equal(model.endog, [0.25, 0.0, 0.5])
    with pytest.raises(DataError, match="carry their own variance weights"):
        dglm.GLM.from_formula("won + lost ~ x", data, family=Binomial(), var_weights="x")


def test_predict_meets_levels_missing_rows_and_offsets() -> None:
    data = frame(missing=True).assign(o=0.25)
    ddf = dd.from_pandas(data, npartitions=3)
    result = dglm.GLM.from_formula("y ~ x + g", ddf, offset="o").fit()
    predicted = result.predict(ddf)
    assert predicted.divisions == ddf.divisions
    computed = predicted.compute()
    assert computed.index.equals(data.index)
    assert list(computed.index[computed.isna()]) == [3, 5, 17, 44, 50]
    pd.testing.assert_series_equal(computed.loc[result.fittedvalues.compute().index], result.fittedvalues.compute())
    with pytest.raises(UnseenLevelError, match=r"'g' has 1 level\(s\) in partition 0 .*'new'.*'a', 'b', 'c', 'd'"):
        result.predict(data.assign(g="new"))
    with pytest.raises(DataError, match=r"offset='o', but the new data have no column 'o'"):
        result.predict(data.drop(columns="o"))
    np.testing.assert_allclose(
        result.predict(data.drop(columns="o"), offset=np.full(len(data), 1.25)), computed + 1.0, rtol=1e-12
    )
    with pytest.raises(DataError, match=r"needs column 'g', which the new data lack"):
        result.predict(data[["x", "o"]])


@pytest.mark.parametrize("npartitions", [0, 1, 7])
def test_weights_and_offsets_may_be_expressions(npartitions: int) -> None:
    data = frame(missing=True).assign(o=1.5, w=np.tile([0.0, 1.0, 2.0], 20)[: len(frame(missing=True))])
    data.loc[7, "o"] = np.nan
    rows = data if npartitions == 0 else dd.from_pandas(data, npartitions=npartitions)
    given = dglm.GLM.from_formula("y ~ x + g", rows, offset="np.log(o) + z", freq_weights="w * 2").fit()
    columns = data.assign(lo=np.log(data["o"]) + data["z"], w2=data["w"] * 2)
    expected = dglm.GLM.from_formula("y ~ x + g", columns, offset="lo", freq_weights="w2").fit()
    pd.testing.assert_series_equal(given.params, expected.params, rtol=1e-10)
    assert (given.nobs, given.n_dropped) == (expected.nobs, expected.n_dropped)
    predicted = given.predict(rows)
    np.testing.assert_allclose(predicted if npartitions == 0 else predicted.compute(), expected.predict(columns))
    with pytest.raises(DataError, match=r"offset='np.log\(o\) \+ z', but the new data have no column 'o'"):
        given.predict(data.drop(columns="o"))


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (
            "np.log(popul)",
            r"'popul' in the expression 'np.log\(popul\)' is neither a column of the data nor a variable",
        ),
        ("np.log(x", r"cannot parse the expression 'np.log\(x'"),
        ("C(g)", r"offset \('C\(g\)'\) must be one number a row"),
        ("center(g)", r"center\(g\) needs numbers; got values of type"),
        ("xx", r"offset='xx' is not a column of the data; did you mean 'x'"),
    ],
)
def test_a_wrong_expression_says_what_is_wrong(offset: str, message: str) -> None:
    with pytest.raises((FormulaError, DataError), match=message):
        dglm.GLM.from_formula("y ~ x", frame(missing=False), offset=offset).fit()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ X1", r"'X1' in the formula 'y ~ X1' is neither a column of the data nor a variable"),
        ("y ~ unsed", r"did you mean 'unused'\?"),
        ("y ~ lag(x)", r"needs the rows of the partition before"),
        ("x + z", r'no response; write it as "y ~ x \+ z"'),
        ("y ~ x | z", r"several parts"),
        ("y ~ x +* z", r"cannot parse"),
        ("y + x + z ~ k", r"3 columns"),
        ("y ~ 0", r"nothing on its right-hand side"),
        ("y ~ x[", r"."),
        ("y ~ np.no_such_function(x)", r"no_such_function"),
    ],
)
def test_a_wrong_formula_says_what_is_wrong(formula: str, message: str) -> None:
    with pytest.raises((FormulaError, DataError), match=message):
        dglm.GLM.from_formula(formula, frame(missing=False))


@pytest.mark.parametrize("engine", ["formulaic", "patsy"])
@pytest.mark.parametrize("parts", [None, 1, 4])
def test_a_factor_without_columns_still_drops_rows_that_lack_it(engine: str, parts: int | None) -> None:
    frame = pd.DataFrame({"y": np.arange(12.0) ** 2, "x": np.arange(12.0), "g": list("abc") * 4, "one": ["k"] * 12})
    frame.loc[[1, 5, 10], "one"] = None
    # a level that only a row has that lacks the other factor
    frame.loc[1, "g"] = "d"
    data = frame if parts is None else dd.from_pandas(frame, npartitions=parts)
    model = dglm.GLM.from_formula("y ~ x + g + one", data, engine=engine)
    wanted = formulaic.model_matrix("y ~ x + g + one", frame).rhs
    exog = model.exog if parts is None else model.exog.compute(scheduler="synchronous")
    names = ["Intercept", "x", "g[T.b]", "g[T.c]"]
    assert sorted(model.exog_names) == sorted(names)
    np.testing.assert_array_equal(exog[:, [model.exog_names.index(name) for name in names]], wanted[names])
    result = model.fit()
    assert (result.nobs, result.n_dropped, result.dropped.to_dict()) == (9, 3, {"one": 3})
    predicted = result.predict(frame[["x", "one"]].assign(g="a"))
    np.testing.assert_array_equal(predicted.isna(), frame["one"].isna())
    with pytest.raises(DataError, match=r"one missing \(nan\)"):
        dglm.GLM.from_formula("y ~ x + one", data, engine=engine, missing="raise").fit()
    with pytest.raises(DataError, match=r"no rows left: all 12 have something missing \(one: 12\)"):
        dglm.GLM.from_formula("y ~ x + one", frame.assign(one=None), engine=engine).fit()
