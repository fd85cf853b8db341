"""Three fits to three million rows of made-up flights: maximum likelihood, L2 and L1.

The flights lie in 24 parquet files in a temporary directory. dask reads them on its default scheduler, the threads of
this process, and only the columns that the formula names. The first pass over the rows reads the files and keeps what
the model needs, if it fits in memory; the passes after it take what was kept. Run it with

    python docs/examples/quickstart.py
"""

import tempfile
import time
from pathlib import Path

import dask.dataframe as dd
import numpy as np
import pandas as pd

import dglm
from dglm.families import Binomial

FILES, ROWS_PER_FILE, SEED = 24, 125_000, 2017

FORMULA = "late ~ distance + wind + np.log(passengers) + visibility + temperature + carrier"
# what the flights are made with, under the names that the formula gives its columns; the first carrier is the baseline
TRUTH = pd.Series(
    {
        "Intercept": -2.0,
        "distance": 0.15,
        "wind": 0.04,
        "np.log(passengers)": 0.1,
        "visibility": 0.0,
        "temperature": 0.0,
        "carrier[T.BA]": 0.3,
        "carrier[T.CX]": -0.2,
        "carrier[T.DL]": 0.8,
        "carrier[T.EK]": 0.0,
        "carrier[T.FI]": -0.5,
    }
)
CARRIERS = ["AF", "BA", "CX", "DL", "EK", "FI"]

PENALTIES = {"none": None, "L2": dglm.L2(alpha=0.01), "L1": dglm.L1(alpha=0.002)}


def make_flights(number: int) -> pd.DataFrame:
    """Return the flights of one file."""
    rng = np.random.default_rng([SEED, number])
    n = ROWS_PER_FILE
    flights = pd.DataFrame(
        {
            "carrier": rng.choice(CARRIERS, n, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1]),
            "distance": rng.gamma(2.0, 0.8, n),  # 1000 km
            "wind": rng.weibull(2.0, n) * 10,  # knots
            "passengers": rng.integers(20, 400, n),
            "visibility": rng.uniform(0, 10, n),
            "temperature": rng.normal(12, 8, n),
            # not in the formula, so never read
            "tail_number": rng.integers(0, 5000, n).astype(str),
            "fuel": rng.gamma(3.0, 4.0, n),
            "gate": rng.integers(1, 80, n),
        }
    )
    eta = (
        TRUTH["Intercept"]
        + flights["carrier"].map({carrier: TRUTH.get(f"carrier[T.{carrier}]", 0.0) for carrier in CARRIERS})
        + TRUTH["distance"] * flights["distance"]
        + TRUTH["wind"] * flights["wind"]
        + TRUTH["np.log(passengers)"] * np.log(flights["passengers"])
    )
    flights["late"] = rng.random(n) < 1 / (1 + np.exp(-eta))
    # an instrument that is sometimes out of order
    flights.loc[rng.random(n) < 0.02, "wind"] = np.nan
    return flights


def write_flights(directory: Path) -> None:
    """Write the files one after the other, so that only one is ever in memory."""
    for number in range(FILES):
        make_flights(number).to_parquet(directory / f"flights-{number:02d}.parquet", index=False)


def main() -> None:
    """Write the flights, fit them three times, and compare the estimates with the truth."""
    with tempfile.TemporaryDirectory() as directory:
        begin = time.perf_counter()
        write_flights(Path(directory))
        print(f"Wrote {FILES * ROWS_PER_FILE:,} flights to {FILES} files in {time.perf_counter() - begin:.1f} s.")

        begin = time.perf_counter()
        flights = dd.read_parquet(directory)
        model = dglm.GLM.from_formula(FORMULA, flights, family=Binomial())
        print(f"Found the levels of `carrier` in {time.perf_counter() - begin:.1f} s.")

        results, seconds = {}, {}
        for name, penalty in PENALTIES.items():
            begin = time.perf_counter()
            results[name] = model.fit(penalty=penalty)
            seconds[name] = time.perf_counter() - begin
            print(f"\n{results[name].summary()}")

    print("\nPenalty, passes over the data and time of each fit (the first one reads the files):")
    for name, result in results.items():
        print(f"  {name:4}  {result.n_passes:3d} passes  {seconds[name]:5.1f} s")

    mle = results["none"]
    estimates = pd.DataFrame({name: result.params for name, result in results.items()})
    estimates.insert(0, "truth", TRUTH)
    estimates["(none - truth) / std err"] = (mle.params - TRUTH) / mle.bse
    print("\nEstimates by penalty. Only those without one have standard errors to be compared with:")
    print(estimates.round(4).to_string())
    print(f"\nCoefficients that L1 left at zero: {', '.join(estimates.index[estimates['L1'] == 0])}.")


if __name__ == "__main__":
    main()
