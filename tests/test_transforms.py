"""Transforms that learn: in how many passes, from which rows and columns, with what cost, and what they refuse."""

import ast
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace

import dask
import dask.dataframe as dd
import formulaic
import numpy as np
import pandas as pd
import patsy
import pytest
import statsmodels.formula.api as smf
from distributed import Client, LocalCluster
from formulaic.transforms import stateful_transform
from statsmodels.genmod import families as sm_families

import dglm
from dglm.design import Learner, learned_by
from dglm.design.statistics import Range
from dglm.design.transforms import learner_of
from dglm.errors import DataError, FormulaError
from dglm.families import Gaussian, Poisson
from dglm.testing import check_learner, count_passes, forbid_compute

TRANSFORMS = formulaic.transforms.TRANSFORMS


def frame(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "y": rng.poisson(2.0, n).astype(float),
            "x": rng.normal(size=n),
            "z": rng.gamma(2.0, size=n),
            "k": rng.integers(0, 4, n),
            "g": rng.choice(list("abcd"), n),
            "h": pd.Categorical(rng.choice(["low", "high"], n), categories=["low", "high"]),
            "unused": 1.0,
        }
    )


def lazy(data: pd.DataFrame, npartitions: int = 4):
    return dd.from_pandas(data, npartitions=npartitions)


@stateful_transform
def winsorised(x, share=0.1, _state=None):
    """A user's own: cut off at quantiles."""
    x = np.asarray(x, dtype=float)
    if "bounds" not in _state:
        _state["bounds"] = np.quantile(x, [share, 1 - share])
    return np.clip(x, *_state["bounds"])


@stateful_transform
def mean_of(group, y, _state=None):
    """A user's own, of two columns."""
    if "means" not in _state:
        _state["means"] = pd.Series(np.asarray(y)).groupby(np.asarray(group, dtype=object)).mean().to_dict()
    return pd.Series(group).map(_state["means"]).to_numpy(dtype=float)


@dataclass(frozen=True)
class UnitRange(Learner):
    margin: float = 0.0

    def observe(self, values):
        return Range.of(np.asarray(values))

    def finish(self, total):
        return {"lower": total.lower - self.margin, "upper": total.upper + self.margin}


@learned_by(UnitRange)
@stateful_transform
def to_unit(x, margin=0.0, _state=None):
    return (x - _state["lower"]) / (_state["upper"] - _state["lower"])


@pytest.mark.parametrize(
    ("n_passes", "formula"),
    [
        (0, "y ~ np.log(z) + I(x ** 2) + h"),
        (0, "y ~ C(g, levels=['a', 'b', 'c', 'd'])"),
        (0, "y ~ bs(x, knots=[0.0], lower_bound=-9, upper_bound=9)"),
        (0, "y ~ cr(x, knots=[0.0], lower_bound=-9, upper_bound=9)"),
        (0, "y ~ poly(x, 2, raw=True) + scale(x, center=1, scale=2)"),
        (0, "y ~ hashed(g, levels=3)"),
        (1, "y ~ g"),
        (1, "y ~ center(x) + scale(z) + standardize(k)"),
        (1, "y ~ bs(x, df=5) + cr(z, df=4) + cc(x, df=4) + poly(z, 3) + scale(x) + g * C(k)"),
        (1, "y ~ np.exp(scale(x)) - 1 + I(2 * center(x) + center(z) ** 2) + g"),
        (1, "y ~ bs(np.log(z), df=5):g"),
        (1, "y ~ cr(x, knots=[0.0], lower_bound=-9, upper_bound=9, constraints='center')"),
        (2, "y ~ cr(x, df=4, constraints='center')"),
        (2, "y ~ bs(center(x), df=4) + g"),
        (3, "y ~ scale(bs(center(x), df=4))"),
        # rows that a root of a centred column drops are not known before the mean is, so that levels have to wait
        (2, "y ~ np.sqrt(center(x) + 99) + g"),
        (2, "y ~ C(center(x) > 0)"),
        (1, "scale(y) ~ x"),
    ],
)
def test_as_few_passes_as_can_be(n_passes: int, formula: str) -> None:
    for rows in (lazy(frame()), frame()):
        with count_passes() as passes:
            model = dglm.GLM.from_formula(formula, rows)
        assert model.design.n_passes == passes.count == n_passes
    if n_passes == 0:
        with forbid_compute():
            dglm.GLM.from_formula(formula, lazy(frame()))


