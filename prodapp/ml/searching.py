"""What to train, where that is to be found out: the algorithm, its hyperparameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.algorithms import AUTO
from prodapp.ml.budget import Clock
from prodapp.ml.comparison import Comparison, compare
from prodapp.ml.samples import Samples
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.table import Column
from prodapp.ml.tuning import Tuning, configurations, tune

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

_SHARE_OF_CHOOSING: Final = 0.8


@dataclass
class Search:
    """What to train, chosen among the training samples; ``share_done`` is that of fitting."""

    samples: Samples
    clock: Clock
    on_share: OnShare
    n_jobs: int
    share_done: float = 0.0

    def algorithm(self, spec: Specification) -> tuple[Specification, Comparison | None]:
        """The best of several where that is asked for."""
        if spec.algorithm != AUTO:
            return spec, None
        comparison = compare(spec, *self._learned, **self._next_part())
        self.samples.remarks += comparison.remarks
        return replace(spec, algorithm=comparison.winner), comparison

    def hyperparameters(self, spec: Specification) -> tuple[Specification, Tuning | None]:
        """The best configuration where a search is asked for and there is something to search."""
        if spec.tuning == "none" or len(configurations(spec)) == 1:
            return spec, None
        tuning = tune(spec, *self._learned, **self._next_part())
        self.samples.remarks += tuning.remarks
        return replace(spec, hyperparameters=tuning.winner), tuning

    @property
    def _learned(self) -> tuple[list[Column], pd.DataFrame, FloatArray, Plan]:
        samples = self.samples
        return samples.columns, samples.X_train, samples.learned_target, samples.learning_plan

    def _next_part(self) -> dict[str, Any]:
        begun = self.share_done
        self.share_done += (1 - begun) * _SHARE_OF_CHOOSING
        span = self.share_done - begun

        def on_share(share: float) -> None:
            self.on_share(begun + span * share)

        return {"n_jobs": self.n_jobs, "clock": self.clock, "on_share": on_share}
