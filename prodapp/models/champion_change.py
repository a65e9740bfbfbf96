"""Each change of a machine's version in use: which, by whom, when and why."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.model_version import ModelVersion
from prodapp.models.types import CreatedAt, Id, Name


class ChangeKind(StrEnum):
    FIRST = "first"  # the machine had none
    NEWEST = "newest"  # by the rule that the newest is used
    BETTER = "better"  # by the rule that it must be better beyond the noise
    PROMOTED = "promoted"  # a person chose it
    ROLLED_BACK = "rolled_back"  # a person went back to it


class ChampionChange(Model):
    """``version_id`` came into use. ``reason`` is what the person wrote, "" where nobody did."""

    __tablename__ = "champion_changes"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('first', 'newest', 'better', 'promoted', 'rolled_back')", name="kind"
        ),
    )

    id: Mapped[Id]
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    changed_by: Mapped[Name]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]

    version: Mapped[ModelVersion] = relationship()
