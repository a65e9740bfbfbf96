from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.models import TrainingRun
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run, make_version
from tests.unit.cli.conftest import Run


@pytest.fixture
def csv(tmp_path: Path) -> str:
    path = tmp_path / "data.csv"
    path.write_bytes(make_csv())
    return str(path)


def test_training_here_goes_from_a_file_to_its_ranking(run: Run, csv: str) -> None:
    run("machine", "create", "Press")
    result = run("train", "1", csv, "--target", "yield", "--here", "--seed", "3")
    lines = result.stdout.splitlines()
    assert lines[0] == "Press: what drives yield (version 1)"
    assert lines[1].startswith("R² 0.")
    assert lines[2].startswith("WARNING: Only 24 samples were held out")
    assert lines[3].split()[:5] == ["#", "ranks", "variable", "share", "verdict"]
    assert lines[4].split()[:3] == ["1", "1", "heat"]
    assert " real " in lines[4]
    assert "↑ raises" in lines[4]
    assert "↓ lowers" in lines[5]
    assert run("ranking", "show", "1").stdout == result.stdout


def test_training_here_as_json(run: Run, csv: str) -> None:
    run("machine", "create", "Press")
    options = ["--target", "yield", "--feature", "heat", "--feature", "noise"]
    result = run(
        "train", "1", csv, *options, "--algorithm", "linear_regression", "--here", "--json"
    )
    document = json.loads(result.stdout)
    assert [row["feature"] for row in document["ranking"]] == ["heat", "noise"]
    assert document["ranking"][0]["effect"] == "increases"
    assert document["ranking"][0]["trust"]["verdict"] == "real"
    assert document["metrics"]["n_train"] + document["metrics"]["n_test"] == 120
    assert (document["machine_id"], document["model_version"]) == (1, 1)


def test_stored_data_can_be_trained_on_by_its_own_machine_alone(run: Run, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    other = make_machine(caller, name="other")
    options = ["--dataset", str(dataset.id), "--target", "yield", "--no-wait"]
    result = run("train", str(other.id), *options, expect=2)
    assert "belongs to another machine" in result.stderr
    assert "Run 1 is queued." in run("train", str(dataset.machine_id), *options).stdout


def test_hyperparameters_are_set_by_name(run: Run, csv: str) -> None:
    options = ["--target", "yield", "--set", "n_estimators=5", "--set", "max_depth=none"]
    run("machine", "create", "Press")
    run("train", "1", csv, *options, "--no-wait", "--json")
    stored = db.session.scalars(select(TrainingRun)).one().specification["hyperparameters"]
    assert stored == {"n_estimators": 5, "max_depth": None}
    for wrong in ("n_estimators", "n_estimators=many"):
        run("train", "1", csv, "--target", "yield", "--set", wrong, expect=2)


def test_validation_and_budgets_are_options(run: Run, csv: str) -> None:
    run("machine", "create", "Press")
    options = ["--validation", "group", "--group-column", "shift", "--n-folds", "3"]
    options += ["--time-budget-seconds", "9", "--engineer", '{"step": "polynomial"}']
    run("train", "1", csv, "--target", "yield", *options, "--no-wait")
    stored = db.session.scalars(select(TrainingRun)).one().specification
    assert (stored["validation"], stored["group_column"], stored["n_folds"]) == (
        *("group", "shift"),
        3,
    )
    assert (stored["time_budget_seconds"], stored["memory_budget_megabytes"]) == (9, 4000)
    assert stored["engineering"] == [{"step": "polynomial"}]
    run("train", "1", csv, "--target", "yield", "--engineer", "lags", expect=2)


def test_an_unknown_algorithm_is_a_wrong_usage_that_lists_the_known(run: Run, csv: str) -> None:
    run("machine", "create", "Press")
    options = ["--target", "yield", "--algorithm", "magic"]
    result = run("train", "1", csv, *options, expect=2)
    assert "random_forest" in result.stderr


def test_a_file_is_read_as_the_options_say(
    run: Run, run_json: Callable[..., Any], csv: str
) -> None:
    run("machine", "create", "Press")
    shown = run_json("dataset", "import", "1", csv, "--header", "no")
    assert shown["preview"]["n_rows"] == 121  # the names are a row then


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "yeild"], "yield"),
        (["--target", "yield", "--feature", "pressure"], "pressure"),
        (["--target", "yield", "--seed", "-1"], "random_state"),
    ],
)
def test_a_training_that_cannot_be_names_the_problem(
    run: Run, csv: str, options: list[str], words: str
) -> None:
    run("machine", "create", "Press")
    result = run("train", "1", csv, *options, "--here", expect=1)
    assert words in result.stderr
    assert result.stdout == ""


def test_a_training_that_fails_has_its_own_exit_code(run: Run, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_bytes(make_csv(n_rows=12))
    run("machine", "create", "Press")
    result = run("train", "1", str(tmp_path / "few.csv"), "--target", "yield", "--here", expect=4)
    assert "Run 1 failed:" in result.stderr
    assert "%(" not in result.stderr


def test_runs_are_listed_canceled_and_repeated(
    run: Run, run_json: Callable[..., Any], caller: Caller
) -> None:
    waiting = make_run(caller)
    assert [row["state"] for row in run_json("runs", "list")] == ["queued"]
    assert "Run 1: canceled" in run("runs", "cancel", str(waiting.id)).output
    assert "already ended" in run("runs", "cancel", str(waiting.id), expect=1).stderr
    assert "Run 2 is queued." in run("runs", "retry", str(waiting.id)).output
    assert [row["id"] for row in run_json("runs", "list", "--state", "queued")] == [2]
    assert run_json("runs", "list", "--machine", "1", "--state", "failed") == []
    assert "canceled" in run("runs", "list").output


def test_a_ranking_as_json(run_json: Callable[..., Any], caller: Caller) -> None:
    version = make_version(caller)
    document = run_json("ranking", "show", str(version.machine_id))
    assert document["target"] == "yield"
    assert [row["rank"] for row in document["ranking"]] == [1, 2, 3, 4]
