"""Checkpoints: a fit that is interrupted anywhere goes on to the same bits; one of another fit is refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import dask
import dask.dataframe as dd
import fsspec
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dglm
from dglm.data import Kept, MemoryBlocks
from dglm.data.seals import Seal
from dglm.errors import ChangedDataError, CheckpointError, DataError, IncompatibleSolverError
from dglm.families import Binomial, Gamma, Gaussian, NegativeBinomial, Poisson, Tweedie
from dglm.links import Log, Probit
from dglm.matrix import Basis
from dglm.penalties import L1, L2, MCP, ElasticNet, GroupL1
from dglm.solvers import ADMM, IRLS, LBFGS, SOLVERS, GradientDescent, Newton, ProximalGradient, ProximalNewton
from dglm.storage import Checkpoint, digest
from dglm.testing import count_passes

N = 240


@pytest.fixture(autouse=True, scope="module")
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x, z = rng.normal(size=(2, N))
    g = rng.choice(list("abc"), N)
    mu = np.exp(0.3 + 0.5 * x - 0.2 * z + 0.3 * (g == "b"))
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "g": g,
            "firm": rng.integers(0, 20, N),
            "year": rng.choice(["2001", "2002", "2003"], N),
            "o": rng.normal(size=N) / 4,
            "f": rng.integers(1, 4, N).astype(float),
            "count": rng.poisson(mu).astype(float),
            "amount": rng.gamma(2.0, mu),
            "claims": rng.negative_binomial(1.5, 1.5 / (1.5 + mu)).astype(float),
            "cost": np.where(rng.random(N) < 0.4, 0.0, rng.gamma(2.0, mu)),
            "won": (rng.random(N) < mu / (1 + mu)).astype(float),
        }
    )


def formula(response, family, rhs="x + z + g", **model):
    def fit_on(frame, **options):
        return dglm.GLM.from_formula(f"{response} ~ {rhs}", frame, family=family, **model), options

    return fit_on


CASES = {
    "irls": (formula("won", Binomial()), {"solver": "irls"}),
    "irls with an offset": (formula("count", Poisson(), offset="o"), {}),
    "newton": (formula("won", Binomial(Probit()), freq_weights="f"), {"solver": "newton"}),
    "lbfgs": (formula("amount", Gamma(Log())), {"solver": LBFGS(), "penalty": L2(alpha=0.01)}),
    "gradient descent": (formula("count", Poisson()), {"solver": GradientDescent(tol=1e-4), "penalty": L2(alpha=0.1)}),
    "gaussian": (formula("amount", Gaussian()), {}),
    "ridge": (formula("won", Binomial(), offset="o"), {"penalty": L2(alpha=0.1)}),
    "lasso": (formula("won", Binomial()), {"penalty": L1(alpha=0.02, standardize=True), "solver": "proximal_newton"}),
    "elastic net": (formula("count", Poisson()), {"penalty": ElasticNet(0.05, 0.5), "solver": ProximalGradient()}),
    "proximal l-bfgs": (formula("won", Binomial()), {"penalty": L1(alpha=0.02), "solver": "proximal_lbfgs"}),
    "group lasso": (formula("won", Binomial()), {"penalty": GroupL1(alpha=0.05), "solver": ProximalNewton()}),
    "mcp": (formula("count", Poisson()), {"penalty": MCP(alpha=0.05)}),
    "admm": (formula("won", Binomial()), {"solver": ADMM()}),
    "admm with a penalty": (formula("count", Poisson()), {"solver": ADMM(), "penalty": L1(alpha=0.02)}),
    "bounds": (formula("won", Binomial()), {"bounds": {"x": (0.0, 0.3)}}),
    "hc3": (formula("count", Poisson()), {"cov_type": "HC3"}),
    "clusters": (formula("count", Poisson()), {"cov_type": "cluster", "cov_kwds": {"groups": "firm"}}),
    "two ways": (formula("won", Binomial()), {"cov_type": "cluster", "cov_kwds": {"groups": ("firm", "year")}}),
    "collinear": (formula("won", Binomial(), rhs="x + z + g + I(x + z)"), {"solver": Newton(), "scale": "X2"}),
    "negative binomial": (formula("claims", NegativeBinomial(alpha=None)), {}),
    "tweedie": (formula("cost", Tweedie(power=None)), {"solver": IRLS()}),
}


def test_every_solver_that_can_be_run_again_has_a_case():
    asked = [options.get("solver") for _, options in CASES.values()]
    named = {solver if isinstance(solver, str) else solver.name for solver in asked if solver is not None}
    # of penalties that are not convex it is the default
    assert named | {"local_linear"} >= {name for name, solver in SOLVERS.items() if solver.repeatable}


def model_of(name, frame):
    (make, options) = CASES[name]
    return make(frame, **options)


def bits(results):
    """Return a digest of everything in a result but how long passes took."""
    return digest(replace(results._estimate, table=None, seals=(), pass_seconds=()))


def interrupted(whole: Path, after: int, at: Path) -> Path:
    """Return the directory that a fit leaves behind that is killed after some passes."""
    shutil.copytree(whole, at)
    for path in at.glob("pass-*"):
        if int(path.stem[5:]) > after:
            path.unlink()
    return at


@pytest.mark.filterwarnings("ignore::dglm.errors.RankDeficientWarning")
@pytest.mark.parametrize("name", CASES)
def test_resumes_after_any_pass_to_the_same_bits(name, frame, tmp_path):
    ddf = dd.from_pandas(frame, npartitions=3)
    model, options = model_of(name, ddf)
    plain = model.fit(**options)
    whole = model.fit(**options, checkpoint=tmp_path / "whole")
    assert bits(whole) == bits(plain)
    n = whole.n_passes
    assert len(list((tmp_path / "whole").glob("pass-*"))) == n
    # of one fit after every pass, of the others after one here and one there
    where = list(CASES).index(name)
    for after in range(1, n + 1) if name == "lasso" else {1 + where % n, n}:
        model, options = model_of(name, ddf)
        place = interrupted(tmp_path / "whole", after, tmp_path / str(after))
        with count_passes() as made:
            resumed = model.fit(**options, checkpoint=place)
        # where no pass was left to be made, the rows are looked at
        assert made.count == max(n - after, 1)
        assert bits(resumed) == bits(plain)
        assert resumed.n_passes == n
        assert resumed._estimate.pass_seconds[:after] == whole._estimate.pass_seconds[:after]


@dataclass(frozen=True)
class Shares(Binomial):
    """A family of a user's, in a module that is not dglm's."""


def design_matrix(frame):
    return np.column_stack([np.ones(N), frame[["x", "z"]].to_numpy(), frame["g"].to_numpy() == "b"]).astype(float)


def mean_loss(y, mu, w):
    return float(np.dot(w, np.abs(y - mu))), float(w.sum())


OTHER_CALLS = {
    "memory": lambda f, **k: dglm.GLM.from_formula("won ~ x + g", f, family=Shares()).fit(**k),
    "sparse": lambda f, **k: dglm.GLM(f["count"].to_numpy(), sparse.csr_array(design_matrix(f)), family=Poisson()).fit(
        penalty=L1(alpha=0.05), **k
    ),
    "wide": lambda f, **k: dglm.GLM(
        f["won"].to_numpy()[:40],
        sparse.random_array((40, 5001), density=0.002, rng=np.random.default_rng(1), format="csr"),
        family=Binomial(),
    ).fit(penalty=L1(alpha=0.05), **k),
    "constrained": lambda f, **k: dglm.GLM.from_formula("won ~ x + z", f, family=Binomial()).fit_constrained(
        "x = z", cov_type="HC1", **k
    ),
    "path": lambda f, **k: dglm.GLM.from_formula("won ~ x + g", f, family=Binomial()).fit_path(
        L1(alpha=1.0), alphas=5, **k
    ),
    "cross-validation": lambda f, **k: dglm.GLM.from_formula("count ~ x + g", f, family=Poisson()).fit_cv(
        L2(alpha=1.0), alphas=4, folds="year", scoring=mean_loss, **k
    ),
}


def all_bits(results):
    if isinstance(results, dglm.results.CVResults):
        return digest((all_bits(results.path), results.fold_scores, results.folds))
    return digest(results.fit) if isinstance(results, dglm.results.PathResults) else bits(results)


@pytest.mark.parametrize("name", OTHER_CALLS)
def test_every_call_and_every_kind_of_rows_resumes_to_the_same_bits(name, frame, tmp_path):
    call = OTHER_CALLS[name]
    plain = call(frame)
    with count_passes() as made:
        assert all_bits(call(frame, checkpoint=tmp_path / "whole")) == all_bits(plain)
    n = len(list((tmp_path / "whole").glob("pass-*")))
    for after in {1, n // 2, n}:
        with count_passes() as again:
            resumed = call(frame, checkpoint=interrupted(tmp_path / "whole", after, tmp_path / str(after)))
        # levels are learned before a fit
        assert again.count == made.count - after
        assert all_bits(resumed) == all_bits(plain)
        assert resumed.n_passes == plain.n_passes


class Killed(BaseException):
    """What stands in for the end of the process."""


def poisson(frame, family=None, rhs="x + z + g", **options):
    return dglm.GLM.from_formula(f"count ~ {rhs}", frame, family=family or Poisson(), **options)


@pytest.fixture(scope="module")
def whole(frame, tmp_path_factory):
    """Return a fit, and the directory that has all of it."""
    place = tmp_path_factory.mktemp("checkpoints") / "whole"
    return poisson(frame).fit(checkpoint=place), place


@pytest.mark.parametrize("doing", ["pass", "writing", "renaming"])
def test_goes_on_after_an_end_within_a_pass_and_while_a_file_is_written(doing, frame, whole, tmp_path, monkeypatch):
    calls = []

    def third_time(function):
        def called(*args, **kwargs):
            calls.append(args)
            if len(calls) == 3:
                raise Killed
            return function(*args, **kwargs)

        return called

    owner, name = {"pass": (MemoryBlocks, "_sum"), "writing": (os, "fsync"), "renaming": (Path, "replace")}[doing]
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, third_time(getattr(owner, name)))
        with pytest.raises(Killed):
            poisson(frame).fit(checkpoint=tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert any(name.endswith(".unfinished") for name in left) == (doing != "pass")
    resumed = poisson(frame).fit(checkpoint=tmp_path)
    assert bits(resumed) == bits(whole[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in whole[1].iterdir())


@pytest.mark.filterwarnings("ignore::dglm.errors.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["irls", "lbfgs", "admm"])
def test_goes_on_where_a_fit_was_halted(solver, frame, tmp_path):
    options = {"solver": solver, "penalty": L2(alpha=0.01), "checkpoint": tmp_path}
    plain = poisson(frame).fit(solver=solver, penalty=L2(alpha=0.01))
    for halt in [{"max_passes": 2}, {"max_passes": 3}, {"callback": lambda record: record.number == 2}]:
        assert poisson(frame).fit(**options, **halt).status.halted
    kept = len(list(tmp_path.glob("pass-*")))
    assert 3 <= kept < plain.n_passes
    # an earlier end takes nothing away
    assert poisson(frame).fit(**options, max_passes=2).status.halted
    model = poisson(frame)
    with count_passes() as made:
        assert bits(model.fit(**options)) == bits(plain)
    assert made.count == plain.n_passes - kept


SLOW_FIT = """
import sys, time
import dask, dask.dataframe as dd, pandas as pd
import dglm

