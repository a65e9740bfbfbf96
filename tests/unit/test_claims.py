"""The outer edge of jobs: whatever happens to the work, its row tells it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from prodapp import claims, dispatching
from prodapp.caller import Caller
from prodapp.datasets.workflow import IMPORTS
from prodapp.exceptions import LeaseLost
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import DatasetState, RunState, TrainingRun
from prodapp.models.lease import HorseDeath, Lease
from prodapp.models.types import db_now
from prodapp.models.workflow import Workflow
from prodapp.training.workflow import RUNS
from tests.factories import make_dataset, make_run


def claim(workflow: Workflow, row_id: int) -> Lease:
    with command() as session:
        lease = workflow.claim(session, row_id, worker_name="w")
    assert lease is not None
    return lease


def outage() -> OperationalError:
    return OperationalError("SELECT 1", {}, Exception("server closed the connection"))


def test_an_outage_is_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "AGAIN_SECONDS", 0.0)
    troubles = [outage(), outage()]

    def action() -> str:
        if troubles:
            raise troubles.pop()
        return "done"

    assert claims.patiently(action) == "done"


def test_an_outage_longer_than_a_lease_is_not(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "LEASE_SECONDS", -1.0)

    def action() -> None:
        raise outage()

    with pytest.raises(OperationalError):
        claims.patiently(action)


def test_another_trouble_is_told_at_once(app: Flask) -> None:
    def action() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        claims.patiently(action)


def test_work_whose_transaction_broke_still_knows_its_row(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    seen = []

    def work(row: TrainingRun, _lease: Lease) -> None:
        db.session.rollback()
        db.session.remove()
        seen.append((row.id, row.target))
        raise ValueError("something broke")

    claims.carry_out(RUNS, run.id, work)
    run = db.session.get_one(TrainingRun, seen[0][0])
    assert seen == [(run.id, "yield")]
    assert (run.state, run.error_code) == (RunState.RETRY_WAIT, "internal_error")


@pytest.mark.parametrize(
    ("cause", "state", "code"),
    [
        (HorseDeath.TIMEOUT, RunState.FAILED, "timeout"),
        (HorseDeath.OUT_OF_MEMORY, RunState.RETRY_WAIT, "out_of_memory"),
    ],
)
def test_a_horse_that_was_stopped_leaves_the_reason(
    any_app: Flask, caller: Caller, cause: HorseDeath, state: str, code: str
) -> None:
    run = make_run(caller)
    claim(RUNS, run.id)
    claims.bury(RUNS, run.id, worker_name="w", cause=cause)
    db.session.refresh(run)
    assert (run.state, run.error_code) == (state, code)


def test_an_import_that_is_unwanted_is_let_go_at_once(any_app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    lease = claim(IMPORTS, dataset.id)
    with pytest.raises(LeaseLost), command() as session:
        IMPORTS.end_unwanted(session, lease)
    machines.delete_machine(caller, dataset.machine_id)
    claims.bury(IMPORTS, dataset.id, worker_name="w", cause=HorseDeath.CANCELED)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.n_lost) == (DatasetState.QUEUED, 0)


@pytest.mark.postgres
def test_a_row_that_a_sleeper_holds_keeps_nobody_waiting(any_app: Flask, caller: Caller) -> None:
    """On SQLite nobody else writes while somebody does."""
    run = make_run(caller)
    claim(RUNS, run.id)
    with command() as session:
        session.execute(update(TrainingRun).values(lease_until=db_now(-1)))
    with Session(db.engine) as sleeper:
        sleeper.execute(select(TrainingRun.id).with_for_update()).all()
        is_postgres = db.engine.dialect.name == "postgresql"
        assert dispatching.take_back(RUNS, run.id) is not is_postgres
    db.session.refresh(run)
    assert run.state == (RunState.RUNNING if is_postgres else RunState.RETRY_WAIT)
