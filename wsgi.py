"""The WSGI entry point: ``granian --interface wsgi wsgi:app`` or ``flask run``."""

from prodapp import create_app
from prodapp.exceptions import ConfigurationError

try:
    app = create_app()
except ConfigurationError as error:
    # A person has to read this: one line, and no trace of calls above it.
    raise SystemExit(f"prodapp cannot start. {error}") from None
