"""Reports: one file that says what was fitted to what, with plots that fit the estimate, and asks for nothing else."""

import pickle
import re

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from browser import load, needs_chromium
from pages import check_alone, content

import dglm
from dglm.data import count_passes
from dglm.errors import ConvergenceWarning
from dglm.families import Binomial, Gaussian, Poisson
from dglm.results import figures

FORMULA = "claims ~ bs(age, df=4) + C(region)"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"age": rng.uniform(18, 80, 400), "region": rng.choice(["north", "south", "west"], 400)})
    data["years"] = rng.uniform(0.5, 2, 400)
    data["claims"] = rng.poisson(np.exp(0.5 - 0.01 * data["age"]) * data["years"])
    data.loc[[3, 200, 201], "age"] = np.nan
    data.loc[[3, 4], "region"] = None
    return data


@pytest.fixture(scope="module")
def model(data):
    return dglm.GLM.from_formula(FORMULA, dd.from_pandas(data, npartitions=3), family=Poisson(), exposure="years")


@pytest.fixture(scope="module")
def pages(model, tmp_path_factory):
    """The report of each kind of estimate, with how many passes it made."""
    folder, found = tmp_path_factory.mktemp("pages"), {}
    with dask.config.set(scheduler="synchronous"):
        results = {
            "mle": model.fit(),
            "l2": model.fit(penalty=dglm.L2(alpha=0.1)),
            "cv": model.fit_cv(dglm.L1(alpha=1.0), folds=3, alphas=20),
        }
        for kind, result in results.items():
            with count_passes() as passes:
                result.report(folder / f"{kind}.html")
            found[kind] = folder / f"{kind}.html", result, passes.count
    return found


OF_ROWS = ["Binned residuals", "Calibration", "Lift", "Quantile residuals"]
OF_ALL = ["Coefficients", "Effect of age", "Effect of C(region)", *OF_ROWS, "Trace"]
DRAWN = {
    "mle": [*OF_ALL[:-1], "Leverage and Cook's distance", "Trace"],
    "l2": OF_ALL,
    "cv": OF_ALL,
}


@pytest.mark.parametrize("kind", DRAWN)
def test_a_page_has_the_parts_and_the_plots_that_fit_the_estimate(pages, kind):
    path, result, passes = pages[kind]
    page = content(path)
    extra = ["Choice of the strength"] if kind == "cv" else []
    assert list(page.sections) == [*extra, "Estimates", "Data", "Model", "Convergence", "Plots", "Versions"]
    drawn = set(DRAWN[kind])
    if kind == "cv":
        # terms that are zero have no effect to be drawn
        drawn -= {name for name, terms in {"Effect of C(region)": "region", "Effect of age": "age"}.items()
                  if not result.best.params.filter(like=terms).any()}  # fmt: skip
    assert page.images == [name for name in DRAWN[kind] if name in drawn]
    # residuals to lift are read from one pass
    effects = sum(name.startswith("Effect") for name in drawn)
    made = effects + 2 + (kind == "mle")
    assert f"took {made} passes" in page.sections["Plots"]
    # those of the fit that was selected are made when it is asked for
    assert passes - made <= (2 if kind == "cv" else 0)


@pytest.mark.parametrize("kind", DRAWN)
def test_a_page_asks_for_nothing_and_runs_nothing(pages, kind):
    check_alone(pages[kind][0])


def test_a_page_says_what_became_of_the_rows_and_how_it_was_fitted(pages):
    path, result, _ = pages["mle"]
    data, model, fit = (" ".join(content(path).sections[name].split()) for name in ("Data", "Model", "Convergence"))
    assert "Rows: 400 left out, something missing: 4 used: 396" in data
    assert "3 partitions on dask" in data
    assert "exposure: years" in data
    assert "rows left out without it bs(age, df=4) 3 C(region) 2" in data
    assert "Formula: claims ~ bs(age, df=4) + C(region)" in model
    assert "Levels of C(region): north, south, west" in model
    assert f"Certificate: {result.certificate}" in fit
    assert f"Passes over the rows: {result.n_passes}" in fit
    assert fit.count(f"{result.fit_history[-1].objective:.10g}") >= 1
    for number in result.summary().rows[1][1]:
        assert number in content(path).sections["Estimates"]


