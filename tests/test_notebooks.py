"""What a notebook shows: looked at in Chromium in either theme; and the other formats that tables have."""

import csv
import io
import re
from html.parser import HTMLParser

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from browser import load, needs_chromium

import dglm
from dglm.families import Binomial
from dglm.results.drawing import path_drawing, scores_drawing
from dglm.results.side_by_side import Beside, SideBySide
from dglm.results.summary import Column, Summary, count
from dglm.testing import forbid_compute

# What JupyterLab has for tables and text, in its dark theme, which is no `color-scheme`.
JUPYTER = """
<style>
body { background: #111; color: rgba(255, 255, 255, 0.87); font: 20px "DejaVu Sans", system-ui, sans-serif; }
.jp-RenderedHTMLCommon table { border-collapse: collapse; border: none; font-size: 12px; table-layout: fixed;
  margin-left: auto; margin-bottom: 1em; }
.jp-RenderedHTMLCommon thead { border-bottom: 1px solid #424242; vertical-align: bottom; }
.jp-RenderedHTMLCommon td, .jp-RenderedHTMLCommon th, .jp-RenderedHTMLCommon tr { vertical-align: middle;
  padding: 0.5em; line-height: normal; white-space: normal; max-width: none; border: none; }
.jp-RenderedHTMLCommon:not(.jp-RenderedMarkdown) tbody tr:nth-child(odd) { background: #fff; }
.jp-RenderedHTMLCommon tbody tr:nth-child(even) { background: #eee; }
</style>
"""
# Of every representation: how many rows its tables have, and whether text stays as it was outside of them.
COUNTS = """({
  rows: [...document.querySelectorAll('div.dglm')].map(each => each.querySelectorAll('tr').length),
  cells: [...document.querySelectorAll('div.dglm tbody tr')].map(
    each => [getComputedStyle(each).backgroundColor, getComputedStyle(each.lastChild).whiteSpace].join()),
  drawings: [...document.querySelectorAll('div.dglm svg')].map(each => each.getBBox().width > 0),
  outside: ['textAlign', 'padding', 'whiteSpace', 'borderTop', 'fontSize'].map(
    name => getComputedStyle(document.querySelector('#outside'))[name]),
  split: [...document.querySelectorAll('.dglm-facts td')].filter(each => {
    const words = document.createRange(); words.selectNodeContents(each);
    return !each.textContent.includes(' ') && words.getClientRects().length > 1;
  }).map(each => each.textContent),
  bold: document.querySelectorAll('b').length,
})"""
OUTSIDE = '<table><tbody><tr><td id="outside">as it was</td></tr></tbody></table>'


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "noise <b>"])
    frame["won"] = rng.random(300) < 1 / (1 + np.exp(-(0.8 * frame["a"] - 0.4 * frame["b"])))
    return frame.assign(g=rng.choice(list("xyz"), 300), twice=2 * frame["a"])


@pytest.fixture(scope="module")
def model(data: pd.DataFrame) -> dglm.GLM:
    rows = dd.from_pandas(data, npartitions=3)
    return dglm.GLM.from_formula("won ~ a + b + `noise <b>` + g", rows, family=Binomial())


@pytest.fixture(scope="module")
def fits(model: dglm.GLM):
    return {name: model.fit(penalty=p) for name, p in (("mle", None), ("l2", dglm.L2(0.1)), ("l1", dglm.L1(0.05)))}


@pytest.fixture(scope="module")
def shown(model: dglm.GLM, fits):
    """Everything that has a representation, in order."""
    mle, lasso = fits["mle"], fits["l1"]
    with pytest.warns(dglm.errors.ConvergenceWarning):
        stopped = model.fit(max_iter=1)
    return {
        "model": model,
        **fits,
        "stopped": stopped,
        "bounded": model.fit(bounds={"a": (0, 0.1)}),
        "path": model.fit_path(dglm.L1(1.0), alphas=20),
        "cv": model.fit_cv(dglm.L1(1.0), alphas=20),
        "debiased": lasso.debias(),
        "split": lasso.split(fraction=0.5, seed=1),
        "t": mle.t_test("a = b, a = 0"),
        "wald": mle.wald_test("a = b"),
        "f": mle.f_test("a = b"),
        "terms": mle.wald_test_terms(),
        "margins": mle.get_margeff(),
        "compared": dglm.compare(*fits.values(), lasso.refit(), *[model.fit(penalty=dglm.L2(1.0))] * 8),
        "test": dglm.compare(mle, stopped, test=False),
    }


