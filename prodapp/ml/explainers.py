"""The right way to SHAP values for each estimator: closed form, kernel, the library's own, asking.

- linear: coefficient times distance from the mean, exact;
- scikit-learn's trees: the compiled kernel, or the shap package (:mod:`prodapp.ml.explanation`);
- XGBoost and LightGBM: their own (:mod:`prodapp.ml.boosters`);
- all others: estimates from asking the model (:mod:`prodapp.ml.sampled_shap`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from prodapp.exceptions import N_
from prodapp.ml import boosters, sampled_shap
from prodapp.ml.budget import MIN_EXPLAINED
from prodapp.ml.class_codes import EXPLAINED
from prodapp.ml.ensembles import answer_on_scale, is_known
from prodapp.ml.explanation import forest_shap, linear_shap
from prodapp.ml.fitting import answers_of, probabilities_of
from prodapp.ml.preprocessing import source_positions, sum_by_source
from prodapp.ml.progress import part_of
from prodapp.ml.table import Column, Remark

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

#: Background samples of estimated SHAP values are quantiles of so many training samples.
_N_BACKGROUND_FROM: Final = 2_000


@dataclass
class Explainer:
    """Explains encoded samples of one fitted pipeline, by source variable."""

    pipeline: Pipeline
    columns: Sequence[Column]
    X_train: pd.DataFrame
    n_jobs: int
    random_state: int
    _is_by_package: bool = False
    _parts: list[FloatArray] = field(default_factory=list)

    @property
    def estimator(self) -> Any:
        return self.pipeline[-1]

    @property
    def has_trees(self) -> bool:
        """Whether the compiled kernel knows its trees."""
        return is_known(self.estimator)

    @property
    def _is_linear(self) -> bool:
        return hasattr(self.estimator, "coef_")

    @property
    def _is_sampled(self) -> bool:
        is_booster = boosters.is_booster(self.estimator)
        return not (self._is_linear or self.has_trees or is_booster)

    @property
    def n_classes(self) -> int:
        """The classes that the model tells apart, 1 for numbers."""
        return len(self.estimator.classes_) if is_classifier(self.estimator) else 1

    @property
    def scale(self) -> str:
        """What the values add up to.

        The "answer"; of a class its "probability" or "log_odds"; where boosted and linear models
        know more than two classes the "log_ratio", the logarithm of the class's probability over
        the geometric mean of all classes', since their scores have no zero of their own.
        """
        if not is_classifier(self.estimator):
            return "answer"
        is_booster = boosters.is_booster(self.estimator)
        is_boosted = isinstance(self.estimator, HistGradientBoostingClassifier) or is_booster
        if not (is_boosted or self._is_linear):
            return "probability"
        return "log_odds" if self.n_classes == 2 else "log_ratio"

    @cached_property
    def sources(self) -> npt.NDArray[np.intp]:
        """For each encoded column the number of what it comes from."""
        return source_positions(self.pipeline[0], [column.name for column in self.columns])

    def n_affordable(self, limit: int) -> int:
        """How many samples to explain at most, of ``limit``."""
        if not self._is_sampled:
            return limit
        return min(limit, max(MIN_EXPLAINED, sampled_shap.n_affordable(len(self.columns))))

    def explain(self, encoded: FloatArray, *, on_share: OnShare) -> FloatArray:
        """SHAP values (samples, variables) of the answer, or of the explained class."""
        if self.scale == "log_ratio":
            values: FloatArray = self._ratios(encoded, on_share)[EXPLAINED]
            return values
        return self._explain(encoded, EXPLAINED, on_share)

    def explain_classes(self, encoded: FloatArray, *, on_share: OnShare) -> FloatArray:
        """SHAP values (classes, samples, variables) of a model of several classes."""
        if self.scale == "log_ratio":
            return self._ratios(encoded, on_share)
        return self._each_class(encoded, on_share)

    def _ratios(self, encoded: FloatArray, on_share: OnShare) -> FloatArray:
        if boosters.is_booster(self.estimator):
            found = boosters.shap_values(
                self.estimator, encoded, n_jobs=self.n_jobs, on_share=on_share
            )
            scores = self._by_variable(found)
        else:
            scores = self._each_class(encoded, on_share)
        centred: FloatArray = scores - scores.mean(axis=0)
        return centred

    def _each_class(self, encoded: FloatArray, on_share: OnShare) -> FloatArray:
        n, part = self.n_classes, len(self._parts)
        found = [
            self._explain(encoded, code, part_of(on_share, code / n, (code + 1) / n), part=part)
            for code in range(n)
        ]
        return np.stack(found)

    def _explain(
        self, encoded: FloatArray, code: int, on_share: OnShare, *, part: int | None = None
    ) -> FloatArray:
        if self._is_sampled:
            # The same orders of variables for every class, so that the values of all cancel out.
            part = len(self._parts) if part is None else part
            return self._sample(encoded, code, on_share, part=part)
        if self._is_linear:
            background = self.pipeline[0].transform(self.X_train)
            values = linear_shap(self.estimator, encoded, background=background, output=code)
        elif boosters.is_booster(self.estimator):
            values = boosters.shap_values(
                self.estimator, encoded, n_jobs=self.n_jobs, on_share=on_share
            )[0]
        else:
            code = code if is_classifier(self.estimator) else 0
            found = forest_shap(
                self.estimator,
                encoded,
                predicted=answer_on_scale(self.estimator, encoded, output=code),
                n_jobs=self.n_jobs,
                on_share=on_share,
                output=code,
            )
            values, self._is_by_package = found.values, not found.is_compiled
        return self._by_variable(values)

    def _by_variable(self, values: FloatArray) -> FloatArray:
        return sum_by_source(values, self.sources, len(self.columns))

    def native(self) -> FloatArray:
        """The estimator's own importances by variable; zeros where it has none."""
        own = boosters.native_importances(self.estimator)
        if own is None:
            return np.zeros(len(self.columns))
        return self._by_variable(own)

    def remarks(self) -> list[Remark]:
        """What a reader of the values explained so far should know."""
        if self._is_by_package:
            return [_remark_package()]
        if self._parts:
            return [_remark_estimated(np.concatenate(self._parts, axis=1))]
        return []

    def _sample(
        self, encoded: FloatArray, code: int, on_share: OnShare, *, part: int
    ) -> FloatArray:
        # What is made of two variables plays for itself, and its value is shared.
        players, player_of = np.unique(self.sources, return_inverse=True)
        found = sampled_shap.shap_values(
            partial(_answers, self.estimator, code),
            encoded,
            self._background,
            player_of,
            n_variables=len(players),
            n_jobs=self.n_jobs,
            seed=(self.random_state, part),
            on_share=on_share,
        )
        if code == EXPLAINED:
            self._parts.append(found.parts)
        return sum_by_source(found.values, players, len(self.columns))

    @cached_property
    def _background(self) -> FloatArray:
        rng = np.random.default_rng(self.random_state)
        n_drawn = min(_N_BACKGROUND_FROM, len(self.X_train))
        drawn = np.sort(rng.choice(len(self.X_train), n_drawn, replace=False))
        encoded: FloatArray = self.pipeline[0].transform(self.X_train.iloc[drawn])
        return encoded[sampled_shap.background_rows(answers_of(self.estimator, encoded))]


def _answers(estimator: Any, code: int, X: FloatArray) -> FloatArray:
    if is_classifier(estimator):
        return probabilities_of(estimator, X)[:, code]
    return answers_of(estimator, X)


def _remark_package() -> Remark:
    message = N_(
        "The compiled SHAP kernel is not available here (numba is missing) or did not add up: the "
        "shap package computed the same values, many times slower."
    )
    return Remark("slow_explanation", "info", message, {})


def _remark_estimated(parts: FloatArray) -> Remark:
    message = N_(
        "This algorithm has no exact SHAP values: they were estimated on %(n)d samples, from "
        "%(orders)d orders of the variables each. The standard error of an importance is %(error)s "
        "at most; noise alone adds up to %(bias)s."
    )
    errors, biases = sampled_shap.importance_uncertainty(parts)
    params = {
        "n": parts.shape[1],
        "orders": sampled_shap.N_ORDERS,
        "error": float(errors.max()),
        "bias": float(np.maximum(biases, 0).max()),
    }
    return Remark("estimated_explanation", "info", message, params)
