"""The whole way from a table to a ranking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import DataRefused, InvalidInput, LeaseLost
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.artifact import dump_pipeline
from prodapp.ml.columns import describe_column
from prodapp.ml.intake import read_table
from prodapp.ml.progress import STAGES, no_progress
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train

from .conftest import describe


def plant(n: int = 300, *, seed: int = 0) -> pd.DataFrame:
    """y = 5·strong − 2·weak + 3·[recipe is b] + noise; "idle" does nothing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=["weak", "strong", "idle"])
    frame["recipe"] = pd.Categorical(rng.choice(["a", "b"], size=n))
    frame["y"] = (
        5 * frame["strong"]
        - 2 * frame["weak"]
        + 3 * (frame["recipe"] == "b")
        + rng.normal(scale=0.5, size=n)
    )
    return frame


def trained(frame: pd.DataFrame, **options: object) -> TrainingResult:
    spec = Specification(target="y", **options)  # type: ignore[arg-type]
    return train(frame, describe(frame), spec, progress=no_progress, n_jobs=1)


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "auto"])
def test_a_repeat_gives_the_same_version_bit_for_bit(algorithm: str) -> None:
    first, second = (
        train(
            plant(),
            describe(plant()),
            Specification(target="y", algorithm=algorithm, random_state=3),
            progress=no_progress,
            n_jobs=n_jobs,
        )
        for n_jobs in (1, 2)
    )
    assert dump_pipeline(first.pipeline) == dump_pipeline(second.pipeline)
    assert first.ranking == second.ranking
    assert first.metrics == second.metrics
    assert first.held_out == second.held_out


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_ranking_follows_the_known_strengths(algorithm: str) -> None:
    result = trained(plant(), algorithm=algorithm)
    assert [row.feature for row in result.ranking[:2]] == ["strong", "weak"] or [
        row.feature for row in result.ranking[:3]
    ] == ["strong", "recipe", "weak"]
    assert result.ranking[-1].feature == "idle"
    by_name = {row.feature: row for row in result.ranking}
    assert by_name["strong"].effect == "increases"
    assert by_name["weak"].effect == "decreases"
    assert by_name["recipe"].effect == "nonmonotonic"
    assert by_name["recipe"].dependence == ()
    assert sum(row.score_final for row in result.ranking) == pytest.approx(1)
    assert result.metrics.explains
    assert result.metrics.r2 > 0.7


def test_linear_importance_is_the_coefficient_times_the_mean_distance() -> None:
    frame = plant(2000)
    result = trained(frame, algorithm="linear_regression", max_explained_samples=400)
    strong = next(row for row in result.ranking if row.feature == "strong")
    # E|x − mean| of a standard normal variable is √(2/π).
    assert strong.importance_shap_mean_abs == pytest.approx(5 * np.sqrt(2 / np.pi), rel=0.1)
    assert strong.importance_native == 0


def test_same_input_gives_the_same_result() -> None:
    first, second = trained(plant()), trained(plant())
    assert first.ranking == second.ranking
    assert first.metrics == second.metrics
    assert first.held_out == second.held_out
    assert (first.ties, first.interactions) == (second.ties, second.interactions)


def test_the_number_of_threads_leaves_no_trace() -> None:
    frame = plant(1500)
    columns, spec = describe(frame), Specification(target="y")
    one, three = (
        train(frame, columns, spec, progress=no_progress, n_jobs=n_jobs) for n_jobs in (1, 3)
    )
    assert one.ranking == three.ranking
    assert one.metrics == three.metrics
    assert dump_pipeline(one.pipeline) == dump_pipeline(three.pipeline)


def test_the_memory_budget_makes_a_smaller_forest_and_says_so() -> None:
    result = trained(plant(5000), memory_budget_megabytes=10)
    assert result.pipeline[-1].n_estimators < 100
    assert [remark.code for remark in result.remarks] == ["budget_memory"]


def test_the_time_budget_ends_the_fitting_and_says_so() -> None:
    large = {"n_estimators": 2000, "min_samples_leaf": 1}
    result = trained(plant(6000), time_budget_seconds=1, hyperparameters=large)
    assert 10 <= result.pipeline[-1].n_estimators < 2000
    assert len(result.pipeline[-1].estimators_) == result.pipeline[-1].n_estimators
    assert "budget_trees" in [remark.code for remark in result.remarks]


def test_another_seed_holds_out_other_samples() -> None:
    assert trained(plant()).held_out != trained(plant(), random_state=1).held_out


