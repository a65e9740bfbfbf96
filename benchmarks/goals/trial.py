"""One simulated process, asked for goals: what was promised beside what is true of it."""

# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.goals.processes import LEVERS, Process, made
from prodapp.ml.columns import describe_column
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.trust.conditional import build_basis
from prodapp.ml.trust.levers import LEAST_CHANCE, Purpose
from prodapp.ml.trust.outcomes import Outcomes
from prodapp.ml.trust.regions import find_regions
from prodapp.ranking.goals import SURE, Answer, Wanted, choose

N_DRAWS = 20


def carry_out(trial: tuple[str, int, int]) -> dict[str, Any]:
    """One table: what was promised for each goal, and what is true of it."""
    shape, n_rows, seed = trial
    rng = np.random.default_rng((seed, 20_262, n_rows))
    process = made(shape, n_rows, rng)
    columns = [
        describe_column(process.X[name], name=name, kind="number") for name in process.X.columns
    ]
    spec = Specification(target="y", random_state=seed)
    plan = Plan("time" if process.is_ordered else "shuffled", "")
    purpose = Purpose(LEVERS, "raise")
    started = time.perf_counter()
    X = features_frame(process.X, columns)
    outcomes = Outcomes(spec, columns, X, process.y, plan, 1)
    fitted = time.perf_counter()
    regions = asdict(find_regions(outcomes, purpose, random_state=seed))
    ended = time.perf_counter()
    score = Score(process, outcomes, rng)
    changes = [score.true_change(region["bounds"]) for region in regions["kept"]]
    best = {1.0: max(changes, default=0.0), -1.0: max((-c for c in changes), default=0.0)}
    mean, spread = float(process.y.mean()), float(process.y.std())
    goals = [
        Wanted(sense="raise"),
        Wanted(sense="lower"),
        Wanted(mean + 0.5 * spread, "raise"),
        Wanted(mean + spread, "raise"),
    ]
    answers = [
        score.of(choose(regions, asdict(purpose), goal, noise=set(), explains=True), best)
        for goal in goals
    ]
    return {
        "shape": shape,
        "seed": seed,
        "n_regions": regions["n_compared"],
        "fitting_seconds": fitted - started,
        "seconds": ended - fitted,
        "answers": answers,
    }


class Score:
    """What is true of the regions of one table."""

    def __init__(self, process: Process, outcomes: Outcomes, rng: np.random.Generator) -> None:
        self._process, self._rng = process, rng
        self._names = [column.name for column in outcomes.columns]
        self._X = outcomes.X.iloc[outcomes.tested]
        self._basis = build_basis(self._X, outcomes.columns)

    def of(self, answer: Answer, best: Mapping[float, float]) -> dict[str, Any]:
        """One answer beside the truth."""
        if answer.best is None:
            return {"code": answer.code}
        sign = -1.0 if answer.sense == "lower" else 1.0
        true = sign * self.true_change([asdict(bound) for bound in answer.best.bounds])
        is_reached = None
        if answer.code == SURE and answer.target is not None:
            is_reached = bool(true >= sign * (answer.target - answer.best.before))
        return {
            "code": answer.code,
            "promised": answer.best.gain,
            "true": true,
            "of_best": true / best[sign] if best[sign] > 0 else None,
            "is_covered": bool(answer.best.gain_low <= true <= answer.best.gain_high),
            "is_wrong": bool(true <= 1e-12),
            "is_reached": is_reached,
        }

    def true_change(self, bounds: Sequence[Mapping[str, Any]]) -> float:
        """The mean of the true function over the rows compared with settings of the region, minus
        that of the same rows as they were."""
        X = self._X
        inside = np.ones(len(X), dtype=bool)
        for bound in bounds:
            values = X[bound["variable"]].to_numpy()
            inside &= (values >= bound["low"]) & (values <= bound["high"])
        names = [bound["variable"] for bound in bounds]
        mine = [place for place, name in enumerate(self._names) if name in names]
        flags = inside[:, np.newaxis].astype(np.float64)
        chance = self._basis.ridge.fitted(flags, without=self._basis.of(mine))[:, 0]
        compared = X[chance >= LEAST_CHANCE].reset_index(drop=True)
        pool = X.loc[inside, names].reset_index(drop=True)
        changed = []
        for _ in range(N_DRAWS):
            drawn = pool.iloc[self._rng.integers(len(pool), size=len(compared))]
            values = {name: drawn[name].to_numpy() for name in names}
            changed.append(self._process.truth(compared.assign(**values)).mean())
        return float(np.mean(changed) - self._process.truth(compared).mean())
