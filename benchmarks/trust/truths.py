"""The true importances of a shape, against which intervals of ranks are held.

A ranking orders variables by the mean |SHAP| of a model that has learned from a table. Its truth is
what that is on average, over tables that none of the judged ones has anything to do with: of many
training sets a forest of the default specification learns, and its answers on fresh rows are
explained. Where the effects of independent variables add up, the mean |SHAP| of the function that
made the target is known besides (:attr:`benchmarks.trust.shapes.Simulated.sizes`).

Nothing here is shared with the code that judges: no halves, no small forests, no differences.
"""

# ruff: noqa: N806  (X is the field's name)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.trust.resumable import Key
from benchmarks.trust.trial import simulated_table, variables_of
from prodapp.ml.ensembles import compared
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.explanation import forest_shap
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.preprocessing import source_positions, sum_by_source
from prodapp.ml.specification import Specification

_LEARNED, _FRESH = 20_263, 20_264
#: Fresh rows of one training set; of 200 sets, 40,000.
N_FRESH: Final = 200
#: Two importances within this ratio may stand in either order.
_TIE: Final = 1.05


@dataclass(frozen=True)
class Truth:
    """``importances`` by variable, from ``n_sets`` training sets; ``error`` is the largest standard
    error of any of them, as a share of it."""

    importances: Mapping[str, float]
    n_sets: int
    error: float

    def admissible(self, name: str) -> tuple[int, int]:
        """The ranks that a variable may have: one within 5 % of it may stand before or after."""
        mine = self.importances[name]
        values = self.importances.values()
        first = 1 + sum(other > _TIE * mine for other in values)
        return first, sum(other >= mine / _TIE for other in values)


def measured(key: Key) -> dict[str, Any]:
    """The mean |SHAP| of each variable, by one training set of the key's shape, rows and seed."""
    shape, n_rows, seed = key
    simulated = simulated_table(key, purpose=_LEARNED)
    columns, X = variables_of(simulated)
    spec = Specification(target="y", random_state=seed)
    pipeline = build_pipeline(spec, columns, n_samples=n_rows, n_jobs=1)
    fit_pipeline(pipeline, X, simulated.y, on_share=lambda _: None)
    fresh = variables_of(simulated_table((shape, N_FRESH, seed), purpose=_FRESH))[1]
    encoded, forest = pipeline[0].transform(fresh), pipeline[-1]
    answers = forest.predict(compared(forest, encoded))
    found = forest_shap(
        forest, encoded, predicted=answers, n_jobs=1, on_share=lambda _: None
    ).values
    names = [column.name for column in columns]
    by_variable = sum_by_source(found, source_positions(pipeline[0], names), len(names))
    sizes = np.abs(by_variable).mean(axis=0)
    return {"key": list(key), "sizes": dict(zip(names, sizes.tolist(), strict=True))}


def truth_of(results: Sequence[Mapping[str, Any]]) -> Truth:
    """The truth of one shape from its training sets, two at least."""
    names = list(results[0]["sizes"])
    sizes = np.array([[result["sizes"][name] for name in names] for result in results])
    means = sizes.mean(axis=0)
    errors = sizes.std(axis=0, ddof=1) / np.sqrt(len(sizes))
    return Truth(
        dict(zip(names, means.tolist(), strict=True)), len(sizes), float((errors / means).max())
    )
