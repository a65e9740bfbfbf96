"""The second step of signing in: codes by time (RFC 6238), and codes for a telephone that is lost.

A code is taken once: what somebody read over a shoulder does not open anything after it was used.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
from flask import current_app
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.objects import own_user
from prodapp.auth.passwords import verify_password
from prodapp.auth.secrets import seal, token_hash, unseal
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, FieldError, InvalidInput, N_, NotSignedIn
from prodapp.extensions import command, db, settings_of
from prodapp.models import RecoveryCode, SecondFactor, User
from prodapp.models.types import db_now

STEP_SECONDS = 30
DRIFT_STEPS = 1  # clocks of telephones go wrong by so much
N_RECOVERY_CODES = 10
MAX_FAILURES = 5
PAUSE = timedelta(minutes=15)
PURPOSE = "second factor"
MAX_CODE = 60
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Enrolment:
    """What a telephone has to know: ``secret`` to be typed, ``address`` to be drawn."""

    secret: str
    address: str


def is_missing(user: User, *, method: str) -> bool:
    """Whether ``user`` has to set a second step up before anything else.

    Who came by a provider (``oidc``) passed what that one asks for.
    """
    needed = user.role in settings_of(current_app).second_factor_roles
    return needed and user.second_factor_at is None and method != "oidc"


def begin(caller: Caller, *, password: str) -> None:
    """Make a secret, which counts once a code of it was given. Raises :class:`InvalidInput`."""
    user = own_user(caller)
    if user.password_hash is not None and not verify_password(password, user.password_hash):
        message = N_("This is not your present password.")
        raise InvalidInput(message, fields=(FieldError("/password", message),))
    if user.second_factor_at is not None:
        raise Conflict(N_("There is a second step already. Remove it first."))
    sealed = seal(pyotp.random_base32(), secret_key=_secret_key(), purpose=PURPOSE)
    with command() as session:
        session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))
        session.add(SecondFactor(user_id=user.id, secret=sealed))


def enrolment(user: User) -> Enrolment | None:
    """The secret that waits for its first code, if there is one."""
    row = _row(db.session(), user.id)
    secret = None if row is None or row.confirmed_at is not None else _secret(row)
    if secret is None:
        return None
    maker = pyotp.TOTP(secret)
    return Enrolment(secret, maker.provisioning_uri(name=user.username, issuer_name="prodapp"))


def confirm(caller: Caller, code: str) -> list[str]:
    """Let the waiting secret count; returns the recovery codes, which are shown once.

    Raises :class:`InvalidInput` for a code that does not fit.
    """
    user = own_user(caller)
    with command() as session:
        row = _row(session, user.id)
        step = None if row is None or row.confirmed_at is not None else _step_of(row, code)
        if row is None or step is None:
            message = N_("This code does not fit. Check the clock of your telephone.")
            raise InvalidInput(message, fields=(FieldError("/code", message),))
        row.last_step, row.confirmed_at = step, datetime.now(UTC)
        session.get_one(User, user.id).second_factor_at = row.confirmed_at
        codes = _new_codes(session, user.id)
        audit.record(session, caller, "second_factor.added", f"user:{user.id}")
    return codes


def verify(user: User, code: str, *, caller: Caller | None = None) -> None:
    """Take a code of the telephone, or a recovery code. Raises :class:`NotSignedIn`."""
    kind = _take(user, code, caller or _self(user))
    if kind == "paused":
        raise NotSignedIn(
            N_("Too many wrong codes. Wait a quarter of an hour, or ask an administrator."),
            code="too_many_codes",
        )
    if kind is None:
        log.warning("second step refused for user %s", user.id)
        raise NotSignedIn(
            N_("This code does not fit, or was used already. Wait for the next one."),
            code="bad_code",
        )


def renew_codes(caller: Caller, code: str) -> list[str]:
    """New recovery codes instead of the present ones. Raises :class:`NotSignedIn`."""
    user = own_user(caller)
    verify(user, code, caller=caller)
    with command() as session:
        codes = _new_codes(session, user.id)
        audit.record(session, caller, "recovery_codes.made", f"user:{user.id}")
    return codes


def remove(caller: Caller, code: str) -> None:
    """Sign in without a second step again. Raises :class:`NotSignedIn`, :class:`Conflict`."""
    user = own_user(caller)
    if user.role in settings_of(current_app).second_factor_roles:
        raise Conflict(N_("Your role needs the second step. An administrator can reset it."))
    verify(user, code, caller=caller)
    _forget(caller, user.id, "second_factor.removed")


def reset(caller: Caller, user: User) -> None:
    """Forget the second step of a user who lost telephone and codes."""
    _forget(caller, user.id, "second_factor.reset")


def n_recovery_codes(user_id: int) -> int:
    """How many are left."""
    unused = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(unused) or 0


def _take(user: User, code: str, caller: Caller) -> str | None:
    """``code``, ``recovery`` or ``paused``; ``None`` for a wrong one, which is counted."""
    with command() as session:
        row = session.scalar(
            select(SecondFactor).where(SecondFactor.user_id == user.id).with_for_update()
        )
        if row is None or row.confirmed_at is None:
            return None
        if row.n_failed >= MAX_FAILURES and _is_recent(row):
            return "paused"
        step = _step_of(row, code)
        if step is not None:
            row.last_step, row.n_failed = step, 0
            return "code"
        if _spend(session, user.id, code):
            row.n_failed = 0
            audit.record(session, caller, "recovery_code.used", f"user:{user.id}")
            return "recovery"
        row.n_failed, row.failed_at = row.n_failed + 1, datetime.now(UTC)
        return None


def _is_recent(row: SecondFactor) -> bool:
    return row.failed_at is not None and datetime.now(UTC) - row.failed_at < PAUSE


def _step_of(row: SecondFactor, code: str) -> int | None:
    """The time step of which ``code`` is, if it is a later one than the last that was taken."""
    digits, secret = "".join(code.split()), _secret(row)
    if secret is None or not digits.isascii() or not digits.isdigit():
        return None
    now = int(time.time() // STEP_SECONDS)
    maker = pyotp.TOTP(secret)
    fitting = [
        step
        for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
        if hmac.compare_digest(maker.generate_otp(step), digits)
    ]
    return next((step for step in fitting if step > row.last_step), None)


def _spend(session: Session, user_id: int, code: str) -> bool:
    plain = "".join(letter for letter in code[:MAX_CODE].lower() if letter.isalnum())
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == token_hash(plain),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=db_now())
        .returning(RecoveryCode.id)
    )
    return used.first() is not None


def _new_codes(session: Session, user_id: int) -> list[str]:
    """119 random bits each, in six groups: so many need no slow hash."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = []
    for _ in range(N_RECOVERY_CODES):
        plain = "".join(secrets.choice(_LETTERS) for _ in range(24))
        session.add(RecoveryCode(user_id=user_id, code_hash=token_hash(plain)))
        codes.append("-".join(plain[i : i + 4] for i in range(0, 24, 4)))
    return codes


def _forget(caller: Caller, user_id: int, action: str) -> None:
    with command() as session:
        forget(session, user_id)
        audit.record(session, caller, action, f"user:{user_id}")


def forget(session: Session, user_id: int) -> None:
    """Remove all that a second step consists of. Part of the caller's transaction."""
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.execute(update(User).where(User.id == user_id).values(second_factor_at=None))


def _self(user: User) -> Caller:
    return Caller(user.site_id, user.role, user.username, "session", user.id)


def _row(session: Session, user_id: int) -> SecondFactor | None:
    return session.scalar(select(SecondFactor).where(SecondFactor.user_id == user_id))


def _secret(row: SecondFactor) -> str | None:
    """By the present key or the one before: a new ``SECRET_KEY`` need not lock people out."""
    keys = (_secret_key(), settings_of(current_app).secret_key_before)
    found = (unseal(row.secret, secret_key=key, purpose=PURPOSE) for key in keys if key)
    return next((secret for secret in found if secret is not None), None)


def _secret_key() -> str:
    return settings_of(current_app).secret_key