@needs_chromium
@pytest.mark.parametrize(("kind", "dark", "width"), [("mle", False, 1000), ("cv", True, 500)])
def test_a_page_as_a_browser_shows_it(pages, kind, dark, width):
    page = load(
        pages[kind][0],
        dark=dark,
        width=width,
        ask="[document.querySelectorAll('table').length, document.querySelectorAll('figure img').length]",
    )
    assert (page.requests, page.broken, page.faults, page.overflowing) == ([], [], [], [])
    assert page.scroll_width == page.width
    assert page.contrast >= 4.5, page.faintest
    tables, images = page.said
    assert images == len(content(pages[kind][0]).images)
    assert tables >= 9


@needs_chromium
def test_names_and_levels_are_text_whatever_is_in_them(tmp_path):
    evil = "<img src=x onerror=alert(1)>&amp;"
    X = pd.DataFrame({evil: np.arange(40.0), "b" * 300: np.arange(40.0) % 7})
    y = pd.Series(np.arange(40) % 3, name="<script>alert(2)</script>")
    dglm.GLM(y, X, add_constant=True).fit().report(tmp_path / "page.html", effects=1)
    assert "<script>" not in (tmp_path / "page.html").read_text()
    page = load(tmp_path / "page.html", ask="[...document.querySelectorAll('tbody th')].map(e => e.textContent)")
    assert evil in page.said
    assert (page.requests, page.faults, page.overflowing) == ([], [], [])


def test_without_matplotlib_a_page_says_how_to_have_plots(model, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(figures, "import_module", missing)
    with dask.config.set(scheduler="synchronous"), count_passes() as passes:
        result = model.fit()
        result.report(tmp_path / "page.html")
    page = content(tmp_path / "page.html")
    assert passes.count == result.n_passes
    assert page.images == []
    assert 'pip install "dglm[plot]"' in page.sections["Plots"]


def test_a_result_without_its_rows_draws_what_it_holds_and_other_rows_if_they_are_given(pages, data, tmp_path):
    result = pickle.loads(pickle.dumps(pages["mle"][1]))
    result.report(tmp_path / "alone.html")
    page = content(tmp_path / "alone.html")
    assert page.images == ["Coefficients", "Trace"]
    assert "did not travel" in page.sections["Plots"]
    assert "not known here" in page.sections["Data"]
    result.report(tmp_path / "rows.html", data=data.tail(100))
    page = content(tmp_path / "rows.html")
    assert page.images == ["Coefficients", *OF_ROWS, "Trace"]
    assert "other rows" in page.sections["Plots"]


def test_what_is_asked_for_is_drawn_and_no_more(data, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "_image", lambda figure: "data:image/png;base64,")
    result = dglm.GLM.from_formula("late ~ age", data.assign(late=data["claims"] > 0), family=Binomial()).fit()
    with count_passes() as passes:
        result.report(tmp_path / "page.html", plots=False, exponentiate=True)
    page = content(tmp_path / "page.html")
    assert passes.count == 0
    assert page.images == []
    assert "odds ratio" in page.sections["Estimates"]
    result.report(tmp_path / "page.html", effects=0)
    assert "ROC" in content(tmp_path / "page.html").images
    assert "Effect of age" not in content(tmp_path / "page.html").images
    # no response that has shares, no distribution with that dispersion
    gaussian = dglm.GLM.from_formula("years ~ age", data, family=Gaussian()).fit()
    gaussian.report(tmp_path / "page.html")
    assert not {"ROC", "Lift"} & set(content(tmp_path / "page.html").images)
    dglm.GLM.from_formula("claims ~ age", data, family=Poisson()).fit(scale="X2").report(tmp_path / "page.html")
    assert "Quantile residuals" not in content(tmp_path / "page.html").images
    with pytest.raises(ValueError, match="effects must be at least 0; got -1"):
        result.report(tmp_path / "page.html", effects=-1)


def test_a_fit_that_has_not_converged_says_so_on_top(data, tmp_path):
    model = dglm.GLM.from_formula("claims ~ age", data, family=Poisson())
    with pytest.warns(ConvergenceWarning):
        result = model.fit(max_iter=1)
    result.report(tmp_path / "page.html", plots=False)
    assert re.search(
        r'<p class="verdict bad">NOT CONVERGED: maximum number of iterations', (tmp_path / "page.html").read_text()
    )


def test_a_report_is_the_same_whenever_it_is_made_of_the_same_fit(pages, tmp_path):
    path, result, _ = pages["l2"]
    with dask.config.set(scheduler="synchronous"):
        result.report(tmp_path / "page.html")

    def lasting(page):
        # sums that were made once are not made again
        text = re.sub(r"report of \d{4}-\d\d-\d\d \d\d:\d\d UTC|The plots took \d passes", "", page.read_text())
        return text[: text.index("<h2>Versions")]

    assert lasting(path) == lasting(tmp_path / "page.html")
