from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.trust.alarms import ring
from benchmarks.trust.alarms import score as alarm_score
from benchmarks.trust.coverage import score as rank_score
from benchmarks.trust.resumable import Key, carried_out
from benchmarks.trust.scoring import Mean, Rate, score
from benchmarks.trust.shapes import SHAPES
from benchmarks.trust.trial import judged as judged_table
from benchmarks.trust.trial import ranked
from benchmarks.trust.truths import Truth, truth_of

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
        "key": ["x", 1000, 0],
        "shares": {"a": 0.4, "b": 0.1},
        "proxies": {"p": "a"},
        "verdicts": {"a": "real", "b": "uncertain", "p": "noise", "n": "noise"},
        "seconds": 1.5,
        **changes,
    }


def test_errors_are_counted_by_table_and_power_by_variable() -> None:
    wrong = {"a": "real", "b": "real", "p": "real", "n": "real"}
    found = score("x", [judged(), judged(verdicts=wrong)])
    assert found.false_real == Rate(1, 2)
    assert found.proxy_real == Rate(1, 2)
    assert found.power == Rate(3, 4)
    assert found.seconds == 1.5


def test_sizes_are_the_mean_sizes_of_the_effects() -> None:
    """What a variable does to the target on average, given the rest: its share of a regression on
    itself is known from a large table."""
    for name in ("independent", "heavy_tails"):
        simulated = SHAPES[name](N_LARGE, rng())
        for variable, size in simulated.sizes.items():
            assert size == pytest.approx(_mean_size(simulated.X[variable], simulated.y), rel=0.1)


def _mean_size(x: pd.Series, y: np.ndarray) -> float:
    bins = pd.qcut(x, 100, labels=False)
    means = pd.Series(y).groupby(bins).mean()
    return float((means - means.mean()).abs().mean())


def test_a_truth_leaves_variables_within_five_percent_in_either_order() -> None:
    truth = Truth({"a": 2.0, "b": 1.03, "c": 1.0, "d": 0.5}, n_sets=200, error=0.01)
    assert [truth.admissible(name) for name in "abcd"] == [(1, 1), (2, 3), (2, 3), (4, 4)]


def test_a_truth_is_the_mean_of_its_training_sets() -> None:
    truth = truth_of([{"sizes": {"a": 1.0, "b": 4.0}}, {"sizes": {"a": 3.0, "b": 4.0}}])
    assert (dict(truth.importances), truth.n_sets) == ({"a": 2.0, "b": 4.0}, 2)
    assert truth.error == pytest.approx(0.5)


def test_a_table_is_covered_when_every_interval_holds_a_true_rank() -> None:
    truth = Truth({"a": 3.0, "b": 1.0, "c": 0.99}, n_sets=200, error=0.01)
    right = {"ranks": {"a": [1, 1], "b": [3, 3], "c": [2, 2]}, "seconds": 1.0}
    wrong = {"ranks": {"a": [2, 3], "b": [1, 1], "c": [3, 3]}, "seconds": 2.0}
    found = rank_score("x", truth, {"a": 2.0, "b": 1.1}, {"a": 4.0, "b": 1.0}, [right, wrong])
    assert (found.covered, found.met) == (Rate(1, 2), Rate(4, 6))
    assert (found.inverted, found.apart) == (Rate(1, 2), Rate(0, 0))
    assert found.apart_by_share == Rate(1, 2)
    assert found.width.value == pytest.approx((3 + 4) / 5 / 2)
    assert found.seconds == 1.5


def test_means_come_with_their_interval() -> None:
    assert str(Mean.of([1.0, 2.0, 3.0])) == "2.0 (-0.5–4.5)"
    assert str(Mean.of([1.0])) == "1.0"


def work(key: Key) -> dict[str, Any]:
    return {"key": list(key), "square": key[2] ** 2}


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    path = tmp_path / "results" / "squares.jsonl"
    path.parent.mkdir()
    path.write_text('{"key": ["x", 10, 2], "square": "done before"}\n')
    found = carried_out(work, [("x", 10, 3), ("x", 10, 2)], path, n_jobs=1)
    assert [result["square"] for result in found] == [9, "done before"]
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("shape", ["linear_proxies", "categorical"])
def test_short_form(shape: str) -> None:
    """One table of each: a judge that takes proxies for real, as most do, shows on nearly any."""
    found = score(shape, [judged_table((shape, 600, 1))])
    assert found.false_real.n_hits + found.proxy_real.n_hits == 0
    assert found.power.n_hits >= 0.7 * found.power.n


def test_short_form_of_ranks() -> None:
    """The strongest of the variables, which is far ahead, is surely above all that do nothing."""
    ranks = ranked(("independent", 400, 1))["ranks"]
    assert len(ranks) == 20
    assert ranks["x0"][1] < min(ranks[f"x{place}"][0] for place in range(6, 20))


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
