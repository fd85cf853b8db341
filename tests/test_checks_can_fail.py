"""A check that nothing can fail proves nothing: each of these is wrong in one way, and its check must say so."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import special, stats

from dglm.design import Learner
from dglm.design.statistics import Gathered, Range
from dglm.families import Binomial, Gamma, Gaussian, NegativeBinomial, Poisson, Tweedie
from dglm.links import CLogLog, Inverse, Log, Logit
from dglm.matrix import Cross
from dglm.objective import Deviance, Gradient, Sum
from dglm.penalties import L1, L2, MCP, Coefficients, GroupL1
from dglm.solvers import IRLS, UNWATCHED, Newton, ProximalGradient
from dglm.testing import check_family, check_learner, check_link, check_penalty, check_solver, check_sum

# -- links


@dataclass(frozen=True)
class SlopeOfTheWrongSign(Log):
    def inverse_deriv(self, eta):
        return -np.exp(eta)


@dataclass(frozen=True)
class SlopeOfAnotherLink(Logit):
    def inverse_deriv(self, eta):
        return 1.1 * super().inverse_deriv(eta)


@dataclass(frozen=True)
class BendWithoutItsSign(Logit):
    def inverse_deriv2(self, eta):
        return -super().inverse_deriv2(eta)


@dataclass(frozen=True)
class OverflowingSlope(Logit):
    def inverse_deriv(self, eta):
        return np.exp(eta) / (1 + np.exp(eta)) ** 2


@dataclass(frozen=True)
class RoundedComplement(Logit):
    def inverse_complement(self, eta):
        return 1 - self.inverse(eta)


@dataclass(frozen=True)
class TailOfZero(CLogLog):
    # 1 - exp(-exp(eta)) without expm1 is zero from eta = -37 on
    def inverse(self, eta):
        return 1 - np.exp(-np.exp(eta))


@dataclass(frozen=True)
class ShiftedInverse(Inverse):
    def inverse(self, eta):
        return 1 / eta + 1e-9


@dataclass(frozen=True)
class ChangesItsArgument(Log):
    def inverse(self, eta):
        eta += 0.0
        eta *= 2
        return np.exp(eta / 2)


@dataclass(frozen=True)
class LosesTheShape(Log):
    def inverse(self, eta):
        return np.exp(eta)[:, None]


@dataclass(frozen=True)
class LowersThePrecision(Log):
    def inverse(self, eta):
        return np.exp(eta).astype(np.float32)


@dataclass(frozen=True)
class DependsOnItsNeighbours(Log):
    def inverse(self, eta):
        return np.exp(eta) * (1 + 1e-9 * len(eta))


@dataclass(frozen=True)
class LogOddsOfTheOtherOutcome(Logit):
    def log_odds(self, eta):
        return -eta


@dataclass(frozen=True)
class LogOddsThatAreNoNumber(CLogLog):
    # inf / inf where e^r overflows, r = e^eta
    def log_odds(self, eta):
        r = np.exp(eta)
        return r + np.log(np.expm1(r) / np.exp(r))


@dataclass(frozen=True)
class LogOddsSlopeThatIsNoNumber(CLogLog):
    def log_odds_deriv(self, eta):
        r = np.exp(eta)
        return r * np.exp(r) / np.expm1(r)


@dataclass(frozen=True)
class LogOddsSlopeOfAnotherLink(CLogLog):
    def log_odds_deriv(self, eta):
        return np.exp(eta)


@dataclass(frozen=True)
class LogOddsBendWithoutItsSign(CLogLog):
    def log_odds_deriv2(self, eta):
        return -super().log_odds_deriv2(eta)


@dataclass(frozen=True)
class LogOddsThatCancel(Log):
    # right where 1 - mu has digits
    def log_odds_deriv(self, eta):
        return 1 / (1 - np.exp(eta)) + 1e-7


@dataclass(frozen=True)
class NoRange(Logit):
    def link(self, mu):
        return np.where((mu > 0) & (mu < 1), super().link(mu), np.nan)


@dataclass(frozen=True)
class BeyondItsRange(Logit):
    def link(self, mu):
        return np.where((mu == 0) | (mu == 1), 10 * mu - 5, super().link(mu))


class Mutable(Log):
    __setattr__ = object.__setattr__


@dataclass(frozen=True)
class CannotTravel(Log):
    scratch: object = (i for i in ())


WRONG_LINKS = {
    SlopeOfTheWrongSign(): "sign of the link's slope",
    SlopeOfAnotherLink(): "inverse_deriv, against differences",
    BendWithoutItsSign(): "inverse_deriv2, against differences",
    OverflowingSlope(): "overflow",
    RoundedComplement(): "differences of inverse_complement",
    TailOfZero(): r"inverse\(link\(mu\)\) = mu",
    ShiftedInverse(): r"inverse\(link\(mu\)\) = mu",
    ChangesItsArgument(): "changes its argument",
    LosesTheShape(): "has shape",
    LowersThePrecision(): "float32",
    DependsOnItsNeighbours(): "of one element, against that of all",
    LogOddsOfTheOtherOutcome(): "log_odds = log",
    LogOddsThatAreNoNumber(): "log_odds.* is a number",
    LogOddsSlopeThatIsNoNumber(): r"log_odds_deriv\(eta\)",
    LogOddsSlopeOfAnotherLink(): "log_odds_deriv, against differences",
    LogOddsBendWithoutItsSign(): "log_odds_deriv2, against differences",
    LogOddsThatCancel(): "log_odds_deriv, against differences",
    NoRange(): "not the bounds of eta",
    BeyondItsRange(): "is between its values at the bounds",
    Mutable(): "is mutable",
}


@pytest.mark.parametrize("link", WRONG_LINKS, ids=lambda link: type(link).__name__)
def test_wrong_link_is_found(link):
    with pytest.raises(AssertionError, match=WRONG_LINKS[link]):
        check_link(link)


def test_link_that_cannot_be_sent_to_a_worker_is_found():
    with pytest.raises(AssertionError, match="cannot be pickled"):
        check_link(CannotTravel())


def test_message_says_where_and_by_how_much():
    with pytest.raises(AssertionError, match=r"at mu = .*; they differ by 1e-09, .* times what rounding allows"):
        check_link(ShiftedInverse())


# -- families


@dataclass(frozen=True)
class HalfADeviance(Gaussian):
    def unit_deviance(self, y, mu):
        return (y - mu) ** 2 / 2


@dataclass(frozen=True)
class DevianceOfAnotherFamily(Gamma):
    def unit_deviance(self, y, mu):
        return (y - mu) ** 2 / mu**2


@dataclass(frozen=True)
class DevianceThatIsNotZero(Gamma):
    def unit_deviance(self, y, mu):
        return super().unit_deviance(y, mu) + 1e-12


@dataclass(frozen=True)
class WrongVarianceSlope(Gamma):
    def variance_deriv(self, mu):
        return mu


@dataclass(frozen=True)
class NegativeVariance(Poisson):
    def variance(self, mu):
        return -mu


@dataclass(frozen=True)
class ForgottenConstant(Poisson):
    def loglike_obs(self, y, mu, var_weights, scale):
        return var_weights / scale * (special.xlogy(y, mu) - mu)


@dataclass(frozen=True)
class WeightsOutsideTheLikelihood(Gamma):
    # the weight multiplies the log-likelihood instead of dividing the dispersion
    def loglike_obs(self, y, mu, var_weights, scale):
        return var_weights * super().loglike_obs(y, mu, np.ones_like(y), scale)


@dataclass(frozen=True)
class LikelihoodOfRowsWithoutWeight(Gaussian):
    def loglike_obs(self, y, mu, var_weights, scale):
        return super().loglike_obs(y, mu, np.maximum(var_weights, 1e-300), scale)


@dataclass(frozen=True)
class ScoreOfAnotherLink(Poisson):
    def pointwise(self, y, eta):
        at = super().pointwise(y, eta)
        return replace(at, score=2 * at.score)


@dataclass(frozen=True)
class InformationOfAnotherLink(Poisson):
    def pointwise(self, y, eta):
        at = super().pointwise(y, eta)
        return replace(at, information=at.information**2)


@dataclass(frozen=True)
class ExpectedForObserved(Gamma):
    def observed_information(self, y, eta):
        return self.pointwise(y, eta).information


@dataclass(frozen=True)
class CallsEveryLinkCanonical(Gamma):
    canonical = True

    def observed_information(self, y, eta):
        return Gamma(self.link).observed_information(y, eta)


@dataclass(frozen=True)
class StartsOnTheBoundary(Binomial):
    def starting_mu(self, y, weights):
        return y


@dataclass(frozen=True)
class TakesNan(Poisson):
    def in_domain(self, y):
        return ~(y < 0)


@dataclass(frozen=True)
class TakesWhatNoMeanReaches(Binomial):
    def in_domain(self, y):
        return (y >= -0.1) & (y <= 1)


@dataclass(frozen=True)
class FiniteOutsideTheRange(Poisson):
    def pointwise(self, y, eta):
        at = super().pointwise(y, eta)
        return replace(at, deviance=np.where(np.isinf(at.deviance), 1e10, at.deviance))


@dataclass(frozen=True)
class AnscombeOfAnotherFamily(Gamma):
    def anscombe(self, mu):
        return 1.5 * np.cbrt(mu) ** 2


@dataclass(frozen=True)
class DistributionWithoutWeights(Gamma):
    def distribution(self, mu, var_weights, scale):
        return super().distribution(mu, np.ones_like(mu), scale)


@dataclass(frozen=True)
class DistributionOfTheSameMoments(Gamma):
    def distribution(self, mu, var_weights, scale):
        return stats.norm(mu, mu * np.sqrt(scale / var_weights))


@dataclass(frozen=True)
class ScoreOfAnotherParameter(NegativeBinomial):
    def shape_pointwise(self, y, eta, var_weights, psi):
        at = super().shape_pointwise(y, eta, var_weights, psi)
        return replace(at, score=-at.score)


@dataclass(frozen=True)
class ForgetsTheCrossDerivative(Tweedie):
    def shape_pointwise(self, y, eta, var_weights, psi):
        at = super().shape_pointwise(y, eta, var_weights, psi)
        return replace(at, cross=np.zeros_like(at.cross))


@dataclass(frozen=True)
class WeightsOutsideTheShape(NegativeBinomial):
    def shape_pointwise(self, y, eta, var_weights, psi):
        return super().shape_pointwise(y, eta, np.ones_like(y), psi)


@dataclass(frozen=True)
class ParametersInOtherUnits(NegativeBinomial):
    def parameters(self, psi):
        return np.exp(psi), np.ones(1)


WRONG_FAMILIES = {
    HalfADeviance(): r"dd/dmu",
    DevianceOfAnotherFamily(): r"dd/dmu",
    DevianceThatIsNotZero(): r"d\(y, y\) = 0",
    WrongVarianceSlope(): "variance_deriv",
    NegativeVariance(): "variance",
    ForgottenConstant(): r"total, mean and variance",
    WeightsOutsideTheLikelihood(): r"total, mean and variance",
    LikelihoodOfRowsWithoutWeight(): "of zero weight is 0",
    ScoreOfAnotherLink(): "score, against differences",
    InformationOfAnotherLink(): "information =",
    ExpectedForObserved(Log()): "observed_information, against differences",
    CallsEveryLinkCanonical(Log()): "observed = expected",
    StartsOnTheBoundary(): "starting_mu is inside the range",
    TakesNan(): "in_domain refuses what is not finite",
    TakesWhatNoMeanReaches(): "in_domain refuses what no mean can reach",
    FiniteOutsideTheRange(Inverse()): "deviance is infinite outside the range",
    AnscombeOfAnotherFamily(): "dA/dmu",
    DistributionWithoutWeights(): "distribution's mean and variance",
    DistributionOfTheSameMoments(): "cdf, against sums",
    ScoreOfAnotherParameter(alpha=None): "score in psi",
    ForgetsTheCrossDerivative(power=None): "cross derivative",
    WeightsOutsideTheShape(alpha=None): "rows of zero weight|loglike of the shape",
    ParametersInOtherUnits(alpha=None): r"derivative of parameters\(psi\)",
}


@pytest.mark.parametrize("family", WRONG_FAMILIES, ids=lambda family: type(family).__name__)
def test_wrong_family_is_found(family):
    with pytest.raises(AssertionError, match=WRONG_FAMILIES[family]):
        check_family(family)


# -- penalties


@dataclass(frozen=True)
class ProxThatEndsInReturnBeta(L1):
    def prox(self, z, step):
        return z


@dataclass(frozen=True)
class HardThreshold(L1):
    def prox(self, z, step):
        return np.where(np.abs(z) > step * self.strengths()[0], z, 0.0)


@dataclass(frozen=True)
class ForgetsTheStep(L1):
    def prox(self, z, step):
        return super().prox(z, np.where(step > 0, 1.0, 0.0))


@dataclass(frozen=True)
class MovesForAZeroStep(L1):
    def prox(self, z, step):
        return super().prox(z, step + 1e-6)


@dataclass(frozen=True)
class NeverQuiteZero(L1):
    def prox(self, z, step):
        b = super().prox(z, step)
        return np.where((b == 0) & self.penalised() & (step > 0), 1e-300, b)


@dataclass(frozen=True)
class NothingViolates(L1):
    def violation(self, beta, gradient):
        return np.zeros_like(beta)


@dataclass(frozen=True)
class GradientAlone(L1):
    def violation(self, beta, gradient):
        return np.abs(gradient)


@dataclass(frozen=True)
class ForgetsTheSlope(L1):
    def slack(self, beta, gradient):
        return np.where(beta == 0, self.strengths()[0], 0.0)


@dataclass(frozen=True)
class PenalisesTheIntercept(L2):
    def bound(self, coefficients):
        return replace(super().bound(replace(coefficients, intercept=None)), penalize_intercept=False)


@dataclass(frozen=True)
class GradientOfTwiceThePenalty(L2):
    def gradient(self, beta):
        return 2 * super().gradient(beta)


@dataclass(frozen=True)
class FlatHessian(L2):
    def hessian(self, beta):
        return np.zeros((len(beta), len(beta)))


@dataclass(frozen=True)
class Negative(L2):
    def value(self, beta):
        return -super().value(beta)


@dataclass(frozen=True)
class Concave(L1):
    def value(self, beta):
        return float(np.sqrt(super().value(beta)))


@dataclass(frozen=True)
class ShrinksEachAlone(GroupL1):
    def prox(self, z, step):
        return L1(self.alpha, weights=self.weights, spread=self.spread).prox(z, step)


@dataclass(frozen=True)
class GroupsThatAreNotSpoken(GroupL1):
    def blocks(self):
        return super().blocks()[:-1]


@dataclass(frozen=True)
class SteepForEver(MCP):
    def majorant(self, beta):
        return super().majorant(np.zeros_like(beta))


@dataclass(frozen=True)
class FlatAtOnce(MCP):
    def majorant(self, beta):
        return L1(0.5 * self.alpha, weights=super().majorant(beta).weights, spread=np.ones_like(beta))


WRONG_PENALTIES = {
    ProxThatEndsInReturnBeta: "prox does not minimise",
    HardThreshold: "prox does not minimise",
    ForgetsTheStep: "prox does not minimise",
    MovesForAZeroStep: "zero step moves",
    NeverQuiteZero: "expected an exact zero",
    NothingViolates: "from the minimiser along coordinate",
    GradientAlone: "violation is zero at the minimiser",
    ForgetsTheSlope: "but a slope steeper by less violates",
    PenalisesTheIntercept: "the intercept is penalised",
    GradientOfTwiceThePenalty: "gradient, against differences",
    FlatHessian: "hessian, against differences",
    Negative: "expected at least 0",
    Concave: "not convex",
    ShrinksEachAlone: "prox does not minimise",
    GroupsThatAreNotSpoken: "not each coefficient once",
    SteepForEver: "lies below the penalty",
    FlatAtOnce: "lies below the penalty",
}


@pytest.mark.parametrize("penalty", WRONG_PENALTIES)
def test_wrong_penalty_is_found(penalty):
    with pytest.raises(AssertionError, match=WRONG_PENALTIES[penalty]):
        check_penalty(penalty(alpha=0.5))


# -- sums


@dataclass(frozen=True)
class AverageDeviance(Deviance):
    @classmethod
    def of(cls, block, point, family):
        return cls(super().of(block, point, family).deviance / max(len(block), 1))


@dataclass(frozen=True)
class KeepsTheLeft(Gradient):
    def __add__(self, other):
        return self


@dataclass(frozen=True)
class BecomesItsParent(Deviance):
    def __add__(self, other):
        return Deviance(self.deviance + other.deviance)


@dataclass(frozen=True)
class CountsBlocks(Deviance):
    @classmethod
    def of(cls, block, point, family):
        return cls(super().of(block, point, family).deviance + 1.0)


@dataclass(frozen=True)
class ForgetsFrequencies(Deviance):
    @classmethod
    def of(cls, block, point, family):
        return super().of(replace(block, freq_weights=None), point, family)


@dataclass(frozen=True)
class AddsAboutDifferentCentres(Gradient):
    def __add__(self, other):
        score = Cross(
            self.score.count + other.score.count,
            self.score.centre,
            self.score.total + other.score.total,
            self.score.deviations + other.score.deviations,
        )
        return replace(self, deviance=self.deviance + other.deviance, pearson_chi2=0.0, score=score)

    @classmethod
    def of(cls, block, point, family):
        return replace(super().of(block, point, family), pearson_chi2=0.0)


@dataclass(frozen=True)
class ForgetsWhatIsWithinGroups(Deviance):
    @classmethod
    def of_groups(cls, block, point, family):
        return cls.of(block, point, family)


@dataclass
class AddsInPlace(Sum):
    total: float

    @classmethod
    def of(cls, block, point, family):
        return cls(float(block.weights.sum()))

    def __add__(self, other):
        self.total += other.total
        return self

    def reduced(self, L):
        return self


WRONG_SUMS = {
    AverageDeviance: "one row at a time, field deviance",
    KeepsTheLeft: "one row at a time, field deviance",
    BecomesItsParent: "adding gives a Deviance",
    CountsBlocks: "one row at a time, field deviance",
    ForgetsFrequencies: "weights of 2, against rows twice",
    AddsAboutDifferentCentres: "field score.product",
    ForgetsWhatIsWithinGroups: "groups of equal rows, field deviance",
    AddsInPlace: "is mutable",
}


@pytest.mark.parametrize("sum_type", WRONG_SUMS)
def test_wrong_sum_is_found(sum_type):
    with pytest.raises(AssertionError, match=WRONG_SUMS[sum_type]):
        check_sum(sum_type)


# -- solvers


@dataclass(frozen=True, kw_only=True)
class StopsAtOnceAndClaimsSuccess(IRLS):
    def solve(self, objective, start, watch=UNWATCHED):
        fit = IRLS(max_iter=0, tol=1e9).solve(objective, start, watch)
        return replace(fit, certificate=replace(fit.certificate, value=0.0, tol=self.tol))


@dataclass(frozen=True, kw_only=True)
class ForgetsThePenalty(Newton):
    def solve(self, objective, start, watch=UNWATCHED):
        names = [f"x{j}" for j in range(len(objective.basis.centre))]
        return super().solve(replace(objective, penalty=L2(alpha=0.0).bound(Coefficients.of(names))), start, watch)


@dataclass(frozen=True, kw_only=True)
class ReportsAnotherEstimate(IRLS):
    def solve(self, objective, start, watch=UNWATCHED):
        fit = super().solve(objective, start, watch)
        return replace(fit, params=fit.params * (1 + 1e-3))


@dataclass(frozen=True, kw_only=True)
class AlmostZero(ProximalGradient):
    def solve(self, objective, start, watch=UNWATCHED):
        fit = super().solve(objective, start, watch)
        return replace(fit, params=np.where(fit.params == 0, 1e-14, fit.params))


@dataclass(frozen=True, kw_only=True)
class TellsNobody(IRLS):
    def solve(self, objective, start, watch=UNWATCHED):
        return super().solve(objective, start)


WRONG_SOLVERS = {
    IRLS(max_iter=1): "not converged",
    IRLS(tol=0.05): "against an independent solution",
    StopsAtOnceAndClaimsSuccess(): "against an independent solution",
    ForgetsThePenalty(): "the objective at the end of the trace",
    ReportsAnotherEstimate(): "the deviance of the fit, against a pass at its params",
    AlmostZero(): "zero at",
    TellsNobody(): "but those told of are",
}


@pytest.mark.parametrize("solver", WRONG_SOLVERS, ids=repr)
def test_wrong_solver_is_found(solver):
    with pytest.raises(AssertionError, match=WRONG_SOLVERS[solver]):
        check_solver(solver)


# -- learners


@dataclass(frozen=True)
class SumOfMeans(Learner):
    def observe(self, values):
        return np.mean(values)

    def finish(self, total):
        return {"center": total}


@dataclass(frozen=True)
class LastRow(Learner):
    def observe(self, values):
        return Last(values[-1])

    def finish(self, total):
        return {"last": total.value}


@dataclass(frozen=True)
class Last:
    value: float

    def __add__(self, other):
        return Last(max(self.value, other.value))


@dataclass(frozen=True)
class Sorting(Learner):
    def observe(self, values):
        values.sort()
        return Range.of(values)

    def finish(self, total):
        return {"lower": total.lower}


@dataclass(frozen=True)
class SecondPassOfOnePart(Learner):
    lower: float | None = None

    def observe(self, values):
        return Gathered.of(values)

    def finish(self, total):
        if self.lower is None:
            return replace(self, lower=float(total.concatenated()[0].min()))
        return {"width": float(total.columns[0][0].max()) - self.lower}


class Mutable(Learner):
    def observe(self, values):
        return Range.of(values)

    def finish(self, total):
        return {"lower": total.lower}


@pytest.mark.parametrize(
    ("learner", "complaint"),
    [
        (SumOfMeans(), "one row at a time: center"),
        (LastRow(), "last"),
        (Sorting(), "changes the rows"),
        (SecondPassOfOnePart(), "width"),
        (Mutable(), "is mutable"),
    ],
)
def test_wrong_learner_is_found(learner, complaint: str):
    values = np.array([3.0, 9.0, 1.0, 4.0, 1.5, 2.0, 6.0])
    with pytest.raises(AssertionError, match=complaint):
        check_learner(learner, values)