def test_later_rows_are_held_out_where_a_column_tells_the_time() -> None:
    frame = plant(400)
    frame["at"] = pd.date_range("2026-01-01", periods=400, freq="h")[::-1]
    columns = [
        describe_column(frame["at"], name="at", kind="date") if c.name == "at" else c
        for c in describe(frame)
    ]
    result = train(frame, columns, Specification(target="y"), progress=no_progress, n_jobs=1)
    assert (result.plan.scheme, result.plan.column) == ("time", "at")
    assert result.metrics.last_value_r2 is not None
    # The first rows are the latest.
    assert {actual for actual, _ in result.held_out} == set(frame["y"][:80])
    assert "at" not in [row.feature for row in result.ranking]


def test_groups_are_held_out_whole_and_are_no_variable() -> None:
    frame = plant(300)
    frame["batch"] = [f"batch {n}" for n in np.arange(300) // 15]
    result = trained(frame, validation="group", group_column="batch")
    assert "batch" not in [row.feature for row in result.ranking]
    assert dict(result.left_out)["batch"].startswith("It tells the groups")
    assert result.metrics.n_test % 15 == 0


def test_rows_without_a_target_are_left_out_and_said() -> None:
    frame = plant(100)
    frame.loc[[3, 50], "y"] = np.nan
    result = trained(frame)
    assert result.metrics.n_train + result.metrics.n_test == 98
    assert [(remark.code, remark.params["n"]) for remark in result.remarks] == [
        ("missing_target", 2)
    ]


def test_too_few_rows_are_refused_with_words() -> None:
    with pytest.raises(DataRefused, match="Rows with a value of the target: 19;"):
        trained(plant(19))


def test_unknown_target_names_the_closest_column() -> None:
    frame = plant(50).rename(columns={"y": "Potência"})
    with pytest.raises(InvalidInput, match="Did you mean “Potência”"):
        train(frame, describe(frame), Specification(target="potencia"), progress=no_progress)


def test_missing_values_and_unseen_categories_are_predicted() -> None:
    frame = plant(200)
    frame.loc[::7, "strong"] = np.nan
    frame.loc[frame.index[::9], "recipe"] = np.nan
    result = trained(frame)
    unseen = pd.DataFrame(
        {"weak": [np.nan], "strong": [np.nan], "idle": [0.0], "recipe": ["never seen"]}
    )
    assert np.isfinite(result.pipeline.predict(unseen)).all()
    assert result.ranking[0].feature == "strong"


def test_columns_without_a_part_are_left_out_with_their_reason() -> None:
    frame = plant(60)
    frame["speed"] = 3.0
    result = trained(frame)
    assert "speed" not in [row.feature for row in result.ranking]
    assert dict(result.left_out)["speed"].startswith("It has the same value")


def test_progress_runs_through_the_stages_in_order() -> None:
    seen: list[tuple[str, float]] = []
    frame = plant(100)
    train(
        frame,
        describe(frame),
        Specification(target="y"),
        progress=lambda stage, share: seen.append((stage, share)),
    )
    stages = list(dict.fromkeys(stage for stage, _ in seen))
    assert stages == list(STAGES[1:6])
    for stage in stages:
        shares = [share for name, share in seen if name == stage]
        assert shares == sorted(shares)
        assert (shares[0], shares[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("stage", STAGES[1:6])
def test_cancel_from_the_callback_stops_the_run(stage: str) -> None:
    def cancel(name: str, share: float) -> None:
        if name == stage and share > 0:
            raise LeaseLost

    frame = plant(100)
    with pytest.raises(LeaseLost):
        train(frame, describe(frame), Specification(target="y"), progress=cancel)


def test_noise_is_not_called_explained() -> None:
    rng = np.random.default_rng(1)
    called = 0
    for seed in range(20):
        frame = pd.DataFrame(rng.normal(size=(60, 4)), columns=list("abcy"))
        called += trained(
            frame, random_state=seed, hyperparameters={"n_estimators": 10}
        ).metrics.explains
    assert called <= 2


def test_air_temperature_leads_the_power_plant(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("ccpp.csv"))
    spec = Specification(
        target="PE", max_explained_samples=100, hyperparameters={"n_estimators": 30}
    )
    result = train(table.frame, table.columns, spec, progress=no_progress)
    assert [row.feature for row in result.ranking[:2]] == ["AT", "V"]
    assert result.ranking[0].effect == "decreases"
    assert result.ranking[0].score_final > 0.5
    assert result.metrics.r2 > 0.93


def test_age_and_cement_lead_the_concrete(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("concrete.csv"))
    result = train(table.frame, table.columns, Specification(target="CMS"), progress=no_progress)
    assert {row.feature for row in result.ranking[:2]} == {"Age", "Cement"}
    assert "Water" in [row.feature for row in result.ranking[2:4]]
    assert {row.effect for row in result.ranking[:2]} == {"increases"}