@needs_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_can_be_read_in_either_theme_and_stays_on_the_page(shown, dark: bool) -> None:
    with forbid_compute():
        html = "".join(each._repr_html_() for each in shown.values())
    page = load(f"{html}{OUTSIDE}", dark=dark, width=600, ask=COUNTS)
    assert (max(page.background) < 60) if dark else page.background == [255, 255, 255]
    assert page.contrast >= 7, page.faintest
    assert page.overflowing == []
    assert page.scroll_width == page.width == 600
    # one table is wider than the page, and has a box of its own that scrolls
    assert [label for label in page.scrolling if "MLE" in label and "refit" in label]
    assert page.faults == page.requests == page.broken == []
    assert page.said["rows"] == [each._repr_html_().count("<tr>") for each in shown.values()]
    assert min(page.said["rows"]) >= 2
    assert page.said["outside"] == ["start", "1px", "normal", "0px none " + page.said["outside"][3][9:], "16px"]
    assert page.said["drawings"] == [True, True]  # the path and the cross-validation
    assert page.said["bold"] == 0  # markup in a name is text


@needs_chromium
def test_the_style_of_a_notebook_does_not_get_into_the_tables(shown) -> None:
    html = "".join(shown[name]._repr_html_() for name in ("model", "mle", "l1", "compared"))
    page = load(f'{JUPYTER}<div class="jp-RenderedHTMLCommon">{html}</div>{OUTSIDE}', width=720, ask=COUNTS)
    assert page.contrast >= 7, page.faintest
    assert page.overflowing == []
    assert page.said["split"] == []  # numbers over two lines
    assert {cell.split(",")[-1] for cell in page.said["cells"]} <= {"nowrap", "normal"}
    assert {cell.rsplit(",", 1)[0] for cell in page.said["cells"]} == {"rgba(0, 0, 0, 0)"}


@needs_chromium
def test_what_cannot_be_read_or_does_not_fit_is_noticed() -> None:
    wide = f"<table><tr>{'<td>number</td>' * 60}</tr></table>"
    pale = '<div style="background: #eee"><p style="opacity: 0.6; color: #888">pale</p></div>'
    page = load(f'{wide}{pale}<img src="none.png"><script>missing()</script>', width=600, ask="6 * 7")
    assert page.scroll_width > page.width
    assert page.overflowing[0].startswith("table: number")
    assert page.contrast < 2.5
    assert page.faintest == "p: pale"
    assert len(page.broken) == 1
    assert "missing is not defined" in page.faults[0]
    assert page.said == 42


