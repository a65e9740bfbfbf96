"""One variable's place in the ranking of a model version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from prodapp.extensions import Model
from prodapp.models.types import Id, Json

if TYPE_CHECKING:
    from prodapp.models.model_version import ModelVersion


class VariableRanking(Model):
    """Columns are those of ``prodapp.ml.training.VariableImportance``."""

    __tablename__ = "variable_rankings"
    __table_args__ = (UniqueConstraint("version_id", "rank"),)

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    rank: Mapped[int]
    feature: Mapped[str] = mapped_column(Text)
    importance_shap_mean_abs: Mapped[float]
    importance_native: Mapped[float]
    shap_norm: Mapped[float]
    native_norm: Mapped[float]
    score_final: Mapped[float]
    effect: Mapped[str] = mapped_column(String(20))
    direction_strength: Mapped[float]
    dependence: Mapped[list[list[float]]] = mapped_column(Json)

    version: Mapped[ModelVersion] = relationship(back_populates="ranking")