def test_a_design_of_collections_tells_its_passes() -> None:
    data = frame()
    ddf = lazy(data.assign(won=np.where(data["y"] > 1, "yes", "no")))
    assert dglm.GLM(ddf["y"], ddf[["x"]]).design.n_passes == 0
    assert dglm.GLM(ddf["won"], ddf[["x"]]).design.n_passes == 1


def test_columns_of_weights_and_offsets_may_have_any_name() -> None:
    data = frame().rename(columns={"z": "a weight", "k": "class"})
    named = dglm.GLM.from_formula("y ~ center(x)", lazy(data), freq_weights="a weight", offset="class")
    given = dglm.GLM.from_formula("y ~ center(x)", data, freq_weights=data["a weight"], offset=data["class"])
    assert named.design.columns == ["y", "x", "a weight", "class"]
    np.testing.assert_allclose(named.fit().params, given.fit().params, rtol=1e-10)


def test_offsets_and_weights_may_learn_in_the_same_pass() -> None:
    data = frame()
    with count_passes() as passes:
        model = dglm.GLM.from_formula("y ~ x + g", lazy(data), offset="center(z)", freq_weights="np.exp(scale(x))")
    assert passes.count == model.design.n_passes == 1
    centred, weights = data["z"] - data["z"].mean(), np.exp((data["x"] - data["x"].mean()) / data["x"].std())
    expected = dglm.GLM.from_formula("y ~ x + g", data, offset=centred, freq_weights=weights).fit()
    fitted = model.fit()
    np.testing.assert_allclose(fitted.params, expected.params, rtol=1e-10)
    np.testing.assert_allclose(fitted.predict(data.head(3)), expected.fittedvalues.head(3), rtol=1e-10)


def test_a_pass_reads_only_what_it_learns_from(tmp_path) -> None:
    lazy(frame()).to_parquet(tmp_path)
    read = []

    def spying(formula: str, **extras: object) -> list[list[str]]:
        read.clear()
        table = type(dglm.GLM.from_formula("y ~ 1", lazy(frame()))._table)
        partitions = table.partitions
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(table, "partitions", lambda self, columns: read.append(columns) or partitions(self, columns))
            dglm.GLM.from_formula(formula, dd.read_parquet(tmp_path), **extras)
        return read

    assert spying("y ~ bs(x, df=5) * k") == [["x"]]
    assert spying("y ~ x + center(np.log(z))") == [["z"]]
    # whether a row is dropped, and its level with it, every column decides
    assert spying("y ~ g + center(x)", offset="z") == [["y", "x", "g", "z"]]
    assert spying("y ~ g + center(x)", missing="raise") == [["x", "g"]]


def test_parquet_gives_what_memory_gives(tmp_path) -> None:
    data = frame()
    data.loc[[3, 77], "x"] = np.nan
    lazy(data, 7).to_parquet(tmp_path)
    formula = "y ~ bs(x, df=5) + scale(z) * g + poly(x, 2) + cr(z, df=3, constraints='center')"
    expected = dglm.GLM.from_formula(formula, data)
    found = dglm.GLM.from_formula(formula, dd.read_parquet(tmp_path))
    np.testing.assert_allclose(found.exog.compute(), expected.exog, atol=1e-13)


