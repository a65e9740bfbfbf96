"""One way from a CSV file to a stored ranking, in a process of its own; prints what it took.

``python -m benchmarks.engine.ways plain|exact|default FILE TARGET --seconds N``

plain: ``RandomForestRegressor(100)`` and ``shap.TreeExplainer`` over all rows, as a script does it.
exact: the same forest (but for splits that are equally good), grown by compiled loops, and the same
values from the compiled kernel.
default: what prodapp does when it is asked for nothing in particular, on its own terms: leaves of
three samples, bounded bags, held-out samples explained until the order is clear. What trust adds
(verdicts, rank intervals, effects, windows), which the others do not have, is told by itself.
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

from prodapp.ml import kernels, treeshap
from prodapp.ml.artifact import dump_pipeline
from prodapp.ml.ensembles import collect_forest, compared
from prodapp.ml.estimators import available_cpus
from prodapp.ml.growing import Grower
from prodapp.ml.intake import read_table
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
    """Seconds of each step, by the clock and of the processors."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self._last = time.perf_counter(), time.process_time()

    def end(self, step: str, *, factor: float = 1.0) -> None:
        now = time.perf_counter(), time.process_time()
        self.seconds[step] = (now[0] - self._last[0]) * factor
        self.processor_seconds[step] = (now[1] - self._last[1]) * factor
        self._last = now

    def answer(self) -> dict[str, Any]:
        """What to print of them; checking additivity and the like is not among the steps."""
        return {"seconds": self.seconds, "processor_seconds": self.processor_seconds}


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
    return {**times.answer(), "n_trees": n_trees, "n_explained": n_done, "n_rows": len(X)}


def exact(path: Path, target: str, _seconds: float) -> dict[str, Any]:
    import shap

    kernels.warm_up()
    times = Times()
    X, y = read_plainly(path, target)
    times.end("read")
    forest = RandomForestRegressor(N_TREES, random_state=0, n_jobs=available_cpus())
    Grower(forest, X.astype(np.float32), y).grow(N_TREES)
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
    return {**times.answer(), "largest_difference": difference, "n_explained": len(X)}


def default(path: Path, target: str, _seconds: float) -> dict[str, Any]:
    kernels.warm_up()
    times = Times()
    table = read_table(path)
    times.end("read")
    spec = Specification(target=target)
    stages: list[str] = []

    def watch(stage: str, _share: float) -> None:
        if stage not in stages:
            if stages:
                times.end(stages[-1])
            stages.append(stage)

    result = train(table.frame, table.columns, spec, progress=watch)
    times.end(stages[-1])
    path.with_suffix(".skops").write_bytes(dump_pipeline(result.pipeline))
    times.end("store")
    return {
        **times.answer(),
        "n_explained": result.n_explained,
        "r2": result.metrics.r2,
        "top": [row.feature for row in result.ranking[:10]],
        "remarks": [remark.code for remark in result.remarks],
    }


def _ranking(seconds: dict[str, float]) -> float:
    """From the file to the ranking: verdicts, rank intervals and windows come on top."""
    return sum(spent for step, spent in seconds.items() if step != "assessing")


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
        "total": _ranking(answer["seconds"]),
        "processors": _ranking(answer["processor_seconds"]),
        "trust": answer["seconds"].get("assessing"),
        "trust_processors": answer["processor_seconds"].get("assessing"),
        "peak_mib": peak,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
