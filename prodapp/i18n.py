"""Translation with types: Flask-Babel ships none."""

from __future__ import annotations

import flask_babel


def gettext(message: str, /, **params: object) -> str:
    """``message`` in the reader's language, its ``%(name)s`` places filled from ``params``."""
    return str(flask_babel.gettext(message, **params))


def ngettext(singular: str, plural: str, number: int, /, **params: object) -> str:
    """As :func:`gettext`, by the count ``number``, which fills ``%(num)s``."""
    return str(flask_babel.ngettext(singular, plural, number, **params))
