"""Formulas of many columns: no matrix of their square is made unasked, and what cannot be held is refused."""

import tracemalloc

import numpy as np
import pandas as pd
import patsy
import pytest
from patsy.contrasts import code_contrast_matrix

import dglm
from dglm.data import MemoryBlocks
from dglm.design import columns as design_columns
from dglm.design import size
from dglm.design.patsy_coding import coding_of
from dglm.errors import FormulaError, TooWideError
from dglm.families import Poisson

ENGINES = ("formulaic", "patsy")


def of_levels(n_levels: int) -> pd.DataFrame:
    """Return a few rows with a factor of many known levels."""
    rows = np.arange(600)
    user = pd.Categorical.from_codes(rows % n_levels, categories=[f"u{i}" for i in range(n_levels)])
    return pd.DataFrame({"y": rows % 5, "x": np.sqrt(rows), "user": user})


@pytest.mark.parametrize(
    "levels", [("a", "b", "c"), (2, 1.5, True), (None, pd.Timestamp("2020-01-01"), "ä", (1, "x")), ("a",)]
)
@pytest.mark.parametrize("reduced", [True, False])
def test_treatment_coding_is_that_of_patsy_without_its_matrix(levels: tuple[object, ...], *, reduced: bool) -> None:
    last = levels[-1]
    for contrast in (
        None,
        patsy.Treatment,
        patsy.Treatment(),
        patsy.Treatment(last),
        patsy.Treatment(-1),
        patsy.Treatment(0),
    ):
        found = coding_of("g", levels, contrast, reduced=reduced)
        wanted = code_contrast_matrix(not reduced, levels, contrast, default=patsy.Treatment)
        assert found.names == tuple(f"g{suffix}" for suffix in wanted.column_suffixes)
        assert found.matrix.ndim == 1
        np.testing.assert_array_equal(found.matrix[:, None] == np.arange(len(found.names)), wanted.matrix)


@pytest.mark.parametrize("engine", ENGINES)
def test_many_levels_make_no_matrix_of_their_square(engine: str) -> None:
    n = 20_000
    data = of_levels(n)
    tracemalloc.start()
    model = dglm.GLM.from_formula("y ~ x + user", data, engine=engine)
    block = model.design.encode(data, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(model.exog_names) == n + 1
    # 3.2 GB
    assert peak < 8 * n**2 / 20
    assert block.X.nbytes < 50 * len(data)


@pytest.mark.parametrize("engine", ENGINES)
def test_contrasts_whose_matrix_does_not_fit_are_refused_before_it_is_made(engine: str, monkeypatch) -> None:
    data = of_levels(3000)
    monkeypatch.setattr(size, "free_memory", lambda: 500_000_000)
    dglm.GLM.from_formula("y ~ C(user, Treatment())", data, engine=engine)
    tracemalloc.start()
    with pytest.raises(
        FormulaError, match=r"C\(user, Sum\) has 3,000 levels.* of 0\.1 GB.*\(0\.5 GB\); treatment coding"
    ):
        dglm.GLM.from_formula("y ~ C(user, Sum)", data, engine=engine)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 3000**2 / 4


@pytest.mark.parametrize("engine", ENGINES)
def test_more_than_a_million_columns_are_refused_by_name_of_the_factor_with_most_levels(engine: str) -> None:
    message = (
        r"gives 1,200,000 columns, more than 1,000,000\. 'user' has 300,000 levels: is it an identifier\?.*cluster"
    )
    data = of_levels(300_000).assign(g=list("abcd") * 150)
    with pytest.raises(FormulaError, match=message) as error:
        dglm.GLM.from_formula("y ~ 0 + user:g", data, engine=engine)
    assert ("hashed(user, levels=1000)" in str(error.value)) == (engine == "formulaic")


def test_squares_of_columns_are_refused_by_the_fits_that_make_them(monkeypatch) -> None:
    model = dglm.GLM.from_formula("y ~ x + user", of_levels(5500), family=Poisson())
    assert model.fit(penalty=dglm.L2(alpha=0.1)).converged
    advice = r"\. 'user' has 5,500 levels: is it an identifier\?.* hashed\(user, levels=1000\)"
    with pytest.raises(TooWideError, match=f"standard errors of 5,501 .*{advice}"):
        model.fit()
    monkeypatch.setattr(MemoryBlocks, "free_bytes", lambda self: 10**8)
    with pytest.raises(TooWideError, match=f"makes 5,501 x 5,501 matrices.*{advice}"):
        model.fit(solver="irls")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("engine", ENGINES)
def test_contrasts_that_overflow_are_refused(engine: str) -> None:
    with pytest.raises(FormulaError, match=r"contrasts of C\(user, Poly\) are not finite for its 400 levels"):
        dglm.GLM.from_formula("y ~ C(user, Poly)", of_levels(400), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["dense", "coded"])
def test_a_reference_in_the_middle_is_coded_alike_by_both_engines(engine: str, kind: str, monkeypatch) -> None:
    limit = 10**9 if kind == "dense" else 0
    monkeypatch.setattr(design_columns, "DENSE_IN_ALL", limit)
    monkeypatch.setattr(design_columns, "DENSE_OF_ONE", limit)
    data = of_levels(6)
    model = dglm.GLM.from_formula("y ~ C(user, Treatment('u2')) * x", data, engine=engine)
    dummies = np.eye(6)[data["user"].cat.codes][:, [0, 1, 3, 4, 5]]
    x = data[["x"]].to_numpy()
    wanted = {**dict(enumerate(dummies.T)), **{10 + j: column for j, column in enumerate((dummies * x).T)}}
    found = np.asarray(model.exog)
    names = [name for name in model.exog_names if "user" in name]
    positions = [model.exog_names.index(name) for name in names]
    np.testing.assert_array_equal(found[:, positions], np.column_stack(list(wanted.values())))
