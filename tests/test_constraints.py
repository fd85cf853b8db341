"""Constraints in words: names full of operators, arithmetic, and what is wrong with the rest."""

import numpy as np
import pytest

from dglm.design import constraint_labels, linear_constraints
from dglm.errors import ConstraintError

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
        ("1st = 1", [{"1st": 1}], [1]),
        ("cat[T.a=b] = 2", [{"cat[T.a=b]": 1}], [2]),
        (["x1 = 1", "x = 2"], [{"x1": 1}, {"x": 1}], [1, 2]),
        ({"x1 + x": 1, "x10": 0}, [{"x1": 1, "x": 1}, {"x10": 1}], [1, 0]),
    ],
)
def test_words_become_rows(text, rows, q) -> None:
    R, values = linear_constraints(text, NAMES)
    expected = np.array([[coefficients.get(name, 0.0) for name in NAMES] for coefficients in rows])
    np.testing.assert_array_equal(R, expected)
    np.testing.assert_array_equal(values, q)


def test_labels_can_be_read_back() -> None:
    rng = np.random.default_rng(1)
    R = np.where(rng.random((20, len(NAMES))) < 0.3, rng.choice([1.0, -1.0, 0.25, -3.0], (20, len(NAMES))), 0.0)
    R[0], q = 0, rng.choice([0.0, 1.5, -2.0], 20)
    again, values = linear_constraints(constraint_labels(R[1:], q[1:], NAMES), NAMES)
    np.testing.assert_array_equal(again, R[1:])
    np.testing.assert_array_equal(values, q[1:])
    assert constraint_labels(R[:1], np.array([1.0]), NAMES) == ["0 = 1"]


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
    found = linear_constraints(spec, ["a", "b", "c"])
    np.testing.assert_array_equal(found[0], R)
    np.testing.assert_array_equal(found[1], q)


def test_arrays_are_copied() -> None:
    given_R, given_q = np.eye(2), np.ones(2)
    R, q = linear_constraints((given_R, given_q), ["a", "b"])
    R[0], q[0] = 7, 7
    np.testing.assert_array_equal(given_R, np.eye(2))
    np.testing.assert_array_equal(given_q, 1.0)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("x1*x = 2", "it multiplies coefficients with each other"),
        ("x1/x = 2", "divides by something that is not a number"),
        ("x1/0 = 2", "divides by something that is not a number"),
        ("x100 = 1", r"'x100' is not a coefficient; did you mean 'x10'"),
        ("C(g)[T.c] = 1", r"'C\(g\)\[T.c\]' is not a coefficient; did you mean 'C\(g\)\[T.b\]'"),
        ("a = 1", "'a' is not a coefficient"),
        ("x:b = 1", "'x:b' is not a coefficient"),
        ("x1 = ", "expected a coefficient or a number at its end"),
        ("x1,", "expected a coefficient or a number at its end"),
        ("x1 x = 1", "expected an operator at 'x = 1'"),
        ("(x1 = 1", "a bracket is not closed"),
        ("", "expected a coefficient"),
        ("x1 = *2", r"expected a coefficient or a number at '\*2'"),
        ({"x1": "much"}, "the value of a constraint must be a number; got 'much'"),
        ({}, "there are no constraints"),
        (["x1", 3], "must be words such as"),
        ((np.eye(2), 1), r"R has shape \(2, 2\); it needs a column for each of the 15 coefficients"),
        ((np.eye(15), [1, 2]), "q has 2 values, but R has 15 rows"),
        ((np.full((1, 15), np.nan), 0), "must be finite"),
    ],
)
def test_what_cannot_be_read_says_why(spec, message) -> None:
    with pytest.raises(ConstraintError, match=message):
        linear_constraints(spec, NAMES)
