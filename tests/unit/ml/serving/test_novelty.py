"""Rows unlike those learned from are found though each of their values is usual."""

from __future__ import annotations

import numpy as np

from prodapp.ml.serving.novelty import Neighbourhood, usual_distance

KINDS = ("number", "number", "category", "date")


def _rows(n: int, seed: int) -> list[list[object]]:
    """Two numbers that go together, and a category that goes with their sign."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n)
    others = base + rng.normal(0, 0.1, n)
    return [
        [a, 100 * b, "warm" if a > 0 else "cold", None] for a, b in zip(base, others, strict=True)
    ]


def test_what_breaks_a_relation_is_far_and_what_keeps_it_is_near() -> None:
    space = Neighbourhood.of(_rows(300, 0), KINDS)
    limit = usual_distance(np.array([space.distance(row) for row in _rows(400, 1)]))
    assert space.distance([1.2, 120.0, "warm", None]) < limit
    assert space.distance([1.2, -120.0, "warm", None]) > limit
    assert space.distance([1.2, 120.0, "cold", None]) > limit
    fresh = np.array([space.distance(row) for row in _rows(1_000, 2)])
    assert (fresh > limit).mean() <= 0.03  # 1 % promised of the limit's own kind


def test_missing_values_stand_in_the_middle() -> None:
    space = Neighbourhood.of(_rows(300, 0), KINDS)
    near = space.distance([float("nan"), float("nan"), "warm", None])
    assert near < space.distance([3.0, -300.0, "warm", None])


def test_a_table_without_numbers_has_distances_too() -> None:
    space = Neighbourhood.of([["a"], ["a"], ["a"], ["b"]], ("category",))
    assert space.distance(["a"]) < space.distance(["c"])
    assert Neighbourhood.of([[float("nan")]] * 4, ("number",)).distance([5.0]) > 0


def test_the_limit_of_few_rows_is_beyond_all_of_them() -> None:
    assert usual_distance(np.array([1.0, 2.0])) > 2.0
    assert usual_distance(np.arange(1.0, 200.0)) == 198.0
