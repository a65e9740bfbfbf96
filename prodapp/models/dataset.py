"""One uploaded file of a machine: stored as it came, and once more as a parsed table."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.lease import Leased
from prodapp.models.machine import Machine
from prodapp.models.types import BigId, CreatedAt, Id, Json, Timestamp


class DatasetState(StrEnum):
    DRAFT = "draft"  # previewed; waits for a person to confirm how it is read
    QUEUED = "queued"
    IMPORTING = "importing"
    READY = "ready"
    REFUSED = "refused"


class Dataset(Leased, Model):
    """Its bytes never change. ``preview`` is what intake decided and saw, as a document.

    ``source_key`` and ``table_key`` are storage keys (SHA-256 of the content) of the uploaded
    bytes and of the Parquet file that the import wrote; ``overrides`` what a person decided
    instead of intake, ``settings`` what they said of the columns when they confirmed it (the
    document of :class:`prodapp.variables.TableSettings`; ``None`` where nobody did). ``assembly``
    is what the import makes of the file and another data set; ``exclusions`` are the rows that
    runs leave out, each with its count. The files of a deleted data set may be gone once it is
    purged.
    """

    __tablename__ = "datasets"

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigId)
    source_key: Mapped[str] = mapped_column(String(64), index=True)
    table_key: Mapped[str | None] = mapped_column(String(64), index=True)
    n_rows: Mapped[int | None]
    n_columns: Mapped[int | None]
    preview: Mapped[dict[str, Any]] = mapped_column(Json)
    overrides: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    settings: Mapped[dict[str, Any] | None] = mapped_column(Json)
    assembly: Mapped[dict[str, Any] | None] = mapped_column(Json)
    exclusions: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
    deleted_at: Mapped[Timestamp | None]
    purged_at: Mapped[Timestamp | None]

    machine: Mapped[Machine] = relationship()

    @property
    def is_active(self) -> bool:
        """Whether its import is still to end."""
        return self.state in (DatasetState.QUEUED, DatasetState.IMPORTING)
