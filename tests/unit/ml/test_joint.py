"""One model of several classes: their codes, figures of all of them, variables behind each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import sklearn.metrics

from prodapp.ml.algorithms import ALGORITHMS, AUTO
from prodapp.ml.artifact import dump_pipeline, load_pipeline
from prodapp.ml.class_codes import NOT_LEARNED, ClassCodes, code_classes, learnable
from prodapp.ml.class_rankings import rank_by_class
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.explainers import Explainer
from prodapp.ml.fitting import fit_pipeline, probabilities_of
from prodapp.ml.joint_metrics import measure_joint
from prodapp.ml.progress import no_progress
from prodapp.ml.samples import Samples, gather_samples
from prodapp.ml.serving.joint import JointCalibration, calibrate_joint
from prodapp.ml.serving.predictor import Predictor
from prodapp.ml.serving.reference import Reference
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train

from .conftest import describe

FloatArray = npt.NDArray[np.float64]
NAMES = [name for name, item in ALGORITHMS.items() if name != AUTO and item.is_available]
RATIOS = (
    *("gradient_boosting", "xgboost", "lightgbm"),
    *("linear_regression", "ridge", "elastic_net"),
)
#: Enough to show what is shown; more would only take longer.
QUICK = {"random_forest": {"n_estimators": 20}, "extra_trees": {"n_estimators": 20}}


def parts(n: int = 500, *, seed: int = 0) -> pd.DataFrame:
    """Hot parts are burnt, cold ones raw, the more so the faster they go; "idle" does nothing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=["heat", "speed", "idle"])
    scores = np.stack(
        [np.zeros(n), 3 * frame["heat"] - 1, 2 * frame["speed"] - 3 * frame["heat"] - 1], axis=1
    )
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    drawn = (rng.random(n)[:, np.newaxis] > shares.cumsum(axis=1)).sum(axis=1)
    frame["part"] = np.array(["good", "burnt", "raw"])[drawn]
    return frame


def gathered(frame: pd.DataFrame, **options: object) -> tuple[Samples, Specification]:
    spec = Specification(target="part", validation="shuffled", **options)  # type: ignore[arg-type]
    samples = gather_samples(frame, describe(frame), spec)
    return samples, replace(spec, target_class=samples.target_class)


@pytest.fixture(scope="module")
def trained() -> TrainingResult:
    frame = parts()
    frame.loc[:2, "part"] = "odd"
    spec = Specification(
        target="part",
        target_class="burnt",
        validation="shuffled",
        hyperparameters={"n_estimators": 30},
    )
    return train(frame, describe(frame), spec, progress=no_progress, n_jobs=1)


def test_the_explained_class_is_the_second_and_the_commonest_other_the_first() -> None:
    values = pd.Series(["b"] * 12 + ["a"] * 30 + ["c"] * 20 + ["d"] * 4)
    found = code_classes(values, "b", np.arange(len(values)))
    assert found is not None
    assert found.labels == ("a", "b", "c")
    assert found.rare == (("d", 4),)
    assert (found.codes[values == "d"] == NOT_LEARNED).all()
    assert (found.codes[values == "b"] == 1).all()


def test_two_classes_or_very_many_are_no_matter_of_one_model() -> None:
    two = pd.Series(["a", "b"] * 20)
    many = pd.Series([str(number % 21) for number in range(2100)])
    assert code_classes(two, "a", np.arange(40)) is None
    assert code_classes(many, "1", np.arange(2100)) is None


def test_what_is_too_rare_to_learn_is_left_out_but_for_the_explained() -> None:
    codes = np.repeat([0, 1, 2, 3], [9, 2, 4, 5])
    np.testing.assert_array_equal(np.unique(codes[learnable(codes)]), [0, 1, 3])


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=300)
    probabilities = rng.dirichlet(np.ones(3), size=300)
    probabilities[np.arange(300), codes] += 0.4
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    classes = ClassCodes(("a", "b", "c"), codes, ())
    rows = np.arange(300)
    found = measure_joint(classes, rows, rows, probabilities, random_state=0)
    answered = probabilities.argmax(axis=1)
    one_hot = np.eye(3)[codes]
    assert found.accuracy == pytest.approx(sklearn.metrics.accuracy_score(codes, answered))
    assert found.balanced_accuracy == pytest.approx(
        sklearn.metrics.balanced_accuracy_score(codes, answered)
    )
    assert found.log_loss == pytest.approx(sklearn.metrics.log_loss(codes, probabilities))
    assert found.macro_auc == pytest.approx(
        sklearn.metrics.roc_auc_score(one_hot, probabilities, average="macro")
    )
    np.testing.assert_array_equal(
        found.confusion, sklearn.metrics.confusion_matrix(codes, answered)
    )
    assert [one.precision for one in found.classes] == pytest.approx(
        sklearn.metrics.precision_score(codes, answered, average=None)
    )
    assert found.accuracy_interval.low < found.accuracy < found.accuracy_interval.high
    assert found.baseline_accuracy == pytest.approx(np.bincount(codes).max() / 300)


