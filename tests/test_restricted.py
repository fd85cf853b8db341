"""Restricted formulas: a stranger's is refused before anything of it is evaluated, or means what it means in Python."""

import re
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dglm
from dglm.design.allowed import CONTRASTS, FUNCTIONS, NUMPY_FUNCTIONS, TRANSFORMS
from dglm.errors import DataError, FormulaError

# what Python tells auditors that no formula may cause, and what evaluating anything at all causes
FORBIDDEN = (
    "open",
    "import",
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "pickle.",
    "marshal.",
    "ctypes.",
    "tempfile.",
)
EVALUATES = (*FORBIDDEN, "exec")
_events: list[tuple[str, tuple[object, ...]]] | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _events is not None:
        _events.append((event, arguments))


sys.addaudithook(_audit)


@contextmanager
def nothing_of(events: tuple[str, ...]) -> Iterator[None]:
    """Assert that Python does none of these things meanwhile."""
    global _events
    _events = []
    try:
        yield
        seen, _events = _events, None
    finally:
        _events = None
    assert [entry for entry in seen if entry[0].startswith(events)] == []


def frame(n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": rng.normal(size=n),
            "z": rng.gamma(2.0, size=n),
            "k": rng.integers(0, 3, n),
            "g": rng.choice(list("abc"), n),
            "h": pd.Categorical(rng.choice(["low", "mid"], n), categories=["low", "mid"]),
            "a column": rng.normal(size=n),
            "it's (here)": rng.normal(size=n),
            "Sepal.Length": rng.normal(size=n),
        }
    )


DATA = frame()

ORDINARY = [
    "y ~ x + z * g",
    "y ~ 0 + g:x + h",
    "y ~ (x + z + k) ** 2 - x:z",
    "y ~ . - k - g",
    "y ~ h %in% g + g / x",
    "y ~ 2:x + -1 + z",
    "y ~ Sepal.Length + `a column`:g + I(`a column` + Q('a column')):`it's (here)`",
    "y ~ np.log(z) + I(x ** 2) + log(z + 1) + exp(-x / 3)",
    "y ~ np.where((x > 0) & ~(g == 'a') | (k != 1), z, -z) + np.clip(x, -1, 1)",
    "y ~ C(np.where(x > 0, g, 'none')) + I(k % 2 + k // 2) + I(x * np.pi)",
    "y ~ np.maximum(x, 0) + np.isnan(x) + np.square(x - .5e-1)",
    "y ~ C(g, Treatment('b')) * x + C(k, contr.sum) + C(h, Helmert)",
    "y ~ C(g, contr.treatment(base='c')) + C(h, levels=['mid', 'low']) + C(k, Poly(scores=[1, 2, 4]))",
    "y ~ hashed(g, levels=5) + C(x > 0)",
    "y ~ center(x) + scale(np.log(z), ddof=0) + standardize(x):g",
    "y ~ bs(x, df=5) + cr(z, df=4, constraints='center') + poly(x, 2, raw=True)",
    "y ~ bs(center(x), df=4) + bs(z, knots=[1, 2.5], lower_bound=0, upper_bound=30)",
    "I(y > 0) ~ cs(x, 3) + cc(z, df=4)",
    "np.log(y ** 2 + 1) ~ x",
    "scale(y) ~ x\n   + z",
]

