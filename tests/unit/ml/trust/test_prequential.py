# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.specification import Specification
from prodapp.ml.table import Column
from prodapp.ml.trust.conditional import Basis, build_basis
from prodapp.ml.trust.prequential import MAX_SAMPLES, measure_gains, part
from prodapp.ml.trust.verdicts import REAL, judge
from tests.unit.ml.trust.test_conditional import described

SPEC = Specification(target="y", random_state=5)


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, np.ndarray]:
    """Two act, one by a curve; one goes along with the first; one does nothing."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(800, 4)), columns=["acts", "curve", "proxy", "null"])
    X["proxy"] = 0.9 * X["acts"] + np.sqrt(0.19) * X["proxy"]
    y = X["acts"] + X["curve"] ** 2 + 0.5 * rng.normal(size=800)
    return X, y.to_numpy()


def test_what_acts_is_real_and_what_goes_along_with_it_is_not(
    table: tuple[pd.DataFrame, np.ndarray],
) -> None:
    X, y = table
    shares: list[float] = []
    units = [[0], [1], [2], [3], [0, 2]]
    found = measure_gains(
        SPEC, described(X), X, y, units, is_ordered=False, n_jobs=1, on_share=shares.append
    )
    verdicts = judge(
        found.values, variance=float(y.var()), explained=found.explained, is_ordered=False
    )
    assert 0.6 < found.explained < 0.95
    assert [v.verdict == REAL for v in verdicts] == [True, True, False, False, True]
    # What the group tells and neither member alone does belongs to the group.
    assert verdicts[4].gain > 2 * verdicts[0].gain
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_threads_change_nothing(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    one, two = (
        measure_gains(
            SPEC,
            described(X),
            X,
            y,
            [[0], [3]],
            is_ordered=True,
            n_jobs=n_jobs,
            on_share=lambda _: None,
        )
        for n_jobs in (1, 2)
    )
    assert np.array_equal(one.values, two.values)
    assert one.rows.tolist() == list(range(160, 800))


def test_ordered_samples_are_tested_in_stretches_of_neighbours() -> None:
    blocks = part(10 * MAX_SAMPLES, is_ordered=True, rng=np.random.default_rng(0))
    rows = np.concatenate(blocks)
    assert len(rows) == MAX_SAMPLES
    assert (np.diff(rows) > 0).all()
    assert np.mean(np.diff(rows) == 1) > 0.98
    assert rows[-1] == 10 * MAX_SAMPLES - 1


def test_unordered_samples_are_drawn_at_random() -> None:
    blocks = part(3 * MAX_SAMPLES, is_ordered=False, rng=np.random.default_rng(0))
    rows = np.concatenate(blocks)
    assert len(np.unique(rows)) == len(rows) == MAX_SAMPLES
    assert abs(np.corrcoef(np.arange(len(rows)), rows)[0, 1]) < 0.05


def test_of_a_large_table_only_the_rows_that_are_judged_are_looked_at(
    table: tuple[pd.DataFrame, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = table
    seen: list[int] = []

    def watched(frame: pd.DataFrame, columns: list[Column]) -> Basis:
        seen.append(len(frame))
        return build_basis(frame, columns)

    monkeypatch.setattr("prodapp.ml.trust.prequential.MAX_SAMPLES", 200)
    monkeypatch.setattr("prodapp.ml.trust.prequential.build_basis", watched)
    found = measure_gains(
        SPEC, described(X), X, y, [[0]], is_ordered=False, n_jobs=1, on_share=lambda _: None
    )
    assert seen == [200]
    assert (len(found.values), len(set(found.rows.tolist()))) == (160, 160)
    assert found.rows.max() > 200
