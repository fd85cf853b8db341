"""Values, arrays and annotations: what a file can say, bit by bit."""

import datetime
import decimal
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import dglm
from dglm.design import Unsaved
from dglm.errors import StorageError
from dglm.results import Estimate
from dglm.storage import Decoder, Encoder, pack, saved_types, unpack
from dglm.storage.schema import fits

LEVELS = {
    "str": ["b", "a"],
    "int": [2, -1],
    "float": [0.1, math.inf],
    "bool": [True, False],
    "bytes": [b"a\xff", b"b"],
    "timestamp": [pd.Timestamp("2020-01-01 00:00:00.000000001"), pd.Timestamp("1677-10-01")],
    "seconds": [pd.Timestamp("5000-01-01").as_unit("s"), pd.Timestamp("0001-01-01").as_unit("s")],
    "zone": [pd.Timestamp("2020-03-29 03:30", tz="Europe/Rome"), pd.Timestamp("2020-01-01", tz="Europe/Rome")],
    "shifted": [pd.Timestamp("2020-03-29 03:30+02:00"), pd.Timestamp("2020-03-29 03:30+00:00")],
    "timedelta": [pd.Timedelta("1ns"), pd.Timedelta(days=-2)],
    "period": [pd.Period("2020Q1", "Q-NOV"), pd.Period("2020-05", "M")],
    "interval": [pd.Interval(0.1, 0.2, closed="left"), pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021"))],
    "date": [datetime.date(2020, 1, 1), datetime.date(1, 1, 1)],
    "datetime": [datetime.datetime(2020, 1, 1, 1, 2, 3, 4), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)],
    "time": [datetime.time(1, 2, 3), datetime.time(4)],
    "decimal": [decimal.Decimal("0.10"), decimal.Decimal("1e400")],
    "tuple": [("a", 1), ("a", (None, 2.5))],
    "numpy": [np.int64(3), np.float32(0.1)],
    "none": [None, "a"],
}


def carried(value: object) -> object:
    """Write a value as a variable of a formula, and read it."""
    types = saved_types(Estimate, Unsaved)
    encoder = Encoder(types, {})
    content, arrays = unpack(pack(encoder.encode({"it": value}, "it"), encoder.arrays))
    return Decoder(types, {}, arrays, {}).decode(content, "it")["it"]


@pytest.mark.parametrize("kind", LEVELS)
def test_levels_of_every_type_come_back(kind: str) -> None:
    found = carried(tuple(LEVELS[kind]))
    assert found == tuple(LEVELS[kind])
    assert list(map(hash, found)) == list(map(hash, LEVELS[kind]))
    if kind != "numpy":
        assert list(map(type, found)) == list(map(type, LEVELS[kind]))
        assert list(map(repr, found)) == list(map(repr, LEVELS[kind]))


@pytest.mark.parametrize("kind", ["int", "float", "bool", "timestamp", "zone", "timedelta", "interval", "date"])
def test_new_rows_find_their_levels_in_a_loaded_result(tmp_path: Path, kind: str) -> None:
    levels = LEVELS[kind] if kind != "interval" else [LEVELS[kind][0], pd.Interval(0.2, 0.3, closed="left")]
    rows = pd.DataFrame({"level": pd.Series([levels[i % 2] for i in range(10)]), "y": np.arange(10.0)})
    result = dglm.GLM.from_formula("y ~ C(level)", rows).fit()
    result.save(tmp_path / "result.dglm")
    loaded = dglm.load(tmp_path / "result.dglm")
    assert loaded._estimate.design.levels == result._estimate.design.levels
    np.testing.assert_array_equal(loaded.predict(rows), result.predict(rows))
    assert str(loaded.summary()) == str(result.summary())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(),
        lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=10,
    )
)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_plain_values_come_back_whatever_they_are(value) -> None:
    # repr tells 1 from 1.0 and True, 0.0 from -0.0, and takes nan for itself
    assert repr(carried(value)) == repr(value)


@pytest.mark.parametrize(
    "array",
    [np.eye(3), np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), np.arange(12.0).reshape(3, 4)[:, ::2], np.zeros((0, 3)),
     np.array(2.5), np.array([True, False]), np.array([np.nan, -0.0, np.inf, 5e-324]), np.array(["a", "bc"]),
     np.array(["2020-01-01"], dtype="M8[D]"), np.arange(3, dtype=">i2"), np.array([], dtype=np.float32)],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_arrays_come_back_bit_by_bit(array) -> None:
    found = carried(array)
    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert found.flags.fnc == array.flags.fnc
    assert found.flags.writeable


def test_shared_arrays_are_written_once_and_stay_shared() -> None:
    array = np.eye(2)
    first, second = carried((array, array))
    assert first is second


def test_a_distribution_of_a_link_comes_back() -> None:
    for frozen in (stats.t(5), stats.norm(), stats.skewnorm(a=2.0, scale=3.0)):
        found = carried(frozen)
        assert (found.dist.name, found.args, found.kwds) == (frozen.dist.name, frozen.args, frozen.kwds)
        assert found.ppf(0.3) == frozen.ppf(0.3)

    class Own(stats.rv_continuous):
        def _cdf(self, x):
            return x

    with pytest.raises(StorageError, match="no distribution of scipy"):
        carried(Own(name="own", a=0, b=1)())


# annotations


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (1, float, True), (True, float, False), (1.0, int, False), (True, int, False), (None, None, True),
        (None, float | None, True), ("a", float | None, False), ((), tuple[str, ...], True),
        (("a", 1), tuple[str, ...], False), (("a", 1), tuple[str, int], True), (("a",), tuple[str, int], False),
        ({"a": 1}, dict[str, int], True), ({"a": "b"}, dict[str, int], False), ([1], list[int], True),
        (["a"], list[int], False), (np.zeros(2), dglm._typing.Vector, True),
        (np.zeros(2, bool), dglm._typing.Mask, True),
        (np.zeros(2, int), dglm._typing.Vector, False), (np.zeros(2, int), dglm._typing.AnyArray, True),
        ([0.0], dglm._typing.Vector, False),
    ],
)  # fmt: skip
def test_values_are_held_against_annotations(value, hint, expected: bool) -> None:
    assert fits(value, hint) is expected
