"""Values: what options are read as; argparse says which option it was that could not be."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Literal


def estimate_or_number(text: str) -> float | None:
    """Return a parameter of a family.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    float or None
        None where it is to be estimated.
    """
    return None if text == "estimate" else _number(text, "a number or 'estimate'")


def dispersion(text: str) -> float | str:
    """Return how the dispersion is asked for.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    float or str
        ``"X2"`` and ``"dev"`` as they are.
    """
    return text if text in {"X2", "dev"} else _number(text, "X2, dev or a number")


def choice(text: str) -> bool | Literal["auto"]:
    """Return whether something is to be done.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    bool or ``"auto"``
        For yes, no and auto.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none of these.
    """
    found: dict[str, bool | Literal["auto"]] = {"auto": "auto", "yes": True, "no": False}
    if text not in found:
        raise ArgumentTypeError(f"{text!r} is not auto, yes or no")
    return found[text]


def count_or_column(text: str) -> int | str:
    """Return folds.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    int or str
        How many, or the column that has them.
    """
    return int(text) if text.isdecimal() else text


def positive(text: str) -> int:
    """Return a number of things.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no whole number above 0.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def level(text: str) -> float:
    """Return the level of an interval.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not.
    """
    value = _number(text, "a level such as 0.95")
    if not 0 < value < 1:
        raise ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return value


def weight(text: str) -> tuple[str, float]:
    """Return the relative strength of a penalty.

    Parameters
    ----------
    text : str
        ``NAME=W`` as typed.

    Returns
    -------
    tuple of str and float
        Name of a coefficient or a term, which may have equal signs itself; and its weight.
    """
    name, value = _pair(text, "distance=0")
    return name, _number(value, "a number after the equal sign")


def data_type(text: str) -> tuple[str, str]:
    """Return the type of a column.

    Parameters
    ----------
    text : str
        ``COLUMN=TYPE`` as typed.

    Returns
    -------
    tuple of str
        Column and type.
    """
    return _pair(text, "month=float64")


def _pair(text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not (equals and name and value):
        raise ArgumentTypeError(f"{text!r} is not of the form {example}")
    return name, value


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not {what}") from None
