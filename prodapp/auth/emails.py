"""E-mail addresses of users: plain ones, each used by one user."""

from __future__ import annotations

import re

from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.names import folded

MAX_EMAIL = 254  # RFC 5321 §4.5.3.1.3, without the brackets
# What SMTP servers take without extensions. Spaces and control characters, which would add
# headers or recipients, are in none of it.
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def checked_email(text: str) -> str | None:
    """``text`` as the address that is kept, ``None`` for an empty one.

    Raises :class:`InvalidInput` for what is no address.
    """
    email = text.strip()
    if not email:
        return None
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email):
        message = N_("This is no e-mail address. Write one such as maria@example.com.")
        raise InvalidInput(message, fields=(FieldError("/email", message),))
    return email


def email_key(email: str | None) -> str | None:
    """The form in which addresses are compared."""
    return None if email is None else folded(email)
