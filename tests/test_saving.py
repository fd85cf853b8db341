"""Results that travel: files and pickles hold everything but the rows, and give back every bit."""

import inspect
import math
import pickle
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from formulaic.transforms import stateful_transform
from scipy import special
from scipy.special import expit

import dglm
from dglm.design import Unsaved
from dglm.errors import DataError, FormulaError, StorageError
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import CLogLog, Identity, Inverse, Link, Log, Probit, Sqrt
from dglm.penalties import L2
from dglm.results import Estimate
from dglm.storage import saved_types

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 300
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.random(n) + 0.5,
            "g": rng.choice(["a", "b", "c"], n),
            "when": rng.choice(pd.DatetimeIndex(["2020-01-01T00:00:00", "2021-06-01T12:30:00"]), n),
            "hours": rng.random(n) + 1,
        }
    )
    frame["band"] = pd.cut(frame["x"], [-10, -0.5, 0.5, 10])
    return frame.assign(
        won=(rng.random(n) < expit(0.5 * frame["x"])).astype(float),
        good=rng.integers(0, 5, n).astype(float),
        bad=rng.integers(0, 5, n).astype(float),
        count=rng.poisson(np.exp(0.3 * frame["x"])).astype(float),
        size=rng.gamma(2.0, np.exp(0.2 * frame["x"])),
        answer=np.where(rng.random(n) < 0.4, "yes", "no"),
    )


def square(values):
    return values**2


# what the formulas below name beside columns
SCOPE = {
    "np": np, "math": math, "special": special, "expit": expit,
    "SHIFT": 2.5, "KNOTS": [0.1, 0.2], "WEIGHTS": np.array([1.0, 0.5]), "square": square,
}  # fmt: skip

FORMULAS = {
    "numbers": ("size ~ x + z", Gaussian(), {}),
    "interactions": ("won ~ np.log(z) * C(g, contr.sum) + x:g", Binomial(), {}),
    "no intercept": ("size ~ 0 + g + special.expit(x)", Gamma(Log()), {}),
    "counts": ("good + bad ~ x + g", Binomial(Probit()), {"freq_weights": "hours"}),
    "offset": ("count ~ x + I(math.pi * z)", Poisson(), {"offset": "z", "exposure": "hours"}),
    "expressions": ("count ~ x", Poisson(), {"offset": "np.log(hours) + SHIFT", "freq_weights": "I(good + 1)"}),
    "times": ("won ~ C(when) + band", Binomial(CLogLog()), {}),
    "context": ("size ~ I(x + SHIFT) + I(z * KNOTS[0] + WEIGHTS[1]) + expit(x)", Gaussian(), {"var_weights": "z"}),
    "response": ("answer ~ x", Binomial(), {}),
    "transforms": ("won ~ center(x) + scale(z, ddof=0) + poly(hours, 2) + standardize(np.exp(x)):g", Binomial(), {}),
    "splines": ("size ~ bs(x, df=5) + cr(z, df=4, constraints='center') + scale(bs(hours, df=4))", Gamma(Log()), {}),
    "learned offset": ("count ~ poly(x, 3, raw=True)", Poisson(), {"offset": "center(z)", "var_weights": "1 + hours"}),
}
PENALTIES = {"mle": None, "l2": dglm.L2(alpha=0.05), "l1": dglm.L1(alpha=0.02, penalize_intercept=True)}


def fitted(name: str, data: pd.DataFrame, kind: str = "mle"):
    formula, family, extras = FORMULAS[name]
    return dglm.GLM.from_formula(formula, data, family=family, context=SCOPE, **extras).fit(penalty=PENALTIES[kind])


def assert_same(found, expected, new_rows, **given) -> None:
    """Everything that a result says and predicts, bit by bit."""
    assert type(found) is type(expected)
    assert str(found.summary()) == str(expected.summary())
    pd.testing.assert_frame_equal(found.tidy(), expected.tidy(), check_exact=True)
    pd.testing.assert_frame_equal(found.glance(), expected.glance(), check_exact=True)
    assert found.fit_history == expected.fit_history
    assert found.pass_seconds == expected.pass_seconds
    assert (found.certificate, found.status) == (expected.certificate, expected.status)
    if hasattr(expected, "cov_params"):
        np.testing.assert_array_equal(found.cov_params(), expected.cov_params())
    predicted = found.predict(new_rows, **given)
    assert type(predicted) is type(expected.predict(new_rows, **given))
    np.testing.assert_array_equal(predicted, expected.predict(new_rows, **given))


# what comes back


