"""What a formula may name where formulas are restricted: functions of single rows, transforms, contrasts, and how much.

Nothing here reads a file, calls what it is given, keeps anything between calls, or makes more than its arguments are.
"""

from __future__ import annotations

#: Functions of numpy's that give a value for each row: how many arguments. One more would be an array to write to.
NUMPY_FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(
        (
            *("abs", "absolute", "fabs", "sign", "negative", "positive", "reciprocal", "square", "sqrt", "cbrt"),
            *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "floor", "ceil", "trunc", "rint"),
            *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh"),
            *("arctanh", "degrees", "radians", "deg2rad", "rad2deg", "isnan", "isfinite", "isinf", "signbit"),
            *("logical_not",),
        ),
        1,
    ),
    **dict.fromkeys(
        (
            *("add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "mod", "fmod", "remainder"),
            *("maximum", "minimum", "fmax", "fmin", "hypot", "arctan2", "logaddexp", "copysign", "heaviside"),
            *("logical_and", "logical_or", "logical_xor"),
            *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        ),
        2,
    ),
    "where": 3,
    "clip": 3,
}
NUMPY_CONSTANTS = {"pi", "e", "nan", "inf"}

#: Functions of single rows that formulas know by name.
FUNCTIONS = {"log", "log2", "log10", "exp", "exp2", "exp10"}
#: What a formula does with data: how many arguments there may be beside the data without their names.
TRANSFORMS = {
    **dict.fromkeys(("I", "Q", "center"), 0),
    **dict.fromkeys(("C", "bs", "cr", "cs", "cc", "poly", "hashed"), 1),
    **dict.fromkeys(("scale", "standardize"), 3),
}
#: How levels are coded, with settings or without.
CONTRASTS = {
    *("Treatment", "Sum", "Helmert", "Diff", "Poly"),
    *(f"contr.{name}" for name in ("treatment", "SAS", "sum", "helmert", "diff", "poly")),
}
#: Settings of transforms and contrasts, of both engines.
SETTINGS = {
    *("df", "knots", "degree", "include_intercept", "lower_bound", "upper_bound", "extrapolation", "constraints"),
    *("raw", "center", "scale", "rescale", "ddof", "levels", "contrasts", "contrast", "spans_intercept"),
    *("base", "reference", "omit", "reverse", "backward", "scores"),
}
#: How many columns a transform may make, by the setting that says so.
MAX_SIZE = {"df": 100, "degree": 100, "levels": 1000}
#: The setting that a transform takes first, after its data.
FIRST_SETTING = {**dict.fromkeys(("bs", "cr", "cs", "cc"), "df"), "poly": "degree", "hashed": "levels"}

MAX_LENGTH = 10_000
MAX_BRACKETS = 20
MAX_OPERATORS = 3
#: How deep operators may lie in one another in an expression.
MAX_DEPTH = 100
MAX_TEXT = 200
MAX_NUMBER = 1e18
MAX_EXPONENT = 16
#: How far exponents within exponents may multiply up.
MAX_POWER = 64
MAX_TERMS = 1000
#: How many factors a term may multiply.
MAX_ORDER = 8
