"""A search for the hyperparameters that answer best, inside the training samples.

Every configuration is judged by the folds that algorithms are compared on, parted as the whole
validation is: in time, by group, else at random. The held-out samples have no part in the choice,
so what is reported of them stays honest.

- *grid*: every combination of the values worth searching, in random order;
- *random*: as many drawn combinations as asked for;
- *halving*: the same, but all on few samples first, and a third of them on three times as many,
  until the best are judged on all (Jamieson & Talwalkar 2016).

The defaults always take part, to the end. What a person has set stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import ParameterGrid, ParameterSampler

from prodapp.exceptions import N_
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.budget import Clock
from prodapp.ml.comparison import N_FOLDS, contend, thinned
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.table import Column, Remark
from prodapp.ml.validation import Interval

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]
Configuration = Mapping[str, Any]

#: Of each round of halving this part goes on, on so many times the samples.
_FACTOR: Final = 3
#: No round has fewer samples.
_MIN_SAMPLES: Final = 200


@dataclass(frozen=True)
class Trial:
    """One configuration on the folds of ``n_samples``; figures as those of a contender."""

    hyperparameters: Configuration
    is_default: bool
    n_samples: int
    r2: float
    r2_interval: Interval
    mae: float
    rmse: float
    seconds: float


@dataclass(frozen=True)
class Tuning:
    """All trials, those on the most samples first and among them the best first."""

    method: str
    trials: tuple[Trial, ...]
    n_folds: int
    n_samples: int
    remarks: tuple[Remark, ...]

    @property
    def winner(self) -> Configuration:
        return self.trials[0].hyperparameters


def configurations(spec: Specification) -> Sequence[Configuration]:
    """What is to be tried: the defaults first, each configuration once and complete."""
    fixed = spec.resolved_hyperparameters()
    schemas = ALGORITHMS[spec.algorithm].hyperparameters
    space = {
        name: list(schema.search)
        for name, schema in schemas.items()
        if schema.search and name not in spec.hyperparameters
    }
    grid = ParameterGrid(space)
    n_drawn = len(grid) if spec.tuning == "grid" else min(spec.n_candidates, len(grid))
    drawn = ParameterSampler(space, n_drawn, random_state=spec.random_state)
    others = [{**fixed, **chosen} for chosen in drawn]
    found = [fixed, *(chosen for chosen in others if chosen != fixed)]
    return found if spec.tuning == "grid" else found[: spec.n_candidates]


def tune(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    plan: Plan,
    *,
    n_jobs: int,
    clock: Clock,
    on_share: OnShare,
) -> Tuning:
    """Search as ``spec.tuning`` says, among training samples parted as ``plan`` says.

    When the time budget runs short the search ends with the best so far, which is said.
    """
    X, y, plan = thinned(X, y, plan, random_state=spec.random_state)
    tried = configurations(spec)
    rounds = _rounds(len(tried), len(y)) if spec.tuning == "halving" else [len(y)]
    search = _Search(spec, columns, X, y, plan, n_jobs, clock, on_share)
    search.n_planned = _n_trials(len(tried), len(rounds))
    for n_samples in rounds:
        trials = search.judge(tried, n_samples)
        best = sorted(trials, key=lambda trial: (-trial.r2, not trial.is_default))
        tried = [trial.hyperparameters for trial in best[: -(-len(tried) // _FACTOR)]]
        if search.default not in tried:
            tried = [search.default, *tried]
    ordered = sorted(
        search.trials, key=lambda trial: (-trial.n_samples, -trial.r2, not trial.is_default)
    )
    return Tuning(spec.tuning, tuple(ordered), search.n_folds, len(y), search.remarks())


def _rounds(n_candidates: int, n_samples: int) -> list[int]:
    """The samples of each round of halving, all of them in the last."""
    sizes = [n_samples]
    while n_candidates > _FACTOR and sizes[0] // _FACTOR >= _MIN_SAMPLES:
        sizes.insert(0, sizes[0] // _FACTOR)
        n_candidates = -(-n_candidates // _FACTOR)
    return sizes


def _n_trials(n_candidates: int, n_rounds: int) -> int:
    n_trials = 0
    for _ in range(n_rounds):
        n_trials += n_candidates
        n_candidates = -(-n_candidates // _FACTOR) + 1
    return n_trials


@dataclass
class _Search:
    """What judging takes, and what was judged."""

    spec: Specification
    columns: Sequence[Column]
    X: pd.DataFrame
    y: FloatArray
    plan: Plan
    n_jobs: int
    clock: Clock
    on_share: OnShare
    n_planned: int = 0
    n_folds: int = N_FOLDS
    trials: list[Trial] = field(default_factory=list)
    n_left_out: int = 0

    @property
    def default(self) -> Configuration:
        return self.spec.resolved_hyperparameters()

    def judge(self, tried: Sequence[Configuration], n_samples: int) -> list[Trial]:
        """Trials of these configurations on so many samples, until time runs short."""
        X, y, plan = thinned(
            self.X, self.y, self.plan, n_samples=n_samples, random_state=self.spec.random_state
        )
        folds = plan.folds(len(y), n_folds=N_FOLDS, random_state=self.spec.random_state)
        self.n_folds = len(folds)
        found: list[Trial] = []
        for place, configuration in enumerate(tried):
            slowest = max((trial.seconds for trial in found), default=0.0)
            # Of the first of a round nothing is known yet; without it the round had no winner.
            if found and not self.clock.allows_fitting(2 * slowest):
                self.n_left_out += len(tried) - place
                break
            started = time.monotonic()
            spec = replace(self.spec, hyperparameters=configuration)
            row = contend(spec, self.columns, X, y, folds, n_jobs=self.n_jobs, on_share=self._share)
            trial = Trial(
                hyperparameters=configuration,
                is_default=configuration == self.default,
                n_samples=len(y),
                r2=row.r2,
                r2_interval=row.r2_interval,
                mae=row.mae,
                rmse=row.rmse,
                seconds=time.monotonic() - started,
            )
            found.append(trial)
            self.trials.append(trial)
        return found

    def remarks(self) -> tuple[Remark, ...]:
        if not self.n_left_out:
            return ()
        message = N_(
            "The time budget ended the search: %(n)d of %(all)d configurations were tried. A "
            "repeat may differ."
        )
        params = {"n": len(self.trials), "all": len(self.trials) + self.n_left_out}
        return (Remark("budget_tuning", "warning", message, params),)

    def _share(self, share: float) -> None:
        self.on_share(min(1.0, (len(self.trials) + share) / max(1, self.n_planned)))