@pytest.mark.parametrize("kind", PENALTIES)
@pytest.mark.parametrize("name", FORMULAS)
def test_a_formulas_result_comes_back_bit_by_bit(data: pd.DataFrame, tmp_path: Path, name: str, kind: str) -> None:
    result = fitted(name, data, kind)
    result.save(tmp_path / "result.dglm")
    loaded = dglm.load(tmp_path / "result.dglm")
    assert_same(loaded, result, data.sample(frac=0.5, random_state=1))
    assert_same(pickle.loads(pickle.dumps(result)), result, data)
    # whatever there is in it that the above did not look at
    loaded.save(tmp_path / "again.dglm")
    assert (tmp_path / "again.dglm").read_bytes() == (tmp_path / "result.dglm").read_bytes()


@pytest.mark.parametrize("name", ["interactions", "offset", "times", "transforms", "splines", "learned offset"])
def test_a_result_from_dask_comes_back_and_predicts_lazily(data: pd.DataFrame, tmp_path: Path, name: str) -> None:
    ddf = dd.from_pandas(data, npartitions=3)
    result = fitted(name, ddf)
    result.save(tmp_path / "result.dglm")
    for loaded in (dglm.load(tmp_path / "result.dglm"), pickle.loads(pickle.dumps(result))):
        assert_same(loaded, result, data)
        lazy = loaded.predict(ddf)
        assert isinstance(lazy, dd.Series)
        pd.testing.assert_series_equal(lazy.compute(scheduler="synchronous"), result.predict(data), check_names=False)


@pytest.mark.parametrize("lazy", [False, True])
def test_results_of_arrays_and_frames_come_back(data: pd.DataFrame, tmp_path: Path, lazy: bool) -> None:
    exog = data[["x", "z"]].assign(const=1.0)
    source = dd.from_pandas(exog.assign(won=data["won"], answer=data["answer"]), npartitions=2) if lazy else None
    X = source[list(exog)].to_dask_array(lengths=True) if lazy else exog.to_numpy()
    y = source["won"].to_dask_array(lengths=True) if lazy else data["won"].to_numpy()
    offset = data["z"].to_numpy()
    array = dglm.GLM(y, X, family=Binomial(), offset=offset).fit()
    frame = dglm.GLM(
        source["answer"] if lazy else data["answer"], source[list(exog)] if lazy else exog, family=Binomial()
    )
    for result, rows, given in ((array, exog.to_numpy(), {"offset": offset}), (frame.fit(), exog, {})):
        result.save(tmp_path / "result.dglm")
        for loaded in (dglm.load(tmp_path / "result.dglm"), pickle.loads(pickle.dumps(result))):
            assert_same(loaded, result, rows, **given)
            assert type(loaded.params) is type(result.params)
    with pytest.raises(DataError, match="pass offset="):
        dglm.load(tmp_path / "result.dglm") and pickle.loads(pickle.dumps(array)).predict(exog.to_numpy())


@pytest.mark.parametrize(
    "family",
    [Gaussian(), Gaussian(Log()), Binomial(), Binomial(Probit()), Binomial(CLogLog()), Poisson(), Poisson(Sqrt()),
     Poisson(Identity()), Gamma(), Gamma(Log()), Gamma(Inverse())],
    ids=repr,
)  # fmt: skip
def test_every_family_and_link_is_saved_by_name(family, tmp_path: Path) -> None:
    y = np.array([0.2, 0.4, 0.7, 0.5])
    result = dglm.GLM(y, np.ones((4, 1)), family=family).fit()
    result.save(tmp_path / "result.dglm")
    loaded = dglm.load(tmp_path / "result.dglm")
    assert loaded._estimate.family == family
    assert_same(loaded, result, np.ones((2, 1)))


def test_results_that_failed_or_dropped_columns_come_back(data: pd.DataFrame, tmp_path: Path) -> None:
    model = dglm.GLM.from_formula("won ~ x + I(2 * x) + z", data, family=Binomial())
    with pytest.warns(dglm.errors.RankDeficientWarning):
        aliased = model.fit()
    with pytest.warns(dglm.errors.PerfectSeparationWarning):
        separated = dglm.GLM.from_formula("w ~ x", data.assign(w=data["x"] > 0), family=Binomial()).fit()
    for result in (aliased, separated):
        result.save(tmp_path / "result.dglm")
        loaded = dglm.load(tmp_path / "result.dglm")
        assert_same(loaded, result, data)
        assert "WARNING" in str(loaded.summary()) or "Left out" in str(loaded.summary())


# what stays behind


