"""Any formula, on any frame, in any partitions, in memory or in files, gives the design of its engine on all rows."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import dask
import dask.dataframe as dd
import formulaic
import numpy as np
import pandas as pd
import patsy
import pytest
import statsmodels.formula.api as smf
from distributed import Client, LocalCluster
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from statsmodels.genmod import families as sm_families

import dglm
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log

#: The design of a formula on a whole frame, by engine: names of its columns, and numbers.
REFERENCES: dict[str, Callable[[str, pd.DataFrame], tuple[list[str], np.ndarray]]] = {}


def reference(engine: str):
    def entered(design):
        REFERENCES[engine] = design
        return design

    return entered


@reference("formulaic")
def of_formulaic(formula: str, data: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    # formulaic itself neither drops rows by position nor knows pandas' nullable types
    plain = {name: column.astype(object) for name, column in data.items() if column.dtype == "string"}
    plain["x"] = data["x"].astype(float)
    design = formulaic.model_matrix(formula, data.assign(**plain).reset_index(drop=True)).rhs
    return list(design.columns), design.to_numpy(dtype=float)


@reference("patsy")
def of_patsy(formula: str, data: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    plain = {"x": data["x"].astype(float), "g": data["g"].astype(object).where(data["g"].notna(), None)}
    rows = data.assign(**plain).reset_index(drop=True)
    try:
        design = patsy.dmatrices(formula, rows, return_type="dataframe")[1]
    except patsy.PatsyError as error:
        # patsy learns the outermost knots of bs(scale(z)) from numbers that it rounds otherwise when it evaluates them
        if "outside the outermost knots" not in str(error):
            raise
        reject()
    return list(design.columns), design.to_numpy()


# Of a column where something is missing no transform may learn: formulaic would learn nan.
PLAIN = ["x", "w", "k", "np.exp(w / 4)", "I(x * w)", "np.where(w > 0, x, 0)", "I(k ** 2)", "b"]
LEARNED = [
    "center(x)",
    "scale(z)",
    "bs(x, df=4)",
    "cr(z, df=3)",
    "poly(x, 2)",
    "bs(scale(z), df=5)",
    "np.exp(scale(x))",
]
FACTORS = ["g", "h", "C(k)", "C(g, Sum)", "C(h, Treatment('mid'))", "C(x > 0)", "C(g, levels=['c', 'b', 'a', 'd'])"]

numbers = st.sampled_from(PLAIN + LEARNED)
factors = st.sampled_from(FACTORS)
simple = numbers | factors
terms = (
    simple
    | st.tuples(numbers, factors).map(":".join)
    | st.tuples(factors, st.sampled_from([":", "*", "/"]), simple).map("".join)
    | st.tuples(factors, factors, numbers).map(":".join)
    | st.lists(st.sampled_from(["x", "w", "g", "h", "b"]), min_size=2, max_size=3, unique=True).map(
        lambda names: f"({' + '.join(names)}) ** 2"
    )
)
formulas = st.builds(
    "y ~ {}{}{}".format,
    st.sampled_from(["", "0 + ", "-1 + "]),
    st.lists(terms, min_size=1, max_size=3, unique=True).map(" + ".join),
    st.sampled_from(["", "", " - x", " - g:h"]),
)


@dataclass(frozen=True)
class Rows:
    """A frame and where it is cut."""

    data: pd.DataFrame
    cuts: tuple[int, ...]

    @property
    def parts(self) -> list[pd.DataFrame]:
        return [self.data.iloc[a:b] for a, b in pairwise((0, *self.cuts, len(self.data)))]

    def lazy(self) -> dd.DataFrame:
        return dd.from_map(_itself, self.parts, meta=self.data.iloc[:0])

    def read_from(self, folder: Path) -> dd.DataFrame:
        """Write a file for each part, which may be empty, and read them."""
        for i, part in enumerate(self.parts):
            part.to_parquet(folder / f"part.{i:03}.parquet")
        return dd.read_parquet(folder)


def _itself(part: pd.DataFrame) -> pd.DataFrame:
    return part


@st.composite
def frames(draw: st.DrawFn) -> Rows:
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    n = draw(st.integers(30, 60))
    data = pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": pd.Series(rng.normal(size=n), dtype=draw(st.sampled_from(["float64", "Float64"]))),
            "z": rng.gamma(2.0, size=n),
            "w": rng.normal(size=n),
            "k": rng.integers(0, 3, n).astype(draw(st.sampled_from(["int64", "int8", "uint16"]))),
            "b": rng.random(n) < 0.5,
            "g": rng.choice(list("abcd"), n),
            "h": rng.choice(["low", "mid", "high"], n),
        }
    )
    data["x"] += 0.5 * (data["w"].to_numpy() > 0)
    for column, share in (("y", 0.05), ("w", 0.1), ("g", 0.1)):
        if draw(st.booleans()):
            data.loc[rng.random(n) < share, column] = None
    data["g"] = data["g"].astype(draw(st.sampled_from(["object", "str", "string", "category"])))
    order = draw(st.sampled_from([["low", "mid", "high"], ["high", "low", "mid"]]))
    data["h"] = pd.Categorical(data["h"], categories=order, ordered=draw(st.booleans()))
    data.index = rng.permutation(n) if draw(st.booleans()) else np.zeros(n, dtype=int)
    # cuts at one place make empty parts, next to each other parts of one row
    cuts = draw(st.lists(st.integers(0, n), max_size=5))
    return Rows(data, tuple(sorted([*cuts, *(min(c + draw(st.integers(0, 1)), n) for c in cuts)])))


@pytest.mark.parametrize("engine", REFERENCES)
@pytest.mark.parametrize("stored", [False, True], ids=["memory", "parquet"])
@settings(
    deadline=None,
    derandomize=True,
    max_examples=15,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(formula=formulas, rows=frames())
def test_any_formula_on_any_rows_gives_its_engines_design(
    engine: str, stored: bool, formula: str, rows: Rows, tmp_path_factory
) -> None:
    if engine == "patsy":  # which has no poly
        formula = formula.replace("poly(x, 2)", "cc(x, df=3)")
    names, X = REFERENCES[engine](formula, rows.data)
    ddf = rows.read_from(tmp_path_factory.mktemp("rows")) if stored else rows.lazy()
    with dask.config.set(scheduler="synchronous"):
        model = dglm.GLM.from_formula(formula, ddf, engine=engine)
        exog = model.exog.compute()
    assert model.exog_names == names
    np.testing.assert_allclose(exog, X, rtol=1e-11, atol=1e-11)


# Formulas that statsmodels' own engine and formulaic read as the same model, with something for every family.
FITS = [
    "{y} ~ x",
    "{y} ~ g * h",
    "{y} ~ 0 + g + z:h",
    "{y} ~ C(k) + np.log(z) + I(x ** 2)",
    "{y} ~ C(g, Treatment('b')) * center(z)",
    "{y} ~ C(g, Sum) + C(k, Helmert)",
    "{y} ~ standardize(x) + np.where(x > 0, z, 0)",
    "{y} ~ (x + h + k) ** 2 - x:k",
    "{y} ~ bs(x, df=5) + w",
    "{y} ~ bs(z, df=4, degree=2) * center(x)",
    "{y} ~ I(x * w) + h:x - 1",
    "{y} ~ g / x + C(x > 0)",
]
FAMILIES = [
    ("y", Gaussian(), sm_families.Gaussian()),
    ("count", Poisson(), sm_families.Poisson()),
    ("won", Binomial(), sm_families.Binomial()),
    ("size", Gamma(Log()), sm_families.Gamma(sm_families.links.Log())),
]


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    rng = np.random.default_rng(17)
    n = 300
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.gamma(2.0, size=n),
            "w": rng.normal(size=n),
            "k": rng.integers(0, 3, n),
            "g": rng.choice(list("abc"), n),
            "h": pd.Categorical(rng.choice(["low", "high"], n), categories=["low", "high"]),
            "y": rng.normal(size=n),
            "count": rng.poisson(2.0, n),
            "won": rng.integers(0, 2, n),
            "size": rng.gamma(3.0, size=n),
        }
    )
    data.loc[rng.choice(n, 12), "w"] = np.nan
    data.loc[rng.choice(n, 12), "g"] = None
    return data


@pytest.mark.parametrize(("i", "formula"), list(enumerate(FITS)))
def test_fits_are_statsmodels_on_the_computed_frame(i: int, formula: str, measured: pd.DataFrame) -> None:
    y, family, theirs = FAMILIES[i % len(FAMILIES)]
    rows = dd.from_pandas(measured, npartitions=4)
    with dask.config.set(scheduler="synchronous"):
        result = dglm.GLM.from_formula(formula.format(y=y), rows, family=family).fit()
        fitted = result.fittedvalues.compute()
        computed = rows.compute().astype({"g": object})  # patsy knows no missing value of pandas' own types
        computed["g"] = computed["g"].where(computed["g"].notna(), None)
        expected = smf.glm(formula.format(y=y), computed, family=theirs).fit(tol=1e-13, tol_criterion="params")
    assert result.nobs == expected.nobs
    np.testing.assert_allclose(result.deviance, expected.deviance, rtol=1e-9)
    np.testing.assert_allclose(fitted, expected.fittedvalues, rtol=1e-6)
    # the engines order and name the columns in other ways
    np.testing.assert_allclose(np.sort(result.params), np.sort(expected.params), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(np.sort(result.bse), np.sort(expected.bse), rtol=1e-5)


@pytest.mark.distributed
@pytest.mark.timeout(120)
def test_two_processes_know_closures_lambdas_and_modules(tmp_path, monkeypatch, measured: pd.DataFrame) -> None:
    (tmp_path / "dglm_test_helpers.py").write_text("SHIFT = 0.5\n\ndef moved(values):\n    return values + SHIFT\n")
    monkeypatch.syspath_prepend(tmp_path)
    helpers = import_module("dglm_test_helpers")
    factor = 1.5

    def squashed(values):
        return np.tanh(factor * values)

    scope = {"squashed": squashed, "halved": lambda values: values / 2, "helpers": helpers, "factor": factor, "np": np}
    formula = "y ~ squashed(x) + halved(z):g + helpers.moved(w) + scale(helpers.moved(x)) + I(abs(x) ** factor)"
    expected = formulaic.model_matrix(formula, measured, context=scope).rhs
    opted_in = {"squashed": squashed, "halved": scope["halved"]}
    measured.to_parquet(tmp_path / "rows.parquet")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        rows = dd.read_parquet(tmp_path / "rows.parquet").repartition(npartitions=5)
        model = dglm.GLM.from_formula(formula, rows, context=scope)
        exog = model.exog.compute()
        restricted = dglm.GLM.from_formula(
            "y ~ squashed(x) + halved(z):g", rows, eval="restricted", functions=opted_in, offset="halved(x)"
        ).fit()
        predicted = restricted.predict(rows).compute()
    assert model.exog_names == list(expected.columns)
    np.testing.assert_allclose(exog, expected, atol=1e-12)
    alone = dglm.GLM.from_formula("y ~ squashed(x) + halved(z):g", measured, context=scope, offset="halved(x)").fit()
    np.testing.assert_allclose(predicted, alone.predict(measured), rtol=1e-9)
