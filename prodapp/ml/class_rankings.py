"""What each variable does to the probability of each class, by the one model of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.ml.explainers import Explainer
from prodapp.ml.explanation import NO_ORDER, dependence
from prodapp.ml.samples import Samples

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
OnShare = Callable[[float], None]

#: Samples explained for every class.
_MAX_EXPLAINED: Final = 500


@dataclass(frozen=True)
class ClassEffect:
    """A variable in one class: mean |SHAP| on the explainer's scale, its ``share`` of all that
    moves this class, and which way it pushes its probability."""

    feature: str
    importance: float
    share: float
    effect: str
    strength: float


@dataclass(frozen=True)
class ClassRankings:
    """``overall`` holds (variable, share), the strongest first: half of what a variable moves in
    all classes together, which for probabilities is how much of them it takes from some classes and
    gives to others; ``by_class`` the variables of each class by code, in the same order."""

    overall: tuple[tuple[str, float], ...]
    by_class: tuple[tuple[ClassEffect, ...], ...]
    n_explained: int


def rank_by_class(
    pipeline: Pipeline,
    samples: Samples,
    rows: IntArray,
    *,
    n_jobs: int,
    random_state: int,
    on_share: OnShare,
) -> ClassRankings:
    """Explain at most some hundred of the held-out samples at ``rows`` for every class."""
    explainer = Explainer(pipeline, samples.columns, samples.X_train, n_jobs, random_state)
    n_most = max(1, explainer.n_affordable(_MAX_EXPLAINED * explainer.n_classes))
    n_explained = min(len(rows), _MAX_EXPLAINED, -(-n_most // explainer.n_classes))
    rng = np.random.default_rng(random_state)
    X = samples.X_test.iloc[np.sort(rng.permutation(rows)[:n_explained])]
    values = explainer.explain_classes(pipeline[0].transform(X), on_share=on_share)
    moved = np.abs(values).mean(axis=1)
    names = [column.name for column in samples.columns]
    total = moved.sum(axis=0) / 2
    order = sorted(range(len(names)), key=lambda place: (-total[place], names[place]))
    return ClassRankings(
        overall=tuple((names[place], _share(total[place], total.sum())) for place in order),
        by_class=tuple(_effects(samples, X, of_class, order) for of_class in values),
        n_explained=n_explained,
    )


def _effects(
    samples: Samples, X: pd.DataFrame, values: FloatArray, order: Sequence[int]
) -> tuple[ClassEffect, ...]:
    importances = np.abs(values).mean(axis=0)
    found = []
    for place in order:
        column, shape = samples.columns[place], NO_ORDER
        if column.kind == "number":
            shape = dependence(X[column.name].to_numpy(dtype=np.float64), values[:, place])
        found.append(
            ClassEffect(
                feature=column.name,
                importance=float(importances[place]),
                share=_share(importances[place], importances.sum()),
                effect=shape.effect,
                strength=shape.strength,
            )
        )
    return tuple(found)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0
