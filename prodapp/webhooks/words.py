"""What the log of deliveries means, in words."""

from __future__ import annotations

from collections.abc import Mapping

from prodapp.exceptions import N_
from prodapp.happenings import WORDS
from prodapp.i18n import gettext

#: Why a try brought no answer.
ERRORS: Mapping[str, str] = {
    "callback_refused": N_(
        "The host is not, or not any more, on the administrator's list (CALLBACK_ALLOWED_HOSTS), "
        "or is at a private address."
    ),
    "host_unknown": N_("The name of the host is unknown."),
    "timeout": N_("The host did not answer in time."),
    "tls": N_("The connection could not be encrypted: see the host's certificate."),
    "no_connection": N_("The host takes no connection."),
    "no_answer": N_("The host hung up, or answered something that is no HTTP."),
    "secret_unreadable": N_(
        "The secret cannot be read, since SECRET_KEY is another one now. Make a new secret."
    ),
}
#: Why prodapp gave up on a webhook.
REASONS: Mapping[str, str] = {
    "gone": N_("The receiver said that it is gone for good (410)."),
    "kept_failing": N_("The receiver took none of the tries of a message, for more than a day."),
}


def event_word(kind: str) -> str:
    """A kind of happening, for people."""
    return gettext(WORDS[kind]) if kind in WORDS else kind


def error_word(code: str) -> str:
    return gettext(ERRORS[code]) if code in ERRORS else code


def reason_word(code: str) -> str:
    return gettext(REASONS[code]) if code in REASONS else code