def test_files_and_pickles_are_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 100_000
    columns = {f"x{j}": rng.normal(size=n) for j in range(8)} | {f"unused {j}": np.zeros(n) for j in range(99)}
    data = pd.DataFrame({**columns, "g": rng.choice(list("abcdef"), n), "y": rng.random(n) < 0.3})
    rows = data["x0"].to_numpy()

    def halve(values):
        return values / 2

    formula = "y ~ halve(x0) + np.exp(x1) + x2 + x3 + x4 + x5 + x6 + x7 + g"
    assert rows.nbytes == 800_000
    for frame in (data, dd.from_pandas(data, npartitions=2)):
        model = dglm.GLM.from_formula(formula, frame, family=Binomial())
        for penalty in PENALTIES.values():
            # of all histories, that of proximal gradient is the longest
            settings = {"solver": "proximal_gradient"} if isinstance(penalty, dglm.L1) else {}
            result = model.fit(penalty=None if penalty is None else type(penalty)(alpha=1e-4), **settings)
            result.save(tmp_path / "result.dglm")
            assert (tmp_path / "result.dglm").stat().st_size < 50_000
            for dumps in (pickle.dumps, cloudpickle.dumps):
                assert len(dumps(result)) < 50_000
    assert len(result.fit_history) > 1


def test_rows_stay_with_the_result_that_was_fitted(data: pd.DataFrame, tmp_path: Path) -> None:
    result = fitted("numbers", data)
    result.save(tmp_path / "result.dglm")
    assert len(result.fittedvalues) == len(data)
    for travelled in (dglm.load(tmp_path / "result.dglm"), pickle.loads(pickle.dumps(result))):
        for name in ("fittedvalues", "resid_response", "resid_pearson", "resid_deviance", "resid_working"):
            with pytest.raises(DataError, match=r"did not travel with this result; pass them to predict\(data\)"):
                getattr(travelled, name)
        with pytest.raises(DataError, match="did not travel"):
            travelled.predict()


def test_only_the_columns_and_variables_of_the_formula_are_kept(data: pd.DataFrame) -> None:
    engine = fitted("offset", data)._estimate.design.engine
    assert engine.data_columns == ("x", "z", "count")
    assert set(engine.context) == {"math"}


def in_another_process(code: str, *arguments: object) -> str:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("lazy", [False, True])
def test_files_and_pickles_are_read_by_another_process(data: pd.DataFrame, tmp_path: Path, lazy: bool) -> None:
    power = 3
    cubed = lambda values: values**power  # noqa: E731  # functions that plain pickle refuses
    rows = data[["x", "z", "g", "won"]]
    frame = dd.from_pandas(rows, npartitions=2) if lazy else rows
    rows.to_pickle(tmp_path / "rows.pickle")
    model = dglm.GLM.from_formula("won ~ cubed(x) + I((lambda v: v - 1)(z)) + np.sqrt(z):g", frame, family=Binomial())
    for kind, penalty in PENALTIES.items():
        result = model.fit(penalty=None if penalty is None else type(penalty)(alpha=0.01))
        (tmp_path / f"{kind}.pickle").write_bytes(pickle.dumps(result))
        result.save(tmp_path / f"{kind}.dglm")
        (tmp_path / f"{kind}.txt").write_text(str(result.summary()))
        np.save(tmp_path / f"{kind}.npy", result.predict(rows))
    cubed(1)
    code = """
    import pathlib, pickle, sys
    import numpy as np, pandas as pd, dglm
    folder = pathlib.Path(sys.argv[1])
    rows = pd.read_pickle(folder / "rows.pickle")
    for kind in sys.argv[2:]:
        loaded = dglm.load(folder / f"{kind}.dglm", context={"cubed": lambda values: values**3})
        for result in (pickle.loads((folder / f"{kind}.pickle").read_bytes()), loaded):
            assert str(result.summary()) == (folder / f"{kind}.txt").read_text()
            assert np.array_equal(result.predict(rows), np.load(folder / f"{kind}.npy"))
    print(dglm.__file__)
    """
    assert in_another_process(code, tmp_path, *PENALTIES).strip() == dglm.__file__


# what a formula names