def test_samples_of_no_learned_class_are_errors() -> None:
    codes = np.array([0, 1, 2, NOT_LEARNED])
    probabilities = np.vstack([np.eye(3), [1.0, 0.0, 0.0]])
    classes = ClassCodes(("a", "b", "c"), codes, (("d", 1),))
    found = measure_joint(classes, np.arange(3), np.arange(4), probabilities, random_state=0)
    assert found.accuracy == 0.75
    assert found.n_not_learned == 1
    assert sum(map(sum, found.confusion)) == 3
    assert found.log_loss == pytest.approx(0)


@pytest.mark.parametrize("algorithm", NAMES)
def test_values_of_every_class_add_up_and_name_what_makes_it(algorithm: str) -> None:
    samples, spec = gathered(parts(), algorithm=algorithm, hyperparameters=QUICK.get(algorithm, {}))
    assert samples.classes is not None
    pipeline = build_pipeline(spec, samples.columns, n_samples=len(samples.y_train))
    fit_pipeline(pipeline, samples.X_train, samples.learned_target, on_share=lambda _: None)
    loaded = load_pipeline(dump_pipeline(pipeline))
    some = samples.X_test.iloc[:40]
    probabilities = probabilities_of(loaded, some)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    explainer = Explainer(pipeline, samples.columns, samples.X_train, n_jobs=1, random_state=0)
    assert explainer.scale == ("log_ratio" if algorithm in RATIOS else "probability")
    values = explainer.explain_classes(pipeline[0].transform(some), on_share=lambda _: None)
    answers = probabilities
    if explainer.scale == "log_ratio":
        logarithms = np.log(probabilities)
        answers = logarithms - logarithms.mean(axis=1, keepdims=True)
    rest = answers.T - values.sum(axis=2)
    # XGBoost's probabilities are of single precision, which the logarithm spreads.
    assert np.ptp(rest, axis=1).max() <= 1e-3 * np.ptp(answers)
    np.testing.assert_allclose(values.sum(axis=0), 0, atol=1e-3 * np.ptp(answers))
    found = rank_by_class(
        pipeline, samples, np.arange(60), n_jobs=1, random_state=0, on_share=lambda _: None
    )
    assert [name for name, _ in found.overall] == ["heat", "speed", "idle"]
    effects = dict(zip(samples.classes.labels, found.by_class, strict=True))
    assert effects["burnt"][0].effect == "increases"
    assert effects["raw"][0].effect == "decreases"


def test_a_run_tells_of_every_class(trained: TrainingResult) -> None:
    assert trained.classes is not None
    assert trained.classes.target_class == "burnt"
    assert trained.joint is not None
    figures = trained.joint.metrics
    assert [one.label for one in figures.classes] == ["raw", "burnt", "good"]
    assert figures.accuracy_interval.low > figures.baseline_accuracy
    assert figures.log_loss < figures.baseline_log_loss
    assert "rare_classes" in [remark.code for remark in trained.remarks]
    assert trained.joint.rankings.overall[0][0] == trained.ranking[0].feature == "heat"
    assert trained.ranking[0].effect == "increases"


def test_a_prediction_gives_every_class_and_what_it_cannot_exclude(
    trained: TrainingResult,
) -> None:
    reference = Reference.from_json(trained.reference.to_json())
    predictor = Predictor(trained.pipeline, reference)
    hot, cold = predictor.answer([[2.0, 0.0, 0.0], [-2.0, 1.0, 0.0]], level=0.9)
    assert hot.classes is not None
    assert hot.classes[0].label == "burnt"
    assert hot.classes[0].is_possible
    assert hot.classes[0].probability == pytest.approx(hot.value)
    assert sum(share.probability for share in hot.classes) == pytest.approx(1)
    low, high = hot.classes[0].low, hot.classes[0].high
    assert low is not None
    assert high is not None
    assert low < high
    assert cold.classes is not None
    assert cold.classes[0].label == "raw"


def test_sets_of_possible_classes_hold_the_true_one_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)

    def drawn(n: int) -> tuple[npt.NDArray[np.intp], FloatArray]:
        shares = rng.dirichlet(np.ones(3), size=n)
        codes = (rng.random(n)[:, np.newaxis] > shares.cumsum(axis=1)).sum(axis=1)
        return codes.astype(np.intp), shares

    made = calibrate_joint(("a", "b", "c"), *drawn(1000))
    made = JointCalibration.from_json(made.to_json())
    codes, shares = drawn(1000)
    hits = [
        next(s.is_possible for s in made.shares(given, level=0.9) if s.label == "abc"[code])
        for code, given in zip(codes, shares, strict=True)
    ]
    assert 0.87 <= np.mean(hits) <= 0.93


def test_one_against_the_rest_is_still_a_choice() -> None:
    samples, _ = gathered(parts(200), target_class="raw", classes="one_vs_rest")
    assert samples.classes is None
    assert set(np.unique(samples.learned_target)) == {0.0, 1.0}
