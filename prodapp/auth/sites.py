"""Sites: which there are, and whose rows an administrator may see.

Administrators of the first site (``default``) look after the whole installation; those of any
other site see its users, keys and events alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.exc import IntegrityError

from prodapp import audit
from prodapp.auth.service import ensure_site
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, Forbidden, N_, NotFound
from prodapp.extensions import command, db
from prodapp.models import Machine, Site, User
from prodapp.names import checked_name, folded


@dataclass(frozen=True)
class SiteOverview:
    """A site, and how many active users and machines it has."""

    id: int
    name: str
    created_at: datetime
    n_users: int
    n_machines: int


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


def _overviews(caller: Caller) -> Select[tuple[int, str, datetime, int, int]]:
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
    ).where(within(caller, Site.id.expression))
