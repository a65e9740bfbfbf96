from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from prodapp.ml.duel import Duel, duel

FloatArray = npt.NDArray[np.float64]
N_PAIRS = 2000


def errors(rng: np.random.Generator, kind: str, n: int) -> FloatArray:
    """Errors of a model on ``n`` samples: of one size, heavy-tailed, or going along in time."""
    if kind == "normal":
        return rng.normal(size=n)
    if kind == "heavy":
        return rng.standard_t(3, size=n)
    noise, found = rng.normal(size=n), np.zeros(n)
    for place in range(1, n):
        found[place] = 0.8 * found[place - 1] + noise[place]
    return found


def share_promoted(kind: str, n: int, *, smaller: float, n_pairs: int = N_PAIRS) -> float:
    """How often the second of two models is called better whose errors are ``smaller`` times those
    of the first. Half of what they miss they miss alike, as models of the same data do."""
    rng = np.random.default_rng(7)
    n_better = 0
    for _ in range(n_pairs):
        actual = rng.normal(0, 3, n)
        both = errors(rng, kind, n)
        old, new = both + errors(rng, kind, n), both + errors(rng, kind, n)
        found = duel(actual, actual - old, actual - smaller * new, is_ordered=kind == "series")
        assert found is not None
        n_better += found.is_better
    return n_better / n_pairs


@pytest.mark.parametrize("kind", ["normal", "heavy"])
@pytest.mark.parametrize("n", [20, 100, 400])
def test_of_equal_models_the_new_one_is_called_better_in_a_fortieth_at_most(
    kind: str, n: int
) -> None:
    # 2.5 % nominal, and three standard errors of 2,000 pairs.
    assert share_promoted(kind, n, smaller=1.0) <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / N_PAIRS)


def test_errors_that_go_along_in_time_make_no_winner() -> None:
    # As blocks are found from the samples themselves, a little more than nominal is let pass.
    assert share_promoted("series", 300, smaller=1.0, n_pairs=500) <= 0.06


@pytest.mark.parametrize(("kind", "n"), [("normal", 100), ("heavy", 400), ("series", 300)])
def test_a_model_that_is_really_better_is_found(kind: str, n: int) -> None:
    assert share_promoted(kind, n, smaller=0.6, n_pairs=200) >= 0.8


def test_trying_often_does_not_make_a_winner() -> None:
    rng = np.random.default_rng(1)
    n_won, n_tries, n_rounds = 0, 20, 200
    for _ in range(n_rounds):
        actual, old = rng.normal(0, 3, 100), rng.normal(size=100)
        n_won += any(
            _better(duel(actual, actual - old, actual - rng.normal(size=100), n_tries=n_tries))
            for _ in range(n_tries)
        )
    assert n_won / n_rounds <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / n_rounds)


def _better(found: Duel | None) -> bool:
    return found is not None and found.is_better


def test_figures_are_those_of_the_samples() -> None:
    rng = np.random.default_rng(0)
    actual = rng.normal(size=50)
    old, new = actual + rng.normal(size=50), actual + 0.1 * rng.normal(size=50)
    found = duel(actual, old, new)
    assert found is not None
    total = ((actual - actual.mean()) ** 2).sum()

    def r2(predicted: FloatArray) -> float:
        return float(1 - ((actual - predicted) ** 2).sum() / total)

    assert found.gain == pytest.approx(r2(new) - r2(old))
    assert found.low < found.gain < found.high
    assert (found.is_better, found.is_worse, found.n, found.n_blocks) == (True, False, 50, 50)
    assert found.champion_rmse == pytest.approx(np.sqrt(((actual - old) ** 2).mean()))
    turned = duel(actual, new, old)
    assert turned is not None
    assert (turned.gain, turned.low, turned.high) == pytest.approx(
        (-found.gain, -found.high, -found.low)
    )
    assert turned.is_worse


def test_groups_stand_or_fall_together() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(5), 40)
    # One group alone is better, by much: of five groups that says little.
    actual, old = rng.normal(size=200), rng.normal(size=200)
    new = np.where(groups == 0, actual, old)
    apart, together = duel(actual, old, new), duel(actual, old, new, groups=groups)
    assert apart is not None
    assert together is not None
    assert apart.is_better
    assert not together.is_better
    assert together.n_blocks == 5


def test_too_few_samples_or_none_that_vary_are_no_duel() -> None:
    few = np.arange(19.0)
    assert duel(few, few, few) is None
    constant = np.ones(50)
    assert duel(constant, constant, constant) is None
    assert duel(np.arange(50.0), np.zeros(50), np.ones(50), groups=np.zeros(50, int)) is None
    assert duel(np.array([]), np.array([]), np.array([])) is None
