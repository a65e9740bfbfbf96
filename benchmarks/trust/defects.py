"""Tables with one defect each, and sound ones: which alarms must ring, and which must not.

Nothing here is shared with the code that judges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Case:
    """A table whose column ``y`` is the target; ``code`` is the alarm that must ring, None for a
    sound one. ``specification`` says how it is trained on."""

    frame: pd.DataFrame
    code: str | None
    specification: Mapping[str, Any] = field(default_factory=dict)


def _process(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Four numbers of which two act, a category that hardly does; the rest is noise."""
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    frame["kind"] = pd.Categorical(rng.choice(["red", "blue", "green"], n))
    frame["y"] = frame["a"] + 0.6 * frame["b"] ** 2 + 0.7 * rng.normal(size=n)
    return frame


def _times(n: int) -> pd.Series:
    return pd.Series(pd.date_range("2026-01-01", periods=n, freq="h").astype("datetime64[us]"))


def _positive(n: int, rng: np.random.Generator, names: str) -> pd.DataFrame:
    return pd.DataFrame({name: rng.gamma(4, 2, n) + 1 for name in names})


def sound(n: int, rng: np.random.Generator) -> Case:
    return Case(_process(n, rng), None)


def sound_in_time(n: int, rng: np.random.Generator) -> Case:
    return Case(_process(n, rng).assign(when=_times(n)), None)


def sound_groups(n: int, rng: np.random.Generator) -> Case:
    lots = pd.Categorical([f"lot {k}" for k in rng.integers(0, 25, n)])
    return Case(_process(n, rng).assign(lot=lots), None, {"group_column": "lot"})


def two_strong_causes(n: int, rng: np.random.Generator) -> Case:
    """Two causes with 7 % noise: no formula, though nearly all is explained."""
    frame = _process(n, rng)
    made = 3 * frame["a"] - 2 * frame["b"]
    return Case(frame.assign(y=made + 0.27 * made.std() * rng.normal(size=n)), None)


def near_copy(n: int, rng: np.random.Generator) -> Case:
    frame = _process(n, rng)
    noise = 0.1 * frame["y"].std() * rng.normal(size=n)
    return Case(frame.assign(copy=np.exp((frame["y"] + noise) / 3)), "leak_suspect")


def threshold_copy(n: int, rng: np.random.Generator) -> Case:
    frame = _process(n, rng)
    cut = np.where(frame["y"] > frame["y"].quantile(0.7), "bad", "good")
    return Case(frame.assign(label=pd.Categorical(cut)), "leak_suspect")


def sum_of_parts(n: int, rng: np.random.Generator) -> Case:
    frame = _positive(n, rng, "abcd")
    return Case(frame.assign(y=frame["a"] + frame["b"] - frame["c"]), "leak_suspect")


def product_of_parts(n: int, rng: np.random.Generator) -> Case:
    frame = _positive(n, rng, "abcd")
    return Case(frame.assign(y=0.5 * frame["a"] * frame["b"] / frame["c"]), "leak_suspect")


def power_triangle(n: int, rng: np.random.Generator) -> Case:
    frame = _positive(n, rng, "abc")
    frame["factor"] = rng.uniform(0.5, 0.97, n)
    return Case(
        frame.assign(y=frame["a"] / np.tan(np.arccos(frame["factor"])).round(3)), "leak_suspect"
    )


def walks(n: int, rng: np.random.Generator) -> Case:
    """Two random walks that have nothing to do with each other."""
    return Case(
        pd.DataFrame(rng.normal(size=(n, 2)).cumsum(axis=0), columns=["x", "y"]), "order_leak"
    )


def lots_in_disguise(n: int, rng: np.random.Generator) -> Case:
    """Columns that differ between lots and not within, and a target of which the same holds."""
    lot = rng.integers(0, 25, n)
    frame = pd.DataFrame(
        {k: rng.normal(size=25)[lot] + 0.05 * rng.normal(size=n) for k in ("p", "q")}
    )
    frame["a"] = rng.normal(size=n)
    frame["lot"] = pd.Categorical([f"lot {k}" for k in lot])
    frame["y"] = rng.normal(size=25)[lot] + 0.2 * frame["a"] + 0.1 * rng.normal(size=n)
    return Case(frame, "group_leak", {"group_column": "lot"})


def permuted(n: int, rng: np.random.Generator) -> Case:
    frame = _process(n, rng)
    return Case(frame.assign(y=rng.permutation(frame["y"])), "explains_nothing")


def turning(n: int, rng: np.random.Generator) -> Case:
    frame = _process(n, rng)
    sign = np.where(frame["kind"] == "red", -1.0, 1.0)
    return Case(frame.assign(y=frame["y"] + 0.7 * sign * frame["c"]), "sign_flip")


def stuck(n: int, rng: np.random.Generator) -> Case:
    moved = np.where(np.arange(n) < n // 100, 80.0, 70.0)
    return Case(_process(n, rng).assign(stuck=rng.permutation(moved)), "barely_moved")


def counter(n: int, rng: np.random.Generator) -> Case:
    meter = rng.uniform(1, 3, n).cumsum()
    return Case(_process(n, rng).assign(when=_times(n), meter=meter), "row_order")


def few(_n: int, rng: np.random.Generator) -> Case:
    return Case(_process(100, rng), "too_few_samples")


CASES: Final[Mapping[str, Callable[[int, np.random.Generator], Case]]] = {
    function.__name__: function
    for function in (
        *(sound, sound_in_time, sound_groups, two_strong_causes),
        *(near_copy, threshold_copy, sum_of_parts, product_of_parts, power_triangle),
        *(walks, lots_in_disguise, permuted, turning, stuck, counter, few),
    )
}
#: Alarms that may ring beside the one of the defect: what else is true of such a table.
BESIDE: Final[Mapping[str, frozenset[str]]] = {
    "few": frozenset({"explains_nothing"}),  # of so few rows, hardly anything can be shown to do
    "walks": frozenset({"explains_nothing"}),
    "lots_in_disguise": frozenset({"explains_nothing"}),
}
