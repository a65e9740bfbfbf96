"""Invitations and letters for a new password: asked for at once, sent by the dispatcher.

Asking takes the same time and gives the same answer whether there is such a user or not. The link
is made when the letter is written, so that no table holds one that works.
"""

from __future__ import annotations

import logging
import smtplib
import threading
from dataclasses import dataclass

from flask import Flask, current_app
from flask_babel import force_locale
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from prodapp import audit, mail
from prodapp.auth.emails import email_key
from prodapp.auth.service import create_sign_in_link
from prodapp.caller import Caller
from prodapp.extensions import command, db, settings_of
from prodapp.i18n import gettext as _
from prodapp.models import MailRequest, User
from prodapp.models.types import db_now
from prodapp.names import folded

INVITATION, RESET = "invitation", "reset"
BACKOFF_SECONDS = (30.0, 120.0, 600.0, 3600.0)
# A claim outlives the longest try: connecting, and a few commands of the protocol.
CLAIM_SECONDS = mail.TIMEOUT_SECONDS * 10
MAX_AT_ONCE = 4

log = logging.getLogger(__name__)
_slots = threading.BoundedSemaphore(MAX_AT_ONCE)


@dataclass(frozen=True)
class Handover:
    """How a link reaches its user: by mail to ``email``, or ``address`` is handed over."""

    email: str | None
    address: str | None


def password_address(user: User) -> str:
    """A fresh one-time address at which ``user`` chooses a password."""
    token = create_sign_in_link(user, purpose="password")
    return f"{settings_of(current_app).public_url}/app/password/{token}"


def hand_over(user: User, *, kind: str, locale: str) -> Handover:
    """Mail ``user`` a link where that is possible, else return it for the administrator."""
    if settings_of(current_app).sends_mail and user.email:
        with command() as session:
            _add(session, kind, user.username_key, locale)
        return Handover(user.email, None)
    return Handover(None, password_address(user))


def reset(caller: Caller, user: User, *, locale: str) -> Handover:
    """Let ``user`` choose another password; the present one works until they did."""
    _note_reset(caller, user)
    return hand_over(user, kind=RESET, locale=locale)


def password_link(caller: Caller, user: User) -> str:
    """The same, for an administrator who hands the address over."""
    _note_reset(caller, user)
    return password_address(user)


def request_reset(named: str, *, locale: str) -> None:
    """Somebody forgot the password of the user with this name or e-mail address."""
    with command() as session:
        _add(session, RESET, folded(named)[:254], locale)


def deliver_due(*, wait: bool = False) -> int:
    """Begin to send the letters that are due; returns how many. ``wait``: until they are sent."""
    if not settings_of(current_app).sends_mail:
        return 0
    due = select(MailRequest.id, MailRequest.n_attempts).where(
        MailRequest.outcome.is_(None), MailRequest.next_attempt_at <= db_now()
    )
    rows = db.session.execute(due.order_by(MailRequest.next_attempt_at).limit(MAX_AT_ONCE)).all()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    threads = []
    for request_id, n_attempts in rows:
        if not _slots.acquire(blocking=False):
            break
        if not _claim(request_id, n_attempts):
            _slots.release()
            continue
        thread = threading.Thread(target=_work, args=(app, request_id, n_attempts + 1), daemon=True)
        thread.start()
        threads.append(thread)
    if wait:
        for thread in threads:
            thread.join()
    return len(threads)


def _note_reset(caller: Caller, user: User) -> None:
    with command() as session:
        audit.record(session, caller, "password.reset", f"user:{user.id}")


def _add(session: Session, kind: str, addressee: str, locale: str) -> None:
    session.add(
        MailRequest(kind=kind, addressee=addressee, locale=locale, next_attempt_at=db_now())
    )


def _claim(request_id: int, n_attempts: int) -> bool:
    with command() as session:
        taken = session.execute(
            update(MailRequest)
            .where(
                MailRequest.id == request_id,
                MailRequest.n_attempts == n_attempts,
                MailRequest.outcome.is_(None),
                MailRequest.next_attempt_at <= db_now(),
            )
            .values(n_attempts=n_attempts + 1, next_attempt_at=db_now(CLAIM_SECONDS))
            .returning(MailRequest.id)
        ).all()
    return len(taken) == 1


def _work(app: Flask, request_id: int, attempt: int) -> None:
    try:
        with app.app_context():
            _deliver(request_id, attempt)
    except Exception:  # a thread's outer edge: the claim runs out, and the letter is due again
        log.exception("letter %s could not be settled", request_id)
    finally:
        _slots.release()


def _deliver(request_id: int, attempt: int) -> None:
    request = db.session.get_one(MailRequest, request_id)
    outcome, error = _try(request)
    if outcome is None and attempt > len(BACKOFF_SECONDS):
        outcome = "failed"
    pause = db_now(BACKOFF_SECONDS[attempt - 1]) if outcome is None else None
    with command() as session:
        session.execute(
            update(MailRequest)
            .where(MailRequest.id == request_id, MailRequest.n_attempts == attempt)
            .values(
                outcome=outcome,
                next_attempt_at=pause,
                last_error=error,
                # What was typed may be anything, a password even: it is not kept.
                **({"addressee": ""} if outcome == "unknown" else {}),
            )
        )
    log.info("letter %s, try %s: %s", request_id, attempt, outcome or error)


def _try(request: MailRequest) -> tuple[str | None, str | None]:
    """``(outcome, error)``; without an outcome it is worth another try."""
    user = _addressee(request.addressee)
    if user is None or user.email is None:
        return "unknown", None
    with force_locale(user.locale or request.locale):
        subject, text = _letter(request.kind, user)
    try:
        mail.send(settings_of(current_app), to=user.email, subject=subject, text=text)
    except (OSError, smtplib.SMTPException) as error:
        # The server's words may repeat the letter, and with it the link: the kind alone is kept.
        return None, type(error).__name__
    return "sent", None


def _addressee(named: str) -> User | None:
    found = select(User).where(
        (User.username_key == named) | (User.email_key == email_key(named)),
        User.is_active.is_(True),
    )
    users = db.session.scalars(found.order_by(User.username_key == named)).all()
    return users[-1] if users else None  # somebody's name may be somebody else's address


def _letter(kind: str, user: User) -> tuple[str, str]:
    address = password_address(user)
    if kind == INVITATION:
        subject = _("Your access to prodapp")
        opening = _("An account was made for you. Your user name is %(name)s.", name=user.username)
    else:
        subject = _("Your password for prodapp")
        opening = _("A new password was asked for. Your user name is %(name)s.", name=user.username)
    rest = _(
        "Choose your password here, once and within a day:\n\n%(address)s\n\n"
        "If you do not expect this letter, ignore it: nothing changes.",
        address=address,
    )
    return subject, f"{opening}\n\n{rest}\n"