def test_what_a_formula_names_is_saved_or_asked_for(data: pd.DataFrame, tmp_path: Path) -> None:
    big, table = np.arange(10_000.0), pd.Series({"a": 1.0, "b": 2.0, "c": 3.0})
    formula = "np.log1p(size) ~ square(x) + I(x * SHIFT + z) + I(big[3] * z) + g.map(table) + expit(x)"
    scope = {**SCOPE, "big": big, "table": table}
    result = dglm.GLM.from_formula(formula, data, context=scope).fit()
    result.save(tmp_path / "result.dglm")
    # fits and summaries need nothing of it
    assert str(dglm.load(tmp_path / "result.dglm").summary()) == str(result.summary())
    given = {"square": square, "big": big, "table": table}
    for name, kind in (("square", "function"), ("big", "ndarray"), ("table", "Series")):
        some = {other: value for other, value in given.items() if other != name}
        incomplete = dglm.load(tmp_path / "result.dglm", context=some)
        with pytest.raises(
            FormulaError, match=rf"needs '{name}' \({kind}\), which was not saved .* context={{'{name}': "
        ):
            incomplete.predict(data)
        with pytest.raises(FormulaError, match=f"needs '{name}'"):
            incomplete.predict(dd.from_pandas(data, npartitions=2)).compute(scheduler="synchronous")
    # a whole scope may be given; what was saved stays as it was
    loaded = dglm.load(tmp_path / "result.dglm", context={**given, "SHIFT": -1.0, "np": None, "unrelated": 0})
    assert_same(loaded, result, data)
    # a result can be saved and pickled again with what it still lacks
    dglm.load(tmp_path / "result.dglm").save(tmp_path / "again.dglm")
    assert_same(pickle.loads(pickle.dumps(dglm.load(tmp_path / "again.dglm", context=given))), result, data)


@pytest.mark.parametrize("lazy", [False, True])
def test_what_transforms_of_the_callers_learned_is_saved_and_they_are_asked_for(
    data: pd.DataFrame, tmp_path: Path, lazy: bool
) -> None:
    @stateful_transform
    def shifted(values, _state=None):
        _state.setdefault("by", {0: float(np.min(values)), 1: np.array([2.0])})
        return (values - _state["by"][0]) / _state["by"][1][0]

    frame = dd.from_pandas(data, npartitions=2) if lazy else data
    result = dglm.GLM.from_formula("won ~ shifted(x)", frame, family=Binomial(), offset="shifted(hours)").fit()
    result.save(tmp_path / "result.dglm")
    loaded = dglm.load(tmp_path / "result.dglm", context={"shifted": shifted})
    # a few rows, which would teach the transform something else
    for travelled in (loaded, pickle.loads(pickle.dumps(loaded))):
        assert_same(travelled, result, data[5:9])
    with pytest.raises(FormulaError, match=r"needs 'shifted' \(StatefulTransform\), which was not saved"):
        dglm.load(tmp_path / "result.dglm").predict(data)


def test_what_a_transform_learned_and_a_file_cannot_hold_is_refused_by_name(data: pd.DataFrame, tmp_path: Path) -> None:
    @stateful_transform
    def shifted(values, _state=None):
        _state.setdefault("by", pd.Series([1.0]))
        return values - _state["by"][0]

    result = dglm.GLM.from_formula("won ~ shifted(x)", data, family=Binomial()).fit()
    with pytest.raises(StorageError, match=r"cannot save .*state\['shifted\(x\)'\]\['by'\], a Series"):
        result.save(tmp_path / "result.dglm")
    assert_same(pickle.loads(pickle.dumps(result)), result, data)


def test_the_response_needs_no_function_to_predict(data: pd.DataFrame, tmp_path: Path) -> None:
    result = dglm.GLM.from_formula("square(size) ~ x", data).fit()
    result.save(tmp_path / "result.dglm")
    assert_same(dglm.load(tmp_path / "result.dglm"), result, data)


def test_what_a_file_cannot_hold_is_refused_by_name_and_nothing_is_written(tmp_path: Path) -> None:
    rows = pd.DataFrame({"level": pd.Series([frozenset("a"), frozenset("b")] * 5), "y": np.arange(10.0)})
    result = dglm.GLM.from_formula("y ~ C(level)", rows).fit()
    with pytest.raises(
        StorageError, match=r"cannot save result\.design\.levels\['C\(level\)'\]\[0\], a frozenset: .*pickle"
    ):
        result.save(tmp_path / "result.dglm")
    assert not (tmp_path / "result.dglm").exists()
    assert_same(pickle.loads(pickle.dumps(result)), result, rows)


# users' classes


@dataclass(frozen=True)
class ScaledLog(Link):
    """eta = log(mu) / k."""

    k: float = 2.0

    def link(self, mu):
        return np.log(mu) / self.k

    def inverse(self, eta):
        return np.exp(self.k * eta)

    def inverse_deriv(self, eta):
        return self.k * np.exp(self.k * eta)

    def inverse_deriv2(self, eta):
        return self.k**2 * np.exp(self.k * eta)


