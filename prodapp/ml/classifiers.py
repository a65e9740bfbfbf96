"""Algorithms for a target that is a class or not: unfitted estimators that answer probabilities.

Trees and forests average shares of the class, so their SHAP values are of the probability; boosted
trees and the linear ones add up log-odds, so theirs are of these. The others are explained by their
probability.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

Chosen = Mapping[str, Any]

_MAX_ITERATIONS: Final = 1_000


def _gradient_boosting(chosen: Chosen, random_state: int) -> BaseEstimator:
    return HistGradientBoostingClassifier(**chosen, early_stopping=False, random_state=random_state)


def _xgboost(chosen: Chosen, random_state: int) -> BaseEstimator:
    package = importlib.import_module("xgboost")
    return package.XGBClassifier(**chosen, tree_method="hist", random_state=random_state, n_jobs=1)


def _lightgbm(chosen: Chosen, random_state: int) -> BaseEstimator:
    package = importlib.import_module("lightgbm")
    return package.LGBMClassifier(
        **chosen,
        random_state=random_state,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )


def _decision_tree(chosen: Chosen, random_state: int) -> BaseEstimator:
    return DecisionTreeClassifier(**chosen, random_state=random_state)


def _linear(_chosen: Chosen, _random_state: int) -> BaseEstimator:
    return LogisticRegression(C=np.inf, max_iter=_MAX_ITERATIONS)


def _ridge(chosen: Chosen, _random_state: int) -> BaseEstimator:
    strength = 1 / chosen["alpha"] if chosen["alpha"] else np.inf
    return LogisticRegression(C=strength, max_iter=_MAX_ITERATIONS)


def _elastic_net(chosen: Chosen, random_state: int) -> BaseEstimator:
    return LogisticRegressionCV(
        l1_ratios=(chosen["l1_ratio"],),
        cv=3,
        scoring="neg_log_loss",
        solver="saga",
        tol=1e-3,
        max_iter=_MAX_ITERATIONS,
        random_state=random_state,
        use_legacy_attributes=False,
    )


def _k_neighbors(chosen: Chosen, _random_state: int) -> BaseEstimator:
    return KNeighborsClassifier(**chosen, algorithm="brute")


def _support_vectors(chosen: Chosen, _random_state: int) -> BaseEstimator:
    gamma = "scale" if chosen["gamma"] is None else chosen["gamma"]
    # Distances become probabilities by what they were worth on parts left out.
    return CalibratedClassifierCV(SVC(C=chosen["C"], gamma=gamma), cv=3, ensemble=False)


def _neural_network(chosen: Chosen, random_state: int) -> BaseEstimator:
    return MLPClassifier(**network(chosen), random_state=random_state)


def network(chosen: Chosen) -> dict[str, Any]:
    """The arguments of scikit-learn's networks, for numbers and for classes."""
    return {
        "hidden_layer_sizes": (chosen["n_units"],) * chosen["n_layers"],
        "alpha": chosen["alpha"],
        "early_stopping": True,
        "n_iter_no_change": 15,
        "max_iter": 300,
    }


CLASSIFIERS: Final[Mapping[str, Callable[[Chosen, int], BaseEstimator]]] = {
    "gradient_boosting": _gradient_boosting,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "decision_tree": _decision_tree,
    "linear_regression": _linear,
    "ridge": _ridge,
    "elastic_net": _elastic_net,
    "k_neighbors": _k_neighbors,
    "support_vectors": _support_vectors,
    "neural_network": _neural_network,
}
