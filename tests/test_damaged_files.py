"""Files that are damaged, forged or of another format are refused; whatever they say, loading executes nothing."""

import io
import json
import pickle
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dglm
from dglm.design import Unsaved
from dglm.errors import StorageError
from dglm.families import Binomial
from dglm.results import Estimate, Results
from dglm.storage import saved_types

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"z": rng.random(60) + 0.5, "g": list("abc") * 20, "won": rng.random(60) < 0.4})
    path = tmp_path_factory.mktemp("good") / "result.dglm"
    dglm.GLM.from_formula("won ~ np.log(z) * C(g, contr.sum)", data, family=Binomial()).fit().save(path)
    return path.read_bytes()


def load_bytes(folder: Path, content: bytes):
    (folder / "bad.dglm").write_bytes(content)
    return dglm.load(folder / "bad.dglm")


def rewritten(good: bytes, **members) -> bytes:
    """Return the file with some members replaced, and with checksums that fit."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = members.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return buffer.getvalue()


def document(good: bytes) -> dict:
    return json.loads(zipfile.ZipFile(io.BytesIO(good)).read("result.json"))


def npy(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def test_a_missing_file_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        dglm.load(tmp_path / "nothing.dglm")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a zip", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), pickle.dumps({"a": 1}), npy(np.eye(2))],
    ids=["empty", "text", "head", "empty zip", "pickle", "npy"],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StorageError, match=r"cannot load '.*bad\.dglm': it is no saved result, or it is damaged"):
        load_bytes(tmp_path, content)


def test_a_truncated_file_is_refused(good: bytes, tmp_path: Path) -> None:
    for length in range(0, len(good), 97):
        with pytest.raises(StorageError, match="no saved result, or it is damaged"):
            load_bytes(tmp_path, good[:length])
    with pytest.raises(StorageError):
        load_bytes(tmp_path, good[:-1])


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (2, "its format is 2, and this version of dglm reads formats up to 1; update dglm"),
        ("1", "does not say what format"),
        (None, "does not say what format"),
    ],
)
def test_a_file_of_another_format_is_refused(good: bytes, tmp_path: Path, number, message: str) -> None:
    changed = json.dumps({**document(good), "format": number})
    with pytest.raises(StorageError, match=message):
        load_bytes(tmp_path, rewritten(good, **{"result.json": changed}))


def test_arrays_of_objects_are_never_unpickled(good: bytes, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return (tmp_path / "exploded").touch, ()

    for content in (
        npy(np.array([Bomb()], dtype=object), allow_pickle=True),
        npy(np.eye(9))[:-8],
        npy(np.eye(2)).replace(b"(2, 2)", b"(9, 9)"),
        npy(np.eye(2)).replace(b"(2, 2)", b"(2,-2)"),
        npy(np.eye(2)).replace(b"'<f8'", b"'|O8'"),
        npy(np.eye(2)).replace(b"'<f8'", b"1+1.."),
        b"",
    ):
        with pytest.raises(StorageError, match=r"arrays/0\.npy in it is not an array"):
            load_bytes(tmp_path, rewritten(good, **{"arrays/0.npy": content}))
    with pytest.raises(StorageError, match="damaged"):
        load_bytes(tmp_path, rewritten(good, **{"arrays/0.npy": None}))
    assert not (tmp_path / "exploded").exists()


def at(content, *path):
    for step in path:
        content = content[step]
    return content


@pytest.mark.parametrize(
    ("path", "key", "value", "message"),
    [
        ((), "family", {"$type": "Popen", "args": "true"}, "Popen, which this version of dglm does not know"),
        ((), "family", {"$type": "families.Family"}, r"damaged \(TypeError"),
        ((), "family", {"$type": "penalties.L2", "alpha": 1.0}, "result.family should be .*Family'>; found a L2"),
        (
            (),
            "family",
            {"$type": "families.Binomial", "link": {"$type": "families.Binomial"}},
            "link should be .*Link'>; found a Binomial",
        ),
        ((), "penalty", {"$type": "penalties.L2", "alpha": -1.0}, "alpha must be finite"),
        ((), "scale", "1", "result.scale should be"),
        ((), "scale", True, "result.scale should be"),
        ((), "table", None, "has table, which a Estimate has not"),
        ((), "unknown", 1, "has unknown, which a Estimate has not; update dglm"),
        ((), "pass_seconds", [1.0, None], "pass_seconds should be"),
        (("fit",), "params", {"$array": "arrays/99.npy"}, "damaged"),
        (("fit",), "params", [0.0] * 9, "params should be"),
        (("fit",), "aliased", {"$array": "arrays/0.npy"}, "aliased should be .*bool"),
        (("fit",), "status", {"$enum": "solvers.Status", "member": "__class__"}, "damaged"),
        (("fit",), "status", {"$enum": "matrix.Gram", "member": "x"}, "does not know"),
        (("fit",), "solver", {"$name": "os.system"}, "is not in math, numpy"),
        (("fit",), "solver", {"$name": "numpy.__loader__"}, "is not in math, numpy"),
        (("fit",), "solver", {"$name": "numpy.f2py.compile"}, "is not in math, numpy"),
        (("fit",), "solver", {"$name": ["numpy"]}, "damaged"),
        (("fit",), "solver", {"$name": "numpy"}, "solver should be .*found a module"),
        (("fit",), "solver", {"$timestamp": [1, "ns", "../../etc/passwd"]}, "damaged"),
        (("fit",), "solver", {"$timestamp": [1, "ns", "dateutil//etc/passwd"]}, "is a path"),
        (("fit",), "solver", {"$timestamp": [1, "fortnight", None]}, "fortnight"),
        (("fit",), "solver", {"$distribution": ["rv_discrete", [], {}]}, "damaged"),
        (("fit",), "solver", {"$decimal": "one"}, "damaged"),
        (("fit",), "solver", {"$bytes": "zz"}, "damaged"),
        (("fit",), "solver", {"$nothing": 1}, "damaged"),
        (("fit",), "solver", {"$dict": [[{"$list": []}, 1]]}, "damaged"),
        (("fit",), "solver", {"$custom": "X", "of": "nothing", "fields": {}}, "not dglm's"),
        (("fit", "certificate"), "kind", 3, "certificate.kind should be"),
        (("design",), "levels", {"g": 3}, "levels should be"),
        (("design",), "missing", "keep", "missing should be"),
        (("design", "engine"), "context", {"$type": "design.Context", "variables": 3}, "variables should be"),
        (("survey",), "n_rows", 1.5, "n_rows should be"),
        (("survey",), "low", {"$float": "nan"}, "low should be"),
    ],
)
def test_contents_that_no_fit_leaves_behind_are_refused(good: bytes, tmp_path: Path, path, key, value, message) -> None:
    content = document(good)
    at(content["result"], *path)[key] = value
    with pytest.raises(StorageError, match=message):
        load_bytes(tmp_path, rewritten(good, **{"result.json": json.dumps(content)}))


def test_another_number_of_coefficients_is_refused(good: bytes, tmp_path: Path) -> None:
    params = document(good)["result"]["fit"]["params"]["$array"]
    with pytest.raises(StorageError, match=r"result\.fit\.params has shape \(2,\), but there are 6 coefficients"):
        load_bytes(tmp_path, rewritten(good, **{params: npy(np.ones(2))}))


def test_an_object_that_is_no_estimate_is_refused(good: bytes, tmp_path: Path) -> None:
    for content in ([], 1, {"$type": "links.Logit"}):
        changed = json.dumps({"format": 1, "result": content})
        with pytest.raises(StorageError, match="not an estimate"):
            load_bytes(tmp_path, rewritten(good, **{"result.json": changed}))


def test_endless_nesting_is_refused(good: bytes, tmp_path: Path) -> None:
    nested = '{"format": 1, "result": ' + "[" * 100_000 + "]" * 100_000 + "}"
    shallow = '{"format": 1, "result": ' + "[" * 900 + "]" * 900 + "}"
    for content in (nested, shallow, '{"format": 1, "result": NaN}'):
        with pytest.raises(StorageError):
            load_bytes(tmp_path, rewritten(good, **{"result.json": content}))


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=300)
def test_corrupted_bytes_are_refused_or_harmless(good: bytes, tmp_path_factory, data) -> None:
    corrupted = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(good) - 1))
        action = data.draw(st.sampled_from(["set", "delete", "insert"]))
        if action == "set":
            corrupted[min(i, len(corrupted) - 1)] = data.draw(st.integers(0, 255))
        elif action == "delete":
            del corrupted[i : i + data.draw(st.integers(1, 50))]
        else:
            corrupted[i:i] = data.draw(st.binary(min_size=1, max_size=10))
    folder = tmp_path_factory.getbasetemp()
    expected = str(load_bytes(folder, good).summary())
    try:
        loaded = load_bytes(folder, bytes(corrupted))
    except StorageError:
        return
    # a byte that nothing depends on, such as a date in the zip's directory
    assert str(loaded.summary()) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(sorted({"$type", "$array", "$list", "$dict", "$enum",
            "$custom", "$timestamp", "$timedelta", "$period", "$interval", "$datetime", "$date", "$time", "$decimal",
            "$bytes", "$float", "$index", "$numpy", "$distribution", "$name",
            "member", "of", "fields"})), inner, max_size=3)
        | st.sampled_from(sorted(saved_types(Estimate, Unsaved))).map(lambda name: {"$type": name})
    ),
    max_leaves=8,
)  # fmt: skip


def places(content, path=()):
    yield path
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=500)
def test_forged_contents_are_refused_or_make_a_result(good: bytes, tmp_path_factory, data) -> None:
    content = document(good)
    path = data.draw(st.sampled_from([p for p in places(content) if p and p != ("format",)]))
    at(content, *path[:-1])[path[-1]] = data.draw(JSON)
    changed = rewritten(good, **{"result.json": json.dumps(content)})
    try:
        loaded = load_bytes(tmp_path_factory.getbasetemp(), changed)
    except StorageError:
        return
    assert isinstance(loaded, Results)


def test_loading_executes_nothing(good: bytes, tmp_path: Path) -> None:
    content = document(good)
    evil = "__import__('pathlib').Path('exploded').touch()"
    engine = content["result"]["design"]["engine"]
    engine["formula"] = f"won ~ {evil}"
    engine["exog_terms"] = [[{"$type": "design.ParsedFactor", "expr": evil, "method": "python"}]]
    engine["context"]["variables"]["load"] = {"$name": "pandas.read_pickle"}
    (tmp_path / "evil.dglm").write_bytes(rewritten(good, **{"result.json": json.dumps(content)}))
    (tmp_path / "good.dglm").write_bytes(good)
    code = """
    import sys
    import dglm
    folder = sys.argv[1]
    dglm.load(f"{folder}/good.dglm").summary()  # annotations are read, and abstract classes checked, once
    seen = []
    sys.addaudithook(lambda event, args: seen.append((event, args)))
    dglm.load(f"{folder}/evil.dglm").summary()
    allowed = {"open", "object.__getattr__", "builtins.id"}
    print(sorted({event for event, _ in seen} - allowed))
    print([args[0] for event, args in seen if event == "open"])
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    events, opened = ran.stdout.splitlines()
    assert events == "[]"
    assert opened == f"['{tmp_path}/evil.dglm']"
    assert not (ROOT / "exploded").exists()