@dataclass(frozen=True)
class Counts(Poisson):
    """A family of a user's own."""

    link: Link = ScaledLog(k=1.5)
    note: str = "mine"


@dataclass(frozen=True)
class Ridge(L2):
    """A penalty of a user's own."""


class Undeclared(Link):
    """A link whose parameters nobody can know."""

    link, inverse, inverse_deriv, inverse_deriv2 = Log.link, Log.inverse, Log.inverse_deriv, Log.inverse_deriv2


def test_users_own_classes_are_given_when_loading(data: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "result.dglm"
    result = dglm.GLM.from_formula("count ~ x", data, family=Counts(note="ours")).fit(penalty=Ridge(alpha=0.1))
    result.save(path)
    given = {"families": [Counts], "links": (link for link in [ScaledLog]), "penalties": [Ridge]}
    loaded = dglm.load(path, **given)
    assert_same(loaded, result, data)
    assert loaded._estimate.family == Counts(note="ours")
    given["links"] = [ScaledLog]
    for argument, cls in (("families", Counts), ("links", ScaledLog), ("penalties", Ridge)):
        with pytest.raises(
            StorageError, match=rf"a {cls.__name__}, a class .* dglm\.load\(path, {argument}=\[{cls.__name__}\]\)"
        ):
            dglm.load(path, **{**given, argument: []})
    with pytest.raises(TypeError, match=r"links must be classes derived from Link; got .*Counts"):
        dglm.load(path, links=[Counts])
    with pytest.raises(TypeError, match="links must be classes derived from Link; got ScaledLog"):
        dglm.load(path, links=[ScaledLog()])


def test_a_class_that_is_no_dataclass_is_refused(data: pd.DataFrame, tmp_path: Path) -> None:
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson(Undeclared())).fit()
    with pytest.raises(StorageError, match=r"cannot save result\.family\.link, .* make Undeclared a frozen dataclass"):
        result.save(tmp_path / "result.dglm")


def test_a_class_that_changed_since_is_refused(data: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "result.dglm"
    dglm.GLM.from_formula("count ~ x", data, family=Counts()).fit().save(path)

    @dataclass(frozen=True)
    class Changed(Poisson):
        """Without the field `note`."""

    Changed.__name__ = "Counts"
    with pytest.raises(StorageError, match=r"cannot load .*result\.family is damaged \(TypeError: .*note"):
        dglm.load(path, families=[Changed], links=[ScaledLog])


def test_a_users_class_of_no_name_of_dglms_own_is_not_taken_for_it(data: pd.DataFrame, tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Own(Poisson):
        """Called as dglm's."""

        def loglike_obs(self, y, mu, var_weights, scale):
            return 0.0 * y

    Own.__name__ = "Poisson"
    result = dglm.GLM.from_formula("count ~ x", data, family=Own()).fit()
    result.save(tmp_path / "result.dglm")
    with pytest.raises(StorageError, match=r"pass it: dglm\.load\(path, families=\[Poisson\]\)"):
        dglm.load(tmp_path / "result.dglm")
    assert type(dglm.load(tmp_path / "result.dglm", families=[Own])._estimate.family) is Own


def test_every_type_that_a_result_can_hold_is_known() -> None:
    types = saved_types(Estimate, Unsaved)
    bases = (dglm.families.Family, Link, dglm.penalties.Penalty)
    public = [getattr(room, name) for room in (dglm.families, dglm.links, dglm.penalties) for name in room.__all__]
    exported = {
        cls for cls in public if isinstance(cls, type) and issubclass(cls, bases) and not inspect.isabstract(cls)
    }
    assert len(exported) >= 15
    assert exported <= set(types.values())
    assert {"families.Binomial", "links.Logit", "results.Estimate", "solvers.Status"} <= types.keys()
    assert all(name.endswith(f".{cls.__name__}") for name, cls in types.items())
    assert not {"data.PandasTable", "data.Table", "data.Block", "objective.Objective"} & types.keys()


def test_types_of_one_name_are_told_apart_by_room_and_refused_in_one() -> None:
    def record(module: str) -> type:
        return dataclass(frozen=True)(type("Twin", (), {"__module__": module, "__doc__": "Empty."}))

    first, second, third = map(record, ("dglm.first.twin", "dglm.second.twin", "dglm.second.other"))
    assert saved_types(first, second) == {"first.Twin": first, "second.Twin": second}
    with pytest.raises(TypeError, match="has the name of another class of its room"):
        saved_types(second, third)
