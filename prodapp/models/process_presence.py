"""Which background processes are here now: workers, dispatchers, backups being written."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import Id, Timestamp


class ProcessPresence(Model):
    """A sign of life, renewed every few seconds and removed at an orderly end.

    ``seen_at`` is the database's clock, ``host_time`` what the process's own host believed at that
    moment: their difference is that host's error.
    """

    __tablename__ = "process_presences"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100), unique=True)
    started_at: Mapped[Timestamp]
    seen_at: Mapped[Timestamp]
    host_time: Mapped[Timestamp]
