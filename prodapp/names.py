"""Names that people give to things: one spacing, one spelling of accents, nothing unstorable."""

from __future__ import annotations

import re
import unicodedata

from prodapp.exceptions import FieldError, InvalidInput, N_

MAX_NAME = 200

# NUL is refused by PostgreSQL and lone surrogates by every encoder; the other control characters
# would act on the terminal that lists the names.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# They cannot be seen, or turn the text around them: two names would look the same.
_MISLEADING = re.compile("[\u200b\u200e\u200f\u2060\u202a-\u202e\u2066-\u2069\ufeff]")


def checked_name(text: str, *, pointer: str, if_empty: str) -> str:
    """``text`` as the name that is kept.

    Raises :class:`InvalidInput` at ``pointer`` where nothing is left of it (with the message
    ``if_empty``), it is too long, or it holds characters that cannot be stored.
    """
    name = _tidied(text)
    if not name:
        raise InvalidInput(if_empty, fields=(FieldError(pointer, if_empty),))
    if _UNSTORABLE.search(name):
        message = N_("The name holds a character that cannot be stored.")
        raise InvalidInput(message, fields=(FieldError(pointer, message),))
    if _MISLEADING.search(name):
        message = N_("The name holds characters that cannot be seen. Type it anew.")
        raise InvalidInput(message, fields=(FieldError(pointer, message),))
    # Folding can lengthen a name (ß becomes ss), and both forms are stored.
    if max(len(name), len(folded(name))) > MAX_NAME:
        message = N_("The name is too long: at most %(max)s characters.")
        field = FieldError(pointer, message, {"max": MAX_NAME})
        raise InvalidInput(message, fields=(field,), max=MAX_NAME)
    return name


def folded(text: str) -> str:
    """``text`` in the form in which names are compared and searched, whoever typed it.

    What cannot be stored is replaced: it is no part of any name, and finds none.
    """
    plain = unicodedata.normalize("NFC", _tidied(text).casefold())
    return _UNSTORABLE.sub("\ufffd", plain)


def _tidied(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))
