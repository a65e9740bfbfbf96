"""Whether the default's order is the plain way's, measured by how much that one varies itself."""

# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.ensemble import RandomForestRegressor

from benchmarks.engine.tables import Source
from prodapp.ml import treeshap
from prodapp.ml.ensembles import collect_forest, compared
from prodapp.ml.estimators import available_cpus
from prodapp.ml.intake import read_table
from prodapp.ml.preprocessing import build_preprocessing, source_positions, sum_by_source
from prodapp.ml.progress import no_progress
from prodapp.ml.samples import gather_samples
from prodapp.ml.specification import Specification
from prodapp.ml.training import train

FloatArray = npt.NDArray[np.float64]

TOP = 10
BAND = 1.05


def fidelity(source: Source, *, n_seeds: int) -> dict[str, Any]:
    """Top-10 tau of default against plain, of plain against itself, and inversions.

    The plain forests learn from the default's own training rows, and explain all rows (by the
    kernel, whose difference from the shap package the exact way measures).
    """
    table = read_table(source.path)
    spec = Specification(target=source.target)
    result = train(table.frame, table.columns, spec, progress=no_progress)
    samples = gather_samples(table.frame, table.columns, spec)
    columns, X, y, rows = samples.columns, samples.X, samples.y, samples.train_rows
    names = [column.name for column in columns]
    preprocessing = build_preprocessing(columns, scale=False)
    encoded_train = preprocessing.fit_transform(X.iloc[rows])
    encoded = preprocessing.transform(X)
    of = source_positions(preprocessing, names)
    plain = []
    for seed in range(n_seeds):
        forest = RandomForestRegressor(100, random_state=seed, n_jobs=available_cpus())
        forest.fit(encoded_train, y[rows])
        values = treeshap.shap_values(
            collect_forest(forest),
            compared(forest, encoded),
            n_jobs=available_cpus(),
            on_share=lambda _: None,
        ).values
        plain.append(np.abs(sum_by_source(values, of, len(names))).mean(axis=0))
    size = {row.feature: row.importance_shap_mean_abs for row in result.ranking}
    ours = np.array([size[name] for name in names])
    return {
        "tau": float(np.mean([tau(reference, ours) for reference in plain])),
        "tau_between_seeds": float(np.mean([tau(a, b) for a, b in combinations(plain, 2)])),
        "inversions": inversions(np.mean(plain, axis=0), ours),
        "n_seeds": n_seeds,
        "n_explained": result.n_explained,
    }


def tau(reference: FloatArray, other: FloatArray) -> float:
    """Kendall's tau over the first ten variables of ``reference``."""
    top = np.argsort(-reference, kind="stable")[:TOP]
    if len(top) < 2:
        return 1.0
    return float(stats.kendalltau(reference[top], other[top]).statistic)


def inversions(reference: FloatArray, other: FloatArray) -> int:
    """Pairs among the first ten more than 5 % apart in both, in opposite order."""
    top = np.argsort(-reference, kind="stable")[:TOP]
    return sum(
        bool(reference[a] > BAND * reference[b] and other[b] > BAND * other[a])
        for a, b in combinations(top.tolist(), 2)
    )
