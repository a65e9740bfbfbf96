"""A machine's watched folder, and each file that was found in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.dataset import Dataset
from prodapp.models.machine import Machine
from prodapp.models.training_run import TrainingRun
from prodapp.models.types import BigId, Code, CreatedAt, Id, Json, Timestamp

_WAITS = text("next_attempt_at IS NOT NULL")


class FileState(StrEnum):
    FOUND = "found"  # its data set and run are being made
    TAKEN = "taken"  # it is a data set with a run
    SET_ASIDE = "set_aside"  # refused, with the reason; not looked at again unless asked for


class Schedule(Model):
    """When files of ``folder`` whose names fit ``pattern`` become data sets and are trained on.

    ``cron`` is read in ``timezone``. ``next_attempt_at`` is when somebody looks next, ``None``
    while it is off; ``n_attempts`` counts the looks, so that one of several dispatchers takes
    each (:class:`prodapp.outbox.Outbox`). ``problem`` is why the last look found nothing out.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        Index(
            "ix_schedules_next_attempt_at",
            "next_attempt_at",
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"), unique=True)
    folder: Mapped[str] = mapped_column(String(1000))
    pattern: Mapped[str] = mapped_column(String(200))
    cron: Mapped[str] = mapped_column(String(100))
    timezone: Mapped[str] = mapped_column(String(64))
    is_active: Mapped[bool] = mapped_column(default=True)
    n_attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Timestamp | None]
    looked_at: Mapped[Timestamp | None]
    problem_code: Mapped[Code | None]
    problem: Mapped[str | None] = mapped_column(Text)
    problem_params: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[CreatedAt]

    machine: Mapped[Machine] = relationship()


class ScheduledFile(Model):
    """One state of one file: a file that is written anew is another row.

    ``modified_ns`` is its time of change, nanoseconds since 1970. ``error_…`` say why it was set
    aside.
    """

    __tablename__ = "scheduled_files"
    __table_args__ = (UniqueConstraint("schedule_id", "name", "size_bytes", "modified_ns"),)

    id: Mapped[Id]
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigId)
    modified_ns: Mapped[int] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(20))
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("datasets.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("training_runs.id"))
    error_code: Mapped[Code | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    error_params: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[CreatedAt]

    schedule: Mapped[Schedule] = relationship()
    dataset: Mapped[Dataset | None] = relationship()
    run: Mapped[TrainingRun | None] = relationship()