class Cells(HTMLParser):
    """Text of the cells of the last table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open = False
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        if tag in {"table", "tr"}:
            self.rows = [] if tag == "table" else [*self.rows, []]
        self.open = tag in {"th", "td"}
        if self.open:
            self.rows[-1].append("")

    def handle_endtag(self, tag) -> None:
        self.open = self.open and tag not in {"th", "td"}

    def handle_data(self, text) -> None:
        if self.open:
            self.rows[-1][-1] += text


KINDS = ["mle", "l2", "l1", "bounded", "path", "cv", "debiased", "t", "wald", "f", "terms", "margins"]


@pytest.mark.parametrize("kind", KINDS)
def test_all_formats_of_a_summary_have_the_same_table(shown, kind: str) -> None:
    summary = shown[kind].summary()
    frame, written = summary.frame, [[name, *cells] for name, cells in summary.rows]
    assert frame.shape == (len(summary.rows), len(summary.header))
    assert Cells(summary.as_html()).rows == [["", *summary.header], *written]
    lines = [line.split() for line in summary.as_text().splitlines()]
    for row in written:
        assert " ".join(row).split() in lines
    titles, *values = csv.reader(io.StringIO(summary.as_csv()))
    assert titles == ["", *summary.header]
    for name, *cells in values:
        assert [type(x)(cell) for x, cell in zip(frame.loc[name], cells, strict=True)] == frame.loc[name].tolist()
    tabular = summary.as_latex().split(r"\begin{tabular}")[-1].split(r"\bottomrule")[0]
    for row in written:
        cells = " & ".join(cell.replace("-", "$-$") for cell in row[1:] if re.fullmatch(r"-?\d+\.\d+", cell))
        assert cells.split(" & ")[0] in tabular
    assert tabular.count(r" \\") == len(written) + 1
    for each in ("table", "tabular", "minipage"):
        assert summary.as_latex().count(rf"\begin{{{each}}}") == summary.as_latex().count(rf"\end{{{each}}}")


def test_frames_have_the_numbers_themselves(shown) -> None:
    mle, path, cv = shown["mle"], shown["path"], shown["cv"]
    np.testing.assert_array_equal(mle.summary().frame["std err"], mle.bse)
    np.testing.assert_array_equal(mle.summary().frame["P>|z|"], mle.pvalues)
    np.testing.assert_array_equal(1 - shown["l2"].summary().frame["shrunk by"], 1 - shown["l2"].shrinkage)
    assert path.summary().frame.loc["path[0]", "alpha"] == path.alphas[0]
    assert cv.summary().frame.loc["alpha_1se", "alpha"] == cv.alpha_1se
    assert shown["terms"].summary().frame["df constraint"].tolist() == [1, 1, 1, 1, 2]


def test_hyphens_of_numbers_are_minus_signs_and_others_are_not() -> None:
    columns = (Column("x", [-0.5, -1e-9, -np.inf]), Column("status", ["non-zero-1", "age-10", "-"], str))
    latex = Summary("t", (), (), ("a-1", "b", "c"), columns, ()).as_latex()
    assert r"a-1 & $-$0.5000 & non-zero-1 \\" in latex
    assert r"b & $-$1e$-$09 & age-10 \\" in latex
    assert r"c & $-$inf & - \\" in latex


def test_a_comparison_has_brackets_where_there_are_standard_errors(data: pd.DataFrame, fits) -> None:
    mle, ridge, lasso = fits.values()
    small = dglm.GLM.from_formula("won ~ a", data, family=Binomial()).fit()
    table = dglm.compare(small, mle, ridge, lasso, lasso.refit(), lasso.debias())
    header, *rows = Cells(table.as_html()).rows
    names = ["MLE (1)", "MLE (2)", "L2(alpha=0.1)", "L1(alpha=0.05)", "refit L1(alpha=0.05)", "debiased L1(alpha=0.05)"]
    assert header == ["", *names]
    cells = {row[0]: (row[1:], rows[i + 1][1:]) for i, row in enumerate(rows[:-1]) if row[0]}
    numbers, errors = cells["a"]
    assert numbers == [f"{each.params['a']:.4f}" for each in (small, mle, ridge, lasso, lasso.refit(), lasso.debias())]
    expected = [small, mle, None, None, lasso.refit(), lasso.debias()]
    assert errors == ["" if each is None else f"({each.bse['a']:.4f})" for each in expected]
    numbers, errors = cells["g[T.y]"]
    assert numbers[0] == "" != numbers[1]  # not in the model
    assert numbers[3:5] == ["0", "0"]  # exactly
    assert errors[4] == "" != errors[5]  # set, not estimated
    foot = {row[0]: row[1:] for row in rows[-4:]}
    assert foot["No. Observations"] == ["300"] * 6
    assert foot["AIC"] == [f"{small.aic:.4f}", f"{mle.aic:.4f}", f"{ridge.aic:.4f}", "", f"{lasso.refit().aic:.4f}", ""]
    assert foot["Deviance"][-1] == ""
    assert foot["Passes"][1:4] == [str(each.n_passes) for each in (mle, ridge, lasso)]
    assert table.fits.loc["L1(alpha=0.05)", "deviance"] == lasso.deviance
    assert np.isnan(table.fits.loc["L1(alpha=0.05)", "aic"])
    text = " ".join(table.as_text().split())
    for words in (
        "MLE (1), MLE (2): maximum likelihood",
        "No standard errors, no AIC",
        "Blank: not in",
        "was set, not",
    ):
        assert words in text
    assert r"\midrule" + "\nNo. Observations & 300 &" in table.as_latex()
    first, second, *values = csv.reader(io.StringIO(table.as_csv()))
    assert (first[4], second[4]) == ("MLE (2)", "std err")
    assert [float(row[4]) for row in values] == mle.bse.tolist()


def test_digits_stand_below_digits_in_text(fits) -> None:
    lines = dglm.compare(*fits.values()).as_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("a "))
    number, error = lines[at], lines[at + 1]
    assert number.index(".") == error.index(".")


def test_two_fits_of_maximum_likelihood_are_tested_unless_they_are_not_to_be(data: pd.DataFrame) -> None:
    small, large = (dglm.GLM.from_formula(f"won ~ {x}", data, family=Binomial()).fit() for x in ("a", "a + b"))
    assert "LR" in dglm.compare(small, large)
    assert list(dglm.compare(small, large, test=False).fits.index) == ["MLE (1)", "MLE (2)"]
    # without a test the larger one may come first
    assert dglm.compare(large, small, test=False).frame.shape == (3, 4)


def test_aliased_coefficients_are_called_so(data: pd.DataFrame) -> None:
    aliased = dglm.GLM.from_formula("won ~ a + twice", data, family=Binomial())
    with pytest.warns(dglm.errors.RankDeficientWarning):
        mle = aliased.fit()
    rows = Cells(dglm.compare(mle, aliased.fit(penalty=dglm.L2(0.1))).as_html()).rows
    assert next(row for row in rows if row[0] == "twice")[1] == "aliased"
    assert "(nan)" not in str(rows)


def test_long_tables_are_shortened_in_notebooks_alone() -> None:
    names = tuple(f"x{j}" for j in range(1000))
    summary = Summary("t", (), (), names, (Column("n", range(1000), count),), ())
    assert summary.as_html().count("<tr>") == 1001
    shown = Cells(summary._repr_html_()).rows
    assert [row[0] for row in shown[1:]] == [*names[:50], *names[-50:]]
    assert "of 1,000 rows" in summary._repr_html_()
    table = pd.DataFrame({"coef": np.ones(1000), "std err": np.ones(1000)}, index=list(names))
    measures = dict.fromkeys(("nobs", "deviance", "aic", "n_passes"), 1.0)
    pairs = Cells(SideBySide((Beside("one", "", "std err", table, measures),))._repr_html_()).rows
    assert [row[0] for row in pairs[1:-4:2]] == [*names[:50], *names[-50:]]
    assert {row[0] for row in pairs[2:-4:2]} == {""}


def test_showing_a_model_reads_nothing(data: pd.DataFrame) -> None:
    rows = dd.from_pandas(data.drop(columns="g").iloc[:, :4].assign(years=1.0), npartitions=3)
    with forbid_compute():
        model = dglm.GLM.from_formula(
            "won ~ a + b", rows.astype({"won": float}), family=Binomial(), freq_weights="years"
        )
        html = model._repr_html_()
    assert repr(model) == "<GLM: won, Binomial with Logit link, 3 columns; rows: 3 partitions on dask>"
    for words in ("won ~ a + b", "3 partitions on dask", "freq_weights:", "years"):
        assert words in html
    assert "No. Observations" not in html
    model.fit()
    assert "No. Observations" in model._repr_html_()
    assert "300 in memory" in repr(dglm.GLM(data["a"], data[["b"]], family=dglm.families.Gaussian()))
    lazy = dglm.GLM(rows["a"].to_dask_array(), rows[["b"]].to_dask_array())
    assert "rows: 3 chunks on dask" in repr(lazy)
    many = dglm.GLM(np.ones(5), np.eye(5, 200))._repr_html_()
    assert "and 150 more" in many


def test_results_say_what_they_are_in_one_line(shown) -> None:
    for name in ("model", "mle", "l2", "l1", "stopped", "bounded", "path", "cv", "debiased"):
        assert re.fullmatch(r"<\w+: .{20,150}>", repr(shown[name])), name
    assert "under L2(alpha=0.1); nobs=300, converged" in repr(shown["l2"])
    assert "maximum number of iterations reached" in repr(shown["stopped"])


def test_drawings_have_a_line_for_each_coefficient_and_stay_in_their_frame(shown) -> None:
    html = shown["path"]._repr_html_()
    assert html.count("<polyline") == 5
    assert html.index("<svg") < html.index('<div class="dglm-box"')
    assert "noise &lt;b&gt;</text>" in html
    alphas, rng = np.geomspace(1.0, 1e-3, 30), np.random.default_rng(0)
    many = path_drawing(alphas, rng.normal(size=(100, 30)), [f"x{j}" for j in range(100)])
    assert many.count("<polyline") == 60
    assert "the 60 largest of 100 coefficients" in many
    drawings = [
        many,
        path_drawing(alphas[:1], np.array([[1.0], [0.0]]), ["a", "a name that is longer than what fits"]),
        path_drawing(alphas, [np.where(alphas < 0.1, 3e-9, np.nan), np.full(30, np.nan)] * np.ones((2, 1)), ["a", "b"]),
        scores_drawing(alphas, np.where(alphas < 0.1, 1.0, np.inf), np.zeros(30), {"alpha_min": 0.001}, "deviance"),
    ]
    for drawing in drawings:
        numbers = re.findall(r' (?:points|x|y|x1|x2|y1|y2|cx|cy)="([^"]*)"', drawing)
        places = np.array([float(place) for each in numbers for place in re.split("[ ,]", each) if place])
        assert np.isfinite(places).all()
        assert places.min() >= 0
        assert places.max() <= 640
    assert path_drawing(alphas, np.empty((0, 30)), []) == ""
    assert scores_drawing(alphas, np.full(30, np.inf), np.zeros(30), {}, "deviance") == ""


def test_effects_of_single_rows_have_no_table(fits) -> None:
    assert fits["mle"].get_margeff(at="all")._repr_html_() is None
