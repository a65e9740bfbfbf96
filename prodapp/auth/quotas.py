"""How much room the files of a site may take.

What people uploaded and the models made of it count, until their machine is deleted and its files
are gone; files of rows to be predicted, until they are forgotten. What imports and batches write
beside an upload is about as large again and does not count.
"""

from __future__ import annotations

from flask import current_app
from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from prodapp.exceptions import Conflict, N_
from prodapp.extensions import db, settings_of
from prodapp.models import Dataset, Machine, ModelVersion, PredictionBatch, Site

MEBIBYTE = 1024**2


def used_bytes(site_id: int) -> int:
    """What the files of a site take now."""
    return db.session.scalar(select(uploads_of(site_id) + models_of(site_id))) or 0


def uploads_of(site_id: object) -> ColumnElement[int]:
    """The bytes of uploads that are kept for a site; an id, or a column of ids."""
    return _kept(Dataset, Dataset.size_bytes, site_id) + _kept(
        PredictionBatch, PredictionBatch.source_bytes, site_id
    )


def models_of(site_id: object) -> ScalarSelect[int]:
    """The bytes of model files that are kept for a site."""
    return (
        select(_total(ModelVersion.artifact_bytes))
        .join(Machine, Machine.id == ModelVersion.machine_id)
        .where(ModelVersion.site_id == site_id, Machine.purged_at.is_(None))
        .scalar_subquery()
    )


def quota_of(site: Site) -> int | None:
    """The bytes that the files of ``site`` may take; ``None``: as many as there is room for."""
    own = site.quota_bytes
    return settings_of(current_app).site_quota_bytes if own is None else own


def check(site_id: int, size: int) -> None:
    """Refuse ``size`` bytes more than a site may have. Raises :class:`Conflict`."""
    _check(db.session.get_one(Site, site_id), size)


def hold(session: Session, site_id: int, size: int) -> None:
    """The same within a command: of two uploads for the same room, one gets it."""
    site = session.scalars(select(Site).where(Site.id == site_id).with_for_update()).one()
    _check(site, size)


def _kept(
    model: type[Dataset | PredictionBatch], size: InstrumentedAttribute[int], site_id: object
) -> ScalarSelect[int]:
    return (
        select(_total(size))
        .join(Machine, Machine.id == model.machine_id)
        .where(
            model.site_id == site_id,
            model.purged_at.is_(None),
            Machine.purged_at.is_(None),
        )
        .scalar_subquery()
    )


def _total(column: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[int]:
    # PostgreSQL adds large whole numbers up to a decimal number.
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def _check(site: Site, size: int) -> None:
    quota = quota_of(site)
    if quota is None or size == 0:
        return
    used = used_bytes(site.id)
    if used + size > quota:
        raise Conflict(
            N_(
                "The site %(site)s has %(used)s of its %(quota)s MB in use, and this takes "
                "%(size)s MB more. Delete machines that nobody needs, or ask an administrator "
                "for more room."
            ),
            code="quota_exceeded",
            site=site.name,
            used=-(-used // MEBIBYTE),
            quota=quota // MEBIBYTE,
            size=-(-size // MEBIBYTE),
        )
