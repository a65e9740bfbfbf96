"""Rows left out, files appended, laboratory results joined, new files compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import InvalidInput
from prodapp.ml.assembly import (
    append_rows,
    compare,
    exclude,
    excluded_rows,
    exclusion_from,
    join_by_time,
    remember,
    remembered_from,
)
from prodapp.ml.intake import Table

Read = Callable[..., Table]

CSV = "when;speed;state\n" + "".join(
    f"2024-01-01 {hour:02}:00;{100 + hour},5;{'run' if hour % 4 else 'stop'}\n"
    for hour in range(24)
)


@pytest.mark.parametrize(
    ("document", "n_rows"),
    [
        ({"conditions": [{"column": "speed", "operator": "<", "value": 105}]}, 5),
        ({"conditions": [{"column": "speed", "operator": ">=", "value": "120.5"}]}, 4),
        ({"conditions": [{"column": "state", "operator": "=", "value": "stop"}]}, 6),
        ({"conditions": [{"column": "state", "operator": "!=", "value": "stop"}]}, 18),
        ({"conditions": [{"column": "state", "operator": "in", "value": ["run", "stop"]}]}, 24),
        ({"conditions": [{"column": "speed", "operator": "missing"}]}, 0),
        (
            {
                "conditions": [
                    {"column": "state", "operator": "=", "value": "stop"},
                    {"column": "speed", "operator": ">", "value": 110},
                ]
            },
            3,
        ),
        ({"time": "when", "start": "2024-01-01 03:00", "end": "2024-01-01 05:00"}, 3),
        ({"time": "when", "start": "2024-01-01T20:00:00Z"}, 4),
        ({"first_row": 2, "last_row": 4, "label": "start-up"}, 3),
    ],
)
def test_rows_are_excluded_by_document(read: Read, document: dict[str, Any], n_rows: int) -> None:
    frame = read(CSV).frame
    exclusion = exclusion_from(document)
    assert excluded_rows(frame, exclusion).sum() == n_rows
    again = exclusion_from(json.loads(json.dumps(asdict(exclusion))))
    assert again == exclusion


def test_a_row_counts_for_the_first_exclusion_that_takes_it(read: Read) -> None:
    frame = read(CSV).frame
    first = exclusion_from({"first_row": 1, "last_row": 5})
    second = exclusion_from({"conditions": [{"column": "state", "operator": "=", "value": "stop"}]})
    left = exclude(frame, [first, second])
    assert left.counts == (5, 4)
    assert len(left.frame) == 15
    assert left.frame.index[0] == 5


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"label": "nothing"},
        {"colour": "red"},
        {"start": "2024-01-01"},
        {"time": "when", "start": "someday"},
        {"time": "speed", "start": "2024-01-01"},
        {"conditions": [{"column": "nowhere", "operator": "=", "value": 1}]},
        {"conditions": [{"column": "speed", "operator": "~", "value": 1}]},
        {"conditions": [{"column": "speed", "operator": "<", "value": "fast"}]},
        {"conditions": [{"column": "state", "operator": "<", "value": "run"}]},
    ],
)
def test_exclusions_that_make_no_sense_are_refused(read: Read, document: Mapping[str, Any]) -> None:
    frame = read(CSV).frame
    with pytest.raises(InvalidInput):
        excluded_rows(frame, exclusion_from(document))


def test_files_append_by_name_and_say_what_differs(read: Read) -> None:
    first = read(CSV)
    second = read(
        "state;when;speed;extra\nrun;2024-01-02 00:00;high;1,5\nstop;2024-01-02 01:00;low;2,5\n"
    )
    both = append_rows(first.frame, first.columns, second.frame, second.columns, time="when")
    assert list(both.frame) == ["when", "speed", "state", "extra"]
    assert both.kinds == ("date", "category", "category", "number")
    assert len(both.frame) == 26
    assert both.frame["speed"].tolist()[-3:] == ["123.5", "high", "low"]
    assert both.frame["extra"].tolist()[-2:] == [1.5, 2.5]
    assert {remark.code for remark in both.remarks} == {"column_new", "column_retyped"}


def test_rows_that_were_there_are_left_out_and_conflicts_told(read: Read) -> None:
    first = read(CSV)
    overlap = CSV.splitlines()[:1] + CSV.splitlines()[-2:]
    overlap += ["2024-01-01 05:00;999,5;run", "2024-01-02 00:00;100,5;run"]
    second = read("\n".join(overlap) + "\n")
    both = append_rows(first.frame, first.columns, second.frame, second.columns, time="when")
    assert (len(both.frame), both.n_repeated) == (26, 2)
    remarks = {remark.code: remark for remark in both.remarks}
    assert remarks["repeated_rows"].params["n"] == 2
    assert remarks["conflicting_rows"].row == 3
    assert both.frame["when"].dtype == first.frame["when"].dtype


LAB = (
    "sampled;strength;speed\n2024-01-01 03:20;31,5;1\n2024-01-01 07:50;32,5;2\n2024-01-09;33,5;3\n"
)


@pytest.mark.parametrize(
    ("options", "speeds"),
    [
        ({}, [103.5, 107.5]),
        ({"direction": "nearest"}, [103.5, 108.5]),
        ({"delay_minutes": 60}, [102.5, 106.5]),
        ({"tolerance_minutes": 30}, [103.5]),
    ],
)
def test_laboratory_results_join_the_state_of_their_time(
    read: Read, options: dict[str, Any], speeds: list[float]
) -> None:
    process, lab = read(CSV).frame, read(LAB).frame
    joined = join_by_time(
        process,
        lab,
        time="when",
        laboratory_time="sampled",
        **{"tolerance_minutes": 120, **options},
    )
    assert list(joined.frame) == ["when", "speed", "state", "sampled", "strength", "speed (lab)"]
    assert joined.frame["speed"].tolist() == speeds
    assert joined.n_unmatched == 3 - len(speeds)
    assert {remark.code for remark in joined.remarks} == {"renamed_column", "unmatched_samples"}


@pytest.mark.parametrize(
    "wrong",
    [{"time": "speed"}, {"laboratory_time": "x"}, {"direction": "up"}, {"tolerance_minutes": 0}],
)
def test_joins_that_make_no_sense_are_refused(read: Read, wrong: dict[str, Any]) -> None:
    options = {"time": "when", "laboratory_time": "sampled", "tolerance_minutes": 5}
    with pytest.raises(InvalidInput):
        join_by_time(read(CSV).frame, read(LAB).frame, **{**options, **wrong})  # type: ignore[arg-type]


def machine(rng: np.random.Generator, **changes: Any) -> str:
    columns: dict[str, Any] = {
        "Pressão": rng.normal(7, 0.3, 60).round(2),
        "T1": rng.normal(300, 5, 60).round(1),
        "kind": rng.choice(["a", "b", "c"], 60),
    }
    columns.update(changes)
    frame = pd.DataFrame({name: values for name, values in columns.items() if values is not None})
    return frame.to_csv(index=False, sep=";", decimal=",")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"T1": None}, ["missing"]),
        ({"extra": np.arange(60) % 7}, ["new"]),
        ({"Pressão": None, "pressao": np.full(60, 7.0) + np.arange(60) % 3}, ["renamed"]),
        ({"T1": None, "T2": np.full(60, 300.0) + np.arange(60) % 5}, ["missing", "new"]),
        ({"T1": ["hot", "cold", "warm"] * 20}, ["retyped"]),
        ({"Pressão": 100 * np.random.default_rng(1).normal(7, 0.3, 60).round(2)}, ["scaled"]),
        ({"T1": np.random.default_rng(1).normal(500, 5, 60).round(1)}, ["shifted"]),
    ],
)
def test_a_new_file_is_compared_with_what_is_remembered(
    read: Read, changes: dict[str, Any], codes: list[str]
) -> None:
    before = read(machine(np.random.default_rng(1)))
    kept = json.loads(json.dumps([asdict(item) for item in remember(before.frame, before.columns)]))
    now = read(machine(np.random.default_rng(2), **changes))
    differences = compare(remembered_from(kept), now.frame, now.columns)
    assert [difference.code for difference in differences] == codes
    assert all(difference.message % difference.params for difference in differences)
