"""Exponential dispersion families: variance, deviance and likelihood, with the link that each is used with."""

from dglm.families.base import Family, Pointwise
from dglm.families.binomial import Binomial
from dglm.families.distribution import Distribution
from dglm.families.gamma import Gamma
from dglm.families.gaussian import Gaussian
from dglm.families.inverse_gaussian import InverseGaussian
from dglm.families.negative_binomial import NegativeBinomial
from dglm.families.poisson import Poisson
from dglm.families.shape import ShapeFamily, ShapePointwise
from dglm.families.tweedie import Tweedie

__all__ = [
    "Binomial",
    "Distribution",
    "Family",
    "Gamma",
    "Gaussian",
    "InverseGaussian",
    "NegativeBinomial",
    "Pointwise",
    "Poisson",
    "ShapeFamily",
    "ShapePointwise",
    "Tweedie",
]
