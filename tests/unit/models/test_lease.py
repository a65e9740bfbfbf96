from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import insert, select

from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import RunState, TrainingRun
from prodapp.models.lease import FORMAT
from prodapp.training.workflow import RUNS
from tests.factories import make_run


def claim(run: TrainingRun) -> object:
    with command() as session:
        return RUNS.claim(session, run.id, worker_name="w")


@pytest.mark.parametrize("added", [1, 7])
def test_work_of_a_newer_format_stays_in_the_line(caller: Caller, added: int) -> None:
    run = make_run(caller)
    with command():
        run.format = FORMAT + added
    assert claim(run) is None
    db.session.refresh(run)
    assert (run.state, run.attempt, run.error_code) == (RunState.QUEUED, 0, None)
    with command():
        run.format = FORMAT
    assert claim(run) is not None


def test_rows_of_a_release_without_the_column_are_of_the_first_format(
    any_app: Flask, caller: Caller
) -> None:
    run = make_run(caller)
    columns = [
        column for column in TrainingRun.__table__.columns if column.name not in ("id", "format")
    ]
    names = [column.name for column in columns]
    with command() as session:
        session.execute(
            insert(TrainingRun).from_select(names, select(*columns), include_defaults=False)
        )
    newest = db.session.query(TrainingRun).order_by(TrainingRun.id.desc()).first()
    assert newest is not None
    assert newest.id > run.id
    assert newest.format == 1
