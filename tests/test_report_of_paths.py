"""Reports of paths and of debiased estimates: what their pages say is what the results hold, and costs no pass."""

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
from dglm.families import Poisson
from dglm.results import figures
from dglm.results.summary import percent


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(300, 4)), columns=["x1", "x2", "x3", "x4"])
    data["region"] = rng.choice(["north", "south"], 300)
    data["n"] = rng.poisson(np.exp(0.5 * data["x1"] - 0.2 * data["x2"]))
    data.loc[7, "x1"] = np.nan
    rows = dd.from_pandas(data, npartitions=3)
    return dglm.GLM.from_formula("n ~ x1 + x2 + x3 + x4 + region", rows, family=Poisson())


@pytest.fixture(scope="module")
def pages(model, tmp_path_factory):
    """The report of each kind of result, which makes no pass."""
    folder, found = tmp_path_factory.mktemp("pages"), {}
    with dask.config.set(scheduler="synchronous"):
        results = {
            "path": model.fit_path(dglm.L1(alpha=1.0), alphas=12),
            "elastic": model.fit_path(dglm.ElasticNet(alpha=1.0, l1_ratio=0.5), alphas=[0.02]),
            "ridge": model.fit_path(dglm.L2(alpha=1.0), alphas=3),
            "debiased": model.fit(penalty=dglm.L1(alpha=0.1)).debias(),
        }
        for kind, result in results.items():
            with count_passes() as passes:
                result.report(folder / f"{kind}.html")
            assert passes.count == 0
            found[kind] = folder / f"{kind}.html", result
    return found


def words(page, section):
    return " ".join(page.sections[section].split())


def rows(path, section):
    """Return the cells of the first table of a section that has a header, by name."""
    html = path.read_text(encoding="utf-8").split(f"<h2>{section}</h2>")[1]
    table = re.search(r"<tbody>(.*?)</tbody>", html, re.DOTALL)[1]
    found = {}
    for name, cells in re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table):
        found[name] = re.findall("<td>(.*?)</td>", cells)
    return found


@pytest.mark.parametrize("kind", ["path", "elastic", "ridge", "debiased"])
def test_a_page_has_its_parts_and_asks_for_nothing(pages, kind):
    path, _ = pages[kind]
    page = content(path)
    own = {"ridge": ["Path"], "debiased": ["Estimates", "Debiased from"]}.get(kind, ["Path", "Order of entry"])
    plots = ["Plots"] if kind == "debiased" else []
    assert list(page.sections) == [*own, "Data", "Model", "Convergence", *plots, "Versions"]
    assert page.images == (["Debiased coefficients", "Trace"] if kind == "debiased" else [])
    # the figure of a path needs no matplotlib
    assert ("polyline" in page.tags) == (kind != "debiased")
    data = words(page, "Data")
    assert "Rows: 300 left out, something missing: 1 used: 299" in data
    assert "3 partitions on dask" in data
    assert "rows left out without it x1 1" in data
    check_alone(path)


@pytest.mark.parametrize("kind", ["path", "elastic", "ridge"])
def test_a_page_has_every_strength_with_its_certificate(pages, kind):
    path, result = pages[kind]
    page, table = content(path), rows(path, "Path")
    assert list(table) == [f"path[{i}]" for i in range(len(result))]
    for i, cells in enumerate(table.values()):
        alpha, df, deviance, explained, iterations, certificate, status = cells
        fit = result.fit.fits[i]
        assert float(alpha) == pytest.approx(result.alphas[i], rel=1e-3)
        assert float(df) == pytest.approx(result.df[i], abs=0.01)
        assert float(deviance) == pytest.approx(fit.sums.deviance, abs=1e-3)
        assert float(explained.rstrip("%")) == pytest.approx(100 * result.deviance_ratio[i], abs=0.051)
        assert (int(iterations), certificate, status) == (fit.n_iter, f"{fit.certificate.value:.2g}", fit.status.value)
    worst = int(np.argmax(result.certificate))
    fit = words(page, "Convergence")
    assert f"Certificates that hold: {len(result)} of {len(result)}" in fit
    assert f"Largest certificate: {result.fit.fits[worst].certificate} at path[{worst}]" in fit
    assert f"Passes over the rows: {result.n_passes}" in fit
    html = path.read_text(encoding="utf-8")
    assert re.search(rf'<p class="verdict">Converged: .* that of path\[{worst}\],', html)
    strengths = {
        "path": "Penalty: L1(alpha=",
        "elastic": "Penalty: ElasticNet(alpha=0.02, l1_ratio=0.5) Terms",
        "ridge": "L2(alpha=",
    }
    assert strengths[kind] in words(page, "Model")


def test_a_share_that_is_nothing_but_rounding_has_no_sign():
    assert (percent(-1e-9), percent(-0.05), percent(0.05)) == ("0.0%", "-5.0%", "5.0%")


