"""Constraints in words: names full of operators, arithmetic, and what is wrong with the rest."""

import numpy as np
import pytest

from dglm.design import Constraints, read_constraints

NAMES = [
    *("Intercept", "x1", "x10", "x", "np.log(x)", "a:b", "C(g)[T.b]", "C(g)[T.New York]", "C(g)[T.b]:x", "I(x ** 2)"),
    *("bs(x, df=3)[1]", "x 1", "c - d", "1st", "cat[T.a=b]"),
]


@pytest.mark.parametrize(
    ("text", "rows", "q"),
    [
        ("x1 = x10", [{"x1": 1, "x10": -1}], [0]),
        ("x1 = x10, x + np.log(x) = 1", [{"x1": 1, "x10": -1}, {"x": 1, "np.log(x)": 1}], [0, 1]),
        ("x1", [{"x1": 1}], [0]),
        ("x1 = x = 3", [{"x1": 1, "x": -1}, {"x": 1}], [0, 3]),
        ("a:b=2*C(g)[T.b]", [{"a:b": 1, "C(g)[T.b]": -2}], [0]),
        ("C(g)[T.New York] = C(g)[T.b]:x", [{"C(g)[T.New York]": 1, "C(g)[T.b]:x": -1}], [0]),
        ("I(x ** 2) - 0.5*(x - 2) = bs(x, df=3)[1]", [{"I(x ** 2)": 1, "x": -0.5, "bs(x, df=3)[1]": -1}], [-1]),
        ("`x 1` = 1e-3", [{"x 1": 1}], [1e-3]),
        ("x 1 = 3", [{"x 1": 1}], [3]),
        ("`c - d` + x = -.5", [{"c - d": 1, "x": 1}], [-0.5]),
        ("-x/2 + +x1 = -(1 - 3)/4", [{"x": -0.5, "x1": 1}], [0.5]),
        ("2 * (x + 3) * 2 = x", [{"x": 3}], [-12]),
        ("`1st` = 1", [{"1st": 1}], [1]),
        ("cat[T.a=b] = 2", [{"cat[T.a=b]": 1}], [2]),
        (["x1 = 1", "x = 2"], [{"x1": 1}, {"x": 1}], [1, 2]),
        ({"x1 + x": 1, "x10": 0}, [{"x1": 1, "x": 1}, {"x10": 1}], [1, 0]),
    ],
)
def test_words_become_rows(text, rows, q) -> None:
    found = read_constraints(text, NAMES)
    expected = np.array([[coefficients.get(name, 0.0) for name in NAMES] for coefficients in rows])
    np.testing.assert_array_equal(found.matrix, expected)
    np.testing.assert_array_equal(found.values, q)


def test_words_can_be_read_back() -> None:
    rng = np.random.default_rng(1)
    R = np.where(rng.random((20, len(NAMES))) < 0.3, rng.choice([1.0, -1.0, 0.25, -3.0], (20, len(NAMES))), 0.0)
    given = Constraints(R[R.any(axis=1)], rng.choice([0.0, 1.5, -2.0], 20)[R.any(axis=1)], ())
    again = read_constraints(list(given.in_words(NAMES)), NAMES)
    np.testing.assert_array_equal(again.matrix, given.matrix)
    np.testing.assert_array_equal(again.values, given.values)


@pytest.mark.parametrize(
    ("spec", "R", "q"),
    [
        (([[1, -1, 0]], [0.5]), [[1, -1, 0]], [0.5]),
        (([1, -1, 0], 0.5), [[1, -1, 0]], [0.5]),
        ((np.eye(3)[:2], 1), np.eye(3)[:2], [1, 1]),
        (np.eye(3), np.eye(3), [0, 0, 0]),
        ([[0, 0, 1]], [[0, 0, 1]], [0]),
        ((np.eye(3)[:2], np.array([[1.0], [2.0]])), np.eye(3)[:2], [1, 2]),
    ],
)
def test_arrays_are_taken_as_they_are(spec, R, q) -> None:
    found = read_constraints(spec, ["a", "b", "c"])
    np.testing.assert_array_equal(found.matrix, R)
    np.testing.assert_array_equal(found.values, q)


def test_arrays_are_copied() -> None:
    given_R, given_q = np.eye(2), np.ones(2)
    found = read_constraints((given_R, given_q), ["a", "b"])
    found.matrix[0], found.values[0] = 7, 7
    np.testing.assert_array_equal(given_R, np.eye(2))
    np.testing.assert_array_equal(given_q, 1.0)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("x1*x = 2", r"'x1 \* x' is not linear in the coefficients"),
        ("x1/x = 2", "'x1 / x' is not linear in the coefficients"),
        ("x1/0 = 2", "'x1 / 0' is not linear in the coefficients"),
        ("x100 = 1", "'x100' is neither a coefficient nor a number; did you mean 'x10'"),
        ("C(g)[T.c] = 1", r"'C\(g\)\[T.c\]' is neither a coefficient nor a number; did you mean 'C\(g\)\[T.b\]'"),
        ("a = 1", "'a' is neither a coefficient nor a number"),
        ("x:b = 1", "cannot read the constraints 'x:b = 1': there is no coefficient 'b'"),
        ("x1 = ", "cannot read the constraints 'x1 = '"),
        ("x1 x = 1", "cannot read the constraints 'x1 x = 1'"),
        ("(x1 = 1", r"cannot read the constraints '\(x1 = 1'"),
        ("x1 = *2", r"cannot read the constraints 'x1 = \*2'"),
        ("x1 < 2", "'x1 < 2' is not an equation"),
        ("1 = 1", "'1 = 1' says nothing of a coefficient"),
        ("", "there are no constraints"),
        ({}, "there are no constraints"),
        ({"x1": "much"}, "the value of a constraint must be a number; got 'much'"),
        (["x1", 3], "must be words such as"),
        ((np.eye(2), 1), r"one column for each of the 15 coefficients; got an array of shape \(2, 2\)"),
        ((np.eye(15), [1, 2]), r"the values of 15 constraints must be as many finite numbers; got .* \(2,\)"),
        ((np.full((1, 15), np.nan), 0), "must be finite"),
        (np.zeros((1, 15)), "constraint 0 has no coefficient"),
    ],
)
def test_what_cannot_be_read_says_why(spec, message) -> None:
    with pytest.raises(ValueError, match=message):
        read_constraints(spec, NAMES)
