"""The benchmarks on few rows: everybody at the same optimum, and dglm in no more passes than it should take."""

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "validation" / "benchmarks"

#: Benchmarks, and parts of the names of those who run here.
HERE = {
    "laptop": ["numpy", "glum"],
    "dense": ["numpy", "cholesky"],
    "claims": ["pandas", "glum"],
    "factors": ["pandas", "threads"],
    "lasso_path": ["dglm", "scikit-learn"],
    "scaling": ["thread"],
    "small": ["summary"],
}


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)


@pytest.mark.parametrize("name", HERE)
def test_quick_form(name, tmp_path):
    contest = importlib.import_module("contest")
    benchmark = importlib.import_module(name).BENCHMARK
    benchmark.make(tmp_path, benchmark.quick_rows)
    asked = [c for c in benchmark.contestants if c.quick and any(part in c.key for part in HERE[name])]
    runs = [contest.run_here(contestant, tmp_path) for contestant in asked]
    contest.check(runs)
    counted = [run.passes for run in runs if not run.contestant.is_peer]
    assert counted
    assert None not in counted
    if name not in {"factors", "scaling"}:
        assert {run.contestant.problem for run in runs if run.contestant.is_peer} == {c.problem for c in asked}


def test_quick_form_of_sparse_columns(tmp_path):
    benchmark = importlib.import_module("sparse_design")
    benchmark.make(tmp_path, benchmark.QUICK_ROWS)
    found = benchmark.run_quickly(tmp_path)
    benchmark.check(found)
    name, (value, passes) = next(iter(found.items()))
    for worse, message in [((value * 1.00001, passes), "gap"), ((value, passes + 20), "passes, more")]:
        with pytest.raises(AssertionError, match=message):
            benchmark.check({**found, name: worse})


def test_script_runs_contestants_in_processes_of_their_own():
    command = [sys.executable, FOLDER / "laptop.py", "--rows", "2000", "--rst", "--only", "MLE: dglm, numpy"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert ".. list-table:: MLE, best objective" in shown
    assert "* - dglm, numpy" in shown


def test_what_is_not_at_the_optimum_does_not_pass(tmp_path):
    contest, laptop = importlib.import_module("contest"), importlib.import_module("laptop")
    laptop.BENCHMARK.make(tmp_path, 2000)
    run = contest.run_here(laptop.BENCHMARK.contestants[0], tmp_path)
    for worse, message in [({"objective": run.objective * 1.00001}, "gap"), ({"passes": 9}, "9 passes")]:
        with pytest.raises(AssertionError, match=message):
            contest.check([run, replace(run, **worse)])
