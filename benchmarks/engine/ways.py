"""One way from a CSV file to a stored ranking, in a process of its own; prints what it took.

``python -m benchmarks.engine.ways plain|exact|default FILE TARGET --seconds N``

plain: ``RandomForestRegressor(100)`` and ``shap.TreeExplainer`` over all rows, as a script does it.
exact: the same forest, fitted on all processors, and the same values from the compiled kernel.
default: what prodapp does when it is asked for nothing in particular, on its own terms: leaves of
three samples, bounded bags, held-out samples explained until the order is clear.
"""

# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from prodapp.ml import treeshap
from prodapp.ml.artifact import dump_pipeline
from prodapp.ml.ensembles import collect_forest, compared
from prodapp.ml.estimators import available_cpus
from prodapp.ml.intake import read_table
from prodapp.ml.progress import no_progress
from prodapp.ml.specification import Specification
from prodapp.ml.training import train

N_TREES = 100
#: Above this a plain forest is fitted in part, and its time extrapolated.
MAX_WHOLE_FIT = 20_000
N_TREES_IN_PART = 2
MAX_CATEGORIES = 50
N_COMPARED = 20
PEAK_UNIT = 2**20 if sys.platform == "darwin" else 2**10


class Times:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def end(self, step: str, *, factor: float = 1.0) -> None:
        now = time.perf_counter()
        self.seconds[step] = (now - self._last) * factor
        self._last = now

    def skip(self) -> None:
        self._last = time.perf_counter()


def read_plainly(path: Path, target: str) -> tuple[np.ndarray, np.ndarray]:
    """A table as a script reads it: numbers, few-valued texts one-hot, medians for missing."""
    frame = pd.read_csv(path, encoding="utf-8-sig").dropna(subset=[target])
    X = frame.drop(columns=[target])
    texts = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
    X = X.drop(columns=[name for name in texts if X[name].nunique() > MAX_CATEGORIES])
    X = pd.get_dummies(X, dtype=float)
    return X.fillna(X.median()).to_numpy(dtype=float), frame[target].to_numpy(dtype=float)


def plain(path: Path, target: str, seconds: float) -> dict[str, Any]:
    import shap

    times = Times()
    X, y = read_plainly(path, target)
    times.end("read")
    n_trees = N_TREES if len(X) <= MAX_WHOLE_FIT else N_TREES_IN_PART
    forest = RandomForestRegressor(n_trees, random_state=0).fit(X, y)
    times.end("fit", factor=N_TREES / n_trees)
    explainer = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
    started, n_done = time.perf_counter(), 0
    while n_done < len(X) and (n_done == 0 or time.perf_counter() - started < seconds):
        explainer.shap_values(X[n_done : n_done + 10], check_additivity=False)
        n_done = min(len(X), n_done + 10)
    times.end("explain", factor=len(X) / n_done * N_TREES / n_trees)
    return {"seconds": times.seconds, "n_trees": n_trees, "n_explained": n_done, "n_rows": len(X)}


def exact(path: Path, target: str, _seconds: float) -> dict[str, Any]:
    import shap

    treeshap.warm_up()
    times = Times()
    X, y = read_plainly(path, target)
    times.end("read")
    forest = RandomForestRegressor(N_TREES, random_state=0, n_jobs=available_cpus()).fit(X, y)
    times.end("fit")
    found = treeshap.shap_values(
        collect_forest(forest),
        compared(forest, X),
        n_jobs=available_cpus(),
        on_share=lambda _: None,
    )
    np.argsort(-np.abs(found.values).mean(axis=0))
    times.end("explain")
    explainer = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
    some = np.random.default_rng(0).permutation(len(X))[:N_COMPARED]
    reference = explainer.shap_values(X[some], check_additivity=False)
    difference = float(np.abs(found.values[some] - reference).max() / y.std())
    return {"seconds": times.seconds, "largest_difference": difference, "n_explained": len(X)}


def default(path: Path, target: str, _seconds: float) -> dict[str, Any]:
    treeshap.warm_up()
    times = Times()
    table = read_table(path)
    times.end("read")
    spec = Specification(target=target)
    result = train(table.frame, table.columns, spec, progress=no_progress)
    times.end("train")
    path.with_suffix(".skops").write_bytes(dump_pipeline(result.pipeline))
    times.end("store")
    return {
        "seconds": times.seconds,
        "stage_seconds": dict(result.stage_seconds),
        "n_explained": result.n_explained,
        "r2": result.metrics.r2,
        "top": [row.feature for row in result.ranking[:10]],
        "remarks": [remark.code for remark in result.remarks],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine.ways")
    parser.add_argument("way", choices=("plain", "exact", "default"))
    parser.add_argument("path", type=Path)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    way = {"plain": plain, "exact": exact, "default": default}[options.way]
    answer = way(options.path, options.target, options.seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT
    answer |= {
        "total": sum(answer["seconds"].values()),
        "cpu_seconds": time.process_time(),
        "peak_mib": peak,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
