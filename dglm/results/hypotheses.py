"""Tests of linear hypotheses about the coefficients: small records with statsmodels' attribute names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from dglm._typing import Matrix, Vector
from dglm.inference import f_pvalue, symmetric_intervals, two_sided_pvalues
from dglm.results.summary import Column, Summarised, Summary, count, number, probability, statistic


@dataclass(frozen=True, kw_only=True)
class TTest(Summarised):
    """Tests of single hypotheses, one a row: R_i beta = q_i.

    Attributes
    ----------
    labels : tuple of str
        The hypotheses as they were written, or ``c0``, ``c1``, ...
    effect : (m,) array
        Estimates R beta.
    value : (m,) array
        Their values q under the hypotheses.
    sd : (m,) array
        Standard errors of the estimates.
    df_denom : float
        Degrees of freedom of the residuals.
    use_t : bool
        Whether the statistics are t with `df_denom` degrees of freedom; normal if not.
    """

    labels: tuple[str, ...]
    effect: Vector
    value: Vector
    sd: Vector
    df_denom: float
    use_t: bool

    @property
    def distribution(self) -> str:
        """What the statistics are compared with, ``"t"`` or ``"norm"``."""
        return "t" if self.use_t else "norm"

    @cached_property
    def statistic(self) -> Vector:
        """Estimates less their values, over their standard errors."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (self.effect - self.value) / self.sd

    @property
    def tvalue(self) -> Vector:
        """The statistics, by the name that statsmodels has for them whatever their distribution."""
        return self.statistic

    @property
    def pvalue(self) -> Vector:
        """Two-sided p-values."""
        return two_sided_pvalues(self.statistic, self._df)

    def conf_int(self, alpha: float = 0.05) -> Matrix:
        """Return confidence intervals of the estimates R beta.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        (m, 2) array
            Lower and upper bounds.
        """
        return symmetric_intervals(self.effect, self.sd, alpha, self._df)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return the tests as a table.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            Columns as in statsmodels, a row for each hypothesis.
        """
        low, high = self.conf_int(alpha).T
        letter = self._letter
        columns = {
            "coef": self.effect,
            "std err": self.sd,
            letter: self.statistic,
            f"P>|{letter}|": self.pvalue,
            "Conf. Int. Low": low,
            "Conf. Int. Upp.": high,
        }
        return pd.DataFrame(columns, index=list(self.labels))

    def summary(self, alpha: float = 0.05) -> Summary:
        """Return a report of the tests.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        Summary
            Prints as text.
        """
        letter = self._letter
        low, high = self.conf_int(alpha).T
        columns = (
            Column("coef", self.effect),
            Column("std err", self.sd),
            Column(letter, self.statistic, statistic),
            Column(f"P>|{letter}|", self.pvalue, probability),
            Column(f"[{alpha / 2:.3g}", low),
            Column(f"{1 - alpha / 2:.3g}]", high),
        )
        notes = (f"t statistics with {count(self.df_denom)} degrees of freedom.",) if self.use_t else ()
        return Summary("Test for Constraints", (), (), self.labels, columns, notes)

    def __str__(self) -> str:
        return str(self.summary())

    @property
    def _df(self) -> float:
        return self.df_denom if self.use_t else np.inf

    @property
    def _letter(self) -> str:
        return "t" if self.use_t else "z"


@dataclass(frozen=True, kw_only=True)
class WaldTest(Summarised):
    """Test of several hypotheses at once, R beta = q.

    Attributes
    ----------
    labels : tuple of str
        The hypotheses; those that others imply are left out.
    statistic : float or (1, 1) array
        chi2, or F: chi2 over the number of hypotheses.
    df_num : int
        Number of hypotheses.
    df_denom : float
        Degrees of freedom of the residuals for F; infinite for chi2.
    """

    labels: tuple[str, ...]
    statistic: float | Matrix
    df_num: int
    df_denom: float

    @property
    def distribution(self) -> str:
        """What the statistic is compared with, ``"F"`` or ``"chi2"``."""
        return "chi2" if np.isinf(self.df_denom) else "F"

    @property
    def fvalue(self) -> float | Matrix:
        """The statistic, where it is an F."""
        if self.distribution != "F":
            raise AttributeError("the statistic is a chi2, not an F; see statistic, or use f_test")
        return self.statistic

    @property
    def pvalue(self) -> float:
        """Upper tail probability of the statistic."""
        value = float(np.squeeze(self.statistic))
        return float(f_pvalue(value / (1 if self.distribution == "F" else self.df_num), self.df_num, self.df_denom))

    def summary(self) -> Summary:
        """Return a report of the test.

        Returns
        -------
        Summary
            Prints as text; the test itself prints as one line.
        """
        name = self.distribution
        columns = (
            Column(name, [float(np.squeeze(self.statistic))]),
            Column(f"P>{name}", [self.pvalue], probability),
            Column("df constraint", [self.df_num], count),
            *([Column("df denom", [self.df_denom], count)] if name == "F" else []),
        )
        tested = f"Tested: {', '.join(self.labels)}." if self.labels else "Nothing was left to test."
        return Summary("Wald Test", (), (), ("all together",), columns, (tested,))

    def __str__(self) -> str:
        value, df = float(np.squeeze(self.statistic)), f"df_num={self.df_num}"
        if self.distribution == "F":
            return f"<F test: F={value:.6g}, p={self.pvalue:.6g}, {df}, df_denom={count(self.df_denom)}>"
        return f"<Wald test (chi2): statistic={value:.6g}, p-value={self.pvalue:.6g}, {df}>"


@dataclass(frozen=True, kw_only=True)
class WaldTestTerms(Summarised):
    """Tests that all coefficients of a term are zero, one for each term.

    Attributes
    ----------
    tests : dict of str to WaldTest
        By term.
    distribution : str
        ``"F"`` or ``"chi2"``.
    """

    tests: dict[str, WaldTest]
    distribution: str

    @property
    def table(self) -> pd.DataFrame:
        """Statistic, p-value and degrees of freedom of each term."""
        tests = self.tests.values()
        columns = {
            "statistic": [float(np.squeeze(t.statistic)) for t in tests],
            "pvalue": [t.pvalue for t in tests],
            "df_constraint": [t.df_num for t in tests],
        }
        if self.distribution == "F":
            columns["df_denom"] = [t.df_denom for t in tests]
        return pd.DataFrame(columns, index=list(self.tests))

    @property
    def statistic(self) -> Vector:
        """Statistics, in the order of the terms."""
        return self.table["statistic"].to_numpy()

    @property
    def pvalues(self) -> Vector:
        """Upper tail probabilities, in the order of the terms."""
        return self.table["pvalue"].to_numpy()

    @property
    def df_constraints(self) -> Vector:
        """Coefficients tested, in the order of the terms."""
        return self.table["df_constraint"].to_numpy()

    @property
    def col_names(self) -> list[str]:
        """Titles of the columns of `summary_frame`."""
        names = [self.distribution, f"P>{self.distribution}", "df constraint"]
        return [*names, "df denom"] if self.distribution == "F" else names

    def summary_frame(self) -> pd.DataFrame:
        """Return the tests as a table with titles for reading.

        Returns
        -------
        DataFrame
            A row for each term.
        """
        return self.table.set_axis(self.col_names, axis=1)

    def summary(self) -> Summary:
        """Return a report of the tests.

        Returns
        -------
        Summary
            Prints as text.
        """
        frame, writers = self.summary_frame(), (number, probability, count, count)
        columns = tuple(
            Column(title, frame[title], write) for title, write in zip(self.col_names, writers, strict=False)
        )
        return Summary("Wald Tests of Terms", (), (), tuple(self.tests), columns, ())

    def __str__(self) -> str:
        return str(self.summary())
