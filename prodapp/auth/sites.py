"""Sites: which there are, and whose rows an administrator may see.

Administrators of the first site (``default``) look after the whole installation; those of any
other site see its users, keys and events alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.exc import IntegrityError

from prodapp import audit
from prodapp.auth.quotas import MEBIBYTE, models_of, uploads_of
from prodapp.auth.service import ensure_site
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, FieldError, Forbidden, InvalidInput, N_, NotFound
from prodapp.extensions import command, db, settings_of
from prodapp.models import Machine, Site, User
from prodapp.names import checked_name, folded

MAX_QUOTA_MB = 1_000_000_000


@dataclass(frozen=True)
class SiteOverview:
    """A site, how many active users and machines it has, and the room that its files take.

    ``own_quota_bytes`` is the room that it was given itself, ``quota_bytes`` what counts.
    """

    id: int
    name: str
    created_at: datetime
    n_users: int
    n_machines: int
    used_bytes: int
    own_quota_bytes: int | None

    @property
    def quota_bytes(self) -> int | None:
        given = settings_of(current_app).site_quota_bytes
        return given if self.own_quota_bytes is None else self.own_quota_bytes


def governs_all(caller: Caller) -> bool:
    """Whether the caller administers the whole installation."""
    return caller.has_role("admin") and caller.site_id == ensure_site().id


def within(caller: Caller, site_id: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that holds for rows which an administrator may see."""
    return true() if governs_all(caller) else site_id == caller.site_id


def list_sites(caller: Caller) -> Sequence[SiteOverview]:
    """The sites that the caller administers, by name."""
    rows = db.session.execute(_overviews(caller).order_by(func.lower(Site.name), Site.id))
    return [SiteOverview(**row._asdict()) for row in rows]


def site_of(caller: Caller, site_id: int) -> SiteOverview:
    """One of these. Raises :class:`NotFound`."""
    row = db.session.execute(_overviews(caller).where(Site.id == site_id)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no site %(id)s."), id=site_id)
    return SiteOverview(**row._asdict())


def site_by_name(name: str) -> Site:
    """The site of that name, whatever its case. Raises :class:`NotFound`."""
    sites = db.session.scalars(select(Site))
    site = next((site for site in sites if folded(site.name) == folded(name)), None)
    if site is None:
        raise NotFound(N_("There is no site named %(name)s."), name=name)
    return site


def create_site(caller: Caller, *, name: str) -> Site:
    """Make a site. Raises :class:`Forbidden`, :class:`InvalidInput`, :class:`Conflict`."""
    if not governs_all(caller):
        raise Forbidden(N_("Sites are made by administrators of the first site alone."))
    name = checked_name(name, pointer="/name", if_empty=N_("Give the site a name."))
    taken = Conflict(N_("There is already a site named %(name)s."), name=name)
    if folded(name) in map(folded, db.session.scalars(select(Site.name))):
        raise taken
    try:
        with command() as session:
            site = Site(name=name)
            session.add(site)
            session.flush()
            audit.record(session, caller, "site.created", f"site:{site.id}", after={"name": name})
    except IntegrityError as error:
        raise taken from error
    return site


def change_quota(caller: Caller, site_id: int, *, quota_mb: int | None) -> SiteOverview:
    """Give a site so much room for its files; ``None``: as much as the installation gives to each.

    What it has stays, also where that is more. Raises :class:`NotFound`, :class:`Forbidden`,
    :class:`InvalidInput`.
    """
    before = site_of(caller, site_id).own_quota_bytes
    if not governs_all(caller):
        raise Forbidden(N_("Room is given by administrators of the first site alone."))
    if quota_mb is not None and not 0 <= quota_mb <= MAX_QUOTA_MB:
        message = N_("The room of a site is from 0 to %(max)s MB.")
        field = FieldError("/quota_mb", message, {"max": MAX_QUOTA_MB})
        raise InvalidInput(message, fields=(field,), max=MAX_QUOTA_MB)
    quota = None if quota_mb is None else quota_mb * MEBIBYTE
    with command() as session:
        session.get_one(Site, site_id).quota_bytes = quota
        audit.record(
            session,
            caller,
            "site.quota_changed",
            f"site:{site_id}",
            before={"quota_bytes": before},
            after={"quota_bytes": quota},
        )
    return site_of(caller, site_id)


def _overviews(caller: Caller) -> Select[Any]:
    users = (
        select(func.count())
        .where(User.site_id == Site.id, User.is_active.is_(True))
        .scalar_subquery()
    )
    machines = (
        select(func.count())
        .where(Machine.site_id == Site.id, Machine.deleted_at.is_(None))
        .scalar_subquery()
    )
    return select(
        Site.id,
        Site.name,
        Site.created_at,
        users.label("n_users"),
        machines.label("n_machines"),
        (uploads_of(Site.id) + models_of(Site.id)).label("used_bytes"),
        Site.quota_bytes.label("own_quota_bytes"),
    ).where(within(caller, Site.id.expression))
