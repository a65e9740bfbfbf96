"""The trees of fitted XGBoost and LightGBM models, in the one form of :mod:`prodapp.ml.treeshap`.

Their packages compute SHAP values themselves (:mod:`prodapp.ml.boosters`), but LightGBM knows no
interactions, and XGBoost those of all pairs at once only, which takes as long as all variables do.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from prodapp.ml.boosters import inner_of, package_of, unit_of
from prodapp.ml.ensembles import join_trees
from prodapp.ml.treeshap import Forest

FloatArray = npt.NDArray[np.float64]
Nodes = dict[str, npt.NDArray[Any]]


def collect_booster(estimator: Any) -> Forest:
    """The trees of a booster of one score, their values in the target's unit or in log-odds.

    The offset is left out: SHAP values and interactions do not know it.
    """
    inner = inner_of(estimator)
    is_xgboost = package_of(inner) == "xgboost"
    trees = _of_xgboost(inner) if is_xgboost else _of_lightgbm(inner)
    unit = unit_of(estimator)
    return join_trees(
        left=[tree["left"] for tree in trees],
        right=[tree["right"] for tree in trees],
        features=[tree["features"] for tree in trees],
        thresholds=[tree["thresholds"] for tree in trees],
        missing_left=[tree["missing_left"] for tree in trees],
        covers=[tree["covers"] for tree in trees],
        values=[tree["values"] * unit for tree in trees],
        offset=0.0,
    )


def compared_by_booster(estimator: Any, X: FloatArray) -> FloatArray:
    """``X`` as the trees compare it with their thresholds: XGBoost rounds it first."""
    if package_of(estimator) == "xgboost":
        return X.astype(np.float32).astype(np.float64)
    return X


def _of_xgboost(model: Any) -> list[Nodes]:
    document = json.loads(bytes(model.get_booster().save_raw("json")))
    trees = document["learner"]["gradient_booster"]["model"]["trees"]
    return [_xgboost_nodes(tree) for tree in trees]


def _xgboost_nodes(tree: dict[str, Any]) -> Nodes:
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    left = np.array(tree["left_children"], dtype=np.int64)
    return {
        "left": left,
        "right": np.array(tree["right_children"], dtype=np.int64),
        "features": np.array(tree["split_indices"], dtype=np.int64),
        # "less than" there, "at most" here.
        "thresholds": np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64),
        "missing_left": np.array(tree["default_left"], dtype=np.bool_),
        "covers": np.array(tree["sum_hessian"], dtype=np.float64),
        "values": np.where(left < 0, conditions, 0.0).astype(np.float64),
    }


def _of_lightgbm(model: Any) -> list[Nodes]:
    trees = model.booster_.dump_model()["tree_info"]
    return [_lightgbm_nodes(tree["tree_structure"]) for tree in trees]


def _lightgbm_nodes(root: dict[str, Any]) -> Nodes:
    """The nodes in the order in which they are met from above."""
    met, left, right = [root], [], []
    for node in met:  # grows while it is walked
        if "split_feature" not in node:
            left.append(-1)
            right.append(-1)
            continue
        left.append(len(met))
        right.append(len(met) + 1)
        met += [node["left_child"], node["right_child"]]
    return {
        "left": np.array(left, dtype=np.int64),
        "right": np.array(right, dtype=np.int64),
        "features": np.array([node.get("split_feature", -1) for node in met], dtype=np.int64),
        "thresholds": np.array([node.get("threshold", 0.0) for node in met], dtype=np.float64),
        "missing_left": np.array([_missing_goes_left(node) for node in met], dtype=np.bool_),
        "covers": np.array(
            [node.get("internal_count", node.get("leaf_count", 1)) for node in met],
            dtype=np.float64,
        ),
        "values": np.array([node.get("leaf_value", 0.0) for node in met], dtype=np.float64),
    }


def _missing_goes_left(node: dict[str, Any]) -> bool:
    """Where no value was missing in training LightGBM takes a missing one for 0."""
    if node.get("missing_type") == "NaN":
        return bool(node["default_left"])
    return bool(node.get("threshold", 0.0) >= 0)
