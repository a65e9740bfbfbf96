"""Who should be at work and is not."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from prodapp.backup import archive
from prodapp.doctor.examination import examine
from prodapp.extensions import command
from prodapp.models import (
    ProcessPresence,
)
from prodapp.models.types import db_now
from prodapp.presence import Kind
from tests.unit.doctor.asking import assert_named, diagnoses, quiet


@pytest.mark.parametrize("kind", [Kind.WORKER, Kind.DISPATCHER])
def test_nobody_at_work_is_named(filled: Flask, kind: Kind) -> None:
    with command() as session:
        mine = ProcessPresence.kind == kind
        session.execute(update(ProcessPresence).where(mine).values(seen_at=db_now(-90)))
    assert_named(f"no_{kind}", is_mended=False)


def test_a_worker_whose_clock_goes_wrong_is_named(filled: Flask) -> None:
    with command() as session:
        mine = ProcessPresence.kind == Kind.WORKER
        session.execute(update(ProcessPresence).where(mine).values(host_time=db_now(75)))
    assert_named("clock_skew_process", is_mended=False)
    (found,) = diagnoses()
    assert found.finding.where == "worker-1"
    assert found.finding.params["seconds"] == pytest.approx(75, abs=15)  # time went on meanwhile


def test_a_queue_that_does_not_answer_is_named(filled: Flask) -> None:
    found = examine(
        is_fixing=False, is_quick=True, backups=archive.default_folder(), progress=quiet
    )
    assert [item.finding.code for item in found] == ["queue_away"]
