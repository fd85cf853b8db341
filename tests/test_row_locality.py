"""Expressions that depend on other rows are refused, with what says it properly; others are left alone."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import dglm
from dglm.design.made_up import made_up_rows
from dglm.errors import FormulaError
from dglm.testing import forbid_compute

TABLE = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
WEIGHTS = np.array([0.5, 2.0])


def norm(values):
    return values / np.linalg.norm(values)


def looked_up(values):
    """A strict lookup, which made-up strings do not survive."""
    return np.array([TABLE[value] for value in values])


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 60
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": rng.normal(size=n),
            "z": rng.gamma(2.0, size=n),
            "k": rng.integers(0, 3, n),
            "b": rng.random(n) < 0.5,
            "g": rng.choice(list("abcd"), n),
            "h": pd.Categorical(rng.choice(["low", "mid", "high"], n), categories=["low", "mid", "high"]),
            "t": pd.date_range("2020-01-01", periods=n),
            "when": pd.date_range("2020-01-01", periods=n).astype(str),
            "n": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "u": np.arange(n, dtype="uint8"),
            "a column": rng.normal(size=n),
        }
    )


def build(formula: str, rows) -> dglm.GLM:
    context = {"np": np, "pd": pd, "stats": stats, "special": special, "TABLE": TABLE, "WEIGHTS": WEIGHTS}
    return dglm.GLM.from_formula(formula, rows, context={**context, "norm": norm, "looked_up": looked_up})


@pytest.mark.parametrize("lazy", [False, True], ids=["pandas", "dask"])
@pytest.mark.parametrize(
    ("expression", "way_out"),
    [
        ("x - x.mean()", r"use center\(x\)"),
        ("x - np.mean(x)", r"use center\(x\)"),
        ("`a column` - `a column`.mean()", r"use center\(`a column`\)"),
        ("(x - x.mean()) / x.std()", r"use center\(x\)"),
        ("x / np.std(x)", r"use scale\(x\)"),
        ("x / np.linalg.norm(x)", r"use scale\(x\)"),
        ("norm(x)", r"use scale\(x\)"),
        ("(x - min(x)) / (max(x) - min(x))", r"use scale\(x\)"),
        ("stats.zscore(x)", r"make it a column"),
        ("x.rank()", r"use bs\(x, df=5\).* pd.cut\(x, \[...\]\)"),
        ("np.log(z).rank(pct=True)", r"use bs\(np.log\(z\), df=5\)"),
        ("pd.qcut(x, 4)", r"pd.cut\(x, \[...\]\)"),
        ("pd.cut(x, 3)", r"pd.cut\(x, \[...\]\)"),
        ("x.clip(upper=x.quantile(0.9))", r"use bs\(x, df=5\)"),
        ("np.minimum(x, np.percentile(x, 95))", r"use bs\(x, df=5\)"),
        ("np.digitize(x, np.quantile(x, [0.5]))", r"use bs\(x, df=5\)"),
        ("C(x > x.median())", r"use center\(x\)"),
        ("x.fillna(x.mean())", r"use center\(x\)"),
        ("x.shift(1)", r"make it a column of the data before"),
        ("x.shift(1).fillna(0)", r"make it a column"),
        ("x.diff()", r"make it a column"),
        ("x.cumsum()", r"make it a column"),
        ("np.cumsum(x)", r"make it a column"),
        ("x.rolling(3).mean()", r"make it a column"),
        ("x.ffill()", r"make it a column"),
        ("x.groupby(g).transform('mean')", r"make it a column"),
        ("np.gradient(x)", r"make it a column"),
        ("np.roll(x, 1)", r"make it a column"),
        ("np.sort(x)", r"make it a column"),
        ("x[::-1]", r"make it a column"),
        ("x.index", r"make it a column"),
        ("np.arange(len(x))", r"make it a column"),
        ("x.duplicated()", r"make it a column"),
        ("np.random.normal(size=len(x))", r"make it a column"),
        ("(g == 'b').cumsum()", r"make it a column"),
        ("(t - t.min()).dt.days", r"use scale\(t\)"),
        ("n - n.mean()", r"use center\(n\)"),
        ("u.cumsum()", r"make it a column"),
        ("b.cumsum()", r"make it a column"),
        ("x * np.sum(z)", r"use scale\(z\)"),
        ("np.column_stack([x, z - z.mean()])", r"use center\(z\)"),
        ("g.map(g.value_counts())", r"use C\(g\)"),
        ("g.astype('category').cat.codes", r"use C\(g\)"),
        ("pd.factorize(g)[0]", r"use C\(g\)"),
        ("pd.get_dummies(g)", r"gives columns that depend on the rows.* use C\(g\)"),
        ("x.head(3)", "does not give one value for each row"),
        ("center(x - x.mean())", r"use center\(x\)"),
        ("bs(x.rank(), df=4)", r"use bs\(x, df=5\)"),
        ("center(x) - center(x).mean()", r"use center\(x\)"),
        ("poly(x, 2)[:, 0].mean() + x", r"depends on other rows"),
    ],
)
def test_what_depends_on_other_rows_is_refused(expression: str, way_out: str, lazy: bool) -> None:
    rows = dd.from_pandas(frame(), npartitions=3) if lazy else frame()
    with pytest.raises(FormulaError, match=way_out) as caught:
        build(f"y ~ I({expression})", rows)
    assert "check_row_local=False takes it as it is" in str(caught.value)


@pytest.mark.parametrize("lazy", [False, True], ids=["pandas", "dask"])
@pytest.mark.parametrize(
    "expression",
    [
        "np.log(z)",
        "np.log1p(np.exp(x))",
        "np.sin(1e6 * x)",
        "np.where(x > 0, z, 0)",
        "np.select([x < 0, x < 1], [x, z], 0)",
        "np.clip(x, -1, 1)",
        "x.clip(-1, 1)",
        "x.fillna(0)",
        "x.between(-1, 1)",
        "x.round(2)",
        "x.astype(int)",
        "x % 1",
        "x // 0.5",
        "(x > 0) & (z > 1)",
        "~b",
        "n > 1",
        "u // 2",
        "x.apply(lambda v: v ** 2)",
        "np.vectorize(lambda v: v ** 2)(x)",
        "[float(v) for v in x]",
        "special.expit(x)",
        "np.digitize(x, [-1, 0, 1])",
        "np.interp(x, [-9, 0, 9], [0, 1, 4])",
        "np.searchsorted([-1, 0, 1], x)",
        "pd.cut(x, [-9, -1, 0, 1, 9])",
        "pd.cut(x, [-9, 0, 9], labels=False)",
        "np.vander(x, 3)",
        "np.column_stack([x, z]) @ WEIGHTS",
        "np.column_stack([x, z]).mean(axis=1)",
        "np.maximum.reduce([x, z])",
        "pd.isna(g)",
        "g.str.upper()",
        "g.str.len()",
        "when.str[:4].astype(int)",
        "g.isin(['a'])",
        "g.map(TABLE)",
        "g.map({'a': 1.0, 'b': 2.0, 'c': 3.0, 'd': 4.0})",
        "looked_up(g)",
        "h.cat.codes",
        "C(g.where(g != 'a', 'z'))",
        "C(k)",
        "k == 1",
        "t.dt.year",
        "C(t.dt.month)",
        "t > '2020-02-01'",
        "pd.to_datetime(when).dt.day_of_week",
        "`a column` + 1",
        "scale(x.clip(-1, 1))",
        "center(x) ** 2",
        "bs(x, df=4)[1]",
        "poly(x, 2)[:, 0]",
        "np.tanh(center(x))",
    ],
)
def test_what_maps_rows_is_left_alone(expression: str, lazy: bool) -> None:
    data = frame()
    model = build(f"y ~ I({expression})", dd.from_pandas(data, npartitions=3) if lazy else data)
    assert model.exog_names[0] == "Intercept"


def test_the_check_computes_nothing() -> None:
    rows = dd.from_pandas(frame(), npartitions=3)
    with forbid_compute():
        build("y ~ I(x.clip(-1, 1)) + np.vander(x, 3)", rows)
        with pytest.raises(FormulaError, match="depends on other rows"):
            build("y ~ norm(x)", rows)


def test_the_check_can_be_left_out() -> None:
    data = frame()
    model = dglm.GLM.from_formula("y ~ I(x - x.mean())", data, check_row_local=False)
    np.testing.assert_allclose(model.exog[:, 1], data["x"] - data["x"].mean())


def test_the_response_and_the_weights_are_checked_too() -> None:
    with pytest.raises(FormulaError, match=r"I\(y / y.max\(\)\) depends on other rows"):
        build("I(y / y.max()) ~ x", frame())
    with pytest.raises(FormulaError, match=r"z / z.sum\(\) depends on other rows.*scale\(z\)"):
        dglm.GLM.from_formula("y ~ x", frame(), freq_weights="z / z.sum()")


def test_values_of_real_rows_are_tried_where_they_are_in_memory() -> None:
    def ranks_of_the_large(values):
        return np.where(values > 1e6, values.rank(), 0.0)

    data = frame().assign(x=np.linspace(1e6, 2e6, 60))
    with pytest.raises(FormulaError, match="depends on other rows"):
        dglm.GLM.from_formula("y ~ ranks_of_the_large(x)", data)


def test_a_threshold_in_the_formula_is_among_the_values_tried() -> None:
    rows = dd.from_pandas(frame(), npartitions=3)
    with forbid_compute(), pytest.raises(FormulaError, match="depends on other rows"):
        build("y ~ I((x > 5000).cumsum())", rows)
    with forbid_compute(), pytest.raises(FormulaError, match="depends on other rows"):
        build("y ~ I((g == 'north').cumsum())", rows)


@pytest.mark.parametrize("tame", [False, True])
@pytest.mark.parametrize("how", ["as it is", "meta", "no rows"])
def test_rows_are_made_up_of_every_type(tame: bool, how: str) -> None:
    n = 6
    days = pd.date_range("2020-01-01", periods=n)
    data = pd.DataFrame(
        {
            "float32": np.arange(n, dtype="float32"),
            "int8": np.arange(n, dtype="int8"),
            "uint8": np.arange(n, dtype="uint8"),
            "bool": [True, False] * 3,
            "boolean": pd.array([True, False, None] * 2, dtype="boolean"),
            "Int64": pd.array(range(n), dtype="Int64"),
            "Float64": pd.array(np.arange(n) * 1.0, dtype="Float64"),
            "arrow": pd.array(range(n), dtype="int64[pyarrow]"),
            "str": list("abcdef"),
            "object": np.array(list("abcdef"), dtype=object),
            "string": pd.array(list("abcdef"), dtype="string"),
            "category": pd.Categorical(list("aabbcc")),
            "numbers": pd.Categorical([1, 2, 3] * 2, ordered=True),
            "datetime": days,
            "zone": days.tz_localize("Europe/Berlin"),
            "timedelta": pd.to_timedelta(range(n), unit="D"),
            "period": pd.period_range("2020-01-01", periods=n, freq="D"),
            "timestamp": pd.array(days, dtype="timestamp[us][pyarrow]"),
        }
    )
    types = {"as it is": data, "meta": dd.from_pandas(data, npartitions=2)._meta_nonempty, "no rows": data.iloc[:0]}
    made = made_up_rows(types[how], [3, "north", 2.5], tame=tame)
    assert (made.dtypes == types[how].dtypes).all()
    assert made["float32"].nunique() > 5
    assert made["float32"].duplicated().any()
    assert "north" in set(made["str"])
    assert bool(made["float32"].isna().any()) != tame
    assert (made["float32"].min() >= 0) == tame
