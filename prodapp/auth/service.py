"""Users, and what lets them in: a password, a one-time link, a key."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.emails import checked_email, email_key
from prodapp.auth.passwords import check_strength, hash_password, verify_password
from prodapp.auth.secrets import key_prefix, new_api_key, new_token, token_hash
from prodapp.caller import RANKS, Caller
from prodapp.exceptions import Conflict, FieldError, InvalidInput, N_, NotFound, NotSignedIn
from prodapp.extensions import command, db, note
from prodapp.models import ApiKey, SignInLink, Site, User
from prodapp.models.site import DEFAULT_SITE
from prodapp.models.types import db_now
from prodapp.names import checked_name, folded

LINK_LIFE = timedelta(hours=24)
MAX_KEY_DAYS = 3650
SEEN_STEP = timedelta(minutes=1)  # how stale "last seen" may be before a request renews it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewKey:
    """A fresh API key: ``secret`` is shown once and stored nowhere."""

    id: int
    prefix: str
    secret: str


def ensure_site(name: str = DEFAULT_SITE) -> Site:
    """The site of that name, made where it is missing."""
    site = db.session.scalar(select(Site).where(Site.name == name))
    if site is not None:
        return site
    name = checked_name(name, pointer="/site", if_empty=N_("Give the site a name."))
    with suppress(IntegrityError), command() as session:  # somebody else made it just now
        session.add(Site(name=name))
    return db.session.scalars(select(Site).where(Site.name == name)).one()


def system_caller(
    *, name: str = "system", kind: str = "system", site: str = DEFAULT_SITE
) -> Caller:
    """The caller in whose name the command line and background work act."""
    return Caller(site_id=ensure_site(site).id, role="admin", name=name, kind=kind)


def create_user(
    caller: Caller,
    *,
    username: str,
    role: str,
    password: str | None = None,
    site: str | None = None,
    email: str = "",
) -> User:
    """Make a user; without a password only a one-time link lets them in.

    Raises :class:`InvalidInput` for an empty name, an unknown role, a weak password or no e-mail
    address and :class:`Conflict` for a name or an address that is taken.
    """
    username = checked_name(username, pointer="/username", if_empty=N_("Give the user a name."))
    check_role(role)
    if password is not None:
        check_strength(password, username=username)
    address = checked_email(email)
    site_id = ensure_site(site).id if site else caller.site_id
    password_hash = hash_password(password) if password is not None else None
    try:
        with command() as session:
            user = User(
                site_id=site_id,
                username=username,
                username_key=folded(username),
                email=address,
                email_key=email_key(address),
                role=role,
                password_hash=password_hash,
            )
            session.add(user)
            session.flush()
            audit.record(session, caller, "user.created", f"user:{user.id}", after={"role": role})
    except IntegrityError as error:
        if _is_taken(username):
            message = N_("There is already a user named %(username)s.")
            raise Conflict(message, username=username) from error
        raise email_taken(address) from error
    return user


def email_taken(email: str | None) -> Conflict:
    """The error for an address that another user has."""
    return Conflict(N_("Another user has the e-mail address %(email)s."), email=email)


def list_users() -> list[User]:
    """All users by name."""
    return list(db.session.scalars(select(User).order_by(User.username_key)))


def user_by_name(username: str) -> User:
    """The user of that name. Raises :class:`NotFound`."""
    user = db.session.scalar(select(User).where(User.username_key == folded(username)))
    if user is None:
        raise NotFound(N_("There is no user named %(username)s."), username=username)
    return user


def authenticate(username: str, password: str) -> User:
    """The active user whom name and password prove. Raises :class:`NotSignedIn`, saying no more."""
    user = db.session.scalar(select(User).where(User.username_key == folded(username)))
    fits = verify_password(password, user.password_hash if user else None)
    if user is None or not fits or not user.is_active:
        # Without the name: people type passwords into that field too.
        log.warning("sign-in refused for %s", f"user {user.id}" if user else "an unknown name")
        raise bad_credentials()
    return user


def bad_credentials() -> NotSignedIn:
    """The one error for all that is wrong with a name and a password."""
    return NotSignedIn(N_("That name and password do not fit together."), code="bad_credentials")


def create_sign_in_link(user: User, *, purpose: str = "sign_in") -> str:
    """A token that works once within a day: it signs ``user`` in, or (``password``) lets them
    choose a password. Earlier unused links stop working."""
    token = new_token()
    with command() as session:
        session.execute(
            update(SignInLink)
            .where(SignInLink.user_id == user.id, SignInLink.used_at.is_(None))
            .values(used_at=db_now())
        )
        session.add(
            SignInLink(
                user_id=user.id,
                purpose=purpose,
                token_hash=token_hash(token),
                expires_at=db_now(LINK_LIFE.total_seconds()),
            )
        )
    return token


def use_sign_in_link(token: str) -> User:
    """The user whom an unused link lets in. Raises :class:`NotSignedIn`."""
    with command() as session:
        user = spend_link(session, token, purpose="sign_in")
    if user is None:
        raise link_expired()
    return user


def user_of_link(token: str, *, purpose: str) -> User:
    """Whom an unused link is for, which stays unused. Raises :class:`NotSignedIn`."""
    link = db.session.scalar(
        select(SignInLink).where(
            SignInLink.token_hash == token_hash(token),
            SignInLink.purpose == purpose,
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > db_now(),
        )
    )
    if link is None or not link.user.is_active:
        raise link_expired()
    return link.user


def spend_link(session: Session, token: str, *, purpose: str) -> User | None:
    """The active user of an unused link, which this uses. Part of the caller's transaction."""
    user_id = session.scalar(
        update(SignInLink)
        .where(
            SignInLink.token_hash == token_hash(token),
            SignInLink.purpose == purpose,
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > db_now(),
        )
        .values(used_at=db_now())
        .returning(SignInLink.user_id)
    )
    user = session.get(User, user_id) if user_id is not None else None
    return user if user is not None and user.is_active else None


