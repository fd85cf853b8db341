"""Levels that were not there when a model was built, and rows that were left out of it."""

from __future__ import annotations

import re
from typing import Any

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import dglm
from dglm.errors import DataError, UnseenLevelError
from dglm.families import Poisson
from dglm.results import GLMResults
from dglm.testing import count_passes


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"x": rng.normal(size=80), "g": rng.choice(list("bca"), 80), "h": rng.choice(["u", "v"], 80)})
    return frame.assign(y=rng.poisson(np.exp(0.3 * frame["x"] + 0.2 * (frame["g"] == "b"))).astype(float))


NEW = pd.DataFrame(
    {"x": [0.5, 1.0, -1.0, np.nan, 2.0], "g": ["a", "new", "newer", "new", "b"], "h": ["u", "v", "u", "u", "w"]},
    index=[3, 5, 8, 13, 21],
)


def fit(formula: str, data: Any) -> GLMResults:
    return dglm.GLM.from_formula(formula, data, family=Poisson()).fit()


@pytest.mark.parametrize(
    ("formula", "reference"),
    [
        ("y ~ x + g + h", {"g": "a", "h": "u"}),
        # levels of a factor are all there in one term, and lack the reference in another
        ("y ~ g + h + x:g", {"g": "a", "h": "u"}),
        ("y ~ x + C(g, Treatment('c')) * h", {"g": "c", "h": "u"}),
        ("y ~ x + C(g, levels=['b', 'c', 'a']) + C(h, Treatment('v'))", {"g": "b", "h": "v"}),
    ],
)
@pytest.mark.parametrize("npartitions", [0, 3])
def test_an_unseen_level_is_refused_is_the_reference_or_is_nan(
    formula: str, reference: dict[str, str], npartitions: int, data: pd.DataFrame
) -> None:
    result = fit(formula, data)
    new = dd.from_pandas(NEW, npartitions=npartitions, sort=False) if npartitions else NEW

    def computed(found: Any) -> Any:
        return found.compute() if npartitions else found

    with pytest.raises(UnseenLevelError, match=r"[gh].* has \d level\(s\) in partition \d .*: '(new|newer|w)'"):
        computed(result.predict(new))
    known = NEW.assign(
        g=NEW["g"].where(NEW["g"].isin(["a", "b", "c"]), reference["g"]),
        h=NEW["h"].where(NEW["h"].isin(["u", "v"]), reference["h"]),
    )
    as_reference = computed(result.predict(new, unseen="reference"))
    pd.testing.assert_series_equal(as_reference, result.predict(known))
    assert list(as_reference.isna()) == [False, False, False, True, False]
    as_nan = computed(result.predict(new, unseen="nan"))
    assert list(as_nan.isna()) == [False, True, True, True, True]
    # a product of one row is not added up like one of five
    assert as_nan.iloc[0] == pytest.approx(as_reference.iloc[0], rel=1e-14)
    for unseen, expected in (("reference", result.get_prediction(known)), ("nan", None)):
        frame = computed(result.get_prediction(new, unseen=unseen).summary_frame())
        if expected is None:
            assert frame.iloc[1:].isna().all(axis=None)
            frame, expected = frame.iloc[:1], result.get_prediction(known.iloc[:1])
        pd.testing.assert_frame_equal(frame, expected.summary_frame(), check_index_type=False)
    if not npartitions:
        low = result.get_distribution(NEW.drop(index=13), unseen="reference").cdf(0)
        np.testing.assert_array_equal(low, result.get_distribution(known.drop(index=13)).cdf(0))


def test_every_penalty_predicts_unseen_levels_alike(data: pd.DataFrame) -> None:
    model = dglm.GLM.from_formula("y ~ x + g", data, family=Poisson())
    for penalty in (dglm.L2(alpha=0.1), dglm.L1(alpha=0.01)):
        result = model.fit(penalty=penalty)
        predicted = result.predict(NEW, unseen="reference")
        assert predicted[5] == result.predict(NEW.assign(g="a"))[5]


@pytest.mark.parametrize("coding", ["0 + g", "C(g, Sum)", "C(g, Helmert)", "C(g, Poly)", "x:g"])
def test_no_level_is_the_reference_of_other_codings(coding: str, data: pd.DataFrame) -> None:
    # formulaic would give such a row zeros: no level at all, or the mean of them
    result = fit(f"y ~ {coding}", data)
    with pytest.raises(UnseenLevelError, match="is the reference in this model, whose coding is another: use unseen"):
        result.predict(NEW, unseen="reference")
    known = result.predict(NEW.iloc[[0, 4]], unseen="reference")
    np.testing.assert_array_equal(result.predict(NEW, unseen="nan").dropna(), known)


def test_the_option_is_never_ignored(data: pd.DataFrame) -> None:
    result = fit("y ~ x + g", data)
    with pytest.raises(ValueError, match="unseen must be one of 'raise', 'reference', 'nan'; got 'zero'"):
        result.predict(NEW, unseen="zero")
    with pytest.raises(DataError, match="unseen is for new rows, but none were passed"):
        result.predict(unseen="nan")
    by_columns = dglm.GLM(data["y"], data[["x"]]).fit()
    with pytest.raises(ValueError, match="unseen='nan' is for models of formulas"):
        by_columns.predict(data[["x"]], unseen="nan")