def test_rows_that_are_dropped_for_other_columns_teach_transforms_but_have_no_levels() -> None:
    data = frame()
    data.loc[5, ["z", "g", "x"]] = np.nan, "rare", 50.0
    reference = formulaic.model_matrix("y ~ center(x) + bs(x, df=4) + poly(x, 2) + z + g", data)
    model = dglm.GLM.from_formula("y ~ center(x) + bs(x, df=4) + poly(x, 2) + z + g", lazy(data))
    assert model.exog_names == list(reference.rhs.columns)
    assert "g[T.rare]" not in model.exog_names
    np.testing.assert_allclose(model.exog.compute(), reference.rhs, atol=1e-13)


def test_a_missing_value_is_left_out_of_what_is_learned() -> None:
    data = frame()
    data.loc[5, "x"] = np.nan
    # formulaic learns nan here, and then drops every row
    assert len(formulaic.model_matrix("y ~ center(x)", data).rhs) == 0
    exog = dglm.GLM.from_formula("y ~ center(x) + scale(x)", lazy(data)).exog.compute()
    kept = data["x"].dropna()
    np.testing.assert_allclose(exog[:, 1], kept - kept.mean(), atol=1e-14)
    np.testing.assert_allclose(exog[:, 2], (kept - kept.mean()) / kept.std(), atol=1e-14)


def test_partitions_without_rows_or_without_values_teach_nothing() -> None:
    data = frame()
    data.loc[:40, "x"] = np.nan
    pieces = [data.iloc[:0], data.iloc[:41], data.iloc[41:42], data.iloc[42:42], data.iloc[42:]]
    ddf = dd.concat([dd.from_pandas(piece, npartitions=1) for piece in pieces])
    formula = "y ~ bs(x, df=5) + scale(x) + poly(x, 3) + cc(x, df=3, constraints='center') + winsorised(z) + g"
    expected = dglm.GLM.from_formula(formula, data)
    found = dglm.GLM.from_formula(formula, ddf)
    assert found.exog_names == expected.exog_names
    np.testing.assert_allclose(found.exog.compute(scheduler="sync"), expected.exog, atol=1e-13)


def test_what_was_learned_is_small_and_predicts() -> None:
    data = frame()
    formula = "y ~ bs(x, df=6) + poly(k, 3) + cr(z, df=4, constraints='center') + scale(np.log(z)):g"
    model = dglm.GLM.from_formula(formula, lazy(data), family=Poisson())
    assert len(pickle.dumps(model.design)) < 5_000
    result = model.fit()
    received = pickle.loads(pickle.dumps(result))
    expected = result.fittedvalues.compute()
    for rows in (data.iloc[[7]], data.iloc[100:120]):
        np.testing.assert_allclose(received.predict(rows), expected.loc[rows.index], rtol=1e-12)
    with forbid_compute():
        predicted = received.predict(lazy(data, 9))
    np.testing.assert_allclose(predicted.compute(), expected, rtol=1e-12)
    assert np.isnan(received.predict(data.iloc[:2].assign(x=np.nan))).all()
    with pytest.raises(FormulaError, match=r"bs\(x, df=6\) goes from -.* to .* values beyond; .*extrapolation='clip'"):
        received.predict(data.iloc[:2].assign(x=99.0))


@pytest.mark.parametrize("in_memory", [False, True])
def test_knots_of_many_distinct_values_are_near_or_exact(in_memory: bool) -> None:
    rng = np.random.default_rng(3)
    n = 200_000
    data = pd.DataFrame({"y": rng.normal(size=n), "x": rng.lognormal(size=n), "z": rng.normal(size=n).round(2)})
    rows = data if in_memory else lazy(data, 3)
    formula = "y ~ bs(x, df=6) + cr(x, df=5) + bs(z, df=5) + cr(z, df=4)"
    state = formulaic.model_matrix(formula, data).rhs.model_spec.transform_state
    exact = dglm.GLM.from_formula(formula, rows, exact_knots=True).design
    assert exact.n_passes == 2
    assert exact.rank_errors == {}
    near = dglm.GLM.from_formula(formula, rows).design
    assert near.n_passes == 1
    assert set(near.rank_errors) == {"bs(x, df=6)", "cr(x, df=5)"}
    ordered = np.sort(data["x"])
    for call, learned in state.items():
        assert exact.engine.state[call]["knots"] == learned["knots"]
        ranks, wanted = (np.searchsorted(ordered, s["knots"]) / n for s in (near.engine.state[call], learned))
        assert np.abs(ranks - wanted).max() <= near.rank_errors.get(call, 0.0)


