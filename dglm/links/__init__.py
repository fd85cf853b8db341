"""Link functions: what carries the mean to the scale of the linear predictor."""

from dglm.links.base import Link
from dglm.links.cloglog import CLogLog
from dglm.links.identity import Identity
from dglm.links.inverse import Inverse
from dglm.links.inverse_squared import InverseSquared
from dglm.links.log import Log
from dglm.links.logit import Logit
from dglm.links.probit import Probit
from dglm.links.sqrt import Sqrt

__all__ = ["CLogLog", "Identity", "Inverse", "InverseSquared", "Link", "Log", "Logit", "Probit", "Sqrt"]
