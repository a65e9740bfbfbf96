from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.trust.alarms import ring
from benchmarks.trust.alarms import score as alarm_score
from benchmarks.trust.scoring import Rate, score
from benchmarks.trust.shapes import SHAPES
from benchmarks.trust.trial import Trial, carry_out

N_LARGE = 100_000


@pytest.mark.parametrize("name", SHAPES)
def test_nulls_go_along_with_nothing_and_the_target_has_variance_one(name: str) -> None:
    simulated = SHAPES[name](N_LARGE if name != "autocorrelated" else 5_000, rng())
    assert set(simulated.shares) | set(simulated.proxies) <= set(simulated.X.columns)
    assert simulated.y.var() == pytest.approx(1.0, rel=0.25)
    numbers = simulated.X[simulated.nulls].select_dtypes("number").fillna(0.0)
    if not simulated.is_ordered:
        related = [abs(np.corrcoef(numbers[n], simulated.y)[0, 1]) for n in numbers.columns]
        assert max(related, default=0.0) < 0.02


def test_a_linear_share_is_the_loss_of_a_regression_without_the_variable() -> None:
    for name in ("correlated_groups", "linear_proxies"):
        simulated = SHAPES[name](N_LARGE, rng())
        table = simulated.X.to_numpy()
        whole = _unexplained(table, simulated.y)
        without = np.delete(table, 0, axis=1)
        loss = (_unexplained(without, simulated.y) - whole) / simulated.y.var()
        assert loss == pytest.approx(simulated.shares["x0"], rel=0.05)


def test_a_proxy_goes_along_with_what_acts_and_adds_nothing() -> None:
    simulated = SHAPES["linear_proxies"](N_LARGE, rng())
    for proxy, acting in simulated.proxies.items():
        assert np.corrcoef(simulated.X[proxy], simulated.X[acting])[0, 1] > 0.85
        assert abs(np.corrcoef(simulated.X[proxy], simulated.y)[0, 1]) > 0.1


def test_rates_come_with_their_interval() -> None:
    assert Rate(0, 100).bounds == (0.0, pytest.approx(0.0362, abs=1e-4))
    assert Rate(100, 100).bounds == (pytest.approx(0.9638, abs=1e-4), 1.0)
    assert Rate(0, 0).bounds == (0.0, 1.0)
    assert str(Rate(3, 10)) == "3/10 = 30.0% (6.7%–65.2%)"


def judged(**changes: Any) -> dict[str, Any]:
    return {
        "n_rows": 1000,
        "shares": {"a": 0.4, "b": 0.1},
        "proxies": {"p": "a"},
        "verdicts": {"a": "real", "b": "uncertain", "p": "noise", "n": "noise"},
        "ranks": {"a": [1, 1], "b": [2, 3], "p": [2, 4], "n": [3, 4]},
        "seconds": {"verdicts": 1.0, "ranks": 0.5},
        **changes,
    }


def test_errors_are_counted_by_table_and_power_by_variable() -> None:
    wrong = {"a": "real", "b": "real", "p": "real", "n": "real"}
    found = score("x", [judged(), judged(verdicts=wrong)])
    assert found.false_real == Rate(1, 2)
    assert found.proxy_real == Rate(1, 2)
    assert found.power == Rate(3, 4)
    assert found.seconds == 1.5


def test_order_is_scored_where_truths_are_of_the_variable_alone() -> None:
    assert score("x", [judged()]).apart == Rate(0, 0)
    right = score("x", [judged(proxies={})])
    assert (right.apart, right.inverted) == (Rate(1, 1), Rate(0, 1))
    turned = judged(proxies={}, ranks={"a": [2, 2], "b": [1, 1], "p": [3, 4], "n": [3, 4]})
    assert score("x", [turned]).inverted == Rate(1, 1)


@pytest.mark.parametrize("shape", ["linear_proxies", "categorical"])
def test_short_form(shape: str) -> None:
    """One table of each: a judge that takes proxies for real, as most do, shows on nearly any."""
    found = score(shape, [carry_out(Trial(shape, 600, 1))])
    assert found.false_real.n_hits + found.proxy_real.n_hits == 0
    assert found.power.n_hits >= 0.7 * found.power.n


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _unexplained(table: np.ndarray, y: np.ndarray) -> float:
    centred = table - table.mean(axis=0)
    coefficients, *_ = np.linalg.lstsq(centred, y - y.mean(), rcond=None)
    return float(((y - y.mean() - centred @ coefficients) ** 2).mean())


@pytest.mark.parametrize(
    ("case", "rung"),
    [("sound", []), ("near_copy", ["leak_suspect"]), ("stuck", ["barely_moved"])],
)
def test_a_table_with_one_defect_rings_its_alarm(case: str, rung: list[str]) -> None:
    assert ring((case, 300, 0)) == {
        "key": [case, 300, 0],
        "code": rung[0] if rung else None,
        "rung": rung,
    }


def test_alarms_are_scored_by_table_and_what_is_true_beside_is_not_false() -> None:
    def result(case: str, code: str | None, *rung: str) -> dict[str, Any]:
        return {"key": [case, 300, 0], "code": code, "rung": list(rung)}

    text = alarm_score(
        [
            result("sound", None),
            result("sound", None, "sign_flip"),
            result("walks", "order_leak", "explains_nothing", "order_leak"),
            result("turning", "sign_flip"),
        ]
    )
    lines = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()}
    assert "sign_flip 1" in lines["sound"]
    assert lines["walks"].endswith("none |")
    assert "0/1 = 0.0%" in lines["sign_flip"]
    assert "1/3 = 33.3%" in lines["sign_flip"]
    assert "1/1 = 100.0%" in lines["order_leak"]
