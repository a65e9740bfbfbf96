"""What users do with their own account."""

from __future__ import annotations

from flask import current_app

from prodapp import audit
from prodapp.auth.external import identities
from prodapp.auth.objects import own_user
from prodapp.auth.passwords import check_strength, hash_password, verify_password
from prodapp.auth.service import link_expired, spend_link
from prodapp.auth.sessions import end_sessions
from prodapp.auth.ways_in import revoke_tokens
from prodapp.caller import Caller
from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.extensions import command, settings_of
from prodapp.models import User


def may_choose_password(user: User) -> bool:
    """Whether a password of one's own counts here.

    Who came from outside gets none: it would outlive what the outside says of them.
    """
    if not settings_of(current_app).identity.local:
        return False
    return user.password_hash is not None or not identities(user.id)


def change_password(caller: Caller, *, current: str, new: str, token: str) -> None:
    """Set another password and sign out everywhere but in the session of ``token``.

    Who came by a link and has none yet sets the first one. Raises :class:`InvalidInput`.
    """
    user = own_user(caller)
    if not may_choose_password(user):
        raise InvalidInput(N_("Your password is kept elsewhere; change it there."))
    if user.password_hash is not None and not verify_password(current, user.password_hash):
        message = N_("This is not your present password.")
        raise InvalidInput(message, fields=(FieldError("/current", message),))
    check_strength(new, username=user.username)
    new_hash = hash_password(new)
    with command() as session:
        session.get_one(User, user.id).password_hash = new_hash
        end_sessions(session, user.id, except_token=token)
        revoke_tokens(session, user.id)
        audit.record(session, caller, "password.changed", f"user:{user.id}")


def choose_password(token: str, password: str, *, address: str | None) -> User:
    """Set the password of whom a one-time link names, and end all their sessions and tokens.

    Raises :class:`NotSignedIn` for a link that does not work and :class:`InvalidInput` for a weak
    password, which leaves the link unused.
    """
    # Hashed before the transaction: others must not wait for it.
    check_strength(password, username="")
    new_hash = hash_password(password)
    with command() as session:
        user = spend_link(session, token, purpose="password")
        if user is None:
            raise link_expired()
        check_strength(password, username=user.username)
        user.password_hash = new_hash
        end_sessions(session, user.id)
        revoke_tokens(session, user.id)
        caller = Caller(user.site_id, user.role, user.username, "link", user.id, address)
        audit.record(session, caller, "password.chosen", f"user:{user.id}")
    return user


def set_locale(caller: Caller, locale: str) -> None:
    """Remember the language that the caller reads."""
    user = own_user(caller)
    with command() as session:
        session.get_one(User, user.id).locale = locale
