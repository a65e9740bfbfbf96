"""The longest time that a run goes without a word, for each algorithm: a cancel is heard no sooner.

``python -m benchmarks.silence`` trains every algorithm on a made-up table of 10,000 × 30 and prints
the longest gap between two calls of the progress callback in each stage, in seconds.
``--rows 100000`` takes long; ``--algorithms`` and ``--engineered`` choose what is measured.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import pandas as pd

from prodapp.ml import kernels
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.columns import describe_column
from prodapp.ml.specification import Specification
from prodapp.ml.training import train

N_COLUMNS = 30
ENGINEERED = (
    {"step": "lags", "lags": [1, 2, 5]},
    {"step": "rolling", "windows": [10], "statistics": ["mean", "std"]},
    {"step": "polynomial"},
)


def table(n_rows: int) -> pd.DataFrame:
    """Numbers of which some drive y, one category, and the minute of each row."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.normal(size=(n_rows, N_COLUMNS)), columns=[f"var {i}" for i in range(N_COLUMNS)]
    )
    frame["recipe"] = rng.choice(list("abcde"), size=n_rows)
    frame["at"] = pd.date_range("2026-01-01", periods=n_rows, freq="min")
    frame["y"] = frame["var 0"] * frame["var 1"] + 3 * np.sin(frame["var 2"])
    frame["y"] += rng.normal(size=n_rows)
    return frame


def silences(frame: pd.DataFrame, **options: Any) -> dict[str, str]:
    """Seconds of each stage's longest gap between two calls, with the share done at its end."""
    kinds = {"recipe": "category", "at": "date"}
    columns = [
        describe_column(frame[name], name=name, kind=kinds.get(name, "number")) for name in frame
    ]
    longest: dict[str, tuple[float, float]] = {}
    started = last = time.monotonic()

    def progress(stage: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        longest[stage] = max(longest.get(stage, (0.0, 0.0)), (now - last, share))
        last = now

    train(frame, columns, Specification(target="y", **options), progress=progress)
    now = time.monotonic()
    found = {stage: f"{gap:.2f} at {share:.0%}" for stage, (gap, share) in longest.items()}
    return {**found, "end": f"{now - last:.2f}", "all": f"{now - started:.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--algorithms", nargs="*", default=list(ALGORITHMS))
    parser.add_argument("--engineered", action="store_true")
    chosen = parser.parse_args()
    kernels.warm_up()  # as a worker does before it forks
    frame = table(chosen.rows)
    options = {"engineering": ENGINEERED} if chosen.engineered else {}
    for algorithm in chosen.algorithms:
        if ALGORITHMS[algorithm].obstacle is not None:
            print(f"{algorithm}: not installed")
            continue
        found = silences(frame, algorithm=algorithm, **options)
        print(f"{algorithm}: {json.dumps(found)}", flush=True)


if __name__ == "__main__":
    main()
