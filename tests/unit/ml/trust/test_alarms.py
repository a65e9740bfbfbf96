"""Each alarm where it must ring, and where it must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.columns import describe_column
from prodapp.ml.cross_validation import Gap, cross_validate
from prodapp.ml.samples import Samples, gather_samples
from prodapp.ml.specification import Specification
from prodapp.ml.trust.alarms import Alarm, damage_alarms, find_alarms
from prodapp.ml.validation import Metrics, measure

NO_GAP = Gap(0.8, 0.8, 3, 400, "order", is_small=True)


def samples_of(frame: pd.DataFrame, **specification: Any) -> Samples:
    kinds = {"f": "number", "M": "date"}
    columns = [
        describe_column(frame[n], name=n, kind=kinds.get(frame[n].dtype.kind, "category"))
        for n in frame.columns
    ]
    return gather_samples(frame, columns, Specification(target="y", **specification))


def good_metrics(n: int = 100, *, error: float = 0.1) -> Metrics:
    rng = np.random.default_rng(0)
    actual = rng.normal(size=n)
    answers = actual + error * rng.normal(size=n)
    return measure(actual, answers, training_mean=0.0, n_train=400, n_features=3, random_state=0)


def rung(samples: Samples, *, gap: Gap = NO_GAP, metrics: Metrics | None = None) -> list[Alarm]:
    names = [column.name for column in samples.columns]
    metrics = metrics or good_metrics()
    return list(find_alarms(samples, metrics=metrics, gap=gap, strongest=names, flips=()))


def codes(alarms: list[Alarm]) -> list[str]:
    return [alarm.code for alarm in alarms]


@pytest.fixture
def plain() -> pd.DataFrame:
    """A process without any defect."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    frame["kind"] = pd.Categorical(rng.choice(["red", "blue"], 400))
    frame["y"] = frame["a"] + 0.5 * frame["b"] ** 2 + 0.3 * rng.normal(size=400)
    return frame


def test_a_sound_process_rings_nothing(plain: pd.DataFrame) -> None:
    assert rung(samples_of(plain)) == []


