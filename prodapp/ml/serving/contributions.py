"""What each variable adds to an answer: the product's own explainers, kept ready for a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.ml import treeshap
from prodapp.ml.class_codes import EXPLAINED
from prodapp.ml.ensembles import answer_on_scale, collect_forest, compared, explained_output
from prodapp.ml.explainers import Explainer
from prodapp.ml.fitting import answers_of, probabilities_of
from prodapp.ml.preprocessing import sum_by_source
from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contributions:
    """For each row ``base`` plus the sum of its ``values`` (rows, variables) is its answer, on the
    scale of :attr:`prodapp.ml.explainers.Explainer.scale`."""

    base: FloatArray
    values: FloatArray
    scale: str


@dataclass
class Contributor:
    """Explains rows of one fitted pipeline; ``background`` are rows of its training."""

    pipeline: Pipeline
    columns: Sequence[Column]
    background: pd.DataFrame

    def explain(self, X: pd.DataFrame) -> Contributions:
        """The contributions of the rows of ``X``, which add up."""
        encoded = np.asarray(self.pipeline[0].transform(X), dtype=np.float64)
        # One for each call: it counts what it has explained.
        explainer = Explainer(self.pipeline, self.columns, self.background, 1, 0)
        if self._kernel is None:
            values = explainer.explain(encoded, on_share=lambda _: None)
        else:
            found = self._kernel.values(
                compared(explainer.estimator, encoded), n_jobs=1, on_share=lambda _: None
            )
            values = sum_by_source(found, explainer.sources, len(self.columns))
        answers = self._answers(explainer, encoded)
        return Contributions(answers - values.sum(axis=1), values, explainer.scale)

    @cached_property
    def _kernel(self) -> treeshap.Kernel | None:
        estimator = self.pipeline[-1]
        explainer = Explainer(self.pipeline, self.columns, self.background, 1, 0)
        if not explainer.has_trees or not treeshap.is_available():
            return None
        if explainer.scale == "log_ratio":  # it takes the trees of all classes
            return None
        forest = collect_forest(estimator, output=explained_output(estimator))
        return treeshap.Kernel.of(forest)

    def _answers(self, explainer: Explainer, encoded: FloatArray) -> FloatArray:
        estimator: Any = explainer.estimator
        if explainer.scale == "log_ratio":
            logarithms = np.log(np.clip(probabilities_of(estimator, encoded), 1e-15, 1))
            ratios: FloatArray = logarithms[:, EXPLAINED] - logarithms.mean(axis=1)
            return ratios
        if explainer.scale != "log_odds":
            return np.asarray(answers_of(estimator, encoded), dtype=np.float64)
        if explainer.has_trees:
            return answer_on_scale(estimator, encoded)
        share = np.clip(answers_of(estimator, encoded), 1e-15, 1 - 1e-15)
        return np.log(share / (1 - share))
