"""What people said of one column of a machine's files, and where its values lay."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import Code, Id


class MachineVariable(Model):
    """Remembered for the next file of the machine; ``prodapp.variables`` says what it means.

    ``kind``, ``low``, ``middle`` and ``high`` (quantiles 1, 50 and 99 %) are those of the last
    confirmed file, ``None`` until it was imported. A name can be longer than an index takes, so
    the position is what is unique.
    """

    __tablename__ = "machine_variables"
    __table_args__ = (UniqueConstraint("machine_id", "position"),)

    id: Mapped[Id]
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(String(200))
    unit: Mapped[str | None] = mapped_column(String(40))
    role: Mapped[Code | None]
    sense: Mapped[Code | None]
    goal: Mapped[float | None]
    kind: Mapped[Code | None]
    low: Mapped[float | None]
    middle: Mapped[float | None]
    high: Mapped[float | None]