def test_a_page_has_the_order_in_which_coefficients_enter(pages):
    path, result = pages["path"]
    table = rows(path, "Order of entry")
    entered = result.entry.dropna()
    assert list(table) == list(entered.index)
    for name, (_, first) in table.items():
        i = int(re.fullmatch(r"path\[(\d+)\]", first)[1])
        b = result.params.loc[name].to_numpy()
        assert b[i] != 0
        assert not b[:i].any()


def test_of_many_coefficients_the_first_are_named_and_those_that_never_enter_counted(tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 120))).add_prefix("x")
    y = X.to_numpy() @ rng.normal(size=120)
    X["none"] = 0.0
    path = dglm.GLM(y, X, add_constant=True).fit_path(dglm.L1(alpha=1.0), alphas=8)
    path.report(tmp_path / "page.html")
    entered = path.entry.dropna()
    assert 100 < len(entered) < 122
    table = rows(tmp_path / "page.html", "Order of entry")
    assert list(table) == list(entered.index[:100])
    said = words(content(tmp_path / "page.html"), "Order of entry")
    assert f"Shown are the first 100 of {len(entered)} coefficients." in said
    assert f"Zero at every strength: {122 - len(entered)} of 122 coefficients." in said


def test_the_page_of_a_path_that_left_its_process_lacks_nothing_but_the_place_of_the_rows(pages, tmp_path):
    path, result = pages["path"]
    pickle.loads(pickle.dumps(result)).report(tmp_path / "page.html")

    def lasting(file):
        text = re.sub(r"report of .*? UTC", "", file.read_text(encoding="utf-8"))
        return text[: text.index("<h2>Versions")]

    assert lasting(tmp_path / "page.html") == lasting(path).replace("3 partitions on dask", "not known here")


def test_a_path_that_has_not_converged_says_so_on_top(model, tmp_path):
    with dask.config.set(scheduler="synchronous"), pytest.warns(ConvergenceWarning):
        result = model.fit_path(dglm.L1(alpha=1.0), alphas=6, max_iter=1)
    held = sum(status.value == "converged" for status in result.status)
    assert held < 6
    result.report(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.search(
        rf'<p class="verdict bad">NOT CONVERGED: maximum number of iterations reached\. {held} of 6 certificates hold; '
        rf"the largest, that of path\[{int(np.argmax(result.certificate))}\]",
        text,
    )


def test_a_page_has_what_was_debiased_and_how_far_it_moved(pages):
    path, result = pages["debiased"]
    page, fit = content(path), result.estimate.fit
    assert [list(row) for row in rows(path, "Estimates").values()] == [list(row) for _, row in result.summary().rows]
    assert "not adjusted for their number" in words(page, "Estimates")
    step = (result.tidy()["estimate"] - fit.params) / result.tidy()["std_error"]
    moved = rows(path, "Debiased from")
    assert list(moved) == list(result.params.index)
    assert [float(cells[2]) for cells in moved.values()] == pytest.approx(step.tolist(), abs=1e-3)
    assert [float(cells[0]) for cells in moved.values()] == pytest.approx(fit.params.tolist(), abs=1e-4)
    assert f"of them not zero: {np.count_nonzero(fit.params)} of 6" in words(page, "Debiased from")
    said = words(page, "Convergence")
    assert f"Certificate: {fit.certificate}" in said
    assert f"Passes of the step from there: {result.n_passes}" in said


def test_debiased_estimates_of_a_fit_that_has_not_converged_say_so(model, tmp_path, monkeypatch):
    with dask.config.set(scheduler="synchronous"), pytest.warns(ConvergenceWarning):
        result = model.fit(penalty=dglm.L1(alpha=0.1), max_iter=1).debias()
    assert "WARNING: not converged" in str(result.summary())
    result.report(tmp_path / "page.html", plots=False)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<p class="verdict bad">NOT CONVERGED: maximum number of iterations reached. The certificate of' in text
    assert "Plots" not in content(tmp_path / "page.html").sections

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(figures, "import_module", missing)
    result.report(tmp_path / "page.html")
    assert 'pip install "dglm[plot]"' in content(tmp_path / "page.html").sections["Plots"]


@needs_chromium
@pytest.mark.parametrize(("kind", "dark", "width"), [("path", True, 500), ("debiased", False, 1000)])
def test_a_page_as_a_browser_shows_it(pages, kind, dark, width):
    ask = "[...document.querySelectorAll('figure img, svg')].map(e => e.getBoundingClientRect().width)"
    page = load(pages[kind][0], dark=dark, width=width, ask=ask)
    assert (page.requests, page.broken, page.faults, page.overflowing) == ([], [], [], [])
    assert page.scroll_width == page.width
    assert page.contrast >= 4.5, page.faintest
    assert len(page.said) == (2 if kind == "debiased" else 1)
    assert min(page.said) > 300
