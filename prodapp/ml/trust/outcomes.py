"""What the target would have been with other settings, by models that have not seen the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import fit_pipeline, predict
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.table import Column
from prodapp.ml.trust.additive import Additive
from prodapp.ml.trust.prequential import random_forest

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_N_FOLDS: Final = 4
_N_TREES: Final = 50
_MAX_ROWS: Final = 5_000
#: Rows asked about at a time: the functions of each row are held meanwhile.
_AT_ONCE: Final = 20_000


class Outcomes:
    """Forests of the folds: what each says of rows that it has not learned from.

    ``X`` (samples, variables) and ``y`` (samples,) are in the order of ``plan``, whose folds keep
    apart what belongs together; of many rows some are taken. Dates are left out.
    """

    def __init__(
        self,
        spec: Specification,
        columns: Sequence[Column],
        X: pd.DataFrame,
        y: FloatArray,
        plan: Plan,
        n_jobs: int,
    ) -> None:
        rows = np.arange(len(y))[:: -(-len(y) // _MAX_ROWS)]
        self.columns = [column for column in columns if column.kind != "date"]
        columns = self.columns
        X, y, plan = X.iloc[rows][[c.name for c in columns]], y[rows], plan.taken(rows)
        self.X, self.y, self.n_jobs = X, y, n_jobs
        self.is_ordered = plan.scheme != "shuffled"
        self._fitted = []
        forest = random_forest(spec, n_trees=_N_TREES)
        folds = plan.folds(len(y), n_folds=_N_FOLDS, random_state=spec.random_state)
        for learned, tested in folds:
            pipeline = build_pipeline(forest, columns, n_samples=len(learned), n_jobs=n_jobs)
            # Trees share the part of a variable with those that go along with it; a sum of smooth
            # functions does not, and the forest finds what that leaves.
            smooth = Additive(columns).fit(X.iloc[learned], y[learned])
            left = y[learned] - smooth.predict(X.iloc[learned])
            fit_pipeline(pipeline, X.iloc[learned], left, on_share=lambda _: None)
            self._fitted.append((smooth, pipeline, tested))
        #: The rows that a forest may be asked about, in their order.
        self.tested = np.sort(np.concatenate([tested for _, tested in folds]))

    def answers(self, changed: pd.DataFrame) -> FloatArray:
        """(rows,) for a frame like ``X``; NaN for rows that are never tested."""
        found = np.full(len(self.y), np.nan)
        for smooth, pipeline, tested in self._fitted:
            rows = changed.iloc[tested]
            found[tested] = smooth.predict(rows) + predict(
                pipeline, rows, n_jobs=self.n_jobs, on_share=lambda _: None
            )
        return found

    def answers_with(self, settings: Sequence[Mapping[str, Any]], rows: IntArray) -> FloatArray:
        """(rows, settings): what each of ``rows``, which must be tested ones, would have been with
        each of ``settings`` (values by variable), all else as it was."""
        found = np.full((len(rows), len(settings)), np.nan)
        for smooth, pipeline, tested in self._fitted:
            places = np.flatnonzero(np.isin(rows, tested))
            if not len(places):
                continue
            mine = self.X.iloc[rows[places]]
            n_settings = max(1, _AT_ONCE // len(mine))
            for start in range(0, len(settings), n_settings):
                part = settings[start : start + n_settings]
                asked = pd.concat([mine.assign(**setting) for setting in part], ignore_index=True)
                said = smooth.predict(asked) + predict(
                    pipeline, asked, n_jobs=self.n_jobs, on_share=lambda _: None
                )
                found[places, start : start + len(part)] = said.reshape(len(part), -1).T
        return found
