"""The command: what it fits is what Python fits, whatever is given is used or refused, and errors are one line."""

import argparse
import io
import logging
import re
import subprocess
import sys
import warnings
from inspect import isabstract

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import dglm
from dglm.command import fit, main
from dglm.command.catalogue import CATALOGUE, SETTINGS, snake
from dglm.command.options import command_parser
from dglm.families import Binomial, Family, Poisson, Tweedie
from dglm.links import Link, Power, Probit
from dglm.penalties import Penalty

FORMULA = "late ~ distance + C(carrier)"


@pytest.fixture(scope="module", autouse=True)
def _synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three files of flights, as parquet and as csv."""
    folder = tmp_path_factory.mktemp("flights")
    rng = np.random.default_rng(0)
    for number in range(3):
        data = pd.DataFrame({"distance": rng.gamma(2, 2, 120).round(2), "carrier": rng.choice(["AA", "DL", "UA"], 120)})
        data["day"] = rng.integers(0, 20, 120)
        data["hours"] = rng.uniform(0.5, 2, 120).round(3)
        data["late"] = (rng.random(120) < 1 / (1 + np.exp(1 - 0.2 * data["distance"]))).astype(int)
        data["claims"] = rng.poisson(0.7, 120) * rng.gamma(2, 1, 120).round(3)
        data["flight"] = np.arange(120) + 120 * number
        data.loc[[5, 50], "distance"] = np.nan
        data.to_parquet(folder / f"{number}.parquet")
        data.to_csv(folder / f"{number}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def flights(folder):
    return dd.read_parquet([folder / f"{number}.parquet" for number in range(3)])


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command in an empty directory; returns its code, what it printed, and the lines of standard error."""
    monkeypatch.chdir(tmp_path)

    def of(*argv):
        code = main(list(map(str, argv)))
        out, err = capsys.readouterr()
        return code, out, err.splitlines()

    return of


def test_a_fit_is_what_python_fits(run, folder, flights, tmp_path):
    argv = [FORMULA, folder / "*.parquet", "--family", "binomial", "--penalty", "l1", "--alpha", "0.02"]
    code, out, err = run("fit", *argv, "--save", "late.dglm", "--tidy", "late.csv")
    assert code == 0
    expected = dglm.GLM.from_formula(FORMULA, flights, family=Binomial()).fit(penalty=dglm.L1(0.02))
    result = dglm.load("late.dglm")
    assert (result.params == expected.params).all()
    assert out == f"{expected.summary()}\n"
    pd.testing.assert_frame_equal(pd.read_csv("late.csv"), expected.tidy())
    # a log: each line is dated, and there is one for each iteration
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", line) for line in err)
    assert sum(" iteration " in line for line in err) == result.n_iter + 1
    assert sum("rows x 4 columns" in line for line in err) == 1
    assert run("summary", "late.dglm")[:2] == (0, out)
    assert run("summary", "late.dglm", "--format", "latex")[1].startswith(r"\begin{table}")


CALLS = {
    "link": (["--family", "binomial", "--link", "probit"], {"family": Binomial(link=Probit())}, {}),
    "power": (
        [*("--family", "tweedie", "--power", "1.7", "--link", "power", "--link-power", "0.5"), "--scale", "dev"],
        {"family": Tweedie(link=Power(0.5), power=1.7)},
        {"scale": "dev"},
    ),
    "robust": (
        ["--family", "poisson", "--cov-type", "HC1", "--information", "expected", "--use-t", "--solver", "newton"],
        {"family": Poisson()},
        {"cov_type": "HC1", "cov_kwds": {"information": "expected"}, "use_t": True, "solver": "newton"},
    ),
    "clusters": (
        ["--family", "poisson", "--cluster", "day", "--cluster", "carrier", "--exposure", "hours"],
        {"family": Poisson(), "exposure": "hours"},
        {"cov_type": "cluster", "cov_kwds": {"groups": ("day", "carrier")}},
    ),
    "elastic net": (
        [
            *("--penalty", "ELASTIC-NET", "--alpha", "0.1", "--l1-ratio", "0.5", "--standardize", "--persist", "no"),
            *("--penalty-weight", "distance=0", "--freq-weights", "day"),
        ],
        {"freq_weights": "day"},
        {"penalty": dglm.ElasticNet(0.1, 0.5, standardize=True, weights={"distance": 0.0}), "persist": False},
    ),
    "scad": (["--penalty", "scad", "--alpha", "0.1", "--concavity", "4"], {}, {"penalty": dglm.SCAD(0.1, a=4.0)}),
}