def test_what_users_transforms_learn_is_gathered() -> None:
    data = frame()
    module = SimpleNamespace(winsorised=winsorised)
    formula = "y ~ winsorised(x) + winsorised(z, share=0.2):g + module.winsorised(center(x)) + mean_of(g, y=z)"
    context = {"winsorised": winsorised, "mean_of": mean_of, "module": module}
    expected = formulaic.model_matrix(formula, data, context=context).rhs
    model = dglm.GLM.from_formula(formula, lazy(data))
    assert model.exog_names == list(expected.columns)
    np.testing.assert_allclose(model.exog.compute(), expected, atol=1e-14)


def test_a_learner_of_ones_own_takes_one_pass_and_the_arguments_of_the_call() -> None:
    data = frame()
    with count_passes() as passes:
        model = dglm.GLM.from_formula("y ~ to_unit(x) + to_unit(z, margin=1.0) + g", lazy(data))
    assert passes.count == 2  # whether it keeps missing values is not known, so that levels wait
    exog = model.exog.compute()
    np.testing.assert_allclose(exog[:, 1].min(), 0.0)
    np.testing.assert_allclose(
        exog[:, 2].max(), (data["z"].max() + 1 - data["z"].min() + 1 - 1) / (np.ptp(data["z"]) + 2)
    )
    check_learner(UnitRange(0.5), data["x"].to_numpy())


@pytest.mark.parametrize(
    ("transform", "keywords"),
    [
        ("center", {}),
        ("scale", {"ddof": 0}),
        ("standardize", {"center": False}),
        ("poly", {"degree": 4}),
        ("bs", {"df": 7}),
        ("bs", {"df": 5, "lower_bound": -1.0, "upper_bound": 1.0, "extrapolation": "clip"}),
        ("cr", {"df": 5, "constraints": "center"}),
        ("cc", {"df": 5}),
    ],
)
def test_learners_do_not_depend_on_the_split(transform: str, keywords: dict) -> None:
    learner = learner_of(TRANSFORMS[transform], [], keywords, exact_knots=False)
    rng = np.random.default_rng(2)
    check_learner(learner, np.where(rng.random(90) < 0.1, np.nan, rng.normal(size=90)))


