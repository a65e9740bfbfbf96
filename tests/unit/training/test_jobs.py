"""The work of a run, done in this process over real databases and a real model."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from prodapp import dispatching
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.ml.artifact import load_pipeline
from prodapp.models import Dataset, ModelVersion, RunState, TrainingRun
from prodapp.models.types import db_now
from prodapp.ranking import service as rankings
from prodapp.storage import storage
from prodapp.training import service
from prodapp.training.jobs import run_training
from prodapp.training.workflow import RUNS
from tests.factories import make_csv, make_ready_dataset, make_run, make_version


def reload(run: TrainingRun) -> TrainingRun:
    db.session.rollback()
    db.session.refresh(run)
    return run


def test_everything_a_page_shows_is_published_with_the_version(
    any_app: Flask, caller: Caller
) -> None:
    run = make_run(caller)
    version = make_version(caller, run)
    assert reload(run).state == RunState.SUCCEEDED
    assert version.is_champion
    assert version.number == 1
    assert [item.feature for item in version.ranking[:2]] == ["heat", "speed"]
    assert version.ranking[0].effect == "increases"
    assert version.ranking[1].effect == "decreases"
    assert sum(item.score_final for item in version.ranking) == pytest.approx(1)
    assert version.metrics["explains"] is True
    assert version.metrics["n_train"] + version.metrics["n_test"] == 120
    json.dumps(version.evidence, allow_nan=False)
    assert all(math.isfinite(version.metrics[name]) for name in ("r2", "mae", "rmse"))


def test_the_artifact_predicts(app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    with storage().local_path(version.artifact_key) as path:
        pipeline = load_pipeline(path.read_bytes())
    dataset = db.session.get_one(Dataset, version.dataset_id)
    import pandas as pd

    with storage().local_path(dataset.table_key or "") as path:
        frame = pd.read_parquet(path)
    predicted = pipeline.predict(frame[["heat", "speed", "shift", "noise"]])
    assert len(predicted) == len(frame)
    assert frame["yield"].corr(pd.Series(predicted)) > 0.9


def test_a_run_that_comes_twice_publishes_once(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    run_training(run.id)
    run_training(run.id)
    count = select(func.count()).where(ModelVersion.run_id == run.id)
    assert db.session.scalar(count) == 1
    assert reload(run).attempt == 1


def test_the_newest_version_becomes_the_champion(any_app: Flask, caller: Caller) -> None:
    first = make_version(caller)
    second = make_version(caller, make_run(caller, first.dataset))
    db.session.refresh(first)
    assert (first.is_champion, second.is_champion, second.number) == (False, True, 2)


def test_a_failed_run_keeps_the_champion(any_app: Flask, caller: Caller) -> None:
    champion = make_version(caller)
    run = make_run(caller, champion.dataset)
    storage().delete(champion.dataset.table_key or "")
    run_training(run.id)
    assert (reload(run).state, run.error_code) == (RunState.FAILED, "not_found")
    assert "missing from the storage" in (run.error_message or "")
    found = rankings.champion(caller, champion.machine_id)
    assert found.id == champion.id


def test_too_few_rows_end_the_run_with_what_to_do(app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller, content=make_csv(n_rows=12))
    run = make_run(caller, dataset)
    run_training(run.id)
    assert reload(run).state == RunState.FAILED
    assert run.n_failures == 0
    assert run.error_code
    assert "20" in (run.error_message or "") % (run.error_params or {})


def test_a_cancel_seen_at_a_stage_publishes_nothing(
    any_app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancel arrives while the data are read, by the hand of another process."""
    run = make_run(caller)
    from prodapp.training import jobs

    read = jobs.table_of

    def read_and_cancel(run: TrainingRun, dataset: Dataset) -> Any:
        with command() as session:
            session.execute(update(TrainingRun).values(cancel_requested_at=db_now()))
        return read(run, dataset)

    monkeypatch.setattr(jobs, "table_of", read_and_cancel)
    run_training(run.id)
    assert reload(run).state == RunState.CANCELED
    assert db.session.scalar(select(func.count(ModelVersion.id))) == 0


def test_the_same_specification_gives_the_same_ranking(app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    versions = [make_version(caller, make_run(caller, dataset)) for _ in range(2)]
    first, second = ([item.score_final for item in v.ranking] for v in versions)
    assert first == second
    assert versions[0].metrics == versions[1].metrics


def test_the_queue_being_away_leaves_the_run_to_the_dispatcher(app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    assert reload(run).dispatched_at is None
    assert dispatching.dispatch(RUNS) == 0
    assert reload(run).state == RunState.QUEUED


def test_a_cancel_accepted_while_publishing_publishes_nothing(
    any_app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The artifact is being stored when the cancel arrives."""
    from prodapp.training import jobs

    run = make_run(caller)
    dump = jobs.dump_pipeline

    def dump_and_cancel(pipeline):  # type: ignore[no-untyped-def]
        service.cancel_run(caller, run.id)
        return dump(pipeline)

    monkeypatch.setattr(jobs, "dump_pipeline", dump_and_cancel)
    run_training(run.id)
    assert reload(run).state == RunState.CANCELED
    assert db.session.scalar(select(func.count(ModelVersion.id))) == 0
