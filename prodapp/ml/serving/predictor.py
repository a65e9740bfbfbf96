"""A version ready to answer: its pipeline from the artifact, its reference, and the quick ways."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from prodapp.ml.ensembles import collect_forest, explained_output, is_known
from prodapp.ml.features.series import SeriesFeatures
from prodapp.ml.fitting import answers_of, probabilities_of
from prodapp.ml.serving.contributions import Contributions, Contributor
from prodapp.ml.serving.encoding import RowEncoder, row_encoder
from prodapp.ml.serving.forest import FlatForest
from prodapp.ml.serving.joint import ClassShare
from prodapp.ml.serving.novelty import Neighbourhood
from prodapp.ml.serving.reference import Reference
from prodapp.ml.serving.variables import Row, Variable, rows_frame
from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]

#: From so many rows on they are encoded together.
_MANY: Final = 8
_CHECKED_ROWS: Final = 5


@dataclass(frozen=True)
class Surprise:
    """Why a row is new to a model.

    ``kind``: "range" (a number beyond those learned from), "category" (a value never met),
    "missing" (never missing before), "combination" (each value is usual, all together are not),
    "rows" (rows before it are wanted, which the request does not hold).
    """

    kind: str
    variable: str | None = None
    value: Any = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Answer:
    """The answer for one row: a number, or the probability of the target's class.

    ``low`` and ``high`` are its interval, ``None`` where too few samples were held out to tell.
    ``possible`` are the classes that cannot be excluded: (the class, another). ``classes`` are all
    of them, the likeliest first, where the model knows several.
    """

    value: float
    low: float | None
    high: float | None
    possible: tuple[bool, bool] | None
    surprises: tuple[Surprise, ...]
    classes: tuple[ClassShare, ...] | None = None


class Predictor:
    """Answers rows, from any number of threads at a time."""

    def __init__(self, pipeline: Pipeline, reference: Reference) -> None:
        self.pipeline, self.reference = pipeline, reference
        self.variables: tuple[Variable, ...] = reference.variables
        has_series = isinstance(pipeline[0], SeriesFeatures)
        self._series: SeriesFeatures | None = pipeline[0] if has_series else None
        self._inner: Pipeline = pipeline[1:] if has_series else pipeline
        self._estimator: Any = self._inner[-1]
        self._rounds = is_known(self._estimator) and not _is_histogram(self._estimator)
        self._is_log_odds = _is_log_odds(self._estimator)
        self._forest = self._flat_forest()
        self._encode = self._row_encoder()
        self._space = Neighbourhood.of(reference.rows, [v.kind for v in self.variables])
        self._explaining = threading.Lock()

    @property
    def n_bytes(self) -> int:
        """Roughly the memory that it holds, with what explaining adds."""
        return 20_000_000 if self._forest is None else 2_000_000 + 12 * self._forest.n_bytes

    @property
    def highest_level(self) -> float:
        """The largest level that intervals can have."""
        made = self.reference.calibration or self.reference.classes
        return 0.0 if made is None else made.scores.highest_level

    def answer(self, rows: Sequence[Row], *, level: float) -> list[Answer]:
        """Answers of rows, which follow each other where the model looks at earlier ones."""
        encoded = self._encoded(rows)
        values, spreads = self._estimate(encoded, n_jobs=1)
        answers = [
            self._answer(value, spread, row, place, level=level)
            for place, (value, spread, row) in enumerate(
                zip(values.tolist(), spreads.tolist(), rows, strict=True)
            )
        ]
        joint = self.reference.joint
        if joint is None:
            return answers
        return [
            replace(answer, classes=joint.shares(probabilities, level=level))
            for answer, probabilities in zip(
                answers, probabilities_of(self._estimator, encoded), strict=True
            )
        ]

    def values(self, rows: Sequence[Row], *, n_jobs: int = 1) -> tuple[FloatArray, FloatArray]:
        """Answers alone, and the spreads between the trees of a forest (else 0)."""
        return self._estimate(self._encoded(rows), n_jobs=n_jobs)

    def values_of_frame(self, X: pd.DataFrame, *, n_jobs: int = 1) -> tuple[FloatArray, FloatArray]:
        """As :meth:`values`, of a frame of the variables with the index 0, 1, 2, …"""
        return self._estimate(self._encoded_frame(X), n_jobs=n_jobs)

    def _encoded(self, rows: Sequence[Row]) -> FloatArray:
        if self._encode is not None and len(rows) <= _MANY:
            return np.stack([self._encode(row) for row in rows])
        return self._encoded_frame(rows_frame(self.variables, rows))

    def _encoded_frame(self, X: pd.DataFrame) -> FloatArray:
        whole = X if self._series is None else self._series.transform(X)
        return np.asarray(self._inner[0].transform(whole), dtype=np.float64)

    def bounds(
        self, values: FloatArray, spreads: FloatArray, *, level: float
    ) -> tuple[FloatArray, FloatArray]:
        """The intervals of many answers; NaN where there are too few samples to tell."""
        if self.reference.calibration is not None:
            return self.reference.calibration.intervals(values, spreads, level=level)
        bounds = np.full((len(values), 2), np.nan)
        classes = self.reference.classes
        if classes is not None:
            for place, value in enumerate(values.tolist()):
                bounds[place] = classes.interval(value, level=level) or (np.nan, np.nan)
        return bounds[:, 0], bounds[:, 1]

    def explain(self, rows: Sequence[Row], *, is_last_alone: bool = False) -> Contributions:
        """What each variable adds to the answers of ``rows``, or to that of the last one alone."""
        X = rows_frame(self.variables, rows)
        with self._explaining:
            contributor = self._contributor
        whole = X if self._series is None else self._series.transform(X)
        return contributor.explain(whole.iloc[-1:] if is_last_alone else whole)

    def surprises(self, row: Row, *, place: int) -> tuple[Surprise, ...]:
        """What is new in a row, the ``place``-th (from 0) of those that came together."""
        found = [
            surprise
            for variable, value in zip(self.variables, row, strict=True)
            if (surprise := _surprise(variable, value)) is not None
        ]
        if place < self.reference.reach:
            found.append(Surprise("rows", value=self.reference.reach))
        if not found and self._space.distance(row) > self.reference.usual_distance:
            found.append(Surprise("combination"))
        return tuple(found)

    def _answer(self, value: float, spread: float, row: Row, place: int, *, level: float) -> Answer:
        interval: tuple[float, float] | None = None
        possible = None
        if self.reference.calibration is not None:
            interval = self.reference.calibration.interval(value, spread, level=level)
        elif self.reference.classes is not None:
            interval = self.reference.classes.interval(value, level=level)
            possible = self.reference.classes.possible(value, level=level)
        low, high = interval or (None, None)
        return Answer(value, low, high, possible, self.surprises(row, place=place))

    def _estimate(self, encoded: FloatArray, *, n_jobs: int) -> tuple[FloatArray, FloatArray]:
        if self._forest is None:
            return np.asarray(_plain_answers(self._estimator, encoded)), np.zeros(len(encoded))
        if self._rounds:
            encoded = encoded.astype(np.float32).astype(np.float64)
        values, spreads = self._forest.answer(encoded, n_jobs=n_jobs)
        return (expit(values) if self._is_log_odds else values), spreads

    def _flat_forest(self) -> FlatForest | None:
        is_joint = self.reference.joint is not None
        if not is_known(self._estimator) or (is_joint and self._is_log_odds):
            return None  # scores of several classes are no log-odds
        output = explained_output(self._estimator)
        return FlatForest.of(collect_forest(self._estimator, output=output))

    def _row_encoder(self) -> RowEncoder | None:
        if self._series is not None:
            return None
        rows = self.reference.rows[:_CHECKED_ROWS]
        return row_encoder(self._inner[0], self.variables, rows)

    @cached_property
    def _contributor(self) -> Contributor:
        background = rows_frame(self.variables, self.reference.rows)
        if self._series is not None:
            background = self._series.transform(background)
        return Contributor(self._inner, [_column(v) for v in self.variables], background)


def _surprise(variable: Variable, value: Any) -> Surprise | None:
    if value is None or value != value:
        return None if variable.has_missing else Surprise("missing", variable.name)
    if variable.is_number:
        if variable.low is None or variable.high is None:
            return Surprise("category", variable.name, value)
        if not variable.low <= value <= variable.high:
            return Surprise("range", variable.name, value, variable.low, variable.high)
    elif not variable.is_date and value not in variable.seen:
        return Surprise("category", variable.name, value)
    return None


def _plain_answers(estimator: Any, encoded: FloatArray) -> FloatArray:
    if len(encoded) > _MANY:
        return answers_of(estimator, encoded)
    # Looking for OpenMP's pools, which answers_of does, takes longer than some rows do.
    if is_classifier(estimator):
        found: FloatArray = estimator.predict_proba(encoded)[:, 1].astype(np.float64)
        return found
    numbers: FloatArray = np.asarray(estimator.predict(encoded), dtype=np.float64)
    return numbers


def _is_histogram(estimator: Any) -> bool:
    return type(estimator).__name__.startswith("HistGradientBoosting")


def _is_log_odds(estimator: Any) -> bool:
    return is_classifier(estimator) and "GradientBoosting" in type(estimator).__name__


def _column(variable: Variable) -> Column:
    return Column(
        name=variable.name,
        kind=variable.kind,
        role="feature",
        role_reason=None,
        n_missing=0,
        n_distinct=len(variable.seen),
        minimum=variable.low,
        maximum=variable.high,
        mean=None,
        examples=variable.seen[:3],
        unit=variable.unit,
    )