def test_every_cap_names_the_call_and_the_way_out(monkeypatch) -> None:
    monkeypatch.setattr("dglm.design.statistics.gathered.MAX_ROWS", 100)
    with pytest.raises(FormulaError, match=r"winsorised\(x\): dglm has no mergeable learner .* 100 rows; give it one"):
        dglm.GLM.from_formula("y ~ winsorised(x)", lazy(frame()))
    monkeypatch.setattr("dglm.design.transforms.cubic.MAX_EXACT", 50)
    with pytest.raises(FormulaError, match=r"cr\(x, df=4\) has more than 50 distinct values.*give knots="):
        dglm.GLM.from_formula("y ~ cr(x, df=4)", lazy(frame()), exact_knots=True)
    monkeypatch.setattr("dglm.design.levels.MAX_LEVELS", 2)
    with pytest.raises(FormulaError, match=r"'g' has more than 2 levels.*C\(\.\.\., levels=\[\.\.\.\]\)"):
        dglm.GLM.from_formula("y ~ g", lazy(frame()))


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("center(g)", r"center\(g\) needs numbers"),
        ("scale(h)", r"scale\(h\) needs numbers"),
        ("scale(unused)", r"scale\(unused\) cannot scale a column that is constant"),
        ("center(unused / 0)", r"cannot learn from infinite values"),
        ("center(unused * np.nan)", r"center\(unused \* np.nan\) has no row with a value"),
        ("center()", r"center\(\) has no data to learn from"),
        ("center(3)", r"center\(3\) learns from no column of the data"),
        ("center(x, 2)", r"center\(x, 2\) cannot be called so"),
        ("center(*[x])", r"starred arguments"),
        ("scale(x, center=z)", r"has an argument that depends on the rows"),
        ("bs(x, knots=np.quantile(x, [0.5]))", r"has an argument that depends on the rows.*give numbers"),
        ("I(sum(center(v) for v in [x, z]))", r"center\(v\) learns from v, which a lambda or comprehension"),
        ("bs(x, df=2)", r"bs\(x, df=2\) needs df of at least 3 for degree 3; got 2"),
        ("bs(x, df=5, knots=[1])", r"takes df or knots, not both"),
        ("bs(x, df=5, extrapolation='what')", r"extrapolation to be one of 'raise', .*'what'"),
        ("bs(x, df=5, lower_bound=90, upper_bound=91, extrapolation='clip')", r"no value within its bounds"),
        ("bs(x, lower_bound=3, upper_bound=1)", r"its lower bound, 3.0, above its upper, 1.0"),
        ("bs(np.column_stack([x, z]), df=4)", r"takes one column; got values of shape"),
        ("cr(x)", r"cr\(x\) needs df or knots"),
        ("cr(x, df=1)", r"needs df of at least 2; got 1"),
        ("cr(unused, df=4)", r"cannot place 2 distinct knots between 1.0 and 1.0"),
        ("cr(x, knots=[-100])", r"has knots \[-100.0\] outside its bounds"),
        ("cr(x, df=4, constraints='no')", r"takes constraints=\"center\""),
        ("cr(x, df=4, constraints=[[1, 2]])", r"needs constraints of 5 columns; got 2"),
        ("poly(k, 4)", r"needs more than 4 distinct values for degree 4; there are 4"),
        ("C(cr(x, df=3))", r"several columns, which cannot be levels"),
        ("x(z)", r"'x' is a column of the data, which x\(z\) cannot call"),
        ("broken(x)", r"broken\(x\) cannot be learned: ValueError: no"),
    ],
)
def test_what_cannot_be_learned_is_refused(term: str, message: str) -> None:
    @stateful_transform
    def broken(x, _state=None):
        raise ValueError("no")

    for rows in (frame(), lazy(frame())):
        with np.errstate(divide="ignore"), pytest.raises((FormulaError, DataError), match=message):
            dglm.GLM.from_formula(f"y ~ {term}", rows)


def test_hashing_leaves_missing_values_out_and_takes_a_function() -> None:
    data = frame()
    expected = formulaic.model_matrix("y ~ hashed(g, levels=5)", data).rhs
    model = dglm.GLM.from_formula("y ~ hashed(g, levels=5)", lazy(data))
    assert model.exog_names == list(expected.columns)
    np.testing.assert_array_equal(model.exog.compute(), expected)
    with_missing = data.assign(g=data["g"].where(data.index != 3))
    assert len(dglm.GLM.from_formula("y ~ hashed(g, levels=5)", lazy(with_missing)).exog.compute()) == len(data) - 1
    model = dglm.GLM.from_formula("y ~ 0 + hashed(g, levels=26, hash_func=ord)", data)
    np.testing.assert_array_equal(model.exog.argmax(axis=1), [ord(g) % 26 for g in data["g"]])


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ center(x) + standardize(z) + C(g)",
        "y ~ bs(x, df=5) + np.log(z)",
        "y ~ bs(x, df=5) * center(z)",
        "y ~ C(g, Treatment('b')) * center(z)",
        "y ~ I(x ** 2) + C(k)",
    ],
)
def test_fits_are_statsmodels(formula: str) -> None:
    data = frame()
    for family, reference in ((Gaussian(), sm_families.Gaussian()), (Poisson(), sm_families.Poisson())):
        result = dglm.GLM.from_formula(formula, lazy(data), family=family).fit()
        expected = smf.glm(formula, data, family=reference).fit(tol=1e-12)
        np.testing.assert_allclose(result.deviance, expected.deviance, rtol=1e-9)
        np.testing.assert_allclose(result.fittedvalues.compute(), expected.fittedvalues, rtol=1e-7)
        np.testing.assert_allclose(np.sort(result.params), np.sort(expected.params), rtol=1e-6, atol=1e-8)


