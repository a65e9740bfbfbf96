"""Errors over time: what they were, and whether they have changed."""

from __future__ import annotations

import numpy as np
import pytest

from prodapp.ml.serving.errors import ErrorsOverTime, errors_over_time


def _found(n: int, *, newest: float = 1.0, seed: int = 0) -> ErrorsOverTime:
    errors = np.random.default_rng(seed).normal(size=n)
    errors[2 * n // 3 :] *= newest
    return errors_over_time(errors)


@pytest.mark.parametrize(("n", "n_steps"), [(0, 0), (9, 0), (10, 2), (59, 11), (60, 12), (500, 12)])
def test_steps_hold_every_error_once_in_about_equal_numbers(n: int, n_steps: int) -> None:
    steps = _found(n).steps
    assert len(steps) == n_steps
    places = [place for step in steps for place in range(step.first, step.last + 1)]
    assert places == list(range(n if n_steps else 0))
    if steps:
        assert max(s.n for s in steps) - min(s.n for s in steps) <= 1


def test_a_step_tells_its_mean_size_its_interval_and_on_which_side_errors_lie() -> None:
    first, second = errors_over_time(np.array([1.0, 2, 3, 4, 5, -2, -2, -2, -2, -2])).steps
    assert (first.size, first.mean) == (3.0, 3.0)
    # t of 0.975 with 4 degrees of freedom is 2.7764; the spread is √2.5.
    assert first.high - first.size == pytest.approx(2.7764 * np.sqrt(2.5 / 5), rel=1e-4)
    assert (second.low, second.size, second.high, second.mean) == (2.0, 2.0, 2.0, -2.0)


def test_an_interval_of_sizes_never_lies_below_zero() -> None:
    assert errors_over_time(np.array([0.0, 0, 0, 0, 9, 0, 0, 0, 0, 9])).steps[0].low == 0.0


@pytest.mark.parametrize(
    ("n", "newest", "change"),
    [(300, 3.0, "larger"), (300, 0.3, "smaller"), (300, 1.0, "none"), (59, 9.0, None)],
)
def test_the_newest_are_compared_with_those_before(
    n: int, newest: float, change: str | None
) -> None:
    assert _found(n, newest=newest).change == change


def test_errors_that_do_not_change_seldom_seem_to() -> None:
    changes = [_found(120, seed=seed).change for seed in range(300)]
    assert sum(change != "none" for change in changes) <= 9  # 3 are expected; P(> 9) < 0.002
