"""Time dglm and its peers on one logistic regression of 8,000,000 rows and 15 columns, without penalty and with L1.

Each contestant runs in a process of its own, one after the other, and its clock starts when the data is in memory. A
time counts only if the objective reached, evaluated by one function for all, is within 1e-6 (relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/laptop.py            # everything: 25 minutes, 14 GB of memory
    python validation/benchmarks/laptop.py --quick    # 200,000 rows: checks optima and passes, not times

Set no thread limits: each library uses the cores as it does by default.
"""

from __future__ import annotations

from functools import partial

import contestants
from arrays import Regression
from compete import compete
from contest import Benchmark, Contestant, Problem
from logistic import make

_MLE, _L1 = Regression("binomial"), Regression("binomial", strength=1.0)
MLE = Problem(name="MLE", objective=_MLE.objective, most_passes=5)
L1 = Problem(name="L1", objective=_L1.objective, most_passes=5)

_mle = partial(Contestant, problem=MLE)
_l1 = partial(Contestant, problem=L1)
_memory, _threads, _cluster = contestants.dglm_in_memory, contestants.dglm_on_threads, contestants.dglm_on_cluster

BENCHMARK = Benchmark(
    script=__file__,
    rows=8_000_000,
    quick_rows=200_000,
    make=make,
    contestants=[
        _mle(name="dglm, numpy", distribution="dglm", prepare=partial(_memory, _MLE), inference=True),
        _mle(name="dglm, dask threads", distribution="dglm", prepare=partial(_threads, _MLE), inference=True),
        _mle(name="dglm, 2 processes", distribution="dglm", prepare=partial(_cluster, _MLE), inference=True),
        _mle(name="glum", distribution="glum", prepare=partial(contestants.glum, _MLE)),
        _mle(
            name="scikit-learn newton-cholesky",
            distribution="scikit-learn",
            prepare=partial(contestants.newton_cholesky, _MLE),
        ),
        _mle(
            name="statsmodels GLM",
            distribution="statsmodels",
            prepare=partial(contestants.statsmodels, _MLE),
            inference=True,
            slow=True,
        ),
        _mle(
            name="dask-glm newton",
            distribution="dask-glm",
            prepare=partial(contestants.dask_glm_newton, _MLE),
            quick=False,
        ),
        _l1(name="dglm, numpy", distribution="dglm", prepare=partial(_memory, _L1)),
        _l1(name="dglm, dask threads", distribution="dglm", prepare=partial(_threads, _L1)),
        _l1(name="dglm, 2 processes", distribution="dglm", prepare=partial(_cluster, _L1)),
        _l1(
            name="dglm proximal gradient, numpy",
            distribution="dglm",
            prepare=partial(_memory, _L1, solver="proximal_gradient"),
            slow=True,
            quick=False,
        ),
        _l1(name="glum", distribution="glum", prepare=partial(contestants.glum, _L1)),
        _l1(
            name="scikit-learn liblinear",
            distribution="scikit-learn",
            prepare=partial(contestants.liblinear, _L1),
            slow=True,
        ),
        _l1(
            name="dask-glm proximal_grad",
            distribution="dask-glm",
            prepare=partial(contestants.dask_glm_proximal, _L1),
            quick=False,
        ),
        _l1(
            name="dask-glm admm",
            distribution="dask-glm",
            prepare=partial(contestants.dask_glm_admm, _L1),
            slow=True,
            quick=False,
        ),
    ],
)

if __name__ == "__main__":
    compete(BENCHMARK, __doc__)
