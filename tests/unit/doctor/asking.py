"""Asking the doctor, and naming the rows that the tests hurt."""

from __future__ import annotations

from sqlalchemy import select

from prodapp.backup import archive
from prodapp.doctor.examination import Diagnosis, examine
from prodapp.extensions import db
from prodapp.models import (
    Dataset,
    ModelVersion,
    TrainingRun,
)


def quiet(stage: str, done: int, whole: int) -> None:
    """Nobody looks at the progress."""


def diagnoses(*, is_fixing: bool = False, is_quick: bool = False) -> list[Diagnosis]:
    found = examine(
        is_fixing=is_fixing, is_quick=is_quick, backups=archive.default_folder(), progress=quiet
    )
    db.session.remove()
    # The tests have no queue server; it has a test of its own.
    return [item for item in found if item.finding.code != "queue_away"]


def codes(**how: bool) -> list[str]:
    return [item.finding.code for item in diagnoses(**how)]


def assert_named(code: str, *, is_mended: bool) -> None:
    """``code`` is all that is found; with ``is_mended`` the mending leaves nothing to find."""
    (found,) = diagnoses()
    assert found.finding.code == code
    assert not found.is_mended
    assert found.finding.message % found.finding.params
    assert found.finding.advice % found.finding.params
    (found,) = diagnoses(is_fixing=True)
    assert (found.finding.code, found.is_mended) == (code, is_mended)
    assert codes() == ([] if is_mended else [code])


def the(model: type[ModelVersion] | type[Dataset] | type[TrainingRun]) -> int:
    """The id of the one row there is."""
    row_id = db.session.scalar(select(model.id))
    db.session.rollback()
    assert row_id is not None
    return row_id


def key_of(column: object) -> str:
    key = db.session.scalar(select(column))  # type: ignore[call-overload]
    db.session.rollback()
    assert isinstance(key, str)
    return key
