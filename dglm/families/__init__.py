"""Exponential dispersion families: variance, deviance and likelihood, with the link that each is used with."""

from dglm.families.base import Family, Pointwise
from dglm.families.binomial import Binomial
from dglm.families.distribution import Distribution
from dglm.families.gamma import Gamma
from dglm.families.gaussian import Gaussian
from dglm.families.poisson import Poisson

__all__ = ["Binomial", "Distribution", "Family", "Gamma", "Gaussian", "Pointwise", "Poisson"]
