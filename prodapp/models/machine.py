"""A machine of the plant, whose production is to be understood."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from prodapp.extensions import Model
from prodapp.models.types import CreatedAt, Id, Json, Name, Timestamp

_NOT_DELETED = text("deleted_at IS NULL")


class Machine(Model):
    """``name_key`` is the folded name: a site has one living machine of a name.

    ``is_local`` marks a machine that another backend registered here: prodapp fits it itself even
    where an external model service is configured, so that two peers cannot forward for ever.
    ``overrides`` are the choices by which its last confirmed file was read, offered to the next.
    ``promotion`` is when a new version comes into use (:data:`prodapp.config.PROMOTIONS`), None
    where the installation's setting holds.
    """

    __tablename__ = "machines"
    __table_args__ = (
        Index(
            "uq_machines_site_id_name_key",
            "site_id",
            "name_key",
            unique=True,
            sqlite_where=_NOT_DELETED,
            postgresql_where=_NOT_DELETED,
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[Name]
    name_key: Mapped[str] = mapped_column(String(200))
    is_local: Mapped[bool] = mapped_column(default=False)
    overrides: Mapped[dict[str, str] | None] = mapped_column(Json)
    promotion: Mapped[str | None] = mapped_column(String(20))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
    deleted_at: Mapped[Timestamp | None]
    purged_at: Mapped[Timestamp | None]
