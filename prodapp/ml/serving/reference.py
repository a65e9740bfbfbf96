"""What a training run leaves for predictions: inputs, errors on held-out samples, rows like those.

Kept with the version as one JSON document, made of numbers and texts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble._forest import ForestRegressor
from sklearn.pipeline import Pipeline

from prodapp.ml.ensembles import collect_forest, compared
from prodapp.ml.joint import HeldOutAnswers
from prodapp.ml.samples import Samples
from prodapp.ml.serving.calibration import (
    Calibration,
    ClassCalibration,
    calibrate,
    calibrate_classes,
)
from prodapp.ml.serving.forest import FlatForest
from prodapp.ml.serving.joint import JointCalibration, calibrate_joint
from prodapp.ml.serving.novelty import Neighbourhood, usual_distance
from prodapp.ml.serving.variables import Row, Variable, describe_variable, plain, row_of

FloatArray = npt.NDArray[np.float64]

__all__ = ["Reference", "make_reference"]

FORMAT: Final = 1
#: Held-out samples that intervals are made of, and rows that are kept to compare with.
_MAX_CALIBRATED: Final = 5_000
_MAX_CELLS: Final = 20_000
_MIN_ROWS, _MAX_ROWS = 50, 400
_N_JUDGED: Final = 500


@dataclass(frozen=True)
class Reference:
    """``rows`` are training rows in the order of ``variables``; ``usual_distance`` is the limit of
    :mod:`~prodapp.ml.serving.novelty`. ``reach`` is how many rows before it a row needs.
    ``is_ordered``: the held-out samples came later than the training, so an interval says what
    was true then; ``target_low`` and ``target_high`` are the least and greatest target learned.
    """

    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    usual_distance: float
    reach: int
    target_class: str | None
    calibration: Calibration | None
    classes: ClassCalibration | None
    joint: JointCalibration | None
    target_low: float
    target_high: float
    residual_spread: float
    is_ordered: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "variables": [variable.to_json() for variable in self.variables],
            "rows": [[plain(value) for value in row] for row in self.rows],
            "usual_distance": self.usual_distance,
            "reach": self.reach,
            "target_class": self.target_class,
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "classes": None if self.classes is None else self.classes.to_json(),
            "joint": None if self.joint is None else self.joint.to_json(),
            "target_low": self.target_low,
            "target_high": self.target_high,
            "residual_spread": self.residual_spread,
            "is_ordered": self.is_ordered,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Reference:
        variables = tuple(Variable.from_json(item) for item in document["variables"])
        names = [variable.name for variable in variables]
        calibration, classes = document["calibration"], document["classes"]
        joint = document.get("joint")
        return cls(
            variables=variables,
            rows=tuple(
                row_of(variables, dict(zip(names, row, strict=True)))[0] for row in document["rows"]
            ),
            usual_distance=document["usual_distance"],
            reach=document["reach"],
            target_class=document["target_class"],
            calibration=None if calibration is None else Calibration.from_json(calibration),
            classes=None if classes is None else ClassCalibration.from_json(classes),
            joint=None if joint is None else JointCalibration.from_json(joint),
            target_low=document["target_low"],
            target_high=document["target_high"],
            residual_spread=document["residual_spread"],
            is_ordered=document["is_ordered"],
        )


def make_reference(
    pipeline: Pipeline, samples: Samples, held_out: HeldOutAnswers, *, random_state: int
) -> Reference:
    """The reference of a fitted pipeline (without the step of series) and its ``samples``.

    ``held_out`` are its answers for the held-out samples.
    """
    predicted = held_out.predicted
    rng = np.random.default_rng(random_state)
    names = [column.name for column in samples.columns]
    variables = tuple(
        describe_variable(column, samples.X_train[column.name]) for column in samples.columns
    )
    n_rows = int(np.clip(_MAX_CELLS // max(len(names), 1), _MIN_ROWS, _MAX_ROWS))
    rows = _rows(samples.X_train[names], rng, n_rows)
    calibrated = _drawn(len(predicted), rng, _MAX_CALIBRATED)
    actual, answers = samples.y_test[calibrated], predicted[calibrated]
    is_class = samples.target_class is not None
    spreads = None if is_class else _spreads(pipeline, samples.X_test.iloc[calibrated])
    return Reference(
        variables=variables,
        rows=rows,
        usual_distance=_usual_distance(rows, variables, samples.X_test[names], rng),
        reach=samples.series.reach,
        target_class=samples.target_class,
        calibration=(
            None if is_class else calibrate(actual, answers, spreads, learned=samples.y_train)
        ),
        classes=calibrate_classes(actual, answers) if is_class else None,
        joint=_joint(samples, held_out, calibrated),
        target_low=float(samples.y_train.min()),
        target_high=float(samples.y_train.max()),
        residual_spread=float(np.std(samples.y_test - predicted)),
        is_ordered=samples.plan.is_ordered,
    )


def _joint(
    samples: Samples, held_out: HeldOutAnswers, calibrated: npt.NDArray[np.intp]
) -> JointCalibration | None:
    if samples.classes is None or held_out.probabilities is None:
        return None
    codes = samples.classes.codes[samples.test_rows][calibrated]
    return calibrate_joint(samples.classes.labels, codes, held_out.probabilities[calibrated])


def spread_forest(estimator: Any) -> FlatForest | None:
    """The forest whose trees disagree more where answers are less sure; None for others."""
    if not isinstance(estimator, ForestRegressor):
        return None
    return FlatForest.of(collect_forest(estimator))


def _spreads(pipeline: Pipeline, X: pd.DataFrame) -> FloatArray | None:
    forest = spread_forest(pipeline[-1])
    if forest is None:
        return None
    return forest.answer(compared(pipeline[-1], pipeline[0].transform(X)))[1]


def _usual_distance(
    rows: tuple[Row, ...], variables: tuple[Variable, ...], X: pd.DataFrame, rng: Any
) -> float:
    space = Neighbourhood.of(rows, [variable.kind for variable in variables])
    judged = _rows(X, rng, _N_JUDGED)
    return usual_distance(np.array([space.distance(row) for row in judged]))


def _rows(X: pd.DataFrame, rng: Any, limit: int) -> tuple[Row, ...]:
    drawn = X.iloc[_drawn(len(X), rng, limit)]
    return tuple(list(row) for row in drawn.itertuples(index=False, name=None))


def _drawn(n: int, rng: Any, limit: int) -> npt.NDArray[np.intp]:
    if n <= limit:
        return np.arange(n)
    drawn: npt.NDArray[np.intp] = np.sort(rng.choice(n, limit, replace=False))
    return drawn
