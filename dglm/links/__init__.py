"""Link functions: what carries the mean to the scale of the linear predictor."""

from dglm.links.base import Link
from dglm.links.cauchit import Cauchit
from dglm.links.cdf import CDF
from dglm.links.cloglog import CLogLog
from dglm.links.identity import Identity
from dglm.links.inverse import Inverse
from dglm.links.inverse_squared import InverseSquared
from dglm.links.log import Log
from dglm.links.log_complement import LogComplement
from dglm.links.logit import Logit
from dglm.links.loglog import LogLog
from dglm.links.negative_binomial import NegativeBinomial
from dglm.links.power import Power
from dglm.links.probit import Probit
from dglm.links.sqrt import Sqrt

__all__ = [
    "CDF",
    "CLogLog",
    "Cauchit",
    "Identity",
    "Inverse",
    "InverseSquared",
    "Link",
    "Log",
    "LogComplement",
    "LogLog",
    "Logit",
    "NegativeBinomial",
    "Power",
    "Probit",
    "Sqrt",
]