# of those, what patsy reads too, and what only patsy reads
OF_PATSY = [ORDINARY[i] for i in (0, 1, 2, 8, 10, 16, 18, 19)] + [
    "y ~ np.log(z) + I(x ** 2) + Q('a column'):g",
    "y ~ C(g, Treatment(reference='b')) * x + C(k, Sum) + C(h, levels=['mid', 'low'])",
    "y ~ center(x) + standardize(np.log(z), ddof=1) + scale(x, rescale=False):g",
    "y ~ bs(x, df=5) + cr(z, df=4, constraints='center')",
]
HOSTILE = {
    "attributes": [
        "x.__class__.__mro__[1].__subclasses__()",
        "().__class__.__bases__[0]",
        "I(x.__init__.__globals__['os'].system('true'))",
        "np.log.__class__",
        "np.__dict__",
        "__import__('os').system('true')",
        "I(__builtins__)",
        "`x`.__class__",
        "np.core.sys.modules['os']",
        "np.f2py.os.system('true')",
        "(x).__reduce__()",
        "I(x).values",
        "contr.__class__",
        "C.__globals__",
        "g.str.repeat(1000000000)",
        "x.values",
        "x[0]",
        "I(x)[0]",
        "x.map(print)",
    ],
    "strings": [
        "I(f'{__import__(\"os\")}')",
        "I(f'{x}')",
        "I(f'{x!r:>999999999}')",
        "I('{0.__class__}'.format(x))",
        "I('%999999999d' % k)",
        "I(rb'a')",
        "C(g, levels=['a' 'b'])",
        "I('a' + g)",
        "C(g, levels=['\\x61'])",
        # formulaic pastes the call into code, and does not escape it
        'C(g, levels=[\'") or open("secret") #\'])',
        'C(g, levels=[\'") or open("secret") #\'])',
        "I(g == '" + 500 * "a" + "')",
        "I(g == 'a\tb')",
    ],
    "functions and comprehensions": [
        "(lambda: 1)()",
        "I((lambda v: v)(x))",
        "I([v for v in x])",
        "I((v for v in x))",
        "I({v for v in x})",
        "I({**x})",
        "np.log(*[x])",
        "C(g, **x)",
        "I(v := x)",
        "I(x if k else z)",
        "I(x and z)",
        "I(not x)",
        "I(0 < x < 1)",
        "I((yield x))",
        "I(await x)",
        "I(x)(x)",
        "[np.log][0](x)",
    ],
    "large": [
        "I(9**9**9**9)",
        "I(10 ** 10)",
        "I(x ** 999999999)",
        "I(x ** k)",
        "I(x ** True)",
        "I((((x ** 16) ** 16) ** 16) ** 16)",
        "np.square(np.square(np.square(np.square(np.square(np.square(np.square(x)))))))",
        "np.power(k, 999999999)",
        "I(1e400 * x)",
        "I(" + 5000 * "9" + " + x)",
        "I('a' * 10**9)",
        "I([0] * 10**9)",
        "poly(x, 100000)",
        "poly(x, degree=100000)",
        "bs(x, df=10**9)",
        "bs(x, df=1e9)",
        "bs(x, df=k)",
        "bs(x, 4, None, 1000000000)",
        "hashed(g, levels=1000000000)",
        "C(g, levels=range(10**9))",
        "I(1 << 999999)",
        "np.arange(10**10)",
        "np.ones((99999, 99999))",
        "np.repeat(x, 999999999)",
        "I(0xFFFF)",
        "I(1_000)",
        "I(1j)",
        "(x + z + k) ** 200",
    ],
    "deep": [
        500 * "(" + "x" + 500 * ")",
        500 * "I(" + "x" + 500 * ")",
        3000 * "-" + "x",
        "I(" + 3000 * "-" + "x)",
        "I(" + 3000 * "- " + "x)",
        "I(" + "+".join(3000 * ["x"]) + ")",
        "I(" + "**".join(300 * ["2"]) + ")",
        "C(g, levels=" + 300 * "[" + 300 * "]" + ")",
        " + ".join(9000 * ["x"]),
        2000 * "x:",
        3000 * "(x * ",
    ],
    "files": [
        "np.load('secret.npy', allow_pickle=True)",
        "np.fromfile('secret')",
        "np.memmap('secret')",
        "np.lib.format.open_memmap('secret')",
        "np.genfromtxt('secret')",
        "np.save('secret', x)",
        "np.savetxt('secret', x)",
        "np.DataSource('.').open('secret')",
        "np.ctypeslib.load_library('c', '.')",
        "np.vectorize(open)(g)",
        "np.frompyfunc(open, 1, 1)(g)",
        "np.fromfunction(open, x)",
        "np.log(x, out=z)",
        "np.log(x, z)",
        "np.where(x > 0, x, z, z)",
        "np.log(x, dtype='V1000000000')",
        "pd.read_csv('secret')",
        "pd.eval('__import__')",
        "pd.read_pickle('secret')",
        "x.to_csv('secret')",
        "open('secret')",
        "exec('1')",
        "eval('1')",
        "print(x)",
        "abs(x)",
        "breakpoint()",
        "{open('secret')}",
        "{x}",
    ],
    "escapes": [
        "`__import__('os')`",
        "`np`.load('secret')",
        "`lambda: 1`",
        "`x",
        "I(`it's (here)` + ' + z)",
        "I(`it's (here)`)",
        "C(x, `np`)",
        "Q('np')",
        "Q('__builtins__')",
        "Q(x)",
        "Q('x' + 'z')",
        "Q(f'x')",
        "Q('x', _context=x)",
        "Q(`x`)",
        "_backticked_6e70.load('secret')",
        "_backticked_6e70",
    ],
    "unicode": [
        "\uff4e\uff50.load('secret')",
        "__\uff49mport__('os')",
        "\uff4f\uff50\uff45\uff4e('secret')",
        "np.\uff4c\uff4f\uff41\uff44('secret')",
        "I(\uff58)",
        "x\u200b",
        "x\u2028+ z",
        "I(x +\u00a01)",
        "I(\uff11 + x)",
        "\u202ex",
        "x\0",
    ],
    "arguments": [
        "C(x, contr=open('secret'))",
        "C(g, contrasts=open)",
        "C(g, contrasts=np.load)",
        "C(g, contr.custom(open('secret')))",
        "C(g, Treatment(open('secret')))",
        "C(g, Treatment(base=x.__class__))",
        "C(g, x)",
        "hashed(g, levels=3, hash_func=open)",
        "hashed(g, levels=3, hash_func=np.log)",
        "scale(x, _state=x)",
        "center(x, _context=x)",
        "bs(x, df=4, extrapolation=__import__('os'))",
        "Treatment('a')",
        "lag(x)",
        "np.log()",
        "C()",
    ],
    "the caller's scope": ["HOSTILE", "frame()", "sys.modules", "_audit(x)", "I(x + FORBIDDEN)", "dglm.load(g)", "np"],
    "statements": ["x; import os", "x # z", "x \\\n + z", "x ~ z", "x @ z", "x | z ~ k", "x = z", "x, z", "?"],
}
# these are expressions of numbers where no formula is
OF_FORMULAS = [op.join(f"I(x + {i})" for i in range(30)) for op in "*:/"] + [
    "(x + z + k + g) ** 8",
    "'x'",
    "x != z",
    "x % z",
    "x // z",
]
HOSTILE["of formulas"] = OF_FORMULAS
PIECES = [pytest.param(piece, id=f"{kind}-{i}") for kind, pieces in HOSTILE.items() for i, piece in enumerate(pieces)]


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Let pandas and the engines import what they import when they are first used."""
    for formula in ORDINARY:
        dglm.GLM.from_formula(formula, DATA, eval="restricted")
    for formula in OF_PATSY:
        dglm.GLM.from_formula(formula, DATA, engine="patsy", eval="restricted")


@pytest.mark.parametrize(
    ("engine", "formula"), [*(("formulaic", formula) for formula in ORDINARY), *(("patsy", f) for f in OF_PATSY)]
)
def test_ordinary_formulas_give_the_design_of_python_mode(engine: str, formula: str) -> None:
    expected = dglm.GLM.from_formula(formula, DATA, engine=engine, context={"np": np})
    with nothing_of(FORBIDDEN):
        model = dglm.GLM.from_formula(formula, DATA, engine=engine, eval="restricted")
        exog = model.exog
    assert model.exog_names == expected.exog_names
    np.testing.assert_array_equal(exog, expected.exog)
    np.testing.assert_array_equal(model.endog, expected.endog)


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_formulas_are_refused_before_anything_is_evaluated(piece: str) -> None:
    start = time.perf_counter()
    for formula in (f"y ~ x + {piece}", f"{piece} ~ x"):
        for engine in ("formulaic", "patsy"):
            with nothing_of(EVALUATES), pytest.raises(FormulaError):
                dglm.GLM.from_formula(formula, DATA, engine=engine, eval="restricted")
    if piece not in OF_FORMULAS:
        with nothing_of(EVALUATES), pytest.raises((FormulaError, DataError)):
            dglm.GLM.from_formula("y ~ x", DATA, eval="restricted", offset=piece)
    assert time.perf_counter() - start < 2


def test_the_canary_sings() -> None:
    with pytest.raises(AssertionError, match="exec"), nothing_of(EVALUATES):
        dglm.GLM.from_formula("center(x) ~ np.log(z)", DATA)
    with pytest.raises(AssertionError, match="secret"), nothing_of(FORBIDDEN), pytest.raises(FormulaError):
        dglm.GLM.from_formula("y ~ open('secret')", DATA)


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        ("np.load('f')", r"'np.load' may not stand in the restricted formula .* such as np.log and np.where"),
        ("mine(x)", r"pass functions=\{'mine': ...\} to allow it"),
        ("abs(x)", r"pass functions=\{'abs'"),
        ("x.clip(0, 1)", "nothing has methods or attributes but np"),
        ("xx", "it is no column of the data, .*did you mean 'x'"),
        ("I(x ** 17)", "an exponent is a number, at most 16"),
        ("`y y`", "backticks hold the name of a column"),
        ("bs(x, df=101)", "df is a whole number from 0 to 100"),
        ("I(x and z)", "and is &"),
        ("I(lambda: x)", "pass one, functions="),
        ("{x}", "curly brackets are Python code"),
    ],
)
def test_a_refusal_says_why_and_how_else(piece: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        dglm.GLM.from_formula(f"y ~ z + {piece}", DATA, eval="restricted")


@pytest.mark.parametrize(
    "expression", ["g * 1000000000", "np.multiply(I(g), 1000000000)", "np.where(x > 0, g, 'a') * 9"]
)
def test_text_is_not_repeated(expression: str) -> None:
    for data in (DATA, DATA.astype({"g": object}), DATA.astype({"g": "category"})):
        for engine in ("formulaic", "patsy"):
            with pytest.raises(FormulaError, match="no arithmetic with text"):
                dglm.GLM.from_formula(f"y ~ I({expression})", data, engine=engine, eval="restricted")
    # a column that was numbers when the model was built
    result = dglm.GLM.from_formula("y ~ I(x * 1000000000)", DATA, eval="restricted").fit()
    with pytest.raises(FormulaError, match="no arithmetic with text"):
        result.predict(DATA.assign(x="a"))


def test_functions_are_opted_in_by_name() -> None:
    shift = 2.0

    def doubled(values, times=2):
        return times * values + shift

    model = dglm.GLM.from_formula("y ~ doubled(x, times=3):g", DATA, eval="restricted", functions={"doubled": doubled})
    expected = dglm.GLM.from_formula("y ~ doubled(x, times=3):g", DATA)
    np.testing.assert_array_equal(model.exog, expected.exog)
    for wrong in ("doubled", "doubled(doubled)", "doubled.__globals__", "doubled(x, _private=1)", "shift"):
        with nothing_of(EVALUATES), pytest.raises(FormulaError):
            dglm.GLM.from_formula(f"y ~ {wrong}", DATA, eval="restricted", functions={"doubled": doubled})
    for name in ("open", "log", "_hidden", "np", "C", "a b"):
        with pytest.raises(ValueError, match="name"):
            dglm.GLM.from_formula("y ~ x", DATA, eval="restricted", functions={name: doubled})
    with pytest.raises(TypeError, match="callable"):
        dglm.GLM.from_formula("y ~ x", DATA, eval="restricted", functions={"shift": shift})
    with pytest.raises(ValueError, match="no context"):
        dglm.GLM.from_formula("y ~ x", DATA, eval="restricted", context={})
    with pytest.raises(ValueError, match='for eval="restricted"'):
        dglm.GLM.from_formula("y ~ x", DATA, functions={})
    with pytest.raises(ValueError, match="eval must be"):
        dglm.GLM.from_formula("y ~ x", DATA, eval="safe")


def test_columns_that_hide_functions_are_refused() -> None:
    for name, formula in (("np", "y ~ np.log(z)"), ("C", "y ~ C(g)"), ("center", "y ~ center(x)")):
        with pytest.raises(FormulaError, match="hides the function"):
            dglm.GLM.from_formula(formula, DATA.assign(**{name: 1.0}), eval="restricted")


def test_a_model_stays_restricted(tmp_path) -> None:
    def doubled(values):
        return 2 * values

    formula, path = "y ~ doubled(x) + bs(z, df=4) + g", tmp_path / "model.dglm"
    rows = dd.from_pandas(DATA, npartitions=3)
    with dask.config.set(scheduler="sync"):
        result = dglm.GLM.from_formula(
            formula, rows, eval="restricted", functions={"doubled": doubled}, offset="np.log(z)", freq_weights="k + 1"
        ).fit()
        expected = dglm.GLM.from_formula(formula, rows, offset="np.log(z)", freq_weights="k + 1").fit()
        np.testing.assert_array_equal(result.params, expected.params)
        # more terms may say no more than the formula could
        assert result.score_test("doubled(k)").pvalue == expected.score_test("doubled(k)").pvalue
        for more in ("open('secret')", "np.load(k)", "frame(x)"):
            with nothing_of(EVALUATES), pytest.raises(FormulaError, match="restricted formula"):
                result.score_test(more)
    result.save(path)
    with pytest.raises(FormulaError, match="was not saved"):
        dglm.load(path).predict(DATA)
    again = dglm.load(path, context={"doubled": doubled, "np": None})
    pd.testing.assert_series_equal(again.predict(DATA), result.predict(DATA))
    assert again._estimate.design.engine.restricted == result._estimate.design.engine.restricted is not None


def test_a_file_that_was_tampered_with_evaluates_no_more(tmp_path) -> None:
    path = tmp_path / "model.dglm"
    dglm.GLM.from_formula("y ~ np.log(z)", DATA, eval="restricted").fit().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    changed = {name: body.replace(b"np.log(z)", b"open('secret')") for name, body in members.items()}
    assert changed != members
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in changed.items():
            archive.writestr(name, body)
    again = dglm.load(path)
    with nothing_of(EVALUATES), pytest.raises(FormulaError, match="'open' may not stand in the restricted formula"):
        again.predict(DATA)


def test_a_design_may_not_have_columns_without_end() -> None:
    data = pd.DataFrame({name: [f"{i}" for i in range(60)] for name in "abcdefgh"}).assign(y=1.0)
    with pytest.raises(FormulaError, match=r"gives .* columns, more than 1,000,000"):
        dglm.GLM.from_formula("y ~ a:b:c:d:e:f:g:h", data, eval="restricted")


def test_numpy_functions_take_as_many_arguments_as_are_counted() -> None:
    for name, n in NUMPY_FUNCTIONS.items():
        if isinstance(function := getattr(np, name), np.ufunc):
            assert function.nin == n


# Expressions put together by grammar, of what is allowed and of what is not, and then cut and spliced
ALLOWED_ATOMS = st.sampled_from([*"xzkg", "`a column`", "1", "0.5", "np.pi", "-x", "~(x > 0)"])
ATOMS = ALLOWED_ATOMS | st.sampled_from(["'a'", "np", "C", "__class__", ".", "10**9", "''", "_", "True", "[x]"])
ALLOWED_CALLS = [
    "np.log({0})",
    "np.where({0} > 0, {1}, 0)",
    "I({0})",
    "C({0})",
    "center({0})",
    "bs({0}, df=4)",
    "({0})",
]
CALLS = [
    *("np.load({0})", "np.log({0}, {1})", "Q({0})", "open({0})", "eval({0})", "getattr({0}, {1})", "lag({0})"),
    *("x.map({0})", "{0}.__class__", "(lambda v: {0})", "f'{{{0}}}'", "[{0} for v in {1}]", "{0} if {1} else x"),
    *("poly({0}, {1})", "hashed({0}, levels={1})", "scale({0}, _state={1})", "C({0}, {1})", "{0}({1})", "{0}[{1}]"),
]
ALLOWED_OPERATORS = [" + ", " - ", "*", "/", " ** 2 * ", " == ", " & "]
OPERATORS = [*"%<~|@.,=:", "**", "//", " and ", ":=", "%in%", " "]


def grown(calls: list[str], operators: list[str]):
    def further(inner):
        called = st.tuples(st.sampled_from(calls), inner, inner).map(lambda call: call[0].format(*call[1:]))
        return called | st.tuples(inner, st.sampled_from(operators), inner).map("".join)

    return further


ALLOWED = st.recursive(ALLOWED_ATOMS, grown(ALLOWED_CALLS, ALLOWED_OPERATORS), max_leaves=6)
ANYTHING = st.recursive(ATOMS, grown(ALLOWED_CALLS + CALLS, ALLOWED_OPERATORS + OPERATORS), max_leaves=6)
SPLICES = st.sampled_from([*"(){}[]'\"`\\#;:.,~*+ \n\0", "__", "f'", "open('secret')", "lambda:", "\uff4e", "9" * 30])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    formula = draw(
        st.sampled_from(ORDINARY) | st.sampled_from(HOSTILE["arguments"] + HOSTILE["escapes"]).map("y ~ {}".format)
    )
    for _ in range(draw(st.integers(1, 3))):
        i, cut = draw(st.integers(0, len(formula))), draw(st.integers(0, 2))
        formula = formula[:i] + draw(SPLICES | st.just("")) + formula[i + cut :]
    return formula


@settings(deadline=2000, derandomize=True, max_examples=400)
@given(formula=ALLOWED.map("y ~ x + {}".format) | ANYTHING.map("y ~ {}".format) | mutated())
def test_any_text_is_refused_or_evaluated_by_what_is_allowed(formula: str) -> None:
    with nothing_of(FORBIDDEN):
        try:
            exog = dglm.GLM.from_formula(formula, DATA, eval="restricted").exog
        except (FormulaError, DataError):
            return
    assert exog.shape[1] >= 1
    called = set(re.findall(r"([\w.]+) *\(", re.sub(r"`[^`]*`|'[^']*'", "", formula)))
    assert called <= {*FUNCTIONS, *TRANSFORMS, *CONTRASTS, *(f"np.{name}" for name in NUMPY_FUNCTIONS)}
