"""API keys as their owners and administrators see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Unpack

from sqlalchemy import ColumnElement, select, update

from prodapp import audit
from prodapp.auth.objects import MAX_ID
from prodapp.auth.sites import within
from prodapp.caller import Caller
from prodapp.exceptions import N_, NotFound
from prodapp.extensions import command, db
from prodapp.listing import Order, Sorts, listed
from prodapp.models import ApiKey, User
from prodapp.models.types import db_now
from prodapp.pagination import Page

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "created_at": ApiKey.id,
    "name": ApiKey.name,
    "expires_at": ApiKey.expires_at,
    "last_used_at": ApiKey.last_used_at,
}


STATES = ("active", "expired", "revoked", "suspended")


def key_state(key: ApiKey) -> str:
    """One of :data:`STATES`; a key is suspended while its user is deactivated."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        return "expired"
    return "active" if key.user.is_active else "suspended"


def list_keys(
    caller: Caller,
    *,
    user_id: int | None = None,
    state: str | None = None,
    **order: Unpack[Order],
) -> Page[ApiKey]:
    """The keys that the caller administers, or their own; the newest first."""
    statement = select(ApiKey).join(ApiKey.user).where(_reach(caller))
    if user_id is not None:
        statement = statement.where(ApiKey.user_id == user_id)
    if state:
        statement = statement.where(_state_is(state))
    return listed(statement, ApiKey, SORTS, order)


def key_of(caller: Caller, key_id: int) -> ApiKey:
    """The caller's own key, or one of a user they administer. Raises :class:`NotFound`."""
    statement = select(ApiKey).join(ApiKey.user).where(ApiKey.id == key_id, _reach(caller))
    key = db.session.scalar(statement) if 0 < key_id <= MAX_ID else None
    if key is None:
        raise _missing(key_id)
    return key


def end_key(caller: Caller, key_id: int, *, owner_id: int | None = None) -> ApiKey:
    """End a key for good (of ``owner_id``, where given); one that has ended already is no error.

    Raises :class:`NotFound`.
    """
    key = key_of(caller, key_id)
    if owner_id is not None and key.user_id != owner_id:
        raise _missing(key_id)
    with command() as session:
        ended = session.scalar(
            update(ApiKey)
            .where(ApiKey.id == key.id, ApiKey.revoked_at.is_(None))
            .values(revoked_at=db_now())
            .returning(ApiKey.id)
        )
        if ended is not None:
            audit.record(
                session, caller, "key.revoked", f"key:{key.id}", before={"prefix": key.prefix}
            )
    return key


def _missing(key_id: int) -> NotFound:
    return NotFound(N_("There is no key %(id)s."), id=key_id)


def _reach(caller: Caller) -> ColumnElement[bool]:
    if caller.has_role("admin"):
        return within(caller, User.site_id.expression)
    return ApiKey.user_id == caller.user_id


def _state_is(state: str) -> ColumnElement[bool]:
    is_over = ApiKey.expires_at.is_not(None) & (ApiKey.expires_at <= db_now())
    is_living = ApiKey.revoked_at.is_(None) & ~is_over
    return {
        "revoked": ApiKey.revoked_at.is_not(None),
        "expired": ApiKey.revoked_at.is_(None) & is_over,
        "active": is_living & User.is_active.is_(True),
        "suspended": is_living & User.is_active.is_(False),
    }[state]
