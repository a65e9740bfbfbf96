"""One file of a watched folder: a data set and a run, or set aside with the reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import IO, Any

from sqlalchemy import select, update

from prodapp import audit
from prodapp.caller import Caller
from prodapp.datasets import service as datasets
from prodapp.exceptions import DataRefused, DomainError, N_, in_english
from prodapp.extensions import command, db
from prodapp.happenings import Happening, tell
from prodapp.ml.table import Preview
from prodapp.models import Dataset, FileState, ModelVersion, Schedule, ScheduledFile, TrainingRun
from prodapp.training import service as training
from prodapp.variables import remembered_variables, settings_from

NO_TARGET = N_(
    "Nobody has said yet what is to be explained: upload a file of this machine by hand once, and "
    "choose the target."
)
COLUMNS_MISSING = N_(
    "The file lacks columns that the version in use learned from: %(columns)s. Nothing was "
    "trained on it."
)
_SHOWN_COLUMNS = 10

log = logging.getLogger(__name__)


def take(row_id: int, source: IO[bytes]) -> None:
    """Register the file as a data set, checked against what is remembered of its machine, and
    start the run that the version in use was made by, or that the remembered target asks for.

    What an earlier try made is found again. Raises :class:`DomainError` for a file that is not to
    be trained on.
    """
    row = db.session.get_one(ScheduledFile, row_id)
    schedule = db.session.get_one(Schedule, row.schedule_id)
    caller = _caller(schedule, row_id)
    specification = specification_of(schedule.machine_id)
    dataset = db.session.scalar(
        select(Dataset).where(
            Dataset.machine_id == schedule.machine_id, Dataset.request_id == caller.request_id
        )
    )
    if dataset is None:
        dataset = datasets.register_dataset(
            caller,
            machine_id=schedule.machine_id,
            source=source,
            filename=row.name,
            check=lambda preview: _check(preview, schedule.machine_id, specification),
        )
    run = db.session.scalar(
        select(TrainingRun).where(
            TrainingRun.dataset_id == dataset.id, TrainingRun.request_id == caller.request_id
        )
    )
    if run is None:
        run = training.start_run(caller, dataset_id=dataset.id, specification=specification)
    values = {"state": FileState.TAKEN, "dataset_id": dataset.id, "run_id": run.id}
    _write(row_id, values)
    log.info("file %s of schedule %s became run %s", row_id, schedule.id, run.id)


def set_aside(row_id: int, error: DomainError) -> None:
    """Write down why a file is not trained on, and tell webhooks. Nobody looks at it again."""
    db.session.rollback()
    values = {
        "state": FileState.SET_ASIDE,
        "error_code": error.error_code,
        "error_message": error.message,
        "error_params": error.params,
    }
    with command() as session:
        row = session.get_one(ScheduledFile, row_id)
        schedule = session.get_one(Schedule, row.schedule_id)
        _update(session, row_id, values)
        facts = {
            "file": row.name,
            "error": {
                "code": error.error_code,
                "detail": in_english(error.message, error.params),
            },
        }
        subject = f"machine:{schedule.machine_id}"
        tell(
            session,
            Happening.FILE_SET_ASIDE,
            machine_id=schedule.machine_id,
            subject=subject,
            data=facts,
        )
        caller = _caller(schedule, row_id)
        after = {"file": row.name, "code": error.error_code}
        audit.record(session, caller, "schedule.set_aside", subject, after=after)


def specification_of(machine_id: int) -> dict[str, Any]:
    """What to train: as the version in use was, else by default on the remembered target.

    Raises :class:`DataRefused` where neither is there.
    """
    version = db.session.scalar(
        select(ModelVersion).where(
            ModelVersion.machine_id == machine_id, ModelVersion.is_champion.is_(True)
        )
    )
    if version is not None:
        return dict(version.specification)
    target = settings_from(remembered_variables(db.session(), machine_id)).target
    if target is None:
        raise DataRefused(NO_TARGET, code="no_target")
    return {"target": target}


def _check(preview: Preview, machine_id: int, specification: Mapping[str, Any]) -> None:
    names = {column.name for column in preview.columns}
    version = db.session.scalar(
        select(ModelVersion).where(
            ModelVersion.machine_id == machine_id, ModelVersion.is_champion.is_(True)
        )
    )
    learned = [] if version is None else [row.feature for row in version.ranking]
    missing = [name for name in learned if name not in names]
    if missing:
        shown = ", ".join(missing[:_SHOWN_COLUMNS])
        raise DataRefused(COLUMNS_MISSING, code="columns_missing", columns=shown)
    training.check_fit(specification, preview.columns, is_complete=preview.is_complete)


def _caller(schedule: Schedule, row_id: int) -> Caller:
    return Caller(
        site_id=schedule.site_id,
        role="operator",
        name="schedule",
        kind="system",
        request_id=f"schedule-file-{row_id}",
    )


def _write(row_id: int, values: Mapping[str, Any]) -> None:
    with command() as session:
        _update(session, row_id, values)


def _update(session: Any, row_id: int, values: Mapping[str, Any]) -> None:
    session.execute(
        update(ScheduledFile)
        .where(ScheduledFile.id == row_id, ScheduledFile.state == FileState.FOUND)
        .values(**values)
    )
