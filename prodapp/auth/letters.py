"""Invitations and letters for a new password: asked for at once, sent by the dispatcher.

Asking takes the same time and gives the same answer whether there is such a user or not. The link
is made when the letter is written, so that no table holds one that works.
"""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select
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
from prodapp.outbox import Outbox

INVITATION, RESET = "invitation", "reset"
BACKOFF_SECONDS = (30.0, 120.0, 600.0, 3600.0)

log = logging.getLogger(__name__)


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


def may_be_reset() -> bool:
    """Whether a forgotten password can be replaced by mail."""
    settings = settings_of(current_app)
    return settings.sends_mail and settings.identity.local


def request_reset(named: str, *, locale: str) -> None:
    """Somebody forgot the password of the user with this name or e-mail address."""
    with command() as session:
        _add(session, RESET, folded(named)[:254], locale)


def deliver_due(*, wait: bool = False) -> int:
    """Begin to send the letters that are due; returns how many. ``wait``: until they are sent."""
    if not settings_of(current_app).sends_mail:
        return 0
    return _outbox.send_due(wait=wait)


def _note_reset(caller: Caller, user: User) -> None:
    with command() as session:
        audit.record(session, caller, "password.reset", f"user:{user.id}")


def _add(session: Session, kind: str, addressee: str, locale: str) -> None:
    session.add(
        MailRequest(kind=kind, addressee=addressee, locale=locale, next_attempt_at=db_now())
    )


def _deliver(request_id: int, attempt: int) -> None:
    request = db.session.get_one(MailRequest, request_id)
    outcome, error = _try(request)
    if outcome is None and attempt > len(BACKOFF_SECONDS):
        outcome = "failed"
    values = {
        "outcome": outcome,
        "next_attempt_at": db_now(BACKOFF_SECONDS[attempt - 1]) if outcome is None else None,
        "last_error": error,
    }
    if outcome == "unknown":
        values["addressee"] = ""  # what was typed may be anything, a password even
    _outbox.settle(request_id, attempt, values)
    log.info("letter %s, try %s: %s", request_id, attempt, outcome or error)


# A claim outlives the longest try: connecting, and a few commands of the protocol.
_outbox = Outbox(
    MailRequest, deliver=_deliver, claim_seconds=mail.TIMEOUT_SECONDS * 10, max_at_once=4
)


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
