"""What a trained model and its data tell beside the ranking: how far to trust it, what to try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.pipeline import Pipeline

from prodapp.ml.attribution import Attribution
from prodapp.ml.cross_validation import Gap
from prodapp.ml.fitting import predict
from prodapp.ml.ranking import VariableImportance
from prodapp.ml.samples import Samples
from prodapp.ml.specification import Specification
from prodapp.ml.trust.alarms import Alarm, find_alarms
from prodapp.ml.trust.assessment import Assessment, assess
from prodapp.ml.trust.effects import Effect, Grid, build_grids, draw_curves, summarize
from prodapp.ml.trust.lags import Lag, find_lags
from prodapp.ml.trust.levers import LeverFinding, Purpose, find_windows, levers_among
from prodapp.ml.trust.outcomes import Outcomes
from prodapp.ml.trust.regions import Regions, find_regions
from prodapp.ml.trust.segments import Segmentation, rank_segments, sign_flips
from prodapp.ml.validation import Metrics

OnShare = Callable[[float], None]

#: Rows over which the model draws the curves of the effects.
_DRAWN_OVER: Final = 1_000
_SHARE_OF_ASSESSMENT: Final = 0.9


@dataclass(frozen=True)
class Trained:
    """A model, what it learned from, and what was found by it."""

    samples: Samples
    spec: Specification
    pipeline: Pipeline
    metrics: Metrics
    gap: Gap
    ranking: Sequence[VariableImportance]
    attribution: Attribution


@dataclass(frozen=True)
class Findings:
    """``assessment`` is None where the time did not allow it; then effects carry no interval and
    levers neither windows nor ``regions``. ``alarms``, the gravest first; ``segments`` hold the
    ranking in each part; ``lags`` are of variables that have none yet, where rows are in order."""

    assessment: Assessment | None
    alarms: tuple[Alarm, ...]
    segments: tuple[Segmentation, ...]
    effects: tuple[Effect, ...]
    levers: tuple[LeverFinding, ...]
    regions: Regions
    lags: tuple[Lag, ...]
    purpose: Purpose


def find(
    trained: Trained, purpose: Purpose, *, may_assess: bool, n_jobs: int, on_share: OnShare
) -> Findings:
    """The findings on one trained model."""
    samples = trained.samples
    strongest = [item.feature for item in trained.ranking]
    grids = build_grids(samples.X, samples.columns, strongest)
    assessment = None
    levers: tuple[LeverFinding, ...] = ()
    regions = Regions((), 0)
    if may_assess:
        assessment = assess(
            trained.spec,
            samples.columns,
            samples.X,
            samples.y,
            samples.plan,
            n_jobs=n_jobs,
            on_share=lambda share: on_share(_SHARE_OF_ASSESSMENT * share),
            grids=grids,
        )
        levers, regions = _levers(trained, purpose, n_jobs=n_jobs)
    return Findings(
        assessment=assessment,
        alarms=_alarms(trained, strongest),
        segments=_segments(trained),
        effects=_effects(trained, grids, assessment, n_jobs=n_jobs),
        levers=levers,
        regions=regions,
        lags=_lags(trained),
        purpose=purpose,
    )


def _levers(
    trained: Trained, purpose: Purpose, *, n_jobs: int
) -> tuple[tuple[LeverFinding, ...], Regions]:
    samples, spec = trained.samples, trained.spec
    if not levers_among(samples.columns, purpose):
        return (), Regions((), 0)
    outcomes = Outcomes(spec, samples.columns, samples.X, samples.y, samples.plan, n_jobs)
    return (
        find_windows(outcomes, purpose, random_state=spec.random_state),
        find_regions(outcomes, purpose, random_state=spec.random_state),
    )


def _effects(
    trained: Trained, grids: Sequence[Grid], assessment: Assessment | None, *, n_jobs: int
) -> tuple[Effect, ...]:
    X = trained.samples.X
    if len(X) > _DRAWN_OVER:
        rng = np.random.default_rng(trained.spec.random_state)
        X = X.iloc[np.sort(rng.choice(len(X), _DRAWN_OVER, replace=False))]
    curves = draw_curves(
        grids,
        X,
        lambda rows: predict(trained.pipeline, rows, n_jobs=n_jobs, on_share=lambda _: None),
    )
    return summarize(grids, curves, assessment.curves if assessment else ())


def _alarms(trained: Trained, strongest: Sequence[str]) -> tuple[Alarm, ...]:
    samples = trained.samples
    flips = sign_flips(
        samples.parts,
        samples.X,
        samples.y,
        samples.columns,
        strongest,
        is_ordered=samples.plan.scheme != "shuffled",
    )
    return find_alarms(
        samples, metrics=trained.metrics, gap=trained.gap, strongest=strongest, flips=flips
    )


def _lags(trained: Trained) -> tuple[Lag, ...]:
    """Of variables that have no lags yet, where rows follow each other."""
    samples = trained.samples
    if not samples.is_in_order:
        return ()
    has_lags = [
        name for step in samples.series.steps if step["step"] == "lags" for name in step["columns"]
    ]
    return find_lags(samples.X_train, samples.y_train, samples.columns, skipped=has_lags)


def _segments(trained: Trained) -> tuple[Segmentation, ...]:
    samples = trained.samples
    return rank_segments(
        samples.parts,
        [column.name for column in samples.columns],
        samples.test_rows[trained.attribution.rows],
        trained.attribution.values,
        time_column=samples.time_column,
    )
