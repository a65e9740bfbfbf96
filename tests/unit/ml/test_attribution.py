"""How many samples are explained, which variables tie, and which act together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml import treeshap
from prodapp.ml.attribution import Attribution, Attributor
from prodapp.ml.budget import MIN_EXPLAINED, Clock
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.specification import Specification

from .conftest import describe


def attributed(
    coefficients: list[float],
    *,
    product: float = 0.0,
    n: int = 5000,
    limit: int = 4000,
    algorithm: str = "linear_regression",
    seconds: float = 600,
) -> Attribution:
    """The attribution of y = Σ coefficient · variable + product · a · b."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n, len(coefficients))))
    frame.columns = list("abcdef"[: len(coefficients)])
    y = frame.to_numpy() @ coefficients + product * frame["a"] * frame["b"]
    columns = describe(frame)
    spec = Specification(target="y", algorithm=algorithm)
    pipeline = build_pipeline(spec, columns, n_samples=500)
    fit_pipeline(pipeline, frame.iloc[:500], y.to_numpy()[:500], on_share=lambda _: None)
    return Attributor(pipeline, columns, frame.iloc[:500], 1).attribute(
        frame, limit=limit, random_state=0, clock=Clock(seconds), on_share=lambda _: None
    )


def test_clear_orders_need_no_more_than_the_first_samples() -> None:
    found = attributed([3.0, 2.0, 1.0])
    assert len(found.rows) == 1000
    assert found.ties == ()
    assert list(found.rows) == sorted(set(found.rows.tolist()))


def test_doubtful_orders_get_more_samples() -> None:
    assert len(attributed([1.07, 1.0]).rows) > 1000


def test_what_stays_in_doubt_is_a_tie() -> None:
    found = attributed([5.0, 1.003, 1.0, 0.2])
    assert found.ties == (("b", "c"),)


def test_variables_that_hardly_matter_need_not_be_told_apart() -> None:
    found = attributed([5.0, 0.001, 0.00101])
    assert len(found.rows) == 1000


def test_all_samples_are_explained_where_there_are_few() -> None:
    assert len(attributed([1.0, 1.0], n=600).rows) == 600
    assert len(attributed([1.0, 1.0], limit=50).rows) == 50


def test_out_of_time_fewer_samples_are_explained_and_that_is_said() -> None:
    found = attributed([1.0, 1.0], seconds=0.0)
    assert len(found.rows) == MIN_EXPLAINED
    assert [remark.code for remark in found.remarks] == ["budget_samples"]


@pytest.mark.skipif(not treeshap.is_available(), reason="numba is not installed")
def test_variables_that_act_together_are_found() -> None:
    found = attributed([0.5, 0.5, 1.0], product=3.0, n=1500, algorithm="random_forest")
    strongest = found.interactions[0]
    assert (strongest.first, strongest.second) == ("a", "b")
    # The joint part of 3·a·b has mean size 3 · (2/π); a forest of 500 samples finds some of it.
    assert 0.5 < strongest.strength < 2.5
    others = [pair.strength for pair in found.interactions[1:]]
    assert all(strength < 0.4 * strongest.strength for strength in others)


def test_without_the_kernel_the_result_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(treeshap, "is_available", lambda: False)
    found = attributed([1.0, 2.0], limit=10, algorithm="random_forest")
    assert [remark.code for remark in found.remarks] == ["slow_explanation"]
    assert found.interactions == ()
