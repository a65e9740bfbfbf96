"""One request to train, from the moment it was accepted to its end."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.dataset import Dataset
from prodapp.models.lease import Leased
from prodapp.models.machine import Machine
from prodapp.models.types import CreatedAt, Id, Json, Timestamp


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PUBLISHING = "publishing"
    WAITING_EXTERNAL = "waiting_external"
    RETRY_WAIT = "retry_wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


WAITING = (RunState.QUEUED, RunState.RETRY_WAIT)
OWNED = (RunState.RUNNING, RunState.PUBLISHING)
ACTIVE = (*WAITING, *OWNED, RunState.WAITING_EXTERNAL)
TERMINAL = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)


class TrainingRun(Leased, Model):
    """The truth about a run; the queue only carries its id.

    ``exclusions`` are the rows that it leaves out, those of the data set when it was started.
    """

    __tablename__ = "training_runs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running', 'publishing', 'waiting_external', 'retry_wait', "
            "'succeeded', 'failed', 'canceled')",
            name="state",
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"), index=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"), index=True)
    target: Mapped[str] = mapped_column(Text)
    specification: Mapped[dict[str, Any]] = mapped_column(Json)
    exclusions: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    cancel_requested_at: Mapped[Timestamp | None]
    callback_url: Mapped[str | None] = mapped_column(String(2000))
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]

    machine: Mapped[Machine] = relationship()
    dataset: Mapped[Dataset] = relationship()

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE
