# ruff: noqa: N803, N806  (X and y are the field's names)

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.trust.assessment import Assessment, assess
from prodapp.ml.trust.ranks import RankInterval
from prodapp.ml.trust.verdicts import REAL, UNCERTAIN
from tests.unit.ml.trust.test_conditional import described


def assessed(X: pd.DataFrame, y: Any, plan: Plan | None = None) -> Assessment:
    plan = plan or Plan("shuffled", "")
    spec = Specification(target="y", random_state=3)
    return assess(spec, described(X), X, np.asarray(y), plan, n_jobs=1, on_share=lambda _: None)


@pytest.fixture(scope="module")
def process() -> tuple[pd.DataFrame, np.ndarray]:
    """``heat`` acts and has a twin, ``shift`` acts, ``idle`` does nothing."""
    rng = np.random.default_rng(0)
    heat = rng.normal(size=700)
    X = pd.DataFrame(
        {
            "heat": heat,
            "twin": heat + 0.01 * rng.normal(size=700),
            "shift": rng.choice(["day", "night"], 700).astype(object),
            "idle": rng.normal(size=700),
        }
    )
    y = 2 * heat + 1.0 * (X["shift"] == "day") + 0.5 * rng.normal(size=700)
    return X, y.to_numpy()


def test_variables_and_their_groups_are_judged(process: tuple[pd.DataFrame, np.ndarray]) -> None:
    found = assessed(*process)
    assert found.verdicts["shift"].verdict == REAL
    assert found.verdicts["idle"].verdict != REAL
    (group,) = found.groups
    assert group.members == ("heat", "twin")
    assert group.verdict.verdict == REAL
    # Either member does without the other, so neither is told to be the one.
    assert not group.is_parted
    assert found.ranks["idle"] == RankInterval(4, 4)


def test_an_ordered_table_is_judged_by_stretches(process: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = process
    in_order, shuffled = assessed(X, y, Plan("time", "")), assessed(X, y)
    assert in_order.verdicts["heat"].n_effective < 30 < shuffled.verdicts["heat"].n_effective
    assert in_order.verdicts["shift"].verdict == REAL


def test_rows_of_a_group_count_as_neighbours(process: tuple[pd.DataFrame, np.ndarray]) -> None:
    """What differs between batches and not within them has been tried as often as there are
    batches, not rows."""
    rng = np.random.default_rng(1)
    batch = np.arange(600) % 12
    X = pd.DataFrame({"setting": rng.normal(size=12)[batch], "within": rng.normal(size=600)})
    y = rng.normal(size=12)[batch] + X["within"] + 0.1 * rng.normal(size=600)
    found = assessed(X, y, Plan("group", "", groups=batch.astype(np.intp)))
    assert found.verdicts["setting"].verdict != REAL
    assert found.verdicts["within"].verdict == REAL


def test_the_fewest_samples_that_are_trained_on_leave_it_open() -> None:
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(20, 3)), columns=list("abc"))
    found = assessed(X, rng.normal(size=20))
    assert {v.verdict for v in found.verdicts.values()} == {UNCERTAIN}
    assert all(r.first == 1 for r in found.ranks.values())