# rows that were left out


def with_gaps(data: pd.DataFrame) -> pd.DataFrame:
    frame = data.assign(w=1.0, days=2.0)
    frame.loc[[1, 2, 30, 31, 70], "x"] = [np.nan, np.nan, -1.0, np.nan, np.nan]
    frame.loc[[2, 40], "g"] = None
    frame.loc[[2, 79], "y"] = np.nan
    frame.loc[55, "w"], frame.loc[[56, 57], "days"] = np.nan, np.nan
    return frame


@pytest.mark.parametrize("npartitions", [0, 1, 16])
def test_what_dropped_rows_lack_is_counted(npartitions: int, data: pd.DataFrame) -> None:
    frame = with_gaps(data)
    given = dd.from_pandas(frame, npartitions=npartitions) if npartitions else frame
    with count_passes() as passes:
        model = dglm.GLM.from_formula(
            "y ~ np.exp(x) + x:g + C(h)", given, freq_weights="w", exposure="days * 2", family=Poisson()
        )
        result = model.fit()
    assert passes.count == result.n_passes + model.design.n_passes
    assert list(result.dropped.items()) == [
        ("y", 2),
        ("np.exp(x)", 4),
        ("x", 4),
        ("g", 2),
        ("freq_weights ('w')", 1),
        ("exposure ('days * 2')", 2),
    ]
    assert (result.n_dropped, result.n_rows) == (9, 71)
    line = "Dropped 9 rows with something missing (y: 2, np.exp(x): 4, x: 4, g: 2, freq_weights ('w'): 1, exposure"
    assert line in " ".join(result.summary().as_text().split())


def test_a_fit_that_dropped_nothing_does_not_speak_of_it(data: pd.DataFrame) -> None:
    result = fit("y ~ x + g", data)
    assert result.dropped.empty
    assert result.dropped.dtype == np.int64
    assert "Dropped" not in str(result.summary())


def test_dropped_rows_of_arrays_and_of_columns_taken_as_they_are(data: pd.DataFrame) -> None:
    frame = with_gaps(data)
    X, y, w = frame[["x", "days"]].to_numpy(), frame["y"].to_numpy(), frame["w"].to_numpy()
    expected = {"x1": 4, "x2": 2, "y": 2, "freq_weights": 1}
    assert dglm.GLM(y, X, freq_weights=w).fit().dropped.to_dict() == expected
    lazy = [da.from_array(array, chunks=(30, *array.shape[1:])) for array in (y, X, w)]
    assert dglm.GLM(lazy[0], lazy[1], freq_weights=lazy[2]).fit().dropped.to_dict() == expected
    result = dglm.GLM(frame["y"], frame[["x", "days"]], freq_weights=frame["w"]).fit()
    assert result.dropped.to_dict() == {"x": 4, "days": 2, "y": 2, "freq_weights": 1}


def test_the_counts_are_saved(data: pd.DataFrame, tmp_path: Any) -> None:
    result = fit("y ~ x + g", with_gaps(data))
    result.save(tmp_path / "fit.dglm")
    pd.testing.assert_series_equal(dglm.load(tmp_path / "fit.dglm").dropped, result.dropped)


@pytest.mark.parametrize("formula", ["y ~ np.exp(x) + g", "y ~ x:g", "y ~ center(x) + C(g)"])
def test_what_is_missing_is_named_by_factor_row_and_partition(formula: str, data: pd.DataFrame) -> None:
    frame = data.assign(x=data["x"].where(data.index != 47))
    model = dglm.GLM.from_formula(formula, dd.from_pandas(frame, npartitions=4), missing="raise")
    factor = formula.split(" ~ ")[1].split(" + ")[0].split(":")[0]
    with pytest.raises(DataError, match=rf"{re.escape(factor)} missing \(nan\) in row 7 of partition 2"):
        model.fit()
    if formula == "y ~ x:g":
        frame = data.assign(g=data["g"].where(data.index != 47))
        with pytest.raises(DataError, match=r"g missing \(nan\) in row 47 of partition 0"):
            dglm.GLM.from_formula(formula, frame, missing="raise").fit()


def test_a_level_of_rows_that_were_left_out_is_said_to_be_one(data: pd.DataFrame) -> None:
    frame = data.copy()
    frame.loc[[10, 11], "g"], frame.loc[[10, 11], "y"] = ["seldom", "rare"], np.nan
    frame.loc[12, "g"], frame.loc[12, "x"] = "unknown", np.nan
    for given in (frame, dd.from_pandas(frame, npartitions=5)):
        result = fit("y ~ x + g", given)
        assert set(result._estimate.design.left_out["g"]) == {"seldom", "rare", "unknown"}
        # a row that lacks what the prediction needs is nan, whatever its level
        assert list(result.predict(frame.drop(index=[10, 11])).isna().pipe(np.flatnonzero)) == [10]
        left_out = r"'seldom', 'rare' occurred only in rows left out because something was missing"
        with pytest.raises(UnseenLevelError, match=left_out):
            result.predict(frame)
        with pytest.raises(UnseenLevelError) as raised:
            result.predict(frame.assign(g="never"))
        assert "left out" not in str(raised.value)
        assert result.predict(frame, unseen="nan").isna().sum() == 3