@pytest.mark.parametrize("name", CALLS)
def test_options_are_arguments(run, folder, flights, name):
    options, of_model, of_fit = CALLS[name]
    response = "claims" if name == "power" else "late"
    formula = f"{response} ~ distance + C(carrier)"
    code, _, _ = run("fit", formula, folder / "*.parquet", *options, "--save", "fit.dglm", "--quiet")
    expected = dglm.GLM.from_formula(formula, flights, **of_model).fit(**of_fit)
    found = dglm.load("fit.dglm")
    assert code == 0
    assert repr(found.family) == repr(expected.family)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9)
    assert str(found.summary()) == str(expected.summary())


def test_the_strength_is_chosen_by_cross_validation(run, folder, flights):
    argv = ["--family", "binomial", "--penalty", "l2", "--cv", "4", "--seed", "3", "--alphas", "20", "--select", "1se"]
    outputs = ["--save", "best.dglm", "--report", "best.html", "--effects", "0"]
    code, out, err = run("fit", FORMULA, folder / "*.parquet", *argv, *outputs)
    expected = dglm.GLM.from_formula(FORMULA, flights, family=Binomial()).fit_cv(
        dglm.L2(1.0), folds=4, seed=3, alphas=20, select="1se"
    )
    assert code == 0
    assert out == f"{expected.summary()}\n\n{expected.best.summary()}\n"
    assert (dglm.load("best.dglm").params == expected.best.params).all()
    assert "report written to best.html" in err[-1]
    with open("best.html") as file:
        page = file.read()
    assert "Choice of the strength" in page
    assert 'alt="Calibration"' in page
    assert 'alt="Effect of distance"' not in page


def test_parameters_of_the_family_are_estimated(run, folder):
    argv = ["--format", "csv", "--family", "tweedie", "--power", "estimate", "--save", "t.dglm"]
    code, _, _ = run("fit", "claims ~ 1", folder / "*.csv", *argv)
    assert code == 0
    assert list(dglm.load("t.dglm").family_params.index) == ["power"]


def test_csv_is_read_like_parquet(run, folder):
    paths = [folder / "0.csv", folder / "1.csv"]
    options = ["--family", "binomial", "--quiet"]
    from_csv = run("fit", FORMULA, *paths, *options)
    assert from_csv[0] == 0
    assert from_csv == run("fit", FORMULA, folder / "0.parquet", folder / "1.parquet", *options)
    # with other separators, and packed
    data = pd.concat(map(pd.read_csv, paths))
    data.to_csv("all.tsv.gz", sep="\t", index=False)
    assert run("fit", FORMULA, "all.tsv.gz", *options)[1] == from_csv[1]
    data.to_csv("all.txt", sep=";", index=False)
    assert run("fit", FORMULA, "all.txt", "--format", "csv", "--separator", ";", *options)[1] == from_csv[1]
    # a number can be a category, if it is said to be text
    assert "day[T.9]" in run("fit", "late ~ day", "all.tsv.gz", "--dtype", "day=str", *options)[1]


def test_predictions_are_those_of_the_fit(run, folder, flights):
    run("fit", FORMULA, folder / "*.parquet", "--family", "binomial", "--save", "late.dglm")
    result = dglm.load("late.dglm")
    rows = flights.compute().reset_index(drop=True)
    code, out, err = run("predict", "late.dglm", folder / "*.parquet", "--out", "scored/")
    assert (code, out) == (0, "")
    assert "predictions written to scored/" in err[-1]
    scored = pd.read_parquet("scored").reset_index(drop=True)
    assert list(scored) == [*rows, "prediction"]
    assert (scored["flight"] == rows["flight"]).all()
    np.testing.assert_allclose(scored["prediction"], result.predict(rows), rtol=1e-12)
    assert scored["prediction"].isna().sum() == 6
    # csv, few columns, linear predictors with intervals
    options = ["--keep", "flight", "--which", "linear", "--interval", "0.9", "--name", "eta", "--quiet"]
    assert run("predict", "late.dglm", folder / "1.csv", "--out", "scored.csv", *options) == (0, "", [])
    scored, found = pd.read_csv("scored.csv"), result.get_prediction(rows[120:240])
    assert list(scored) == ["flight", "eta", "eta_se", "eta_lower", "eta_upper"]
    expected = np.column_stack([found.linpred, found.linpred_se, found.conf_int(0.1, which="linear")])
    np.testing.assert_allclose(scored.iloc[:, 1:], expected, rtol=1e-12)
    # what is there is not mixed with what is new
    code, _, err = run("predict", "late.dglm", folder / "1.csv", "--out", "scored/")
    assert code == 2
    assert "is there already" in err[0]
    assert run("predict", "late.dglm", folder / "1.csv", "--out", "scored/", "--overwrite")[0] == 0
    assert len(pd.read_parquet("scored")) == 120


