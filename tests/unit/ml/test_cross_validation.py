"""Folds that keep their promise, and the gap between random and neighbouring rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.cross_validation import CrossValidation, cross_predict, cross_validate
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan, shuffled_folds

from .conftest import describe


def test_no_sample_is_predicted_by_a_model_that_saw_it() -> None:
    # Every row a category of its own: only a model that saw it can know it.
    frame = pd.DataFrame({"serial": [f"no. {n}" for n in range(60)]})
    y = np.random.default_rng(0).normal(size=60)
    folds = shuffled_folds(60, n_folds=3, random_state=0)
    spec = Specification(target="y", algorithm="linear_regression")
    answers = cross_predict(
        spec, describe(frame), frame, y, folds, n_jobs=1, on_share=lambda _: None
    )
    for (train_rows, _), answer in zip(folds, answers, strict=True):
        np.testing.assert_allclose(answer, y[train_rows].mean(), atol=1e-6)


def validated(
    frame: pd.DataFrame, y: np.ndarray, plan: Plan | None = None, **options: object
) -> CrossValidation:
    return cross_validate(
        Specification(target="y", **options),  # type: ignore[arg-type]
        describe(frame),
        frame,
        y,
        plan or Plan("shuffled", ""),
        n_jobs=1,
        on_share=lambda _: None,
    )


def test_independent_rows_have_no_gap() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(5000, 3)), columns=["a", "b", "c"])
    found = validated(frame, frame["a"].to_numpy() + rng.normal(scale=0.5, size=5000)).gap
    assert (found.n_samples, found.blocks, found.is_small) == (2000, "order", True)
    assert found.shuffled_r2 == pytest.approx(found.blocked_r2, abs=0.08)


@pytest.mark.parametrize("plan", [None, Plan("order", "", gap=20), Plan("time", "", gap=20)])
def test_random_walks_look_right_only_when_shuffled(plan: Plan | None) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1500, 4)).cumsum(axis=0), columns=list("abcd"))
    found = validated(frame, rng.normal(size=1500).cumsum(), plan).gap
    assert found.shuffled_r2 > 0.9
    assert found.blocked_r2 < 0.3


def test_a_level_of_each_group_is_known_only_to_random_folds() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 20)
    frame = pd.DataFrame({"recipe": rng.normal(size=30)[groups]})
    found = validated(frame, rng.normal(size=30)[groups], Plan("group", "", groups=groups)).gap
    assert found.blocks == "group"
    assert found.shuffled_r2 > 0.9
    assert found.blocked_r2 < 0.2


def test_folds_asked_for_are_of_the_model_itself() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 2)), columns=["a", "b"])
    found = validated(
        frame,
        frame["a"].to_numpy(),
        Plan("time", "", gap=3),
        n_folds=4,
        hyperparameters={"n_estimators": 20},
    )
    assert not found.gap.is_small
    assert [score.n_train for score in found.scores] == [77, 157, 237, 317]
    assert all(score.r2 > 0.8 and score.skill > 0.8 for score in found.scores)


def test_few_samples_are_parted_repeatedly() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
    found = validated(frame, frame["a"].to_numpy())
    assert (found.n_repeats, len(found.scores)) == (3, 9)
