"""Roles, groups, order and leak suspects, on public data and on tables of known truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.columns import describe_column
from prodapp.ml.intake import read_table
from prodapp.ml.profile import Profile, find_order, profile_table, suspect_leaks
from tests.unit.ml.conftest import describe


def profiled(frame: pd.DataFrame, target: str | None = None) -> Profile:
    return profile_table(frame, describe(frame), target=target)


def roles(profile: Profile) -> dict[str, str]:
    return {column.name: column.role for column in profile.columns}


@pytest.mark.parametrize(
    ("file", "target", "suspects"),
    [
        ("steel_energy.csv", "Usage_kWh", ["CO2(tCO2)"]),
        ("grid_stability.csv", "stab", ["stabf"]),
        ("ai4i2020.csv", "Machine_failure", ["TWF", "HDF", "PWF", "OSF"]),
        ("diamonds.csv", "price", []),
        ("ccpp.csv", "PE", []),
        ("concrete.csv", "CMS", []),
    ],
)
def test_leaks_of_public_data_are_suspected_and_no_others(
    real_file: Callable[[str], Path], file: str, target: str, suspects: list[str]
) -> None:
    table = read_table(real_file(file))
    profile = profile_table(table.frame, table.columns, target=target)
    assert [suspect.name for suspect in profile.suspects] == suspects
    assert all(suspect.reason % suspect.params for suspect in profile.suspects)
    assert {name for name, role in roles(profile).items() if role == "consequence"} == set(suspects)


def test_collinear_columns_of_diamonds_are_one_group(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("diamonds.csv"))
    profile = profile_table(table.frame, table.columns, target="price")
    assert [group.names for group in profile.groups] == [("carat", "x", "y", "z")]
    assert profile.order.sorted_by == ("price",)
    assert not profile.order.is_ordered


def test_steel_energy_is_ordered_by_its_dates(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("steel_energy.csv"))
    order = find_order(table.frame, table.columns)
    assert (order.is_ordered, order.by, order.interval_seconds) == (True, "date", 900.0)


def test_identifiers_of_machine_failures_are_none_of_the_variables(
    real_file: Callable[[str], Path],
) -> None:
    table = read_table(real_file("ai4i2020.csv"))
    found = roles(profile_table(table.frame, table.columns, target="Machine_failure"))
    assert found["UDI"] == found["Product ID"] == "identifier"


def test_a_profile_is_plain_values_that_json_can_hold() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    frame = pd.DataFrame({"x": x, "twice": 2 * x, "again": x, "y": x + rng.normal(size=200)})
    frame["stuck"] = np.where(np.arange(200) == 7, 1.0, 0.0)
    profile = profiled(frame, "y")
    assert json.loads(json.dumps(asdict(profile)))["target"] == "y"
    by_name = {column.name: column for column in profile.columns}
    assert by_name["again"].duplicate_of == "x"
    assert by_name["twice"].copy_of == "x"
    assert by_name["stuck"].barely_moved
    assert not by_name["x"].barely_moved
    assert sum(by_name["x"].sketch) == 200
    assert profile.groups[0].names == ("x", "twice", "again")


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("Lote", ["a", "b", "c", "d"] * 50, "group"),
        ("furnace", ["a"] * 70 + ["b"] * 60 + ["c"] * 70, "group"),
        ("colour", ["a", "b", "c", "d"] * 50, "context"),
        ("Temp_SP", list(np.random.default_rng(1).normal(size=200)), "lever"),
        ("speed", [100.0] * 60 + [120.0] * 50 + [110.0] * 40 + [100.0] * 50, "lever"),
        ("flow", list(np.random.default_rng(2).normal(size=200)), "context"),
        ("special", list(np.random.default_rng(3).normal(size=200)), "context"),
    ],
)
def test_roles_are_suggested_by_name_and_behaviour(
    name: str, values: list[object], role: str
) -> None:
    frame = pd.DataFrame({name: values, "other": np.random.default_rng(4).normal(size=200)})
    if isinstance(values[0], str):
        frame[name] = frame[name].astype("category")
    assert roles(profiled(frame))[name] == role


def test_parts_that_sum_to_the_target_are_suspected() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({name: rng.gamma(2, 5, 300) for name in "abcd"})
    frame["y"] = frame["a"] + frame["b"] - frame["c"]
    found = suspect_leaks(frame, describe(frame), target="y")
    assert [(s.name, s.code) for s in found] == [(n, "part_of_target") for n in "abc"]


@pytest.mark.parametrize(("noise", "is_suspected"), [(0.1, True), (0.5, False)])
def test_a_near_copy_is_suspected_a_strong_variable_is_not(
    noise: float, is_suspected: bool
) -> None:
    rng = np.random.default_rng(6)
    y = rng.normal(size=600)
    frame = pd.DataFrame({"copy": np.exp(y + rng.normal(0, noise, 600)), "y": y})
    assert bool(suspect_leaks(frame, describe(frame), target="y")) is is_suspected


def test_unrelated_columns_raise_no_alarm() -> None:
    """150 tables of independent columns: no group, no suspect, no order may be told."""
    n_wrong = {"groups": 0, "suspects": 0, "order": 0}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        n_rows = int(rng.choice([40, 120, 400]))
        frame = pd.DataFrame({f"x{i}": rng.lognormal(1, 1, n_rows) for i in range(8)})
        frame["kind"] = pd.Categorical(rng.choice(list("abcdef"), n_rows))
        frame["y"] = frame["x0"] + rng.normal(0, 2, n_rows)
        profile = profiled(frame, "y")
        n_wrong["groups"] += bool(profile.groups)
        n_wrong["suspects"] += bool(profile.suspects)
        n_wrong["order"] += profile.order.is_ordered
    assert n_wrong == {"groups": 0, "suspects": 0, "order": 0}


def test_neighbours_that_are_alike_are_an_order_without_times() -> None:
    rng = np.random.default_rng(7)
    walks = pd.DataFrame(rng.normal(size=(300, 4)).cumsum(axis=0), columns=list("abcd"))
    assert profiled(walks).order.is_ordered


def test_gaps_and_repeated_times_are_counted() -> None:
    times = (
        pd.date_range("2024-01-01", periods=100, freq="15min").to_series().reset_index(drop=True)
    )
    times[50:] += pd.Timedelta(days=2)
    times[99] = times[98]
    frame = pd.DataFrame({"when": times.astype("datetime64[us]"), "a": np.arange(100) % 7 * 1.0})
    others = describe(frame[["a"]])

    when = describe_column(frame["when"], name="when", kind="date")
    order = find_order(frame, [when, *others])
    assert (order.by, order.n_gaps, order.n_repeated) == ("when", 1, 1)
    assert order.interval_seconds == 900.0
