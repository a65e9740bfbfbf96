"""What administrators do with users: list, read, change, reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Unpack

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.emails import checked_email, email_key
from prodapp.auth.objects import MAX_ID
from prodapp.auth.service import check_role, email_taken
from prodapp.auth.sites import site_of, within
from prodapp.auth.ways_in import end_all_ways_in
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command, db
from prodapp.listing import Order, Sorts, listed
from prodapp.models import Site, User
from prodapp.models.site import DEFAULT_SITE
from prodapp.names import folded
from prodapp.pagination import Page

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "username": User.username_key,
    "created_at": User.id,
    "last_sign_in_at": User.last_sign_in_at,
}


@dataclass(frozen=True)
class UserChange:
    """What is to become different; ``None`` leaves a thing as it is, an empty e-mail removes it."""

    role: str | None = None
    email: str | None = None
    site_id: int | None = None
    is_active: bool | None = None


def user_of(caller: Caller, user_id: int) -> User:
    """The user of that id, if the caller administers them. Raises :class:`NotFound`."""
    statement = select(User).where(User.id == user_id, within(caller, User.site_id.expression))
    user = db.session.scalar(statement) if 0 < user_id <= MAX_ID else None
    if user is None:
        raise NotFound(N_("There is no user %(id)s."), id=user_id)
    return user


def list_users(
    caller: Caller,
    *,
    q: str = "",
    role: str | None = None,
    is_active: bool | None = None,
    site_id: int | None = None,
    **order: Unpack[Order],
) -> Page[User]:
    """The users that the caller administers, by name, a page at a time."""
    statement = select(User).where(within(caller, User.site_id.expression))
    if q.strip():
        found = User.username_key.contains(folded(q), autoescape=True)
        found |= User.email_key.contains(folded(q), autoescape=True)
        statement = statement.where(found)
    if role:
        statement = statement.where(User.role == role)
    if is_active is not None:
        statement = statement.where(User.is_active.is_(is_active))
    if site_id is not None:
        statement = statement.where(User.site_id == site_id)
    return listed(statement, User, SORTS, {"sort": "username", **order})


def change_user(caller: Caller, user_id: int, change: UserChange) -> User:
    """Change a user. A new role counts at once; who is deactivated is out everywhere at once.

    Raises :class:`NotFound`, :class:`InvalidInput` (role, e-mail) and :class:`Conflict` where the
    address is another user's or nobody would be left to administer the installation.
    """
    values = _values(caller, change)
    user_of(caller, user_id)
    try:
        with command() as session:
            first = _hold_administrators(session)
            user = session.get_one(User, user_id, populate_existing=True)
            if user.erased_at is not None:
                raise Conflict(N_("This user was erased; nothing of them can be changed."))
            before = {name: getattr(user, name) for name in values}
            changed = {name: value for name, value in values.items() if value != before[name]}
            if not changed:
                return user
            _keep_an_administrator(session, user, changed, first)
            for name, value in changed.items():
                setattr(user, name, value)
            session.flush()
            if not user.is_active:
                end_all_ways_in(session, user.id)
            told = [name for name in changed if name != "email_key"]
            audit.record(
                session,
                caller,
                "user.changed",
                f"user:{user.id}",
                before={name: before[name] for name in told},
                after={name: changed[name] for name in told},
            )
    except IntegrityError as error:
        raise email_taken(values.get("email")) from error
    return user


def sign_out_everywhere(caller: Caller, user_id: int) -> None:
    """End all sessions, tokens and unused links of a user."""
    user = user_of(caller, user_id)
    with command() as session:
        end_all_ways_in(session, user.id)
        audit.record(session, caller, "user.signed_out", f"user:{user.id}")


def _values(caller: Caller, change: UserChange) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.role is not None:
        check_role(change.role)
        values["role"] = change.role
    if change.email is not None:
        email = checked_email(change.email)
        values |= {"email": email, "email_key": email_key(email)}
    if change.site_id is not None:
        values["site_id"] = site_of(caller, change.site_id).id
    if change.is_active is not None:
        values["is_active"] = change.is_active
    return values


def _hold_administrators(session: Session) -> int:
    """Let changes of users follow each other, and return the first site's id.

    Of two administrators who remove each other at once only one may succeed.
    """
    first = select(Site.id).where(Site.name == DEFAULT_SITE)
    return session.scalars(first.with_for_update(key_share=True)).one()


def _keep_an_administrator(
    session: Session, user: User, changed: dict[str, Any], first_site: int
) -> None:
    """Somebody must be able to let people in again, without a command line."""
    is_one = user.role == "admin" and user.is_active and user.site_id == first_site
    if not is_one or not changed.keys() & {"role", "is_active", "site_id"}:
        return
    other = session.scalar(
        select(User.id)
        .where(
            User.id != user.id,
            User.role == "admin",
            User.is_active.is_(True),
            User.site_id == first_site,
        )
        .limit(1)
    )
    if other is None:
        raise Conflict(
            N_("%(username)s is the last administrator. Make somebody else one first."),
            code="last_administrator",
            username=user.username,
        )
