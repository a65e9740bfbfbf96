"""Directions on shapes whose truth is known, and SHAP values that add up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from prodapp.ml import treeshap
from prodapp.ml.explanation import dependence, forest_shap, linear_shap, package_shap

Shape = Callable[[np.ndarray], np.ndarray]

SHAPES: list[tuple[str, Shape, str]] = [
    ("line", lambda x: 2 * x, "increases"),
    ("falling line", lambda x: -x, "decreases"),
    ("saturation", lambda x: np.tanh(3 * x), "increases"),
    ("step", lambda x: (x > 0.5) * 1.0, "increases"),
    ("falling step", lambda x: (x < 0.3) * 1.0, "decreases"),
    ("exponential", lambda x: np.exp(2 * x), "increases"),
    ("valley", lambda x: x**2, "nonmonotonic"),
    ("hill", lambda x: -((x - 0.2) ** 2), "nonmonotonic"),
    ("full wave", lambda x: np.sin(np.pi * x), "nonmonotonic"),
    ("valley at the edge", lambda x: (x + 0.9) ** 2, "increases"),
]


@pytest.mark.parametrize(("name", "shape", "effect"), SHAPES, ids=[name for name, _, _ in SHAPES])
def test_direction_of_known_shapes(name: str, shape: Shape, effect: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=1000)
    heights = shape(x) - shape(x).mean()
    found = dependence(x, heights + rng.normal(scale=0.1 * heights.std(), size=1000))
    assert found.effect == effect, name
    assert len(found.points) == 20


@pytest.mark.parametrize(("name", "shape", "effect"), SHAPES, ids=[name for name, _, _ in SHAPES])
def test_direction_is_found_again_through_a_forest(name: str, shape: Shape, effect: str) -> None:
    rng = np.random.default_rng(1)
    samples = rng.uniform(-1, 1, size=(1200, 3))
    y = shape(samples[:, 0]) + 0.3 * samples[:, 1]
    forest = RandomForestRegressor(20, min_samples_leaf=3, random_state=0, n_jobs=2)
    forest.fit(samples[:800], y[:800] + rng.normal(scale=0.1 * y.std(), size=800))
    held_out = samples[800:]
    values = forest_shap(
        forest, held_out, predicted=forest.predict(held_out), n_jobs=2, on_share=lambda _: None
    ).values
    assert dependence(held_out[:, 0], values[:, 0]).effect == effect, name


def test_few_samples_make_fewer_and_steadier_points() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=50)
    found = dependence(x, x + rng.normal(scale=0.2, size=50))
    assert len(found.points) == 5
    assert found.effect == "increases"


def test_a_value_that_hardly_occurs_does_not_turn_a_direction() -> None:
    x = np.repeat([0.0, 1.0, 2.0, 3.0], [100, 100, 100, 2])
    rng = np.random.default_rng(0)
    heights = np.array([-1.0, 0.0, 1.0, 0.2])[x.astype(int)]
    found = dependence(x, heights + rng.normal(scale=0.1, size=len(x)))
    assert found.effect == "increases"
    assert len(found.points) == 4


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
@pytest.mark.parametrize(("height", "effect"), [(1.0, "increases"), (-1.0, "decreases")])
def test_a_flag_raises_or_lowers_however_rare(share: float, height: float, effect: str) -> None:
    rng = np.random.default_rng(0)
    x = (np.arange(1000) < 1000 * share) * 1.0
    found = dependence(x, height * (x - share) + rng.normal(scale=0.2, size=1000))
    assert found.effect == effect
    assert abs(found.strength) < 0.9


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_a_flag_of_no_effect_has_no_direction(share: float) -> None:
    x = (np.arange(1000) < 1000 * share) * 1.0
    found = [dependence(x, np.random.default_rng(seed).normal(size=1000)) for seed in range(50)]
    assert sum(each.effect != "nonmonotonic" for each in found) <= 2


def test_a_flag_that_another_variable_turns_has_no_direction() -> None:
    rng = np.random.default_rng(0)
    x = (rng.uniform(size=1000) < 0.1) * 1.0
    assert dependence(x, x * rng.normal(size=1000)).effect == "nonmonotonic"


def test_one_flagged_sample_gives_no_direction() -> None:
    x = np.r_[np.zeros(999), 1.0]
    noise = np.random.default_rng(0).normal(scale=0.1, size=1000)
    assert dependence(x, x + noise).effect == "nonmonotonic"


def test_a_rare_flag_keeps_its_direction_through_a_forest() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(2000, 3))
    samples[:, 0] = rng.uniform(size=2000) < 0.03
    y = samples[:, 1] - 2 * samples[:, 0] + rng.normal(scale=0.5, size=2000)
    forest = RandomForestRegressor(20, min_samples_leaf=3, random_state=0).fit(samples, y)
    explained = samples[:600]
    values = forest_shap(
        forest, explained, predicted=forest.predict(explained), n_jobs=1, on_share=lambda _: None
    ).values
    found = dependence(explained[:, 0], values[:, 0])
    assert (found.effect, found.strength > -0.5) == ("decreases", True)


@pytest.mark.parametrize(
    ("shape", "effect"),
    [(lambda x: x, "increases"), (lambda x: -np.sqrt(x), "decreases")],
    ids=["rising", "falling"],
)
def test_a_value_that_is_mostly_zero_keeps_its_direction(shape: Shape, effect: str) -> None:
    rng = np.random.default_rng(0)
    x = np.where(rng.uniform(size=1000) < 0.9, 0.0, rng.uniform(1, 2, size=1000))
    found = dependence(x, shape(x) + rng.normal(scale=0.1, size=1000))
    assert found.effect == effect


def test_a_value_that_is_mostly_zero_may_turn() -> None:
    rng = np.random.default_rng(0)
    x = np.where(rng.uniform(size=1000) < 0.8, 0.0, rng.uniform(0, 2, size=1000))
    heights = np.where(x > 0, 1 - 2 * (x - 1) ** 2, -1.0)
    found = dependence(x, heights + rng.normal(scale=0.05, size=1000))
    assert found.effect == "nonmonotonic"


def test_an_effect_that_another_variable_turns_has_no_direction() -> None:
    rng = np.random.default_rng(0)
    x, other = rng.normal(size=(2, 1000))
    assert dependence(x, x * other).effect == "nonmonotonic"


def test_noise_has_no_direction() -> None:
    rng = np.random.default_rng(0)
    found = dependence(rng.normal(size=500), rng.normal(size=500))
    assert found.effect == "nonmonotonic"
    assert abs(found.strength) < 0.15


def test_missing_values_are_left_out_of_the_curve() -> None:
    x = np.array([1.0, 2.0, np.nan, 3.0])
    found = dependence(x, np.array([-1.0, 0.0, 50.0, 1.0]))
    assert found.points == ((1.0, -1.0), (2.0, 0.0), (3.0, 1.0))
    assert (found.effect, found.strength) == ("increases", 1.0)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [2.0, 2.0, 2.0]])
def test_what_does_not_vary_has_no_direction(values: list[float]) -> None:
    found = dependence(np.array(values), np.zeros(len(values)))
    assert (found.effect, found.strength) == ("nonmonotonic", 0.0)


def test_a_variable_of_few_values_has_a_point_for_each() -> None:
    x = np.repeat([0.0, 1.0], [90, 10])
    assert dependence(x, x - 0.1).points == ((0.0, pytest.approx(-0.1)), (1.0, pytest.approx(0.9)))


def test_linear_values_add_up_to_the_answer() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(50, 3))
    model = LinearRegression().fit(samples, samples @ [1.0, -2.0, 0.5])
    values = linear_shap(model, samples, background=samples)
    np.testing.assert_allclose(
        values.sum(axis=1) + model.predict(samples).mean(), model.predict(samples)
    )


def test_without_numba_the_shap_package_answers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(60, 3))
    forest = RandomForestRegressor(4, random_state=0).fit(samples, samples[:, 0])
    monkeypatch.setattr(treeshap, "is_available", lambda: False)
    shares: list[float] = []
    found = forest_shap(
        forest, samples, predicted=forest.predict(samples), n_jobs=1, on_share=shares.append
    )
    values = found.values
    assert not found.is_compiled
    np.testing.assert_array_equal(values, package_shap(forest, samples, on_share=lambda _: None))
    expected = forest.predict(samples) - values.sum(axis=1)
    np.testing.assert_allclose(expected, expected[0])
    assert shares[-1] == 1
