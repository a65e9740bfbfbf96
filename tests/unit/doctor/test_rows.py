"""Work that stands still, and rows that contradict each other."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import (
    BatchState,
    ChampionChange,
    Dataset,
    DatasetState,
    ModelVersion,
    Prediction,
    PredictionBatch,
    RunState,
    TrainingRun,
    VariableRanking,
)
from prodapp.models.types import db_now
from prodapp.predictions import batches
from prodapp.predictions.versions import named_version
from tests.factories import make_csv, make_run, make_version
from tests.unit.doctor.asking import assert_named, codes, diagnoses, the


def forget_versions(session: Session) -> None:
    """Delete every version, and what hangs on it."""
    for table in (ChampionChange, Prediction, PredictionBatch, VariableRanking, ModelVersion):
        session.execute(delete(table))


def make_abandoned(seconds: float | None) -> None:
    with command() as session:
        forget_versions(session)
        session.execute(
            update(TrainingRun).values(
                state=RunState.RUNNING,
                lease_token="of somebody who is gone",
                lease_until=None if seconds is None else db_now(-seconds),
            )
        )


@pytest.mark.parametrize("seconds", [300.0, None])
def test_a_run_that_nobody_takes_back_is_freed(filled: Flask, seconds: float | None) -> None:
    make_abandoned(seconds)
    assert_named("run_stuck", is_mended=True)
    run = db.session.get_one(TrainingRun, the(TrainingRun))
    assert (run.state, run.n_lost) == (RunState.QUEUED, 1)


def test_a_lease_that_just_ended_is_the_dispatchers_to_take_back(filled: Flask) -> None:
    make_abandoned(5.0)
    assert codes() == []


def test_a_run_whose_next_try_nobody_sends_is_sent(filled: Flask, owner: Caller) -> None:
    run = make_run(owner, db.session.get_one(Dataset, the(Dataset)))
    with command() as session:
        late = {"state": RunState.RETRY_WAIT, "retry_at": db_now(-300)}
        session.execute(update(TrainingRun).where(TrainingRun.id == run.id).values(late))
    assert_named("run_stuck", is_mended=True)


@pytest.mark.parametrize("seconds", [300.0, None])
def test_an_import_that_nobody_takes_back_is_freed(filled: Flask, seconds: float | None) -> None:
    with command() as session:
        session.execute(
            update(Dataset).values(
                state=DatasetState.IMPORTING,
                lease_token="of somebody who is gone",
                lease_until=None if seconds is None else db_now(-seconds),
            )
        )
    assert_named("import_stuck", is_mended=True)


def test_a_batch_that_nobody_takes_back_is_freed(filled: Flask, owner: Caller) -> None:
    batch = batches.start_batch(
        owner,
        named_version(owner, the(ModelVersion)),
        source=io.BytesIO(make_csv(n_rows=5)),
        filename="rows.csv",
    )
    batch_id = batch.id
    with command() as session:
        abandoned = {
            "state": BatchState.RUNNING,
            "lease_token": "of somebody who is gone",
            "lease_until": db_now(-300),
        }
        session.execute(
            update(PredictionBatch).where(PredictionBatch.id == batch_id).values(abandoned)
        )
    assert_named("batch_stuck", is_mended=True)
    batch = db.session.get_one(PredictionBatch, batch_id)
    assert (batch.state, batch.n_lost) == (BatchState.QUEUED, 1)


def test_a_success_without_a_version_is_named(filled: Flask) -> None:
    with command() as session:
        forget_versions(session)
    assert_named("run_without_version", is_mended=False)


def test_a_version_of_a_run_that_failed_is_named(filled: Flask) -> None:
    with command() as session:
        session.execute(update(TrainingRun).values(state=RunState.FAILED))
    assert_named("version_of_unfinished_run", is_mended=False)


def test_a_version_without_a_ranking_is_named(filled: Flask) -> None:
    with command() as session:
        session.execute(delete(VariableRanking))
    assert_named("version_without_ranking", is_mended=False)


def test_a_data_set_without_a_table_is_named(filled: Flask) -> None:
    with command() as session:
        session.execute(update(Dataset).values(table_key=None))
    assert_named("dataset_without_table", is_mended=False)


def test_two_champions_are_named_and_so_is_the_index_that_is_gone(
    filled: Flask, owner: Caller
) -> None:
    make_version(owner, make_run(owner, db.session.get_one(Dataset, the(Dataset)), random_state=5))
    with command() as session:
        session.execute(text("DROP INDEX uq_model_versions_champion"))
        session.execute(update(ModelVersion).values(is_champion=True))
    found = {item.finding.code: item.finding for item in diagnoses(is_fixing=True)}
    assert found.keys() == {"two_champions", "schema_drift"}
    assert "uq_model_versions_champion" in str(found["schema_drift"].params["differences"])
    assert codes() == ["schema_drift", "two_champions"]
