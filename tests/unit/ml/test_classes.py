"""Targets of classes: which one is explained, how good the probability is, and by what."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from prodapp.exceptions import DataRefused
from prodapp.ml.algorithms import ALGORITHMS, AUTO
from prodapp.ml.artifact import dump_pipeline, load_pipeline
from prodapp.ml.classes import check_enough, measure_classes, membership, named_class
from prodapp.ml.ensembles import answer_on_scale
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.explainers import Explainer
from prodapp.ml.fitting import answers_of, fit_pipeline
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.progress import no_progress
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train

from .conftest import describe

FloatArray = npt.NDArray[np.float64]
NAMES = [name for name, item in ALGORITHMS.items() if name != AUTO and item.is_available]
LOG_ODDS = (
    *("gradient_boosting", "xgboost", "lightgbm"),
    *("linear_regression", "ridge", "elastic_net"),
)


def parts(n: int = 300, *, seed: int = 0) -> pd.DataFrame:
    """Parts are bad the likelier, the greater "strong" and the smaller "weak"; "idle" is idle."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=["strong", "weak", "idle"])
    odds = np.exp(4 * frame["strong"] - 2 * frame["weak"] - 1)
    frame["part"] = np.where(rng.random(n) < odds / (1 + odds), "bad", "good")
    return frame


def trained(frame: pd.DataFrame, **options: object) -> TrainingResult:
    spec = Specification(target="part", validation="shuffled", **options)  # type: ignore[arg-type]
    return train(frame, describe(frame), spec, progress=no_progress, n_jobs=1)


def test_of_two_classes_the_rarer_is_explained() -> None:
    assert named_class(pd.Series(["ok", "ok", "scrap"]), None, column="c") == "scrap"
    assert named_class(pd.Series(["false", "true"]), None, column="c") == "true"


def test_numbers_are_classes_where_one_is_named() -> None:
    values = pd.Series([0.0, 1.0, 2.5, np.nan, 1.0])
    assert named_class(values.dropna(), "1", column="c") == "1"
    np.testing.assert_array_equal(membership(values, "1"), [0, 1, 0, np.nan, 1])


def test_of_more_classes_one_must_be_named_and_they_are_listed() -> None:
    values = pd.Series(["a", "b", "c"])
    with pytest.raises(DataRefused) as refused:
        named_class(values, None, column="c")
    assert refused.value.error_code == "class_not_named"
    assert refused.value.params["known"] == "“a”, “b”, “c”"
    with pytest.raises(DataRefused) as refused:
        named_class(values, "d", column="c")
    assert refused.value.error_code == "class_unknown"


def test_too_few_of_a_class_are_refused() -> None:
    check_enough(np.repeat([0.0, 1.0], 10), "x", column="c")
    with pytest.raises(DataRefused) as refused:
        check_enough(np.repeat([0.0, 1.0], [90, 9]), "x", column="c")
    assert refused.value.error_code == "class_too_rare"


@given(st.integers(0, 2**16), st.sampled_from([1, 2, 8]))
@settings(max_examples=20, deadline=None)
def test_figures_are_those_of_scikit_learn(seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    actual = rng.integers(2, size=60).astype(float)
    actual[:2] = [0, 1]
    predicted = np.clip(np.round(rng.beta(1, 1, 60) * 0.6 + 0.4 * actual, decimals), 0.01, 0.99)
    found = measure_classes(actual, predicted, target_class="x", share_learned=0.3, random_state=0)
    called = predicted >= 0.5
    truth = {
        "accuracy": sklearn.metrics.accuracy_score(actual, called),
        "balanced_accuracy": sklearn.metrics.balanced_accuracy_score(actual, called),
        "roc_auc": sklearn.metrics.roc_auc_score(actual, predicted),
        "log_loss": sklearn.metrics.log_loss(actual, predicted),
        "f1": sklearn.metrics.f1_score(actual, called),
        "baseline_accuracy": 1 - actual.mean(),
        "baseline_log_loss": sklearn.metrics.log_loss(actual, np.full(60, 0.3)),
    }
    for name, value in truth.items():
        assert getattr(found, name) == pytest.approx(value), name
    assert found.baseline_f1 == 0  # the majority is never of the class


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)

    def drawn(n: int) -> tuple[FloatArray, FloatArray]:
        actual = rng.integers(2, size=n).astype(float)
        return actual, 1 / (1 + np.exp(-(2 * actual - 1 + rng.normal(size=n))))

    actual, predicted = drawn(400_000)
    truth = sklearn.metrics.roc_auc_score(actual, predicted)
    hits = 0
    for _ in range(60):
        found = measure_classes(
            *drawn(150), target_class="x", share_learned=0.5, random_state=0
        ).roc_auc_interval
        assert found is not None
        hits += found.low <= truth <= found.high
    assert hits >= 52  # 57 expected of 60


