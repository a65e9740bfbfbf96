"""The verbs of training runs: start, follow, cancel, send to the queue, take back from the dead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Unpack

from sqlalchemy import func, select, update

from prodapp import audit, dispatching, queue
from prodapp.auth.objects import (
    dataset_of,
    hold_dataset,
    hold_machine,
    machine_of,
    run_of,
    version_of,
)
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, DataRefused, N_
from prodapp.extensions import command, db
from prodapp.listing import Order, Sorts, listed
from prodapp.ml.choice import check_specification
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column
from prodapp.models import DatasetState, Machine, ModelVersion, RunState, TrainingRun
from prodapp.models.training_run import ACTIVE, WAITING
from prodapp.models.types import db_now
from prodapp.pagination import Page
from prodapp.training.columns import columns_of
from prodapp.training.tables import kept_exclusions
from prodapp.training.workflow import RUNS

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "created_at": TrainingRun.id,
    "finished_at": TrainingRun.finished_at,
    "target": TrainingRun.target,
    "state": TrainingRun.state,
}


def start_run(
    caller: Caller,
    *,
    dataset_id: int,
    specification: Mapping[str, Any],
    callback_url: str | None = None,
    exclusions: Sequence[Mapping[str, Any]] | None = None,
) -> TrainingRun:
    """Accept a training run on a data set; it waits for the import where that is not over.

    ``exclusions`` are rows to leave out in place of those that are kept with the data set.

    Raises :class:`NotFound`, :class:`Conflict` where the data set was refused or is a draft, and
    :class:`InvalidInput` or :class:`DataRefused` where the specification does not fit the data.
    """
    dataset = dataset_of(caller, dataset_id)
    if dataset.state == DatasetState.REFUSED:
        raise Conflict(N_("This data set was refused; upload the corrected file."))
    if dataset.state == DatasetState.DRAFT:
        raise Conflict(
            N_("This data set is a draft: confirm first how it is read, then train on it.")
        )
    is_complete = bool(dataset.preview["is_complete"])
    spec = check_fit(specification, columns_of(dataset), is_complete=is_complete)
    with command() as session:
        hold_machine(session, dataset.machine_id)
        hold_dataset(session, dataset.id)
        run = TrainingRun(
            site_id=caller.site_id,
            machine_id=dataset.machine_id,
            dataset_id=dataset.id,
            state=RunState.QUEUED,
            target=spec.target,
            specification=spec.to_json(),
            exclusions=kept_exclusions(dataset.exclusions if exclusions is None else exclusions),
            callback_url=callback_url,
            request_id=caller.request_id,
            created_by_id=caller.user_id,
        )
        session.add(run)
        session.flush()
        audit.record(session, caller, "run.started", f"run:{run.id}", after={"dataset": dataset.id})
    if dataset.state == DatasetState.READY:
        dispatching.send(RUNS, run.id, run.attempt)
    return run


def start_lagged_run(caller: Caller, version_id: int) -> TrainingRun:
    """Train as a version was trained, with the dead times taken in that it found.

    Raises :class:`NotFound`, :class:`Conflict` where it found none, and as :func:`start_run` does.
    """
    version = version_of(caller, version_id)
    found: dict[int, list[str]] = {}
    for lag in version.evidence.get("lags", []):
        found.setdefault(lag["lag"], []).append(lag["variable"])
    if not found:
        raise Conflict(N_("This version found no variable that acts later."), code="no_lags")
    steps = [{"step": "lags", "columns": names, "lags": [rows]} for rows, names in found.items()]
    before = version.specification
    return start_run(
        caller,
        dataset_id=version.dataset_id,
        specification={**before, "engineering": [*before.get("engineering", ()), *steps]},
        exclusions=version.run.exclusions,
    )


def check_fit(
    specification: Mapping[str, Any], columns: Sequence[Column], *, is_complete: bool
) -> Specification:
    """The specification, if it can be trained on ``columns``. Raises as :func:`start_run` does.

    Of columns of which only the head was seen (``is_complete`` False) the names alone count: a
    value that is constant there may vary below. The run itself looks again at all of them.
    """
    spec = Specification.from_json(dict(specification))
    try:
        check_specification(spec, columns)
    except DataRefused:
        if is_complete:
            raise
    return spec


def list_runs(
    caller: Caller,
    *,
    machine_id: int | None = None,
    state: str | None = None,
    **order: Unpack[Order],
) -> Page[TrainingRun]:
    """Runs, newest first unless sorted otherwise. Raises :class:`NotFound`."""
    statement = (
        select(TrainingRun)
        .join(TrainingRun.machine)
        .where(TrainingRun.site_id == caller.site_id, Machine.deleted_at.is_(None))
    )
    if machine_id is not None:
        statement = statement.where(TrainingRun.machine_id == machine_of(caller, machine_id).id)
    if state:
        statement = statement.where(TrainingRun.state == state)
    return listed(statement, TrainingRun, SORTS, order)


def cancel_run(caller: Caller, run_id: int) -> TrainingRun:
    """Ask a run to stop: at once where it waits, within seconds where it is worked on.

    Raises :class:`Conflict` when it has ended already.
    """
    run = run_of(caller, run_id)
    with command() as session:
        asked = session.execute(
            update(TrainingRun)
            .where(TrainingRun.id == run.id, TrainingRun.state.in_(ACTIVE))
            .values(cancel_requested_at=db_now())
            .returning(TrainingRun.id)
        ).all()
        if not asked:
            raise Conflict(N_("This run has already ended."))
        RUNS.cancel_waiting(session)
        audit.record(session, caller, "run.canceled", f"run:{run.id}")
    db.session.refresh(run)
    return run


def retry_run(caller: Caller, run_id: int) -> TrainingRun:
    """Start a new run with the data, rows left out and specification of one that has ended."""
    run = run_of(caller, run_id)
    if run.is_active:
        raise Conflict(N_("This run has not ended yet."))
    return start_run(
        caller,
        dataset_id=run.dataset_id,
        specification=run.specification,
        exclusions=run.exclusions or (),
    )


def published_version_id(run: TrainingRun) -> int | None:
    """The id of the version that the run published, where it has."""
    return db.session.scalar(select(ModelVersion.id).where(ModelVersion.run_id == run.id))


def elapsed_seconds(run: TrainingRun) -> float | None:
    """How long the present attempt has taken, or the last one took; ``None`` before the first."""
    if run.started_at is None:
        return None
    end = run.finished_at or datetime.now(UTC)
    return max(0.0, round((end - run.started_at).total_seconds(), 3))


def waiting_for(run: TrainingRun) -> str | None:
    """What keeps a waiting run: its ``data``, the ``queue``, a free ``worker``; else ``None``."""
    if run.state not in WAITING:
        return None
    if not queue.is_answering():
        return "queue"
    return "data" if run.dataset.state != DatasetState.READY else "worker"


def queue_position(run: TrainingRun) -> int | None:
    """How many runs are ahead in the line; ``None`` when the run is not waiting."""
    if run.state not in WAITING:
        return None
    return db.session.scalar(
        select(func.count()).where(TrainingRun.state.in_(ACTIVE), TrainingRun.id < run.id)
    )
