"""A file of rows to be answered in the background."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.lease import Leased
from prodapp.models.machine import Machine
from prodapp.models.model_version import ModelVersion
from prodapp.models.types import CreatedAt, Id, Json, Timestamp


class BatchState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


BATCH_ACTIVE = (BatchState.QUEUED, BatchState.RUNNING)


class PredictionBatch(Leased, Model):
    """``source_key`` is the file as it came, ``result_key`` its rows with their answers (Parquet).

    ``overrides`` are the choices by which the file is read; ``summary`` is what there is to say of
    the rows: how many are new, what was left out. ``purged_at``: the files are gone.
    """

    __tablename__ = "prediction_batches"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'canceled')", name="state"
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    source_key: Mapped[str] = mapped_column(String(64), index=True)
    # The default in the database is for rows of before, and for programs that run on meanwhile.
    source_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    result_key: Mapped[str | None] = mapped_column(String(64), index=True)
    overrides: Mapped[dict[str, str] | None] = mapped_column(Json)
    level: Mapped[float]
    n_rows: Mapped[int | None]
    n_new: Mapped[int | None]
    summary: Mapped[dict[str, Any] | None] = mapped_column(Json)
    cancel_requested_at: Mapped[Timestamp | None]
    purged_at: Mapped[Timestamp | None]
    request_id: Mapped[str | None] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(200))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]

    machine: Mapped[Machine] = relationship()
    version: Mapped[ModelVersion] = relationship()

    @property
    def is_active(self) -> bool:
        return self.state in BATCH_ACTIVE
