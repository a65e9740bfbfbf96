"""The alarm of drift rings where it must, and not where it must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from prodapp.ml.serving.drift import Drift, find_drift
from prodapp.ml.serving.variables import Variable

N_NUMBERS = 8
VARIABLES = [
    *(Variable(f"x{i}", "number", None, -3.0, 0.0, 3.0, (), False) for i in range(N_NUMBERS)),
    Variable("shift", "category", None, None, None, None, ("day", "night"), False),
    Variable("when", "date", None, None, None, None, (), False),
]


def _rows(n: int, rng: np.random.Generator, *, moved: float = 0.0, night: float = 0.5) -> list[Any]:
    numbers = rng.normal(size=(n, N_NUMBERS))
    numbers[:, 0] += moved
    return [[*row, "night" if rng.uniform() < night else "day", None] for row in numbers.tolist()]


def _found(seed: int = 0, n: int = 200, **changed: float) -> Drift:
    rng = np.random.default_rng(seed)
    return find_drift(VARIABLES, _rows(400, rng), _rows(n, rng, **changed))


def test_rows_like_those_learned_from_ring_about_as_rarely_as_promised() -> None:
    rings = [_found(seed, n=120).rings for seed in range(300)]
    assert np.mean(rings) <= 0.03  # 1 % promised, and three standard errors


def test_a_shift_rings_and_names_its_variable_first() -> None:
    found = _found(moved=1.0)
    assert found.rings
    assert (found.variables[0].variable, found.variables[0].has_drifted) == ("x0", True)
    assert sum(item.has_drifted for item in found.variables) == 1


def test_another_mix_of_categories_rings() -> None:
    found = _found(night=0.9)
    assert [item.variable for item in found.variables if item.has_drifted] == ["shift"]


def test_a_difference_too_small_to_matter_does_not_ring_however_many_rows() -> None:
    rng = np.random.default_rng(0)
    found = find_drift(VARIABLES, _rows(20_000, rng), _rows(20_000, rng, moved=0.1))
    assert min(item.p_value for item in found.variables) < 1e-6
    assert not found.rings


@pytest.mark.parametrize(("n_outside", "rings"), [(10, False), (14, False), (30, True)])
def test_intervals_that_no_longer_hold_ring(n_outside: int, rings: bool) -> None:
    found = find_drift(VARIABLES, [], [], n_actuals=100, n_outside=n_outside)
    assert found.rings == rings
    assert found.errors is not None
    assert (found.errors.n, found.errors.n_outside) == (100, n_outside)


def test_few_rows_say_nothing() -> None:
    assert _found(n=10, moved=5.0).variables == ()
    assert find_drift(VARIABLES, [], [], n_actuals=5, n_outside=5).errors is None


def test_a_variable_that_went_missing_rings() -> None:
    rng = np.random.default_rng(0)
    asked = [[float("nan"), *row[1:]] for row in _rows(100, rng)]
    found = find_drift(VARIABLES, _rows(400, rng), asked)
    assert found.variables[0].variable == "x0"
    assert found.rings