def test_rows_that_cannot_be_predicted(run, folder, tmp_path):
    run("fit", FORMULA, folder / "0.parquet", "--penalty", "l1", "--alpha", "0.1", "--save", "late.dglm")
    pd.DataFrame({"distance": [1.0, 2.0], "carrier": ["AA", "ZZ"]}).to_csv("new.csv", index=False)
    code, _, err = run("predict", "late.dglm", "new.csv", "--out", "scored.csv")
    assert code == 1
    assert "what was written to scored.csv is not complete" in err[-2]
    assert "'ZZ'" in err[-1]
    assert run("predict", "late.dglm", "new.csv", "--out", "nan.csv", "--unseen", "nan")[0] == 0
    assert pd.read_csv("nan.csv")["prediction"].isna().tolist() == [False, True]
    for options, words in (
        (["--interval", "0.9"], "L1Results has no 'get_prediction'"),
        (["--keep", "dist"], "no column 'dist' to keep"),
        (["--name", "carrier"], "a column 'carrier' already"),
    ):
        code, _, err = run("predict", "late.dglm", "new.csv", "--out", "x.csv", *options)
        assert (code, len(err)) == (1, 2), err
        assert words in err[-1]


def test_a_fit_that_has_not_converged_is_written_and_told_of(run, folder):
    argv = [FORMULA, folder / "0.parquet", "--family", "binomial", "--max-iter", "1", "--quiet", "--save", "fit.dglm"]
    code, out, err = run("fit", *argv)
    assert code == 3
    assert "WARNING: not converged" in out
    assert len(err) == 1
    assert "warning: IRLS did not converge" in err[0]
    assert not dglm.load("fit.dglm").converged


def test_python_is_evaluated_only_if_it_is_allowed(run, folder):
    argv = ["late ~ distance.shift(0)", folder / "0.parquet", "--quiet"]
    code, _, err = run("fit", *argv)
    assert (code, len(err)) == (1, 1)
    assert "restricted formula" in err[0]
    assert run("fit", *argv, "--python", "--save", "fit.dglm")[0] == 0
    # a fit is a file, and may come from anybody
    code, _, err = run("predict", "fit.dglm", folder / "0.parquet", "--out", "x.csv", "--quiet")
    assert (code, len(err)) == (1, 1)
    assert "allow it with --python" in err[0]
    assert run("predict", "fit.dglm", folder / "0.parquet", "--out", "x.csv", "--quiet", "--python")[0] == 0


MISUSED = {
    "": "required: COMMAND",
    "fit": "required: FORMULA, DATA",
    "fit 0.parquet late~distance": "the formula comes first",
    "fit y~x d --family binomal": "invalid choice: 'binomal' (choose from",
    "fit y~x d --power 1.5": "--power is for --family tweedie, not gaussian",
    "fit y~x d --family tweedie --power 0.5": "power of Tweedie must be",
    "fit y~x d --link-power 2": "--link-power is for --link power",
    "fit y~x d --link power": "--link power needs --link-power",
    "fit y~x d --penalty l1": "--penalty l1 needs --alpha",
    "fit y~x d --alpha 1": "--alpha is for --penalty l1",
    "fit y~x d --penalty l1 --alpha -1": "alpha must be finite and at least 0",
    "fit y~x d --penalty l2 --alpha 1 --l1-ratio 0.5": "--l1-ratio is for --penalty elastic_net or group_l1, not l2",
    "fit y~x d --penalty l2 --alpha 1 --penalty-weight x": "'x' is not of the form distance=0",
    "fit y~x d --cv 5": "name it with --penalty",
    "fit y~x d --cv 5 --penalty l1 --alpha 1": "leave one of them out",
    "fit y~x d --cv 5 --penalty l1 --solver irls": "--solver is for one fit",
    "fit y~x d --alphas 5": "--alphas is for --cv",
    "fit y~x d --penalty l1 --alpha 1 --cov-type HC0": "--cov-type is for fits without --penalty",
    "fit y~x d --cov-type cluster": "--cluster COLUMN go together",
    "fit y~x d --cov-type HC0 --cluster g": "--cluster COLUMN go together",
    "fit y~x d --save no/fit.dglm": "there is no directory 'no'",
    "fit y~x d --report .": "is a directory",
    "fit y~x d --effects 2": "--effects is for --report",
    "fit y~x d --workers 2 --scheduler tcp://x:1": "not allowed with",
    "fit y~x d --weights w": "unrecognized arguments",
    "fit y~x d --persist maybe": "'maybe' is not auto, yes or no",
    "predict fit.dglm d": "required: --out",
    "predict fit.dglm d --out d": "is where the rows are",
    "predict fit.dglm d --out x --interval 95": "is not between 0 and 1",
}


