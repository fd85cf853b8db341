"""Whatever a user calls a dataframe fits and predicts as pandas does, and no type of column changes its meaning."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dglm
from dglm.errors import DataError, FormulaError
from dglm.families import Poisson
from dglm.results import GLMResults
from dglm.testing import count_passes, forbid_compute

N = 60
FORMULA = "y ~ scale(x) + g + `time of day`"
OTHERS = ["polars", "polars, lazy", "polars, scanned", "pyarrow", "pattern", "directory", "URL", "dict"]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "y": rng.poisson(3, N).astype(float),
            "x": rng.normal(size=N),
            "g": rng.choice(["a", "b", "c"], N),
            "time of day": pd.Categorical(rng.choice(["noon", "dawn", "dusk"], N), ["noon", "dusk", "dawn"]),
            "days": rng.uniform(1, 3, N),
            "w": rng.integers(1, 4, N),
            "firm": rng.integers(0, 9, N),
            "unused": "unused",
        }
    )
    frame.loc[3, "x"], frame.loc[[5, 17], "g"], frame.loc[40, ["y", "x"]] = np.nan, None, np.nan
    return frame


@pytest.fixture(scope="module")
def files(data: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("inputs") / "data"
    dd.from_pandas(data, npartitions=3).to_parquet(path)
    return path


def other(name: str, data: pd.DataFrame, files: Path) -> Any:
    order = pl.Enum(["noon", "dusk", "dawn"])
    polars = pl.from_pandas(data).with_columns(pl.col("time of day").cast(order))
    kinds = {
        "polars": polars,
        "polars, lazy": polars.lazy(),
        "polars, scanned": pl.scan_parquet(files / "*.parquet").with_columns(pl.col("time of day").cast(order)),
        "pyarrow": pa.Table.from_pandas(data),
        "pattern": f"{files}/*.parquet",
        "directory": files,
        "URL": f"file://{files}",
        "dict": {name: data[name] if name == "time of day" else data[name].to_numpy() for name in data},
    }
    return kinds[name]


def fitted(data: Any) -> GLMResults:
    model = dglm.GLM.from_formula(FORMULA, data, family=Poisson(), exposure="days", freq_weights="w")
    return model.fit(cov_type="cluster", cov_kwds={"groups": "np.floor(firm / 2)"})


@pytest.fixture(scope="module")
def expected(data: pd.DataFrame) -> GLMResults:
    return fitted(data)


@pytest.mark.parametrize("name", OTHERS)
def test_every_kind_of_dataframe_gives_the_same_fit(
    name: str, data: pd.DataFrame, files: Path, expected: GLMResults
) -> None:
    given = other(name, data, files)
    result = fitted(given)
    assert (result.n_rows, result.n_dropped) == (expected.n_rows, expected.n_dropped) == (56, 4)
    assert result.dropped.to_dict() == expected.dropped.to_dict() == {"y": 1, "scale(x)": 2, "g": 2}
    np.testing.assert_allclose(result.llf, expected.llf, rtol=1e-12)
    pd.testing.assert_series_equal(result.bse, expected.bse, rtol=1e-9)
    predicted = expected.predict(given)
    if name in {"pattern", "directory", "URL"}:
        assert isinstance(predicted, dd.Series)
        predicted = predicted.compute()
    assert isinstance(predicted, pd.Series)
    pd.testing.assert_series_equal(predicted, expected.predict(data), check_index_type=False, rtol=1e-12)
    frame = expected.get_prediction(given).summary_frame()
    assert list(frame.columns) == list(expected.get_prediction(data).summary_frame().columns)


def test_a_path_is_read_lazily_and_only_where_it_is_needed(files: Path) -> None:
    with count_passes() as passes, forbid_compute():
        model = dglm.GLM.from_formula("y ~ x", f"{files}/*.parquet")
    assert passes.count == 0
    read = model._table.partitions(model.design.columns).of_first(list)
    assert read == ["y", "x"]
    with pytest.raises(DataError, match=r"no columns to read in '/nowhere/\*.parquet'; does the pattern match"):
        dglm.GLM.from_formula("y ~ x", "/nowhere/*.parquet")
    with pytest.raises(FileNotFoundError, match="/nowhere"):
        dglm.GLM.from_formula("y ~ x", "/nowhere")


def test_categories_of_other_libraries_keep_their_order_where_they_have_one() -> None:
    # another column of categories in the same process, which polars' own list would show
    pl.Series(["x", "y", "z"], dtype=pl.Categorical)
    frame = pl.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "g": ["mid", "low", "high", "low"]})
    order = pl.Enum(["low", "mid", "high", "top"])
    for given in (frame, frame.lazy()):
        by_order = dglm.GLM.from_formula("y ~ g", given.with_columns(pl.col("g").cast(order)))
        assert by_order.exog_names == ["Intercept", "g[T.mid]", "g[T.high]", "g[T.top]"]
        by_name = dglm.GLM.from_formula("y ~ g", given.with_columns(pl.col("g").cast(pl.Categorical)))
        assert by_name.exog_names == ["Intercept", "g[T.low]", "g[T.mid]"]
    # chunks of an arrow table list levels of their own
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", "a"]).dictionary_encode()]
    table = pa.table({"y": [1.0, 2.0, 4.0, 3.0], "g": pa.chunked_array(chunks)})
    assert dglm.GLM.from_formula("y ~ g", table).exog_names == ["Intercept", "g[T.a]", "g[T.c]"]


def test_frames_of_other_libraries_without_a_formula(data: pd.DataFrame) -> None:
    clean = data.dropna()[["y", "x", "days"]].assign(one=1.0)
    polars = pl.from_pandas(clean)
    expected = dglm.GLM(clean["y"], clean[["one", "x"]], family=Poisson(), exposure=clean["days"]).fit()
    for frame in (polars, polars.to_arrow()):
        exog = frame.select(["one", "x"])
        result = dglm.GLM(frame["y"], exog, family=Poisson(), exposure=frame["days"]).fit()
        np.testing.assert_allclose(result.params.to_numpy(), expected.params.to_numpy(), rtol=1e-12)
        assert list(result.params.index) == ["one", "x"]
        new = result.predict(exog, exposure=frame["days"])
        np.testing.assert_allclose(new, expected.fittedvalues, rtol=1e-12)
    with pytest.raises(DataError, match="the data is a lazy frame, whose rows it cannot be matched with"):
        dglm.GLM(polars["y"], polars.lazy().select("x"))
    with pytest.raises(DataError, match=r"offset has shape \(3,\), but the data has 56 rows"):
        dglm.GLM.from_formula("y ~ x", polars, offset=np.ones(3))


def test_a_score_test_reads_more_columns_of_the_same_frame(data: pd.DataFrame) -> None:
    ours = dglm.GLM.from_formula("y ~ x", pl.from_pandas(data[["y", "x", "days"]]).lazy(), family=Poisson()).fit()
    expected = dglm.GLM.from_formula("y ~ x", data, family=Poisson()).fit()
    assert ours.score_test(exog_extra="days").statistic == expected.score_test(exog_extra="days").statistic


def test_predicting_for_a_dict(data: pd.DataFrame, expected: GLMResults) -> None:
    row = {"x": 0.5, "g": "b", "time of day": "dusk", "days": 2.0}
    one = expected.predict(row)
    assert one.shape == (1,)
    assert one[0] == expected.predict(pd.DataFrame([row]))[0]
    many = expected.predict({**row, "x": [0.5, 1.0], "g": pl.Series(["b", "a"])})
    assert many.shape == (2,)
    assert many[0] == one[0]
    assert list(expected.predict({**row, "x": pd.Series([0.5], index=["here"])}).index) == ["here"]
    for wrong, message in (
        ({**row, "x": [1.0, 2.0], "g": ["a", "b", "c"]}, r"differ in length: \{'x': 2, 'g': 3\}"),
        ({**row, "x": data["x"], "g": data["g"].iloc[::-1]}, "'g' has another index than 'x'"),
        ({**row, "x": dd.from_pandas(data["x"], npartitions=1)}, "'x' is a dask collection in a dict"),
        ({"x": 1.0}, "the model has exposure='days', but the new data have no column 'days'"),
    ):
        with pytest.raises(DataError, match=message):
            expected.predict(wrong)


# types of columns


def places(frame: pd.DataFrame, path: Path) -> list[Any]:
    """Return the rows in memory, on dask, and in a file."""
    frame.to_parquet(path / "rows.parquet", row_group_size=4)
    return [frame, dd.from_pandas(frame, npartitions=3), path / "rows.parquet"]


NUMBERS = np.array([0.0, 1, 2, 3, 1, 2, 0, 3, 2, 1, 1, 0])
FLAGS = [None, *(NUMBERS[1:] > 1)]
OF_NUMBERS = {
    "decimal": pd.array([None, *map(Decimal, range(1, 12))], dtype=pd.ArrowDtype(pa.decimal128(8, 2))),
    "Int64": pd.array([None, *NUMBERS[1:].astype(int)], dtype="Int64"),
    "Float32": pd.array([None, *NUMBERS[1:]], dtype="Float32"),
    "arrow integers": pd.array([None, *NUMBERS[1:].astype(int)], dtype="int64[pyarrow]"),
    "arrow floats": pd.array([None, *NUMBERS[1:]], dtype="double[pyarrow]"),
    "boolean": pd.array(FLAGS, dtype="boolean"),
    "arrow booleans": pd.array(FLAGS, dtype="bool[pyarrow]"),
}


@pytest.mark.parametrize("kind", OF_NUMBERS)
def test_numbers_of_every_type_are_numbers(kind: str, tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal(size=12)
    plain = np.array([np.nan, *(float(v) for v in OF_NUMBERS[kind][1:])])
    expected = dglm.GLM.from_formula("y ~ x + np.sqrt(x)", pd.DataFrame({"y": y, "x": plain})).fit(collinear="pinv")
    for given in places(pd.DataFrame({"y": y, "x": OF_NUMBERS[kind]}), tmp_path):
        result = dglm.GLM.from_formula("y ~ x + np.sqrt(x)", given).fit(collinear="pinv")
        assert result.n_dropped == 1
        pd.testing.assert_series_equal(result.params, expected.params, rtol=1e-10)


WORDS = [None, *"abcabacbcab"]
OF_LEVELS = {
    "as pandas has it": pd.Series(WORDS).array,
    "string": pd.array(WORDS, dtype="string"),
    "arrow": pd.array(WORDS, dtype=pd.ArrowDtype(pa.string())),
    "arrow, large": pd.array(WORDS, dtype=pd.ArrowDtype(pa.large_string())),
    "category": pd.Categorical(WORDS),
    "object": np.array(WORDS, dtype=object),
}


@pytest.mark.parametrize("kind", OF_LEVELS)
def test_text_of_every_type_is_levels(kind: str, tmp_path: Path) -> None:
    y = np.arange(12.0) ** 1.5
    frame = pd.DataFrame({"y": y, "x": OF_LEVELS[kind]})
    expected = pd.Series(y[1:]).groupby(WORDS[1:]).mean()
    for given in places(frame, tmp_path):
        result = dglm.GLM.from_formula("y ~ 0 + x", given).fit()
        assert list(result.params.index) == ["x[a]", "x[b]", "x[c]"]
        np.testing.assert_allclose(result.params, expected, rtol=1e-12)
    if kind in {"arrow", "string"}:
        coded = frame.assign(x=pd.array(pa.array(WORDS).dictionary_encode(), dtype=_DICTIONARY))
        assert dglm.GLM.from_formula("y ~ x", coded).exog_names == ["Intercept", "x[T.b]", "x[T.c]"]


_DICTIONARY = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
_ALL_DATES = pd.date_range("2020-01-30", periods=12)
_DATES = _ALL_DATES.where(np.arange(12) != 5)
_SPANS = pd.to_timedelta(np.arange(12), unit="D").where(np.arange(12) != 5)
OF_TIMES = {
    "datetime": (_DATES, "(x - pd.Timestamp('2020-01-30')).dt.days"),
    "datetime with zone": (_DATES.tz_localize("UTC"), "x.dt.day_of_year"),
    "arrow timestamps": (pd.array(_DATES, dtype=pd.ArrowDtype(pa.timestamp("us"))), "x.dt.day_of_year"),
    "arrow dates": (pd.array(_DATES.date, dtype=pd.ArrowDtype(pa.date32())), "x.dt.month"),
    "periods": (_ALL_DATES.to_period("D"), "x.dt.day_of_year"),
    "time spans": (_SPANS, "x.dt.total_seconds()"),
    "arrow durations": (pd.array(_SPANS, dtype=pd.ArrowDtype(pa.duration("us"))), "x / pd.Timedelta('1D')"),
}


@pytest.mark.parametrize("kind", OF_TIMES)
def test_dates_and_times_are_no_numbers_before_it_is_said_which(kind: str, tmp_path: Path) -> None:
    values, number = OF_TIMES[kind]
    frame = pd.DataFrame({"y": np.arange(12.0) ** 1.5, "x": values})
    message = "is a time span, which has no unit" if kind in {"time spans", "arrow durations"} else "a date or a time"
    for given in places(frame, tmp_path):
        with pytest.raises(DataError, match=f"'x' .*{message}"):
            dglm.GLM.from_formula("y ~ x", given)
        result = dglm.GLM.from_formula(f"y ~ I({number})", given).fit()
        assert np.isfinite(result.params).all()
        assert result.n_dropped == frame["x"].isna().sum()
    with pytest.raises(DataError, match=f"'x' .*{message}"):
        dglm.GLM(frame["y"], frame[["x"]]).fit()
    if kind in {"datetime", "time spans"}:
        with pytest.raises(DataError, match=r"exog has dtype .*64.* not numbers"):
            dglm.GLM(frame["y"].to_numpy(), frame[["x"]].to_numpy()).fit()
    if kind == "datetime":
        by_month = dglm.GLM.from_formula("y ~ C(x.dt.month)", frame.dropna().assign(x=_ALL_DATES[:11]))
        assert by_month.exog_names == ["Intercept", "C(x.dt.month)[T.2]"]


def test_objects_that_are_neither_numbers_nor_levels() -> None:
    frame = pd.DataFrame({"y": np.arange(4.0), "x": [Decimal(1), None, Decimal(3), Decimal(2)]})
    with pytest.raises(DataError, match=r"'x' holds decimal.Decimal objects.*astype\(float\)"):
        dglm.GLM.from_formula("y ~ x", frame)
    with pytest.raises(DataError, match="'x' holds values that cannot be levels"):
        dglm.GLM.from_formula("y ~ x", frame.assign(x=[[1], [2], [3], [4]]))
    with pytest.raises(DataError, match="'x' gives values of type complex128, neither numbers nor levels"):
        dglm.GLM.from_formula("y ~ x", frame.assign(x=1j))
    # days as Python has them are levels, as formulaic has them
    days = frame.assign(x=[datetime.date(2020, 1, 1 + i % 2) for i in range(4)])
    assert dglm.GLM.from_formula("y ~ x", days).exog_names == ["Intercept", "x[T.2020-01-02]"]


def test_booleans_that_a_file_has_and_a_partition_lacks(tmp_path: Path) -> None:
    # pandas reads such a column as objects, and dask announces booleans
    frame = pd.DataFrame(
        {"y": np.arange(6.0) ** 2, "x": np.array([True, None, False, True, False, True], dtype=object)}
    )
    frame.to_parquet(tmp_path / "rows.parquet")
    result = dglm.GLM.from_formula("y ~ x", tmp_path / "rows.parquet").fit()
    np.testing.assert_allclose(result.params, [(4 + 16) / 2, (0 + 9 + 25) / 3 - 10], rtol=1e-12)
    assert np.isnan(result.predict(tmp_path / "rows.parquet").compute()[1])


@pytest.mark.parametrize("hole", [3, 33])
def test_whole_numbers_are_the_same_levels_over_any_partitions(hole: int, tmp_path: Path) -> None:
    # they are integers in a file without missing ones, and floats in another
    k = np.tile([1, 2, 3, 2], 10)
    table = pa.table({"y": np.arange(40.0) ** 0.5, "k": pa.array(k, mask=np.arange(40) == hole)})
    for start in range(0, 40, 10):
        pq.write_table(table.slice(start, 10), tmp_path / f"{start}.parquet")
    expected = dglm.GLM.from_formula("y ~ C(k)", table.to_pandas()).fit()
    assert expected.params.index[1] == "C(k)[T.2.0]"
    for given in (tmp_path, table, pl.from_arrow(table)):
        result = dglm.GLM.from_formula("y ~ C(k)", given).fit()
        pd.testing.assert_series_equal(result.params, expected.params, rtol=1e-10)
        assert result.predict({"k": [2]})[0] == result.predict({"k": [2.0]})[0]


# names and labels


@pytest.mark.parametrize("name", ["a b", "it's", 'say "x"', "x:z + 1", "1st", "größe", 0, ("a", 1)])
def test_columns_of_any_name_stand_in_backticks(name: Any) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"y": rng.normal(size=20), "x": rng.uniform(1, 2, 20)})
    expected = dglm.GLM.from_formula("y ~ x + np.log(x) + center(x)", frame, freq_weights="x").fit(collinear="pinv")
    renamed = frame.rename(columns={"x": name})
    formula = f"y ~ `{name}` + np.log(`{name}`) + center(`{name}`)"
    for given in (renamed, dd.from_pandas(renamed, npartitions=3)):
        result = dglm.GLM.from_formula(formula, given, freq_weights=str(name)).fit(collinear="pinv")
        np.testing.assert_allclose(result.params, expected.params, rtol=1e-9)
        assert list(result.params.index)[:3] == ["Intercept", str(name), f"np.log(`{name}`)"]
        np.testing.assert_allclose(result.predict(renamed), expected.predict(frame), rtol=1e-9)


def test_a_backtick_in_a_name_cannot_be_written() -> None:
    with pytest.raises(FormulaError, match="cannot parse the formula"):
        dglm.GLM.from_formula("y ~ `back`tick`", pd.DataFrame({"y": [1.0], "back`tick": [2.0]}))


@pytest.mark.parametrize(
    "index",
    [[0] * N, list(range(N, 0, -1)), pd.MultiIndex.from_product([range(2), range(N // 2)]), [None, *range(N - 1)]],
    ids=["duplicate", "unsorted", "of two levels", "missing"],
)
def test_labels_of_rows_are_only_labels(index: Any, data: pd.DataFrame, expected: GLMResults) -> None:
    labelled = data.set_axis(pd.Index(index))
    result = fitted(labelled)
    pd.testing.assert_series_equal(result.params, expected.params)
    assert result.predict(labelled).index.equals(labelled.index)
    np.testing.assert_array_equal(result.predict(labelled), expected.predict(data))
    np.testing.assert_array_equal(result.fittedvalues, expected.fittedvalues)


@pytest.mark.parametrize("npartitions", [0, 3])
def test_a_factor_of_one_level_has_no_column_beside_an_intercept(npartitions: int) -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "g": "only", "x": [0.0, 1.0, 2.0, 4.0]})
    given = dd.from_pandas(frame, npartitions=npartitions) if npartitions else frame
    result = dglm.GLM.from_formula("y ~ g + x", given).fit()
    assert list(result.params.index) == ["Intercept", "x"]
    assert result.anova().loc["g", "Df"] == 0
    assert dglm.GLM.from_formula("y ~ 0 + g + x", given).exog_names == ["g[only]", "x"]


# groups


def test_groups_may_be_expressions(data: pd.DataFrame) -> None:
    clean = data.dropna().assign(half=lambda d: d["firm"] // 2, both=lambda d: d["g"] + "-" + d["w"].astype(str))

    def errors(given: Any, groups: Any, divisor: int = 2) -> np.ndarray:
        model = dglm.GLM.from_formula("y ~ x", given, family=Poisson())
        return model.fit(cov_type="cluster", cov_kwds={"groups": groups}).bse.to_numpy()

    for given in (clean, dd.from_pandas(clean, npartitions=3)):
        for expression, column in (
            ("firm // divisor", "half"),
            ("g + '-' + w.astype(str)", "both"),
            ("C(g)", "g"),
            ("`firm`", "firm"),
        ):
            np.testing.assert_allclose(errors(given, expression), errors(clean, column), rtol=1e-10)
        np.testing.assert_allclose(errors(given, ("firm // divisor", "g")), errors(clean, ("half", "g")), rtol=1e-10)
    for wrong, error, message in (
        ("frim", DataError, "did you mean 'firm'"),
        ("frim + 1", FormulaError, "'frim' in the expression 'frim . 1' is neither a column"),
        ("scale(x)", DataError, re.escape("'scale(x)' calls a transform that learns")),
        ("x - x.mean()", FormulaError, "depends on other rows"),
        ("1 + 1", DataError, "one value a row"),
    ):
        with pytest.raises(error, match=message):
            errors(clean, wrong)
    with pytest.raises(DataError, match=r"groups='a \+ b' names a column, but the model is of arrays"):
        dglm.GLM(np.ones(3), np.ones((3, 1))).fit(cov_type="cluster", cov_kwds={"groups": "a + b"})


def test_missing_groups_of_an_expression_are_refused(data: pd.DataFrame) -> None:
    model = dglm.GLM.from_formula("y ~ w", data, family=Poisson())
    with pytest.raises(DataError, match="no group for row 5 of partition 0"):
        model.fit(cov_type="cluster", cov_kwds={"groups": "g + '!'"})


@pytest.mark.parametrize("engine", ["formulaic", "patsy"])
def test_groups_beside_a_restricted_formula_are_restricted_too(engine: str, data: pd.DataFrame) -> None:
    def errors(groups: str, **options: Any) -> pd.Series:
        model = dglm.GLM.from_formula("y ~ w", data, engine=engine, **options)
        return model.fit(cov_type="cluster", cov_kwds={"groups": groups}).bse

    for groups in ("np.floor(firm / 2)", "C(firm)"):
        pd.testing.assert_series_equal(errors(groups, eval="restricted"), errors(groups))
    for hostile in ("__import__('os').getpid() + firm", "firm.map(print)", "(lambda: firm)()", "data.x"):
        with pytest.raises(FormulaError, match="may not stand in the restricted"):
            errors(hostile, eval="restricted")
