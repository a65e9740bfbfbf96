"""People whom a provider or a directory knows: which user they are here, and what they may do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from prodapp import audit
from prodapp.auth.emails import email_key
from prodapp.auth.service import create_user, ensure_site, system_caller
from prodapp.auth.users import UserChange, change_user
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, InvalidInput, N_, NotFound, NotSignedIn
from prodapp.extensions import command, db, settings_of
from prodapp.identity_settings import IdentitySettings
from prodapp.models import ExternalIdentity, User
from prodapp.models.types import db_now
from prodapp.names import folded

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Person:
    """Somebody as the outside proved them. ``subject`` stays theirs whatever they are called;
    ``email`` is one that the outside vouches for."""

    issuer: str
    subject: str
    username: str
    email: str | None
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """What the groups of a person mean here; ``None``: the groups do not say."""

    role: str | None
    site: str | None


def admit(person: Person, *, address: str | None) -> User:
    """The user who ``person`` is: known, or linked by configuration, or made just now.

    Their role and site follow their groups at each sign-in. Raises :class:`NotSignedIn` for whom
    nothing is meant here.
    """
    settings = settings_of(current_app).identity
    place = place_of(person.groups, settings)
    user = _known(person)
    if place.role is None and (user is None or settings.roles):
        log.warning("sign-in refused for a person of %s without a role here", person.issuer)
        raise NotSignedIn(
            N_("You are known, but you have no role here. Ask an administrator."), code="no_role"
        )
    caller = system_caller(name="sign-in", kind="system")
    if user is None:
        user = _linked(person, settings) or _made(caller, person, place)
        link(_self(user, address), user, person)
    if not user.is_active:
        raise _refused()
    _note_use(person)
    return _moved(caller, user, place) if settings.roles or settings.sites else user


def place_of(groups: Sequence[str], settings: IdentitySettings) -> Place:
    """The first entry that names one of ``groups`` decides, as an administrator orders them."""
    known = {folded(group) for group in groups}

    def first(pairs: tuple[tuple[str, str], ...]) -> str | None:
        return next((value for group, value in pairs if folded(group) in known), None)

    return Place(first(settings.roles) or settings.default_role, first(settings.sites))


def link(caller: Caller, user: User, person: Person) -> None:
    """Let ``person`` in as ``user`` from now on. Raises :class:`Conflict` where they are
    another."""
    try:
        with command() as session:
            session.add(
                ExternalIdentity(user_id=user.id, issuer=person.issuer, subject=person.subject)
            )
            session.flush()
            audit.record(
                session,
                caller,
                "identity.linked",
                f"user:{user.id}",
                after={"issuer": person.issuer},
            )
    except IntegrityError as error:
        raise Conflict(N_("That identity belongs to another user here.")) from error


def identities(user_id: int) -> Sequence[ExternalIdentity]:
    """What lets a user in from outside."""
    statement = select(ExternalIdentity).where(ExternalIdentity.user_id == user_id)
    return db.session.scalars(statement.order_by(ExternalIdentity.id)).all()


def unlink(caller: Caller, identity_id: int) -> None:
    """End one of the caller's own links. Raises :class:`NotFound`."""
    with command() as session:
        issuer = session.scalar(
            delete(ExternalIdentity)
            .where(ExternalIdentity.id == identity_id, ExternalIdentity.user_id == caller.user_id)
            .returning(ExternalIdentity.issuer)
        )
        if issuer is None:
            raise NotFound(N_("This identity is not linked any more."))
        audit.record(
            session,
            caller,
            "identity.unlinked",
            f"user:{caller.user_id}",
            before={"issuer": issuer},
        )


def _known(person: Person) -> User | None:
    return db.session.scalar(
        select(User)
        .join(ExternalIdentity, ExternalIdentity.user_id == User.id)
        .where(ExternalIdentity.issuer == person.issuer, ExternalIdentity.subject == person.subject)
    )


def _linked(person: Person, settings: IdentitySettings) -> User | None:
    """Whom the configuration takes ``person`` for."""
    if settings.linking == "email" and person.email:
        return db.session.scalar(select(User).where(User.email_key == email_key(person.email)))
    if settings.linking == "name":
        return db.session.scalar(select(User).where(User.username_key == folded(person.username)))
    return None


def _made(caller: Caller, person: Person, place: Place) -> User:
    try:
        return create_user(
            caller,
            username=person.username,
            role=place.role or "",
            site=place.site,
            email=person.email or "",
        )
    except (Conflict, InvalidInput) as error:
        raise NotSignedIn(
            N_(
                "There is a user named %(username)s here already, or with your e-mail address. "
                "Sign in as before and connect your account on its page, or ask an administrator."
            ),
            code="not_linked",
            username=person.username,
        ) from error


def _moved(caller: Caller, user: User, place: Place) -> User:
    """``user`` with the role and the site that their groups name."""
    site_id = ensure_site(place.site).id if place.site else None
    try:
        return change_user(caller, user.id, UserChange(role=place.role, site_id=site_id))
    except Conflict:  # the last administrator stays one, whatever the groups say
        log.warning("user %s keeps role and site: nobody else administers", user.id)
        return user


def _note_use(person: Person) -> None:
    with command() as session:
        session.execute(
            update(ExternalIdentity)
            .where(
                ExternalIdentity.issuer == person.issuer,
                ExternalIdentity.subject == person.subject,
            )
            .values(last_used_at=db_now())
        )


def _refused() -> NotSignedIn:
    return NotSignedIn(N_("This account is locked. Ask an administrator."), code="bad_credentials")


def _self(user: User, address: str | None) -> Caller:
    return Caller(user.site_id, user.role, user.username, "session", user.id, address)