@pytest.mark.parametrize("line", MISUSED)
def test_what_cannot_be_understood_is_refused_in_a_line_before_anything_is_read(run, line):
    code, out, err = run(*line.split())
    assert (code, out, len(err)) == (2, "", 1), err
    assert MISUSED[line] in err[0]
    assert err[0].startswith("dglm")
    assert "--help" in err[0]


FAILED = {
    "fit late~distance no.parquet": "'no.parquet' does not exist",
    "fit late~distance no*.csv": "no file matches 'no*.csv'",
    "fit late~distance 0.parquet 0.csv": "say which with --format",
    "fit late~distance 0.parquet --dtype day=str": "--separator and --dtype are for csv",
    "fit late~dist 0.parquet": "did you mean 'distance'?",
    "fit late~distance 0.csv --family poisson --exposure late": "exposure",
    "fit late~distance 0.csv --penalty l1 --alpha 1 --solver newton": "Newton needs a smooth penalty; got L1",
    "fit late~distance 0.csv --family gaussian --exponentiate": "exp",
    "fit late~distance 0.parquet --freq-weights nothing": "nothing",
    "predict 0.csv 0.parquet --out x.csv": "0.csv': it is no saved result",
    "predict no.dglm 0.parquet --out x.csv": "No such file or directory: 'no.dglm'",
    "summary no.dglm": "No such file or directory: 'no.dglm'",
}


@pytest.mark.parametrize("line", FAILED)
def test_what_goes_wrong_is_said_in_a_line(run, folder, line):
    argv = [folder / word if re.match(r"[0-9].(csv|parquet)", word) else word for word in line.split()]
    code, out, err = run(*argv, "--quiet")
    assert (code, out, len(err)) == (1, "", 1), err
    assert FAILED[line] in err[0]
    assert re.match(r"dglm (fit|predict|summary): error: ", err[0])


def test_types_of_csv_that_change_further_down_name_the_option(run):
    lines = "".join(f"{i % 2},{i % 3}\n" for i in range(60_000))
    with open("rows.csv", "w") as file:
        file.write(f"y,x\n{lines}1,0.5\n")
    with dask.config.set({"dataframe.backend": "pandas"}):
        code, _, err = run("fit", "y ~ x", "rows.csv", "--quiet")
    assert (code, len(err)) == (1, 1)
    assert "--dtype x=float64" in err[0]
    assert run("fit", "y ~ x", "rows.csv", "--quiet", "--dtype", "x=float64")[0] == 0


def test_bugs_are_a_line_too_and_a_traceback_if_asked_for(run, folder, monkeypatch):
    def broken(self, **given):
        raise RuntimeError("no\nsuch\nluck")

    monkeypatch.setattr(dglm.GLM, "fit", broken)
    argv = ["fit", FORMULA, folder / "0.parquet", "--quiet"]
    assert run(*argv) == (1, "", ["dglm fit: error: RuntimeError: no such luck"])
    code, _, err = run(*argv, "--traceback")
    assert (code, err[0], err[-1]) == (
        1,
        "Traceback (most recent call last):",
        "dglm fit: error: RuntimeError: no such luck",
    )
    assert "in broken" in "".join(err)

    def interrupted(self, **given):
        raise KeyboardInterrupt

    monkeypatch.setattr(dglm.GLM, "fit", interrupted)
    assert run(*argv) == (130, "", ["dglm fit: interrupted"])
    assert run(*argv, "--checkpoint", "sums")[2][0].endswith("goes on from its checkpoint")


def test_nothing_else_is_deleted_where_predictions_are_written_over(run, folder, tmp_path):
    run("fit", FORMULA, folder / "0.parquet", "--save", "late.dglm", "--quiet")
    (tmp_path / "rows").mkdir()
    pd.read_parquet(folder / "0.parquet").to_parquet("rows/0.parquet")
    for rows in ("rows", "rows/*.parquet", "rows/../rows/0.parquet"):
        code, _, err = run("predict", "late.dglm", rows, "--out", "rows", "--overwrite")
        assert code == 2
        assert "is where the rows are" in err[0]
    code, _, err = run("predict", "late.dglm", folder / "0.parquet", "--out", tmp_path, "--overwrite")
    assert code == 2
    assert "which is no prediction" in err[0]
    assert {path.name for path in tmp_path.iterdir()} == {"late.dglm", "rows"}