def test_copies_parts_and_pairs_are_leaks(plain: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    near = plain.assign(copy=np.exp(plain["y"]))
    (alarm,) = rung(samples_of(near))
    assert (alarm.code, alarm.variables, alarm.severity) == ("leak_suspect", ("copy",), "critical")
    cut = plain.assign(high=pd.Categorical(np.where(plain["y"] > 0.5, "yes", "no")))
    assert rung(samples_of(cut))[0].params["rule"] == "threshold"
    parts = pd.DataFrame({n: rng.gamma(3, 2, 400) for n in "abc"}).assign(
        y=lambda f: f["a"] + f["b"] - f["c"]
    )
    (alarm,) = rung(samples_of(parts))
    assert alarm.variables == ("a", "b", "c")
    energy = pd.DataFrame({"factor": rng.uniform(0.5, 0.95, 800), "reactive": rng.gamma(3, 2, 800)})
    energy["y"] = energy["reactive"] / np.tan(np.arccos(energy["factor"]))
    (alarm,) = rung(samples_of(energy))
    assert (set(alarm.variables), alarm.params["rule"]) == ({"factor", "reactive"}, "pair")


def test_a_counter_in_a_table_with_times_tells_rows_apart(plain: pd.DataFrame) -> None:
    when = pd.Series(pd.date_range("2026-01-01", periods=400, freq="h").astype("datetime64[us]"))
    counted = plain.assign(when=when, meter=np.random.default_rng(2).uniform(1, 3, 400).cumsum())
    (alarm,) = rung(samples_of(counted))
    assert (alarm.code, alarm.variables) == ("row_order", ("meter",))
    # Without times the rows may have been sorted by it.
    assert rung(samples_of(counted.drop(columns="when"))) == []


def gap_of(samples: Samples) -> Gap:
    spec = Specification(target="y")
    return cross_validate(
        spec,
        samples.columns,
        samples.X_train,
        samples.y_train,
        samples.learning_plan,
        n_jobs=1,
        on_share=lambda _: None,
    ).gap


def test_two_unrelated_random_walks_ring_the_order_alarm() -> None:
    n_rung = 0
    for seed in range(5):
        walks = np.random.default_rng(seed).normal(size=(500, 2)).cumsum(axis=0)
        samples = samples_of(pd.DataFrame(walks, columns=["x", "y"]))
        n_rung += "order_leak" in codes(rung(samples, gap=gap_of(samples)))
    assert n_rung == 5


def test_what_holds_on_later_rows_rings_no_order_alarm(plain: pd.DataFrame) -> None:
    when = pd.Series(pd.date_range("2026-01-01", periods=400, freq="h").astype("datetime64[us]"))
    samples = samples_of(plain.assign(when=when))
    assert samples.plan.scheme == "time"
    assert rung(samples, gap=gap_of(samples)) == []


def test_shuffling_what_is_in_order_is_graver_than_keeping_it_apart() -> None:
    walks = np.random.default_rng(0).normal(size=(500, 2)).cumsum(axis=0)
    frame = pd.DataFrame(walks, columns=["x", "y"])
    gap = Gap(0.9, 0.3, 3, 400, "order", is_small=True)
    (apart,) = rung(samples_of(frame), gap=gap)
    (mixed,) = rung(samples_of(frame, validation="shuffled"), gap=gap)
    assert (apart.code, apart.severity) == ("order_leak", "warning")
    assert (mixed.code, mixed.severity) == ("order_leak", "critical")
    assert not mixed.params["is_kept_apart"]


def test_rows_of_a_group_that_give_each_other_away_ring() -> None:
    rng = np.random.default_rng(3)
    lot = rng.integers(0, 20, 600)
    mark = rng.normal(size=20)[lot] + 0.01 * rng.normal(size=600)
    frame = pd.DataFrame({"mark": mark, "a": rng.normal(size=600)})
    frame["lot"] = pd.Categorical([f"lot {number}" for number in lot])
    frame["y"] = rng.normal(size=20)[lot] + 0.2 * frame["a"]
    how = {"group_column": "lot", "validation": "shuffled"}
    samples = samples_of(frame, features=("mark", "a"), **how)
    (alarm,) = rung(samples, gap=gap_of(samples))
    assert (alarm.code, alarm.severity) == ("group_leak", "critical")
    sound = frame.assign(y=frame["a"] + 0.4 * rng.normal(size=600))
    samples = samples_of(sound, features=("mark", "a"), **how)
    assert rung(samples, gap=gap_of(samples)) == []


def test_what_explains_nothing_and_what_is_too_little_rings(plain: pd.DataFrame) -> None:
    samples = samples_of(plain)
    metrics = good_metrics(n=20, error=10.0)
    assert not metrics.explains
    found = rung(samples, metrics=metrics)
    assert codes(found) == ["explains_nothing", "too_few_samples"]
    assert codes(rung(samples, metrics=replace(good_metrics(), n_test=30))) == []


def test_what_hardly_moved_is_named_with_where_to_try(plain: pd.DataFrame) -> None:
    stuck = plain.assign(
        stuck=np.where(np.arange(400) < 4, 80.0, 70.0),
        still=1000 + 1e-3 * np.random.default_rng(4).normal(size=400),
        switch=pd.Categorical(np.where(np.arange(400) < 3, "on", "off")),
    )
    found = {alarm.variables: alarm for alarm in rung(samples_of(stuck))}
    assert set(found) == {("stuck",), ("still",), ("switch",)}
    assert {alarm.severity for alarm in found.values()} == {"info"}
    params = found["stuck",].params
    assert (params["value"], params["low"], params["high"]) == (70.0, 70.0, 80.0)
    assert found["switch",].params["value"] == "off"


def test_damage_is_of_columns_that_matter_only() -> None:
    def remark(code: str, column: str | None) -> dict[str, Any]:
        return {"code": code, "column": column, "message": "m", "params": {"n": 3}}

    remarks = [
        remark("several_scales", "a"),
        remark("several_scales", "other"),
        remark("missing_codes", "a"),
        remark("short_rows", None),
    ]
    (alarm,) = damage_alarms(remarks, ["a", "y"])
    assert (alarm.code, alarm.variables, alarm.params["params"]) == ("damage", ("a",), {"n": 3})