def link_expired() -> NotSignedIn:
    """The error for a link that does not work, or not any more."""
    return NotSignedIn(
        N_("This sign-in link was used already or has expired. Ask for a new one."),
        code="link_expired",
    )


def create_key(
    caller: Caller, *, username: str, name: str, role: str | None = None, days: int | None = None
) -> NewKey:
    """An API key in a user's name, with at most the user's role; for ever where ``days`` is None.

    Raises :class:`NotFound` for an unknown user and :class:`InvalidInput` for the rest.
    """
    user = user_by_name(username)
    name = checked_name(name, pointer="/name", if_empty=N_("Say what the key is for."))
    if days is not None and not 1 <= days <= MAX_KEY_DAYS:
        message = N_("A key lives from 1 to %(max)s days.")
        field = FieldError("/days", message, {"max": MAX_KEY_DAYS})
        raise InvalidInput(message, fields=(field,), max=MAX_KEY_DAYS)
    role = role or user.role
    if role not in RANKS or RANKS[role] > RANKS[user.role]:
        raise InvalidInput(
            N_("A key of %(username)s can have at most the role %(role)s."),
            username=user.username,
            role=user.role,
        )
    prefix, secret = new_api_key()
    with command() as session:
        key = ApiKey(
            user_id=user.id,
            name=name,
            prefix=prefix,
            key_hash=token_hash(secret),
            role=role,
            expires_at=db_now(timedelta(days=days).total_seconds()) if days else None,
        )
        session.add(key)
        session.flush()
        audit.record(session, caller, "key.created", f"key:{key.id}", after={"role": role})
    return NewKey(key.id, prefix, secret)


def revoke_key(caller: Caller, prefix: str) -> None:
    """End a key by its prefix. Raises :class:`NotFound`."""
    with command() as session:
        key_id = session.scalar(
            update(ApiKey)
            .where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None))
            .values(revoked_at=db_now())
            .returning(ApiKey.id)
        )
        if key_id is None:
            raise NotFound(N_("There is no active key %(prefix)s."), prefix=prefix)
        audit.record(session, caller, "key.revoked", f"key:{key_id}")


def key_of_secret(secret: str) -> ApiKey | None:
    """The living key that ``secret`` proves, with its user; counts as a use of it."""
    prefix = key_prefix(secret)
    if prefix is None:
        return None
    key = db.session.scalar(
        select(ApiKey).where(
            ApiKey.prefix == prefix,
            ApiKey.key_hash == token_hash(secret),
            ApiKey.revoked_at.is_(None),
            ApiKey.expires_at.is_(None) | (ApiKey.expires_at > db_now()),
        )
    )
    if key is None or not key.user.is_active:
        return None
    _mark_used(key)
    return key


def _mark_used(key: ApiKey) -> None:
    recently = ApiKey.last_used_at >= db_now(-SEEN_STEP.total_seconds())
    if db.session.scalar(select(ApiKey.id).where(ApiKey.id == key.id, recently)) is not None:
        return
    note(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=db_now()))


def roles_up_to(role: str) -> list[str]:
    """The roles that ``role`` includes, the least first."""
    return [name for name, rank in RANKS.items() if rank <= RANKS[role]]


def _is_taken(username: str) -> bool:
    statement = select(User.id).where(User.username_key == folded(username))
    return db.session.scalar(statement) is not None


def check_role(role: str) -> None:
    """Raise :class:`InvalidInput` for a role that there is not."""
    if role not in RANKS:
        message = N_("Unknown role %(role)s. Use viewer, operator, analyst or admin.")
        raise InvalidInput(
            message, fields=(FieldError("/role", message, {"role": role}),), role=role
        )