def test_without_both_classes_there_is_no_auc() -> None:
    found = measure_classes(
        np.zeros(30), np.full(30, 0.2), target_class="x", share_learned=0.1, random_state=0
    )
    assert found.roc_auc is found.roc_auc_interval is None
    assert found.accuracy == found.balanced_accuracy == 1


@pytest.mark.parametrize("algorithm", NAMES)
def test_each_algorithm_finds_what_makes_a_part_bad(algorithm: str) -> None:
    result = trained(parts(800), algorithm=algorithm)
    assert result.classes is not None
    assert result.classes.target_class in ("bad", "good")
    is_bad = result.classes.target_class == "bad"
    effects = {row.feature: row.effect for row in result.ranking}
    assert effects["strong"] == ("increases" if is_bad else "decreases")
    # Where log-odds are far from zero, their slope changes with the other variables.
    assert effects["weak"] in ("decreases" if is_bad else "increases", "nonmonotonic")
    assert result.ranking[-1].feature == "idle"
    assert result.metrics.explains
    assert result.classes.roc_auc is not None
    assert result.classes.roc_auc > 0.8
    assert result.scale == ("log_odds" if algorithm in LOG_ODDS else "probability")
    loaded = load_pipeline(dump_pipeline(result.pipeline))
    samples = features_frame(parts(), [c for c in describe(parts()) if c.name != "part"])
    np.testing.assert_array_equal(answers_of(loaded, samples), answers_of(result.pipeline, samples))


@pytest.mark.parametrize("algorithm", NAMES)
def test_values_add_up_on_their_scale(algorithm: str) -> None:
    frame = parts()
    y = (frame.pop("part") == "bad").to_numpy().astype(float)
    columns = describe(frame)
    spec = Specification(target="part", target_class="bad", algorithm=algorithm)
    pipeline = build_pipeline(spec, columns, n_samples=300)
    fit_pipeline(pipeline, frame, y, on_share=lambda _: None)
    explainer = Explainer(pipeline, columns, frame, n_jobs=1, random_state=0)
    encoded = pipeline[0].transform(frame.iloc[:80])
    values = explainer.explain(encoded, on_share=lambda _: None)
    probabilities = answers_of(pipeline, frame.iloc[:80])
    answers = probabilities
    if algorithm == "gradient_boosting":
        answers = answer_on_scale(pipeline[-1], encoded)
    elif explainer.scale == "log_odds":
        answers = np.log(probabilities / (1 - probabilities))
    rest = answers - values.sum(axis=1)
    # XGBoost's probabilities are of single precision, which the logarithm spreads near 1.
    tolerance = 1e-3 if algorithm == "xgboost" else 1e-5
    assert np.ptp(rest) <= tolerance * np.ptp(answers)


def test_a_repeat_gives_the_same_bits() -> None:
    for algorithm in NAMES:
        first, second = (trained(parts(120), algorithm=algorithm) for _ in range(2))
        assert dump_pipeline(first.pipeline) == dump_pipeline(second.pipeline), algorithm
        assert first.classes == second.classes


def test_one_of_many_classes_is_explained_against_the_others() -> None:
    frame = parts()
    frame.loc[::3, "part"] = "reworked"
    result = trained(frame, target_class="reworked")
    assert result.classes is not None
    assert result.classes.target_class == "reworked"
    assert not result.metrics.explains  # every third row, whatever the variables


def test_the_best_of_several_is_chosen_and_tuned_for_classes_too() -> None:
    result = trained(parts(150), algorithm="auto", tuning="random", n_candidates=3)
    assert result.comparison is not None
    assert result.comparison.leaderboard[0].r2 > 0.3
    assert result.classes is not None
    assert result.classes.roc_auc is not None


def test_blocks_of_a_single_class_are_no_obstacle() -> None:
    frame = parts()
    frame = frame.sort_values("part", kind="stable").reset_index(drop=True)
    result = trained(frame)
    assert result.classes is not None
    assert np.isfinite(result.validation.gap.blocked_r2)