def slow(part):
    time.sleep(0.05)
    return part

if __name__ == "__main__":
    frame = dd.from_pandas(pd.read_pickle(sys.argv[1]), npartitions=2)
    model = dglm.GLM.from_formula("won ~ x + z", frame.map_partitions(slow), family=dglm.families.Binomial())
    with dask.config.set(scheduler="synchronous"):
        model.fit(penalty=dglm.L1(alpha=0.02), checkpoint=sys.argv[2], persist=False)
"""


@pytest.mark.timeout(60)
def test_goes_on_after_the_process_was_killed(frame, tmp_path):
    frame.to_pickle(tmp_path / "rows")
    place, second = tmp_path / "checkpoint", tmp_path / "checkpoint" / "pass-000002.dglm"
    command = [sys.executable, "-c", SLOW_FIT, str(tmp_path / "rows"), str(place)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONHASHSEED": "1"}) as process:
        until = time.monotonic() + 50
        while not second.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    made = len(list(place.glob("pass-*")))
    ddf = dd.from_pandas(frame, npartitions=2)
    model = dglm.GLM.from_formula("won ~ x + z", ddf, family=Binomial())
    with count_passes() as again:
        resumed = model.fit(penalty=L1(alpha=0.02), checkpoint=place, persist=False)
    plain = dglm.GLM.from_formula("won ~ x + z", ddf, family=Binomial()).fit(penalty=L1(alpha=0.02), persist=False)
    assert 2 <= made < plain.n_passes
    assert again.count == plain.n_passes - made
    assert bits(resumed) == bits(plain)


@pytest.mark.parametrize("after", [2, 100])
@pytest.mark.parametrize("changed", ["value", "rows"])
def test_rows_that_changed_meanwhile_are_noticed(after, changed, frame, tmp_path):
    def model_of_files(rows):
        for i, part in enumerate([rows.iloc[:100], rows.iloc[100:]]):
            part.to_parquet(tmp_path / f"{i}.parquet")
        return dglm.GLM.from_formula("count ~ x + z", str(tmp_path / "*.parquet"), family=Poisson())

    place = tmp_path / "checkpoint"
    model_of_files(frame).fit(checkpoint=place, persist=False)
    interrupted(place, after, tmp_path / "interrupted")
    other = frame.assign(z=frame["z"].where(frame.index != 150, 0.5)) if changed == "value" else frame.iloc[:-1]
    with pytest.raises(ChangedDataError, match=r"partition 1 has .* Checkpoint .*interrupted' has sums .*delete it"):
        model_of_files(other).fit(checkpoint=tmp_path / "interrupted", persist=False)
    assert model_of_files(frame).fit(checkpoint=tmp_path / "interrupted", persist=False).converged


def test_an_error_about_rows_that_were_mended_is_told_from_one_that_stands(frame, tmp_path):
    def model(weights):
        rows = dd.from_pandas(frame.assign(f=weights), npartitions=2)
        return dglm.GLM.from_formula("count ~ x", rows, family=Poisson(), freq_weights="f")

    for _ in range(2):
        with pytest.raises(DataError, match="weight"):
            model(0.0).fit(checkpoint=tmp_path)
    with pytest.raises(ChangedDataError, match=r"partition 0 has as many rows .* delete it, too"):
        model(1.0).fit(checkpoint=tmp_path)


def halved(values):
    return values / 2


def other_code(values):
    return values / 2 + 0.0


other_code.__qualname__ = other_code.__name__ = "halved"

DIFFERENT = {
    "formula is count ~ x \\+ z \\+ g, and this fit's is count ~ x": lambda f: poisson(f, rhs="x").fit,
    r"family is Poisson\(link=Log\(\)\), and this fit's is Gaussian": lambda f: poisson(f, Gaussian()).fit,
    r"penalty is Unpenalised\(\), and this fit's is L2\(alpha=0.1": lambda f: partial(
        poisson(f).fit, penalty=L2(alpha=0.1)
    ),
    r"solver is IRLS\(max_iter=100, tol=1e-08\), and this fit's is IRLS\(max_iter=100, tol=1e-06\)": lambda f: partial(
        poisson(f).fit, tol=1e-6
    ),
    "start_params is None, and": lambda f: partial(poisson(f).fit, start_params=np.zeros(5)),
    "scale is None, and this fit's is X2": lambda f: partial(poisson(f).fit, scale="X2"),
    "cov_type is nonrobust, and this fit's is HC1": lambda f: partial(poisson(f).fit, cov_type="HC1"),
    "collinear is drop, and this fit's is pinv": lambda f: partial(poisson(f).fit, collinear="pinv"),
    "call is fit, and this fit's is fit_constrained": lambda f: partial(poisson(f).fit_constrained, "x = z"),
    r"extras of the design is \(\), and this fit's is \(Extra\(role='offset'": lambda f: poisson(f, offset="o").fit,
    r"exog_names of the design is .*'g\[T.c\]'\), and this fit's is .*'g\[T.d\]'": lambda f: (
        poisson(f.assign(g=f["g"].replace("c", "d"))).fit
    ),
    "columns is .*'z': 'float64'.*, and this fit's is .*'z': 'float32'": lambda f: (
        poisson(f.astype({"z": "float32"})).fit
    ),
    "number of partitions is 1, and this fit's is 2": lambda f: poisson(dd.from_pandas(f, npartitions=2)).fit,
    "content of partition 0 is 240 rows with checksum .* is 240 rows": lambda f: (
        poisson(f.assign(x=f["x"].where(f.index != 7, 0.25))).fit
    ),
    "content of partition 0 is 240 rows with checksum .* is 239 rows": lambda f: poisson(f.iloc[1:]).fit,
}


@pytest.mark.parametrize("difference", DIFFERENT)
def test_refuses_a_checkpoint_of_another_fit_and_names_the_difference(difference, frame, whole):
    before = {path.name: path.read_bytes() for path in whole[1].iterdir()}
    fit = DIFFERENT[difference](frame)
    with count_passes() as made, pytest.raises(CheckpointError, match=f"its {difference}.*delete the directory"):
        fit(checkpoint=whole[1])
    assert made.count == 0
    assert {path.name: path.read_bytes() for path in whole[1].iterdir()} == before


def test_a_function_counts_by_its_code(frame, tmp_path):
    poisson(frame, rhs="halved(x)", context={"halved": halved}).fit(checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match=r"context of the formula is .* or in the code of a function"):
        poisson(frame, rhs="halved(x)", context={"halved": other_code}).fit(checkpoint=tmp_path)


def test_refuses_another_version_of_numpy(frame, whole, monkeypatch):
    monkeypatch.setattr(np, "__version__", "1.0")
    with pytest.raises(CheckpointError, match=r"its version of numpy is .*, and this fit's is 1\.0"):
        poisson(frame).fit(checkpoint=whole[1])


@pytest.mark.parametrize("name", ["fit.dglm", "pass-000001.dglm", "pass-000003.dglm"])
def test_any_damage_is_noticed(name, frame, whole, tmp_path):
    model, content = poisson(frame), (whole[1] / name).read_bytes()
    place = tmp_path / "damaged"
    shutil.copytree(whole[1], place)
    rng = np.random.default_rng(3)
    flipped = [(int(at), 1 << int(bit)) for at, bit in zip(rng.integers(0, len(content), 8), range(8), strict=True)]
    damaged = [content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :] for at, bit in flipped]
    cuts = [0, 1, len(content) // 2, len(content) - 1]
    for broken in [*damaged, *(content[:at] for at in cuts), content + b"x"]:
        (place / name).write_bytes(broken)
        with pytest.raises(CheckpointError, match=f"{name} of checkpoint .* is damaged.*delete"):
            model.fit(checkpoint=place)
    # as the message has it
    for path in place.glob("*.dglm"):
        if name == "fit.dglm" or path.name >= name:
            path.unlink()
    if name != "fit.dglm":
        assert bits(model.fit(checkpoint=place)) == bits(whole[0])


def test_files_that_are_missing_or_of_something_else_are_noticed(frame, whole, tmp_path):
    model = poisson(frame)
    for name in ["fit.dglm", "pass-000002.dglm"]:
        place = shutil.copytree(whole[1], tmp_path / f"without {name}")
        (place / name).unlink()
        with pytest.raises(CheckpointError, match=f"lacks .*{name}"):
            model.fit(checkpoint=place)
    place = shutil.copytree(whole[1], tmp_path / "mixed")
    shutil.copy(place / "pass-000003.dglm", place / "pass-000002.dglm")
    with pytest.raises(CheckpointError, match=r"pass-000002.dglm .* is of another fit or of another pass"):
        model.fit(checkpoint=place)
    (tmp_path / "notes.txt").write_text("mine")
    for place, message in [(tmp_path, "something else"), (tmp_path / "notes.txt", "is a file")]:
        with pytest.raises(CheckpointError, match=message):
            model.fit(checkpoint=place)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_another_arithmetic_is_noticed(frame, whole, tmp_path, monkeypatch):
    place = shutil.copytree(whole[1], tmp_path / "whole")
    solve = Basis.to_params
    monkeypatch.setattr(Basis, "to_params", lambda *args: np.nextafter(solve(*args), np.inf))
    with pytest.raises(CheckpointError, match=r"pass-00000\d.dglm .* answers another request .* arithmetic differs"):
        poisson(frame).fit(checkpoint=place)


def test_two_fits_at_once_are_noticed(frame, tmp_path):
    first = Checkpoint.open(tmp_path, {"family": "Poisson()"})
    assert first.keep("one", Kept(1.0, 0.1, ())).total == 1.0
    second = Checkpoint.open(tmp_path, {"family": "Poisson()"})
    with pytest.raises(CheckpointError, match=r"another fit writes to checkpoint .*process \d+.*directory of its own"):
        first.keep("two", Kept(2.0, 0.1, ()))
    assert second.recall("one") == Kept(1.0, 0.1, ())
    second.keep("two", Kept(2.0, 0.1, ()))
    assert second.recall("three") is None


def test_keeps_passes_at_a_url(frame, whole):
    with count_passes() as made:
        assert bits(poisson(frame).fit(checkpoint="memory://fits/first")) == bits(whole[0])
        between = made.count
        assert bits(poisson(frame).fit(checkpoint="memory://fits/first")) == bits(whole[0])
    # levels were learned, no other pass was made
    assert made.count == between + 1
    files = fsspec.filesystem("memory")
    files.pipe_file("/fits/first/pass-000002.dglm", files.cat_file("/fits/first/pass-000002.dglm")[:-1])
    with pytest.raises(CheckpointError, match="pass-000002"):
        poisson(frame).fit(checkpoint="memory://fits/first")
    files.rm("/fits", recursive=True)


def test_needs_a_solver_that_can_be_run_again(frame, tmp_path):
    with pytest.raises(IncompatibleSolverError, match=r'"async_admm" .* solver="admm"'):
        poisson(frame).fit(solver="async_admm", checkpoint=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_fit_after_others_keeps_its_survey_too_and_leaves_the_model_as_it_was(frame, whole, tmp_path):
    model = poisson(frame)
    assert bits(model.fit()) == bits(model.fit(checkpoint=tmp_path)) == bits(whole[0])
    kept = len(list(tmp_path.glob("pass-*")))
    assert kept == whole[0].n_passes
    # neither the next fit nor what a result asks later is part of the journal
    assert model.fit(scale="X2").n_passes == kept - 1
    result = model.fit(checkpoint=tmp_path)
    result.score_test(exog_extra=frame["o"].to_numpy())
    assert len(list(tmp_path.glob("pass-*"))) == kept


@pytest.mark.parametrize(
    "value",
    [
        np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0).reshape(3, 4)[::2, 1:].T,
        np.float32(0.1),
        np.float64(-0.0),
        np.float64(np.nan),
        np.arange(3, dtype=np.float32),
        np.zeros((0, 3)),
        np.int64(3),
        np.bool_(True),
        -0.0,
        float("nan"),
        {(1, "a"): np.ones(2), 2: -0.0},
        (pd.Index(["a", "b"]), pd.Index([1, 2**60]), pd.Index([0.5]), pd.Index([1, "a", 1.5], dtype=object)),
        pd.DatetimeIndex(["2020-01-01T00:00:00"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_sums_come_back_with_every_bit_type_and_order(value, tmp_path):
    checkpoint = Checkpoint.open(tmp_path, {})
    back = checkpoint.keep("request", Kept(value, 0.5, (Seal(0, 3, 2**31),))).total
    kept = Checkpoint.open(tmp_path, {}).recall("request")
    assert (kept.seconds, kept.seals) == (0.5, (Seal(0, 3, 2**31),))
    again = kept.total
    assert type(again) is type(back) is type(value)
    assert digest(again) == digest(back) == digest(value)
    if isinstance(value, np.ndarray) and value.flags.f_contiguous:
        assert again.flags.f_contiguous


def test_says_what_cannot_be_kept(tmp_path):
    with pytest.raises(CheckpointError, match=r"pass 1 cannot be kept .*set"):
        Checkpoint.open(tmp_path, {}).keep("request", Kept({1, 2}, 0.5, ()))


def test_a_digest_knows_values_apart_and_not_where_they_are():
    distinct = [0.0, -0.0, 0, False, None, "0", b"0", (0,), [0], {0: 0}, {0}, np.zeros(1), np.zeros((1, 1)), np.int8(0)]
    distinct += [
        np.float64(0.0),
        L1,
        L1(alpha=0.1),
        L1(alpha=0.2),
        np.exp,
        np.log,
        halved,
        other_code,
        partial(halved, 1),
    ]
    assert len({digest(value) for value in distinct}) == len(distinct)
    rows = sparse.csr_array(np.eye(3)[::-1])
    before = digest((rows, pd.DataFrame({"a": [1.0]})))
    assert rows.has_canonical_format
    assert digest((rows, pd.DataFrame({"a": [1.0]}))) == before
    inside: list[object] = []
    inside.append(inside)
    assert digest(inside) == digest(inside) != digest([])
    matrix = np.arange(6.0).reshape(2, 3)
    assert digest(matrix) == digest(np.asfortranarray(matrix)) == digest(np.hstack([matrix, matrix])[:, :3])
    assert digest({"a": 1, "b": {"x", "y"}}) == digest({"b": {"y", "x"}, "a": 1})
