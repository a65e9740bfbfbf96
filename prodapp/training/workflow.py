"""How training runs move: what all leased work does, and the steps that only runs have."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from prodapp.exceptions import N_
from prodapp.happenings import Happening, telling_ends
from prodapp.models import Dataset, DatasetState, ModelVersion, RunState, TrainingRun
from prodapp.models.lease import Failure, Lease
from prodapp.models.workflow import Workflow


def _facts(session: Session, run: TrainingRun) -> dict[str, Any]:
    """What other systems are told of a run that ended; its version, where there is one."""
    facts = {"run_id": run.id, "target": run.target, "dataset_id": run.dataset_id}
    version = session.scalar(select(ModelVersion).where(ModelVersion.run_id == run.id))
    if version is None:
        return facts
    return facts | {
        "version_id": version.id,
        "version": version.number,
        "is_in_use": version.is_champion,
        "r2": version.metrics["r2"],
        "explains": version.metrics["explains"],
    }


def begin_publishing(session: Session, lease: Lease) -> None:
    """From here on the run is about to be seen; raises ``LeaseLost`` where it is not wanted."""
    RUNS.advance(
        session,
        lease,
        expect=(RUNS.running,),
        where=(RUNS.wanted,),
        state=RUNS.ending,
        stage="publishing",
        progress=0.0,
    )


def _has_data() -> ColumnElement[bool]:
    """That the import of the run's data set is over."""
    return TrainingRun.dataset.has(Dataset.state == DatasetState.READY)


def _end_without_data(session: Session) -> int:
    """Queued runs whose data set was refused by the import end with its reason."""
    waiting = session.execute(
        select(TrainingRun.id, Dataset.error_code, Dataset.error_message, Dataset.error_params)
        .join(TrainingRun.dataset)
        .where(TrainingRun.state == RUNS.queued, Dataset.state == DatasetState.REFUSED)
    ).all()
    for run_id, code, message, params in waiting:
        session.execute(
            update(TrainingRun)
            .where(TrainingRun.id == run_id, TrainingRun.state == RUNS.queued)
            .values(**RUNS.failure_values(Failure(code, message, params or {})))
        )
        RUNS.note_end(session, run_id, RUNS.failed, error=code)
    return len(waiting)


RUNS: Final = Workflow(
    name="run",
    kind="run",
    job="prodapp.training.jobs.run_training",
    model=TrainingRun,
    running=RunState.RUNNING,
    ending=RunState.PUBLISHING,
    succeeded=RunState.SUCCEEDED,
    failed=RunState.FAILED,
    canceled=RunState.CANCELED,
    unwanted_since="cancel_requested_at",
    waiting=RunState.RETRY_WAIT,
    backoff_seconds=(5.0, 20.0),
    on_end=telling_ends(
        TrainingRun,
        {
            RunState.SUCCEEDED: Happening.RUN_SUCCEEDED,
            RunState.FAILED: Happening.RUN_FAILED,
            RunState.CANCELED: Happening.RUN_CANCELED,
        },
        facts=_facts,
    ),
    may_start=_has_data,
    end_vain=_end_without_data,
    lost_message=N_(
        "The worker vanished %(times)s times in a row while it worked on this. The run itself may "
        "be what ends it, for example by taking all the memory: try fewer rows or columns."
    ),
)
