"""How samples are parted: at random, in time with a gap, by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import DataRefused, InvalidInput
from prodapp.ml.choice import check_specification
from prodapp.ml.columns import describe_column
from prodapp.ml.specification import Specification
from prodapp.ml.splits import (
    Plan,
    blocked_folds,
    plan_validation,
    shuffled_folds,
    shuffled_like,
)
from prodapp.ml.table import Column
from prodapp.ml.timeline import find_timeline

from .conftest import describe

SHUFFLED = Plan("shuffled", "")
TIME = Plan("time", "", gap=5)
ORDER = Plan("order", "", gap=5)
GROUPS = Plan("group", "", groups=np.repeat(np.arange(10), 10))


def test_a_shuffled_hold_out_is_seeded_and_parts_all_samples() -> None:
    train, test = SHUFFLED.hold_out(100, test_size=0.2, random_state=1)
    assert len(test) == 20
    assert sorted([*train, *test]) == list(range(100))
    again = SHUFFLED.hold_out(100, test_size=0.2, random_state=1)
    np.testing.assert_array_equal(test, again[1])
    other = SHUFFLED.hold_out(100, test_size=0.2, random_state=2)
    assert not np.array_equal(test, other[1])


def test_in_time_the_last_are_held_out_beyond_the_gap() -> None:
    train, test = TIME.hold_out(100, test_size=0.2, random_state=1)
    assert test.tolist() == list(range(80, 100))
    assert train.tolist() == list(range(75))


def test_without_a_time_column_stretches_are_held_out_and_a_gap_about_each() -> None:
    train, test = ORDER.hold_out(300, test_size=0.2, random_state=0)
    assert len(test) == 60
    assert np.count_nonzero(np.diff(test) > 1) == 2
    assert min(np.abs(train[:, np.newaxis] - test).min(axis=1)) == 6


@pytest.mark.parametrize("seed", range(5))
def test_no_group_stands_on_both_sides(seed: int) -> None:
    assert GROUPS.groups is not None
    for train, test in (
        GROUPS.hold_out(100, test_size=0.2, random_state=seed),
        *GROUPS.folds(100, n_folds=4, random_state=seed),
    ):
        assert not set(GROUPS.groups[train]) & set(GROUPS.groups[test])
        assert len(train) + len(test) == 100
        assert 20 <= len(test) <= 30


def test_fewer_than_three_groups_are_refused_with_words() -> None:
    plan = Plan("group", "", groups=np.repeat([0, 1], 30))
    with pytest.raises(DataRefused, match="belong to 2 groups"):
        plan.hold_out(60, test_size=0.2, random_state=0)


def test_too_few_samples_are_refused() -> None:
    SHUFFLED.hold_out(20, test_size=0.2, random_state=0)
    with pytest.raises(DataRefused, match="at least 20"):
        SHUFFLED.hold_out(19, test_size=0.2, random_state=0)


@pytest.mark.parametrize(
    "folds",
    [shuffled_folds(53, n_folds=5, random_state=0), blocked_folds(53, n_folds=5)],
    ids=["shuffled", "blocked"],
)
def test_folds_test_every_sample_once_and_never_train_on_it(
    folds: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    tested: list[int] = []
    for train_rows, test_rows in folds:
        assert not set(train_rows) & set(test_rows)
        assert len(train_rows) + len(test_rows) == 53
        tested += test_rows.tolist()
    assert sorted(tested) == list(range(53))


def test_blocks_are_neighbours() -> None:
    assert all(np.ptp(rows) == len(rows) - 1 for _, rows in blocked_folds(53, n_folds=5))


@pytest.mark.parametrize("plan", [TIME, ORDER])
def test_folds_in_time_learn_from_the_past_only(plan: Plan) -> None:
    folds = plan.folds(120, n_folds=3, random_state=0)
    assert [len(test) for _, test in folds] == [30, 30, 30]
    assert all(test.min() - train.max() == 6 for train, test in folds)


def test_folds_are_repeated_where_samples_are_few_and_chance_has_a_part() -> None:
    def count(plan: Plan, n: int) -> int:
        return len(plan.repeated_folds(n, n_folds=4, random_state=0))

    assert (count(SHUFFLED, 100), count(SHUFFLED, 1000), count(TIME, 100)) == (12, 4, 4)


def test_random_folds_to_compare_with_have_the_same_sizes() -> None:
    honest = TIME.folds(120, n_folds=3, random_state=0)
    drawn = shuffled_like(honest, random_state=0)
    for (train, test), (other_train, other_test) in zip(honest, drawn, strict=True):
        assert (len(train), len(test)) == (len(other_train), len(other_test))
        assert sorted([*train, *test]) == sorted([*other_train, *other_test])
        assert test.tolist() != other_test.tolist()


def planned(frame: pd.DataFrame, *, roles: dict[str, str] | None = None, **options: Any) -> Plan:
    columns = described(frame, roles or {})
    spec = Specification(target="y", **options)
    timeline = find_timeline(
        frame, columns, time_column=spec.time_column, group_column=spec.group_column
    )
    ordered = frame.iloc[timeline.rows]
    return plan_validation(spec, ordered, columns, timeline, y=ordered["y"].to_numpy(), reach=0)


def described(frame: pd.DataFrame, roles: dict[str, str]) -> list[Column]:
    columns = []
    for column in describe(frame):
        if frame[column.name].dtype.kind == "M":
            column = describe_column(frame[column.name], name=column.name, kind="date")
        role = roles.get(column.name, column.role)
        columns.append(Column(**{**vars(column), "role": role}))
    return columns


def independent(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "y"])


def test_auto_takes_time_where_a_column_tells_it_and_random_rows_where_nothing_does() -> None:
    frame = independent()
    assert planned(frame).scheme == "shuffled"
    frame["at"] = pd.date_range("2026-01-01", periods=200, freq="min")
    found = planned(frame)
    assert (found.scheme, found.column) == ("time", "at")


def test_auto_takes_groups_by_the_role_of_a_column() -> None:
    frame = independent()
    frame["batch"] = np.repeat([f"b{n}" for n in range(20)], 10)
    assert planned(frame).scheme == "shuffled"
    found = planned(frame, roles={"batch": "group"})
    assert (found.scheme, found.column) == ("group", "batch")


def test_auto_parts_alike_neighbours_but_not_rows_sorted_by_the_target() -> None:
    rng = np.random.default_rng(0)
    walks = pd.DataFrame(rng.normal(size=(400, 3)).cumsum(axis=0), columns=["a", "b", "y"])
    assert planned(walks).scheme == "order"
    assert planned(walks.sort_values("y")).scheme == "shuffled"


def test_what_was_asked_for_is_taken() -> None:
    frame = independent()
    frame["batch"] = np.repeat([f"b{n}" for n in range(20)], 10)
    frame["at"] = pd.date_range("2026-01-01", periods=200, freq="min")
    assert planned(frame, validation="shuffled").scheme == "shuffled"
    assert planned(frame, group_column="batch").scheme == "group"
    assert planned(frame, validation="time", gap_rows=7).gap == 7


def test_groups_without_a_column_are_refused() -> None:
    spec = Specification(target="y", validation="group")
    with pytest.raises(InvalidInput, match="tells the groups"):
        check_specification(spec, describe(independent()))


def test_the_gap_follows_how_long_the_target_remembers() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=2000)
    slow = pd.Series(noise).ewm(alpha=0.1).mean().to_numpy()
    at = pd.date_range("2026-01-01", periods=2000, freq="min")
    assert planned(pd.DataFrame({"y": noise, "at": at})).gap <= 2
    assert 8 <= planned(pd.DataFrame({"y": slow, "at": at})).gap <= 100
