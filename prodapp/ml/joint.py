"""What one model of all classes has to say of each: how good it is there, and by what it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from prodapp.ml.class_codes import EXPLAINED
from prodapp.ml.class_rankings import ClassRankings, rank_by_class
from prodapp.ml.fitting import answers_of, predict, probabilities_of
from prodapp.ml.joint_metrics import JointMetrics, measure_joint
from prodapp.ml.judging import clusters_of
from prodapp.ml.samples import Samples

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
OnShare = Callable[[float], None]


@dataclass(frozen=True)
class HeldOutAnswers:
    """For held-out samples the answers of the model, and where it knows several classes the
    probabilities of all (samples, classes by code)."""

    predicted: FloatArray
    probabilities: FloatArray | None


@dataclass(frozen=True)
class Joint:
    """The figures of all classes, and the variables behind each."""

    metrics: JointMetrics
    rankings: ClassRankings


def ask_held_out(
    pipeline: Pipeline, samples: Samples, *, n_jobs: int, on_share: OnShare
) -> HeldOutAnswers:
    """What the fitted pipeline answers for the samples that it has never seen."""
    if samples.classes is None:
        predicted = predict(
            pipeline, samples.X_test, n_jobs=n_jobs, on_share=on_share, asked=answers_of
        )
        return HeldOutAnswers(predicted, None)
    probabilities = predict(
        pipeline, samples.X_test, n_jobs=n_jobs, on_share=on_share, asked=probabilities_of
    )
    return HeldOutAnswers(probabilities[:, EXPLAINED], probabilities)


def judge_joint(
    pipeline: Pipeline,
    samples: Samples,
    answers: HeldOutAnswers,
    explained: IntArray,
    *,
    n_jobs: int,
    random_state: int,
    on_share: OnShare,
) -> Joint | None:
    """All classes together, where one model knows several; ``explained`` are the positions of the
    held-out samples that were explained."""
    if samples.classes is None or answers.probabilities is None:
        return None
    return Joint(
        metrics=measure_joint(
            samples.classes,
            samples.train_rows,
            samples.test_rows,
            answers.probabilities,
            random_state=random_state,
            clusters=clusters_of(samples, answers.predicted),
        ),
        rankings=rank_by_class(
            pipeline,
            samples,
            explained,
            n_jobs=n_jobs,
            random_state=random_state,
            on_share=on_share,
        ),
    )
