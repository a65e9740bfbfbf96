"""Users and how they come in: by password, by one-time link, by key."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from prodapp import audit
from prodapp.auth.passwords import check_strength, hash_password, verify_password
from prodapp.auth.secrets import key_prefix, new_api_key, new_token, token_hash
from prodapp.caller import RANKS, Caller
from prodapp.exceptions import Conflict, FieldError, InvalidInput, N_, NotFound, NotSignedIn
from prodapp.extensions import command, db
from prodapp.models import ApiKey, SignInLink, Site, User, UserSession
from prodapp.models.site import DEFAULT_SITE
from prodapp.models.types import db_now
from prodapp.names import checked_name, folded

IDLE_LIFE = timedelta(hours=12)
SESSION_LIFE = timedelta(days=7)
LINK_LIFE = timedelta(hours=24)
MAX_KEY_DAYS = 3650
SEEN_STEP = timedelta(minutes=1)  # how stale "last seen" may be before a request renews it


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
) -> User:
    """Make a user; without a password only a one-time link lets them in.

    Raises :class:`InvalidInput` for an empty name, an unknown role or a weak password and
    :class:`Conflict` for a name that is taken.
    """
    username = checked_name(username, pointer="/username", if_empty=N_("Give the user a name."))
    _check_role(role)
    if password is not None:
        check_strength(password, username=username)
    site_id = ensure_site(site).id if site else caller.site_id
    password_hash = hash_password(password) if password is not None else None
    try:
        with command() as session:
            user = User(
                site_id=site_id,
                username=username,
                username_key=folded(username),
                role=role,
                password_hash=password_hash,
            )
            session.add(user)
            session.flush()
            audit.record(session, caller, "user.created", f"user:{user.id}", after={"role": role})
    except IntegrityError as error:
        raise Conflict(
            N_("There is already a user named %(username)s."), username=username
        ) from error
    return user


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
        raise NotSignedIn(N_("That name and password do not fit together."), code="bad_credentials")
    return user


def open_session(user: User, *, address: str | None, user_agent: str | None) -> str:
    """Start a browser session and return its token, which only the browser keeps."""
    token = new_token()
    with command() as session:
        session.add(
            UserSession(
                user_id=user.id,
                token_hash=token_hash(token),
                address=address,
                user_agent=(user_agent or "")[:300],
            )
        )
        session.execute(update(User).where(User.id == user.id).values(last_sign_in_at=db_now()))
        caller = Caller(user.site_id, user.role, user.username, "session", user.id, address)
        audit.record(session, caller, "session.opened", f"user:{user.id}")
    return token


def session_of_token(token: str, *, renew: bool) -> UserSession | None:
    """The living session of ``token``; ``renew`` counts this request as activity."""
    row = db.session.scalar(
        select(UserSession).where(
            UserSession.token_hash == token_hash(token),
            UserSession.revoked_at.is_(None),
            UserSession.created_at > db_now(-SESSION_LIFE.total_seconds()),
            UserSession.last_seen_at > db_now(-IDLE_LIFE.total_seconds()),
        )
    )
    if row is None or not row.user.is_active:
        return None
    if renew:
        _mark_seen(row)
    return row


def close_session(token: str) -> None:
    """Sign out: the token opens nothing any more."""
    with command() as session:
        session.execute(
            update(UserSession)
            .where(UserSession.token_hash == token_hash(token))
            .values(revoked_at=db_now())
        )


def create_sign_in_link(user: User) -> str:
    """A token that signs ``user`` in once within a day. Earlier unused links stop working."""
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
                token_hash=token_hash(token),
                expires_at=db_now(LINK_LIFE.total_seconds()),
            )
        )
    return token


def use_sign_in_link(token: str) -> User:
    """The user whom an unused link lets in. Raises :class:`NotSignedIn`."""
    with command() as session:
        user_id = session.scalar(
            update(SignInLink)
            .where(
                SignInLink.token_hash == token_hash(token),
                SignInLink.used_at.is_(None),
                SignInLink.expires_at > db_now(),
            )
            .values(used_at=db_now())
            .returning(SignInLink.user_id)
        )
        user = session.get(User, user_id) if user_id is not None else None
    if user is None or not user.is_active:
        raise NotSignedIn(
            N_("This sign-in link was used already or has expired. Ask for a new one."),
            code="link_expired",
        )
    return user


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
    with command() as session:
        session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=db_now()))


def _mark_seen(row: UserSession) -> None:
    stale = UserSession.last_seen_at < db_now(-SEEN_STEP.total_seconds())
    if db.session.scalar(select(UserSession.id).where(UserSession.id == row.id, stale)) is None:
        return
    with command() as session:
        session.execute(
            update(UserSession).where(UserSession.id == row.id).values(last_seen_at=db_now())
        )


def _check_role(role: str) -> None:
    if role not in RANKS:
        message = N_("Unknown role %(role)s. Use viewer, operator, analyst or admin.")
        raise InvalidInput(
            message, fields=(FieldError("/role", message, {"role": role}),), role=role
        )
