# ruff: noqa: N803, N806  (X and y are the field's names)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.trust.effects import build_grids, draw_curves, summarize
from tests.unit.ml.trust.test_conditional import described


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.normal(size=1500)
    X = pd.DataFrame({"a": a, "b": 0.95 * a + 0.2 * rng.normal(size=1500)})
    X["kind"] = rng.choice(["x", "y", "z"], 1500, p=[0.5, 0.3, 0.2]).astype(object)
    X["rest"] = np.where(rng.random(1500) < 0.1, np.nan, rng.integers(0, 3, 1500))
    return X


def answer(X: pd.DataFrame) -> np.ndarray:
    """Known everywhere: adds a square of ``a``, a line of ``b``, and a step of ``kind``."""
    found = X["a"] ** 2 - 2 * X["b"] + X["kind"].map({"x": 0.0, "y": 1.0, "z": 5.0})
    return (found + np.nan_to_num(X["rest"].to_numpy())).to_numpy(dtype=float)


def test_a_curve_is_the_part_of_its_variable_though_others_go_along(table: pd.DataFrame) -> None:
    grids = build_grids(table, described(table), ["a", "b", "kind", "rest"])
    curves = draw_curves(grids, table, answer)
    a, b, kind, rest = grids
    square = a.places**2
    assert curves[0] - curves[0][5] == pytest.approx(square - square[5], abs=1e-9)
    assert np.diff(curves[1]) / np.diff(b.places) == pytest.approx(-2.0)
    assert kind.places.tolist() == ["x", "y", "z"]
    assert curves[2] - curves[2][0] == pytest.approx([0, 1, 5])
    assert curves[2] @ kind.counts / kind.counts.sum() == pytest.approx(0)
    assert (rest.places.tolist(), np.diff(curves[3]).tolist()) == ([0, 1, 2], [1, 1])
    assert rest.counts.sum() == table["rest"].notna().sum()
    assert a.counts.sum() == len(table)


def test_the_spread_of_other_forests_is_the_interval(table: pd.DataFrame) -> None:
    grids = build_grids(table, described(table), ["b", "kind"])
    curves = draw_curves(grids, table, answer)
    rng = np.random.default_rng(1)
    others = [[curve * (1 + 0.1 * rng.normal()) for curve in curves] for _ in range(200)]
    line, kind = summarize(grids, curves, others)
    assert line.lows is not None
    assert line.highs is not None
    width = np.array(line.highs) - np.array(line.lows)
    assert width == pytest.approx(2 * 1.96 * 0.1 * np.abs(curves[0]), rel=0.15)
    assert kind.error == pytest.approx(0.5, rel=0.15)
    assert (kind.lowest, kind.highest, kind.difference) == (0, 2, pytest.approx(5))
    (alone, _) = summarize(grids, curves, ())
    assert (alone.lows, alone.error) == (None, None)


def test_what_has_one_value_has_no_curve(table: pd.DataFrame) -> None:
    still = table.assign(one=1.0, same="s")
    assert build_grids(still, described(still), ["one", "same", "unknown"]) == ()
    assert draw_curves((), still, answer) == []