def test_a_fit_is_printed_if_it_cannot_be_written_and_written_if_it_cannot_be_printed(run, folder, monkeypatch):
    def full(self, path):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(dglm.results.Results, "save", full)
        code, out, err = run("fit", FORMULA, folder / "0.parquet", "--save", "late.dglm", "--quiet")
    assert (code, err) == (1, ["dglm fit: error: No space left on device"])
    assert "distance" in out

    class Closed(io.StringIO):
        def flush(self):
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Closed())
    assert main(["fit", FORMULA, str(folder / "0.parquet"), "--save", "late.dglm", "--quiet"]) == 1
    assert dglm.load("late.dglm").converged


def test_logging_and_warnings_are_left_as_they_were(run, folder):
    root = logging.getLogger("dglm")
    before = (root.level, root.propagate, list(root.handlers), warnings.showwarning, list(warnings.filters))
    run("fit", FORMULA, folder / "0.parquet")
    assert (root.level, root.propagate, list(root.handlers), warnings.showwarning, list(warnings.filters)) == before


def test_a_terminal_is_shown_bars_and_lines_without_dates(run, folder, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    code, _, _ = run("fit", FORMULA, folder / "*.parquet", "--family", "binomial", "--max-iter", "1")
    shown = sys.stderr.getvalue()
    assert code == 3
    assert "pass 1:" in shown
    lines = [line for line in re.split(r"[\r\n]", shown) if line.strip() and "pass 1:" not in line and "%|" not in line]
    assert lines[0].startswith("data: 7 columns in 3 partitions of parquet")
    assert any(line.startswith("iteration 1: ") for line in lines)
    assert lines[-1].startswith("dglm fit: warning: IRLS did not converge")


def test_every_option_is_used():
    parsers = next(a for a in command_parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    given = {action.dest for action in parsers["fit"]._actions}
    settings = {option for options in SETTINGS.values() for option in options}
    used = {*settings, *SETTINGS, *fit.ROWS, *fit.ALONE, *fit.FOR_CV, *fit.ALWAYS, *fit.OUTPUTS}
    used |= {
        "formula",
        "data",
        "effects",
        "format",
        "separator",
        "dtype",
        "cv",
        "exponentiate",
        "python",
        "workers",
        "scheduler",
    }
    assert given - {"help"} == used | {"quiet", "traceback"}


@pytest.mark.parametrize(("kind", "base"), [("family", Family), ("link", Link), ("penalty", Penalty)])
def test_everything_that_is_exported_has_a_name(kind, base):
    package = {"family": dglm.families, "link": dglm.links, "penalty": dglm.penalties}[kind]
    exported = (getattr(package, name) for name in package.__all__)
    concrete = {each for each in exported if isinstance(each, type) and issubclass(each, base) and not isabstract(each)}
    left_out = {cls.__name__ for cls in concrete - set(CATALOGUE[kind].values())}
    # what takes a distribution, a matrix or another penalty is for Python
    assert (
        left_out == {"family": set(), "link": {"CDF"}, "penalty": {"Bounded", "GeneralizedRidge", "Unpenalised"}}[kind]
    )
    assert all(snake(cls.__name__) == name for name, cls in CATALOGUE[kind].items())


def test_help_teaches(run):
    code, out, err = run("--help")
    assert (code, err) == (0, [])
    assert 'dglm fit "late ~ distance + C(carrier)"' in out
    _, out, _ = run("fit", "--help")
    for words in ("inverse_gaussian", "--penalty elastic_net --l1-ratio 0.5 --cv 5", "exit codes:", "restricted"):
        assert words in out
    # what stands in the examples can be understood
    for line in re.findall(r"^    dglm (fit .*(?:\\\n.*)?)$", out, re.MULTILINE):
        words = [each.strip('"') for each in re.findall(r'"[^"]*"|[^\s\\]+', line)]
        assert vars(command_parser().parse_args(words))["formula"] in line


@pytest.mark.distributed
@pytest.mark.timeout(120)
def test_in_a_process_of_its_own_with_workers(folder, tmp_path):
    command = [sys.executable, "-m", "dglm", "fit", FORMULA, str(folder / "*.parquet"), "--family", "binomial"]
    found = subprocess.run(
        [*command, "--workers", "2", "--save", "late.dglm"], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert found.returncode == 0, found.stderr
    assert "cluster: 2 workers" in found.stderr
    assert found.stdout == f"{dglm.load(tmp_path / 'late.dglm').summary()}\n"