@pytest.mark.distributed
@pytest.mark.timeout(120)
def test_two_processes_learn_with_functions_of_the_caller() -> None:
    factor = 1.5

    def squashed(values):
        return np.tanh(factor * values)

    @stateful_transform
    def shifted(x, _state=None):
        if "shift" not in _state:
            _state["shift"] = factor * np.median(x)
        return x - _state["shift"]

    data = frame()
    formula = "y ~ scale(squashed(x)) + bs(x, df=5) + shifted(z):g + cr(z, df=3, constraints='center')"
    expected = formulaic.model_matrix(formula, data, context={"squashed": squashed, "shifted": shifted}).rhs

    class Shifted:
        def memorize_chunk(self, x):
            self.shift = factor * np.median(x)

        def memorize_finish(self):
            pass

        def transform(self, x):
            return x - self.shift

    scope = {"squashed": squashed, "moved": patsy.stateful_transform(Shifted)}
    of_patsy = "y ~ scale(squashed(x)) + bs(x, df=5) + moved(z):g + cr(z, df=3, constraints='center')"
    expected_of_patsy = patsy.dmatrices(of_patsy, data, patsy.EvalEnvironment([scope]), return_type="dataframe")[1]
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        model = dglm.GLM.from_formula(formula, lazy(data, 6))
        exog = model.exog.compute()
        patsys = dglm.GLM.from_formula(of_patsy, lazy(data, 6), engine="patsy", context=scope)
        exog_of_patsy = patsys.exog.compute()
    assert model.exog_names == list(expected.columns)
    np.testing.assert_allclose(exog, expected, atol=1e-12)
    assert patsys.exog_names == list(expected_of_patsy.columns)
    np.testing.assert_allclose(exog_of_patsy, expected_of_patsy, atol=1e-12)


def test_other_partitions_give_the_same_fit() -> None:
    data = frame()
    formula = "y ~ bs(x, df=5) + scale(np.log(z)):g + poly(k, 3) + cc(z, df=3, constraints='center')"
    fits = [dglm.GLM.from_formula(formula, lazy(data, k), family=Poisson()).fit() for k in (1, 7)]
    np.testing.assert_allclose(fits[0].params, fits[1].params, rtol=1e-9)
    with dask.config.set(scheduler="synchronous"):
        again = dglm.GLM.from_formula(formula, lazy(data, 7), family=Poisson()).fit()
    np.testing.assert_array_equal(again.params, fits[1].params)


@pytest.mark.parametrize("engine", ["formulaic", "patsy"])
def test_no_two_threads_make_syntax_trees_at_once(engine: str, monkeypatch) -> None:
    # they share a counter, and Python 3.11 raises SystemError where it finds it changed: formulas failed now and then
    parse, busy, overlaps = ast.parse, threading.Lock(), []

    def slow(*args, **kwargs):
        if not busy.acquire(blocking=False):
            overlaps.append(args)
            return parse(*args, **kwargs)
        try:
            time.sleep(0.001)
            return parse(*args, **kwargs)
        finally:
            busy.release()

    data = frame(20)
    design = dglm.GLM.from_formula("y ~ np.log(z) * center(x) + C(k)", data, engine=engine).design
    expected = design.exog(data, 0).toarray()
    monkeypatch.setattr(ast, "parse", slow)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda number: pickle.loads(pickle.dumps(design)).exog(data, number), range(12)))
    monkeypatch.undo()
    assert overlaps == []
    for X in found:
        np.testing.assert_array_equal(X.toarray(), expected)
