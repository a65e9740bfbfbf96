"""The search for hyperparameters: honest folds, defaults to the end, and the clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.budget import Clock
from prodapp.ml.progress import no_progress
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.training import train
from prodapp.ml.tuning import Tuning, configurations, tune

from .conftest import describe

RANDOM = Plan("shuffled", "", {})


def wavy(n: int) -> tuple[pd.DataFrame, np.ndarray[Any, np.dtype[np.float64]]]:
    """A steep curve without noise: leaves of few samples are best by far."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(-3, 3, size=(n, 2)), columns=["a", "b"])
    return frame, np.sin(6 * frame["a"].to_numpy())


def tuned(method: str, *, n: int = 300, seconds: float = 1e9, **options: Any) -> Tuning:
    frame, y = wavy(n)
    spec = Specification(target="y", algorithm="decision_tree", tuning=method, **options)
    return tune(
        spec,
        describe(frame),
        frame,
        y,
        RANDOM,
        n_jobs=1,
        clock=Clock(seconds),
        on_share=lambda _: None,
    )


def test_a_grid_tries_every_combination_once_and_finds_the_best() -> None:
    found = tuned("grid")
    tried = [tuple(sorted(trial.hyperparameters.items(), key=str)) for trial in found.trials]
    assert len(tried) == len(set(tried)) == 4 * 5
    assert found.winner["min_samples_leaf"] == 3
    figures = [trial.r2 for trial in found.trials]
    assert figures == sorted(figures, reverse=True)
    default = next(trial for trial in found.trials if trial.is_default)
    assert found.trials[0].r2 > default.r2 + 0.05


def test_a_random_search_tries_as_many_as_asked_for_the_defaults_among_them() -> None:
    found = tuned("random", n_candidates=6)
    assert len(found.trials) == 6
    assert sum(trial.is_default for trial in found.trials) == 1


def test_halving_judges_all_on_few_samples_and_the_best_on_all() -> None:
    found = tuned("halving", n=2000, n_candidates=15)
    sizes = [trial.n_samples for trial in found.trials]
    assert sizes == sorted(sizes, reverse=True)
    by_size = {size: sizes.count(size) for size in dict.fromkeys(sizes)}
    assert list(by_size) == [2000, 666, 222]
    assert by_size[222] == 15
    assert by_size[222] > by_size[666] > by_size[2000]
    last = [trial.r2 for trial in found.trials if trial.n_samples == 2000]
    assert found.trials[0].r2 == max(last)
    # The defaults are judged in every round, so the winner is not worse than they are.
    assert [trial.n_samples for trial in found.trials if trial.is_default] == [2000, 666, 222]


def test_what_was_given_is_not_searched() -> None:
    spec = Specification(
        target="y",
        algorithm="decision_tree",
        tuning="grid",
        hyperparameters={"min_samples_leaf": 7},
    )
    assert {item["min_samples_leaf"] for item in configurations(spec)} == {7}
    assert len(configurations(spec)) == 4


def test_the_same_seed_draws_the_same_configurations() -> None:
    specs = [
        Specification(target="y", algorithm="xgboost", tuning="random", random_state=seed)
        for seed in (1, 1, 2)
    ]
    first, again, other = (configurations(spec) for spec in specs)
    assert first == again != other


def test_out_of_time_the_search_ends_with_the_best_so_far_and_says_so() -> None:
    found = tuned("random", seconds=0.0)
    assert len(found.trials) == 1
    assert found.trials[0].is_default
    assert [remark.code for remark in found.remarks] == ["budget_tuning"]
    assert found.remarks[0].params == {"n": 1, "all": 20}


def test_the_search_knows_nothing_of_the_samples_held_out() -> None:
    frame, y = wavy(400)
    frame["y"] = y
    spec = Specification(
        target="y", algorithm="decision_tree", tuning="grid", validation="shuffled"
    )
    result = train(frame, describe(frame), spec, progress=no_progress, n_jobs=1)
    assert result.tuning is not None
    assert result.hyperparameters == result.tuning.winner
    assert result.pipeline[-1].min_samples_leaf == 3
    held_out = {actual for actual, _ in result.held_out}
    spoiled = frame.assign(y=frame["y"].where(~frame["y"].isin(held_out), 1e6 * frame["b"]))
    again = train(spoiled, describe(spoiled), spec, progress=no_progress, n_jobs=1)
    assert again.tuning is not None
    assert [trial.r2 for trial in again.tuning.trials] == [
        trial.r2 for trial in result.tuning.trials
    ]


def test_the_best_of_several_is_tuned_too() -> None:
    frame, _ = wavy(200)
    frame["y"] = frame["a"] + frame["b"]
    spec = Specification(target="y", algorithm="auto", tuning="random", n_candidates=3)
    shares: list[float] = []

    def progress(stage: str, share: float) -> None:
        if stage == "fitting":
            shares.append(share)

    result = train(frame, describe(frame), spec, progress=progress, n_jobs=1)
    assert result.comparison is not None
    assert result.algorithm == result.comparison.winner == "ridge"
    assert result.tuning is not None
    assert len(result.tuning.trials) == 3
    assert shares == sorted(shares)


def test_nothing_to_search_is_no_search() -> None:
    frame, y = wavy(60)
    frame["y"] = y
    spec = Specification(target="y", algorithm="linear_regression", tuning="grid")
    assert train(frame, describe(frame), spec, progress=no_progress, n_jobs=1).tuning is None


def test_a_cancel_is_heard_between_trees() -> None:
    class Stop(Exception):
        pass

    def stop(share: float) -> None:
        raise Stop

    frame, y = wavy(100)
    spec = Specification(target="y", algorithm="xgboost", tuning="random")
    with pytest.raises(Stop):
        tune(
            spec,
            describe(frame),
            frame,
            y,
            RANDOM,
            n_jobs=1,
            clock=Clock(1e9),
            on_share=stop,
        )
