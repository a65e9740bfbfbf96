"""That a person knows an alarm of a machine, and why it need not keep anybody from acting."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import Code, CreatedAt, Id, Name, Timestamp

_HOLDS = text("taken_back_at IS NULL")


class AlarmAcceptance(Model):
    """Holds for every version of the machine that raises the same alarm on the same target.

    ``alarm_key`` is the alarm's (``prodapp.ranking.alarms``). One that was taken back stays, with
    the time; a machine has one that holds of each alarm.
    """

    __tablename__ = "alarm_acceptances"
    __table_args__ = (
        Index(
            "uq_alarm_acceptances_holding",
            "machine_id",
            "alarm_key",
            unique=True,
            sqlite_where=_HOLDS,
            postgresql_where=_HOLDS,
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"))
    alarm_key: Mapped[str] = mapped_column(String(32))
    code: Mapped[Code]
    reason: Mapped[str] = mapped_column(Text)
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    accepted_by: Mapped[Name]
    created_at: Mapped[CreatedAt]
    taken_back_at: Mapped[Timestamp | None]
