"""The accepted output of a run: a fitted pipeline's file and everything that a page shows of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.dataset import Dataset
from prodapp.models.machine import Machine
from prodapp.models.training_run import TrainingRun
from prodapp.models.types import BigId, CreatedAt, Id, Json, Timestamp
from prodapp.models.variable_ranking import VariableRanking

_CHAMPION = text("is_champion")


class ModelVersion(Model):
    """Immutable but for what people say of it.

    ``is_champion`` is true of the one version of its machine that is in use, ``archived_at`` says
    since when it is out of sight, ``notes`` are people's own words. ``promotion`` says why it came
    into use by itself when it was made, or did not (:mod:`prodapp.training.promotion`);
    ``artifact_signature`` is missing where an earlier release made it (:mod:`prodapp.artifacts`);
    ``held_out_key`` is the file of its held-out samples (:mod:`prodapp.ml.held_out`).
    ``reference`` is what predictions need beside the artifact
    (:mod:`prodapp.ml.serving.reference`); versions from before there were predictions have none.
    ``run_id`` is unique: a run that is delivered twice still publishes once.
    """

    __tablename__ = "model_versions"
    __table_args__ = (
        UniqueConstraint("machine_id", "number"),
        Index(
            "uq_model_versions_champion",
            "machine_id",
            unique=True,
            sqlite_where=_CHAMPION,
            postgresql_where=_CHAMPION,
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    machine_id: Mapped[int] = mapped_column(ForeignKey("machines.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("training_runs.id"), unique=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    number: Mapped[int]
    is_champion: Mapped[bool] = mapped_column(default=False)
    target: Mapped[str] = mapped_column(Text)
    specification: Mapped[dict[str, Any]] = mapped_column(Json)
    metrics: Mapped[dict[str, Any]] = mapped_column(Json)
    evidence: Mapped[dict[str, Any]] = mapped_column(Json)
    library_versions: Mapped[dict[str, str]] = mapped_column(Json)
    artifact_key: Mapped[str] = mapped_column(String(64), index=True)
    artifact_signature: Mapped[str | None] = mapped_column(String(64))
    artifact_bytes: Mapped[int] = mapped_column(BigId)
    held_out_key: Mapped[str | None] = mapped_column(String(64), index=True)
    promotion: Mapped[dict[str, Any] | None] = mapped_column(Json)
    reference: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    notes: Mapped[str | None] = mapped_column(Text)
    archived_at: Mapped[Timestamp | None]
    created_at: Mapped[CreatedAt]

    machine: Mapped[Machine] = relationship()
    run: Mapped[TrainingRun] = relationship()
    dataset: Mapped[Dataset] = relationship()
    ranking: Mapped[list[VariableRanking]] = relationship(
        back_populates="version", order_by=VariableRanking.rank, cascade="all, delete-orphan"
    )
