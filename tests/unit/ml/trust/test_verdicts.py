from __future__ import annotations

import numpy as np
import pytest

from prodapp.ml.trust.verdicts import NOISE, REAL, UNCERTAIN, holm, judge


def test_holm_stops_at_the_first_that_stands() -> None:
    # 0.05 / 4, / 3, / 2: the third is too large for its place, so the fourth stands as well.
    found = holm([0.03, 0.001, 0.015, 0.028], level=0.05)
    assert found.tolist() == [False, True, True, False]
    assert holm([0.2, 0.9], level=0.05).tolist() == [False, False]
    assert holm([0.001, 0.002], level=0.05).tolist() == [True, True]


def test_verdicts_follow_gain_and_error() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(1000, 3))
    gains = noise * [0.5, 0.05, 2.0] + [0.2, 0.0, 0.05]
    clear, nothing, blurred = judge(gains, variance=1.0, explained=0.8, is_ordered=False)
    assert (clear.verdict, nothing.verdict, blurred.verdict) == (REAL, NOISE, UNCERTAIN)
    assert clear.low < clear.gain < clear.high
    assert clear.gain == pytest.approx(0.2, abs=0.05)
    assert clear.n_effective == 1000


@pytest.mark.parametrize(
    ("explained", "verdict"), [(0.8, NOISE), (0.05, UNCERTAIN), (0.0, UNCERTAIN)]
)
def test_a_forest_that_explains_little_rules_nothing_out(explained: float, verdict: str) -> None:
    gains = np.random.default_rng(1).normal(scale=0.05, size=(1000, 1))
    found = judge(gains, variance=1.0, explained=explained, is_ordered=False)
    assert found[0].verdict == verdict


def test_what_does_harm_is_not_noise() -> None:
    gains = np.random.default_rng(1).normal(-0.05, 0.05, size=(1000, 1))
    found = judge(gains, variance=1.0, explained=0.8, is_ordered=True)
    assert found[0].verdict == UNCERTAIN


def test_gains_are_shares_of_the_targets_variance() -> None:
    gains = np.random.default_rng(0).normal(1.0, 0.1, size=(100, 1))
    assert judge(gains, variance=4.0, explained=0.8, is_ordered=False)[0].gain == pytest.approx(
        0.25, abs=0.01
    )


def test_neighbours_count_as_one_where_rows_are_ordered() -> None:
    rng = np.random.default_rng(1)
    stretches = np.repeat(rng.normal(size=20), 50)[:, np.newaxis]
    stretches += 0.2 - stretches.mean()
    # Taken for a thousand tests, these would be clear.
    assert judge(stretches, variance=1.0, explained=0.8, is_ordered=False)[0].verdict == REAL
    found = judge(stretches, variance=1.0, explained=0.8, is_ordered=True)[0]
    assert found.n_effective == 20
    assert found.verdict == UNCERTAIN


@pytest.mark.parametrize("n_samples", [0, 1, 30])
def test_too_few_ordered_samples_leave_it_open(n_samples: int) -> None:
    found = judge(np.ones((n_samples, 2)), variance=1.0, explained=0.8, is_ordered=True)
    assert [v.verdict for v in found] == [UNCERTAIN, UNCERTAIN]


def test_the_family_is_kept_where_nothing_acts() -> None:
    """200 families of 20 without a part: 2.5 % may err, 5 of 200; 13 would be a chance of 0.1 %."""
    rng = np.random.default_rng(2)
    n_wrong = sum(
        any(v.verdict == REAL for v in judge(g, variance=1.0, explained=0.8, is_ordered=False))
        for g in rng.standard_t(4, size=(200, 400, 20))
    )
    assert n_wrong <= 12
