"""Intervals hold what they promise, and say so where they cannot."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from prodapp.ml.serving.calibration import (
    Calibration,
    ClassCalibration,
    Scores,
    calibrate,
    calibrate_classes,
)


def test_the_limit_is_the_error_that_a_new_sample_exceeds_as_rarely_as_promised() -> None:
    scores = Scores.of(np.arange(1.0, 20.0))  # 19 errors: 1 … 19
    assert scores.limit(0.9) == 18  # ⌈20 · 0.9⌉
    assert scores.limit(0.95) == 19
    assert scores.limit(0.96) is None  # would need a twentieth
    assert scores.highest_level == 0.95


def test_of_many_errors_kept_ranks_never_promise_more_than_all_of_them() -> None:
    errors = np.random.default_rng(0).exponential(size=3_700)
    scores = Scores.of(errors)
    assert len(scores.kept) == 1_000
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        exact = np.sort(errors)[int(np.ceil(3_701 * level)) - 1]
        found = scores.limit(level)
        assert found is not None
        assert exact <= found <= exact * 1.05


def _coverage(difficulty: str, spread_of: float) -> tuple[float, str]:
    rng = np.random.default_rng(1)
    covered, chosen = [], Counter[str]()
    for _ in range(200):
        x = rng.uniform(1, 10, 201)
        noise = x if difficulty != "none" else np.ones(201)
        y = 5 * x + rng.normal(size=201) * noise
        spreads = noise * rng.uniform(1 - spread_of, 1 + spread_of, 201)
        made = calibrate(
            y[:-1],
            5 * x[:-1],
            spreads[:-1] if difficulty == "spread" else None,
            learned=np.array([-1.0, 1.0]),
        )
        chosen[made.difficulty] += 1
        interval = made.interval(5 * x[-1], spreads[-1], level=0.9)
        assert interval is not None
        covered.append(interval[0] <= y[-1] <= interval[1])
    return float(np.mean(covered)), chosen.most_common(1)[0][0]


@pytest.mark.parametrize("difficulty", ["none", "spread", "level"])
def test_intervals_hold_the_truth_nine_times_of_ten_and_find_what_is_difficult(
    difficulty: str,
) -> None:
    share, chosen = _coverage(difficulty, 0.1)
    assert chosen == difficulty
    assert 0.9 - 3 * 0.022 <= share <= 0.9 + 3 * 0.022  # three standard errors of 200


def test_where_the_error_grows_with_the_answer_intervals_do_too() -> None:
    x = np.linspace(1, 100, 400)
    errors = np.where(np.arange(400) % 2 == 0, 0.1, -0.1) * x
    made = calibrate(x + errors, x, None, learned=x)
    assert made.difficulty == "level"
    small, large = (made.interval(at, 0.0, level=0.9) for at in (5.0, 90.0))
    assert small is not None
    assert large is not None
    assert large[1] - large[0] > 5 * (small[1] - small[0])


def test_nothing_below_zero_is_promised_of_what_was_never_below() -> None:
    x = np.linspace(1, 5, 50)
    made = calibrate(x, x + 3.0, None, learned=x)
    interval = made.interval(1.0, 0.0, level=0.9)
    assert interval == (0.0, 4.0)
    low, high = made.intervals(np.array([1.0]), np.zeros(1), level=0.9)
    assert (low[0], high[0]) == interval


def test_too_few_held_out_samples_give_no_interval() -> None:
    made = calibrate(np.arange(5.0), np.arange(5.0) + 1, None, learned=np.arange(5.0))
    assert made.interval(1.0, 0.0, level=0.9) is None
    assert made.interval(1.0, 0.0, level=0.8) is not None
    assert np.isnan(made.intervals(np.ones(1), np.zeros(1), level=0.9)[0]).all()


def test_a_calibration_survives_being_stored() -> None:
    x = np.linspace(-3, 5, 90)
    made = calibrate(x, x**2, np.abs(x) + 1, learned=x)
    assert Calibration.from_json(made.to_json()) == made


def test_the_interval_of_a_probability_is_the_share_of_the_class_among_the_like() -> None:
    rng = np.random.default_rng(2)
    truth = rng.uniform(size=3_000)
    hits = (rng.uniform(size=3_000) < truth).astype(float)
    made = calibrate_classes(hits, truth)
    for probability in (0.05, 0.35, 0.65, 0.95):
        interval = made.interval(probability, level=0.9)
        assert interval is not None
        assert interval[0] - 0.06 <= probability <= interval[1] + 0.06
        assert interval[1] - interval[0] < 0.1
    assert made.possible(0.99, level=0.9) == (True, False)
    assert made.possible(0.01, level=0.9) == (False, True)
    assert made.possible(0.5, level=0.9) == (True, True)
    assert ClassCalibration.from_json(made.to_json()) == made


def test_few_samples_say_nothing_of_probabilities() -> None:
    made = calibrate_classes(np.array([0.0, 1.0]), np.array([0.2, 0.9]))
    assert made.interval(0.5, level=0.9) is None
    assert made.possible(0.5, level=0.9) is None


def test_probabilities_that_are_all_alike_make_one_bin() -> None:
    made = calibrate_classes(np.arange(90) % 3 == 0, np.full(90, 0.3))
    assert made.counts == (90,)
    assert made.interval(0.3, level=0.9) is not None
    assert made.interval(0.99, level=0.9) == made.interval(0.3, level=0.9)
