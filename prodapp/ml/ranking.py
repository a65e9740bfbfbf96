"""SHAP values and native importances → the ordered list of variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.explanation import NO_ORDER, dependence
from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VariableImportance:
    """One row of the ranking.

    ``importance_shap_mean_abs`` is mean |SHAP| over the explained samples, in the target's unit;
    ``importance_native`` the estimator's own importance as a share (0 where it has none);
    ``*_norm`` are divided by the largest; ``score_final`` is the share of all mean |SHAP|.
    ``dependence`` holds (value, mean SHAP value) points, none for categories.
    """

    feature: str
    rank: int
    importance_shap_mean_abs: float
    importance_native: float
    shap_norm: float
    native_norm: float
    score_final: float
    effect: str
    direction_strength: float
    dependence: tuple[tuple[float, float], ...]


def rank_variables(
    columns: Sequence[Column],
    X: pd.DataFrame,
    shap_values: FloatArray,
    native: FloatArray,
) -> tuple[VariableImportance, ...]:
    """Order the variables by mean |SHAP|, ties by name.

    ``X`` holds the explained samples, ``shap_values`` is (samples, variables), ``native``
    (variables,), all in the order of ``columns``.
    """
    importances = np.abs(shap_values).mean(axis=0)
    order = sorted(range(len(columns)), key=lambda i: (-importances[i], columns[i].name))
    ranking = []
    for rank, position in enumerate(order, start=1):
        column = columns[position]
        shape = NO_ORDER
        if column.kind == "number":
            values = X[column.name].to_numpy(dtype=np.float64)
            shape = dependence(values, shap_values[:, position])
        ranking.append(
            VariableImportance(
                feature=column.name,
                rank=rank,
                importance_shap_mean_abs=float(importances[position]),
                importance_native=_share(native[position], native.sum()),
                shap_norm=_share(importances[position], importances.max()),
                native_norm=_share(native[position], native.max()),
                score_final=_share(importances[position], importances.sum()),
                effect=shape.effect,
                direction_strength=shape.strength,
                dependence=shape.points,
            )
        )
    return tuple(ranking)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0
