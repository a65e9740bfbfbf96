"""A table and a specification → a fitted pipeline, its metrics and the ranking."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.ml.attribution import Attributor, Interaction
from prodapp.ml.budget import (
    Clock,
    remark_fewer_trees,
    remark_learned,
    remark_memory,
    remark_not_assessed,
)
from prodapp.ml.choice import check_specification
from prodapp.ml.classes import ClassMetrics
from prodapp.ml.comparison import Comparison
from prodapp.ml.cross_validation import CrossValidation, FoldScore, Gap, cross_validate
from prodapp.ml.estimators import available_cpus, build_pipeline, forest_size, n_learned
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.held_out import HeldOut
from prodapp.ml.joint import Joint, ask_held_out, judge_joint
from prodapp.ml.judging import held_out_pairs, judge, judge_classes
from prodapp.ml.progress import STAGES, Progress, Stages, part_of
from prodapp.ml.ranking import VariableImportance, rank_variables
from prodapp.ml.samples import Samples, gather_samples
from prodapp.ml.searching import Search
from prodapp.ml.serving.reference import Reference, make_reference
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.table import Column, Remark
from prodapp.ml.trust.assessment import Assessment
from prodapp.ml.trust.findings import Findings, Trained, find
from prodapp.ml.trust.levers import Purpose
from prodapp.ml.tuning import Trial, Tuning
from prodapp.ml.validation import Interval, Metrics
from prodapp.ml.watching import watched

__all__ = [
    "STAGES",
    "Assessment",
    "ClassMetrics",
    "Comparison",
    "CrossValidation",
    "Findings",
    "FoldScore",
    "Gap",
    "Interaction",
    "Interval",
    "Joint",
    "Metrics",
    "Plan",
    "Progress",
    "Purpose",
    "TrainingResult",
    "Trial",
    "Tuning",
    "VariableImportance",
    "train",
]

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

#: Verdicts and rank intervals take at most about so many times what fitting and explaining did,
#: but of small tables, where it is seconds: measured 5.5 at 2,000 rows, 3.2 at 10,000.
_ASSESSING: Final = 4.0
_LIBRARIES: Final = (
    *("numpy", "pandas", "scikit-learn", "scipy", "numba", "shap", "skops"),
    *("xgboost", "xgboost-cpu", "lightgbm"),
)


@dataclass(frozen=True)
class TrainingResult:
    """All that a training run found out.

    ``stage_seconds`` says where the time went, ``left_out`` holds (column, reason template),
    ``held_out`` at most 500 pairs of actual and predicted target, ``tested`` all held-out samples
    with their rows; ``ties`` are variables that the
    explained samples do not tell apart, ``interactions`` the strongest pairs. ``algorithm`` is what
    was trained, with these ``hyperparameters``; ``comparison`` and ``tuning`` are there where
    several algorithms or configurations were compared. ``classes`` are the further figures of a
    target of classes, ``joint`` those of all classes where one model knows several, and ``scale``
    what its SHAP values add up to (:mod:`prodapp.ml.explainers`).
    ``findings`` hold an ``assessment`` unless time ran out. ``reference`` is what predictions need
    beside the pipeline.
    """

    pipeline: Pipeline
    metrics: Metrics
    classes: ClassMetrics | None
    joint: Joint | None
    scale: str
    ranking: tuple[VariableImportance, ...]
    validation: CrossValidation
    algorithm: str
    comparison: Comparison | None
    tuning: Tuning | None
    hyperparameters: Mapping[str, Any]
    n_explained: int
    ties: tuple[tuple[str, ...], ...]
    interactions: tuple[Interaction, ...]
    findings: Findings
    stage_seconds: Mapping[str, float]
    library_versions: Mapping[str, str]
    left_out: tuple[tuple[str, str], ...]
    plan: Plan
    held_out: tuple[tuple[float, float], ...]
    tested: HeldOut
    reference: Reference
    remarks: tuple[Remark, ...]


def train(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    spec: Specification,
    *,
    progress: Progress,
    n_jobs: int | None = None,
    purpose: Purpose = Purpose(),  # noqa: B008 - it is frozen
) -> TrainingResult:
    """Fit, validate and explain one model.

    ``frame`` and ``columns`` are those of a :class:`prodapp.ml.table.Table`; ``purpose`` says what
    can be set and what is wanted, for windows of operation. ``n_jobs`` threads (default: the
    processors this process may use) change nothing in the result. ``progress`` is called in this
    thread several times a second, whatever the work is at. Raises ``InvalidInput`` and
    ``DataRefused``; what ``progress`` raises goes through.
    """
    jobs = n_jobs or available_cpus()
    return watched(lambda told: _train(frame, columns, spec, purpose, jobs, Stages(told)), progress)


def _train(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    spec: Specification,
    purpose: Purpose,
    n_jobs: int,
    stages: Stages,
) -> TrainingResult:
    clock = Clock(spec.time_budget_seconds)
    stages.enter("preparing")
    check_specification(spec, columns)
    samples = gather_samples(frame, columns, spec)
    spec = replace(spec, target_class=samples.target_class)
    stages.enter("fitting")
    search = Search(samples, clock, stages.share, n_jobs)
    spec, comparison = search.algorithm(spec)
    spec, tuning = search.hyperparameters(spec)
    begun = search.share_done
    pipeline = _fit(
        samples,
        spec,
        clock,
        n_jobs=n_jobs,
        on_share=lambda share: stages.share(begun + (1 - begun) * share),
    )
    stages.enter("validating")
    answers = ask_held_out(
        pipeline, samples, n_jobs=n_jobs, on_share=part_of(stages.share, 0.0, 0.5)
    )
    predicted = answers.predicted
    validation = cross_validate(
        spec,
        samples.columns,
        samples.X_train,
        samples.learned_target,
        samples.learning_plan,
        n_jobs=n_jobs,
        on_share=part_of(stages.share, 0.5, 1.0),
    )
    stages.enter("explaining")
    found = Attributor(pipeline, samples.columns, samples.X_train, n_jobs).attribute(
        samples.X_test,
        limit=spec.max_explained_samples,
        random_state=spec.random_state,
        clock=clock,
        on_share=part_of(stages.share, 0.0, 0.8 if samples.classes else 1.0),
    )
    joint = judge_joint(
        pipeline,
        samples,
        answers,
        found.rows,
        n_jobs=n_jobs,
        random_state=spec.random_state,
        on_share=part_of(stages.share, 0.8, 1.0),
    )
    stages.enter("assessing")
    metrics = judge(samples, predicted, random_state=spec.random_state)
    ranking = rank_variables(
        samples.columns, samples.X_test.iloc[found.rows], found.values, found.native
    )
    findings = find(
        Trained(samples, spec, pipeline, metrics, validation.gap, ranking, found),
        purpose,
        may_assess=_may_assess(samples, clock, stages.seconds),
        n_jobs=n_jobs,
        on_share=stages.share,
    )
    stages.leave()
    return TrainingResult(
        pipeline=_whole(pipeline, samples),
        metrics=metrics,
        classes=judge_classes(samples, predicted, random_state=spec.random_state),
        joint=joint,
        scale=found.scale,
        ranking=ranking,
        validation=validation,
        algorithm=spec.algorithm,
        comparison=comparison,
        tuning=tuning,
        hyperparameters=spec.resolved_hyperparameters(),
        n_explained=len(found.rows),
        ties=found.ties,
        interactions=found.interactions,
        findings=findings,
        stage_seconds=stages.seconds,
        library_versions=_library_versions(),
        left_out=tuple(samples.left_out),
        plan=samples.plan,
        held_out=held_out_pairs(samples.y_test, predicted, random_state=spec.random_state),
        tested=_tested(samples, predicted),
        reference=make_reference(pipeline, samples, answers, random_state=spec.random_state),
        remarks=(*samples.remarks, *found.remarks),
    )


def _tested(samples: Samples, predicted: FloatArray) -> HeldOut:
    plan = samples.plan
    return HeldOut(
        rows=samples.rows[samples.test_rows],
        actual=samples.y_test,
        predicted=predicted,
        is_ordered=plan.is_ordered,
        groups=None if plan.groups is None else plan.groups[samples.test_rows],
    )


def _fit(
    samples: Samples, spec: Specification, clock: Clock, *, n_jobs: int, on_share: OnShare
) -> Pipeline:
    wanted = size = forest_size(spec, n_samples=len(samples.y_train))
    if wanted is not None:
        size = wanted.fitted_into(spec.memory_budget_megabytes)
        if size != wanted:
            samples.remarks.append(remark_memory(wanted, size))
    pipeline = build_pipeline(
        spec, samples.columns, n_samples=len(samples.y_train), n_jobs=n_jobs, size=size
    )
    learned = n_learned(spec, n_samples=len(samples.y_train))
    if learned < len(samples.y_train):
        samples.remarks.append(remark_learned(learned, len(samples.y_train)))
    fit_pipeline(
        pipeline,
        samples.X_train,
        samples.learned_target,
        on_share=on_share,
        clock=clock,
        n_learned=learned,
    )
    if size is not None and pipeline[-1].n_estimators < size.n_trees:
        samples.remarks.append(remark_fewer_trees(pipeline[-1].n_estimators, size.n_trees))
    return pipeline


def _whole(pipeline: Pipeline, samples: Samples) -> Pipeline:
    """The pipeline that takes a frame of the variables in the order of time, by its clock."""
    if not samples.series.steps:
        return pipeline
    return Pipeline([("series", samples.series), *pipeline.steps])


def _may_assess(samples: Samples, clock: Clock, seconds: Mapping[str, float]) -> bool:
    """Whether the time left allows verdicts, rank intervals and windows."""
    if clock.allows(_ASSESSING * (seconds["fitting"] + seconds["explaining"])):
        return True
    samples.remarks.append(remark_not_assessed())
    return False


def _library_versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
