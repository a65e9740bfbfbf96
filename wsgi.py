"""The WSGI entry point: ``granian --interface wsgi wsgi:app`` or ``flask run``."""

from prodapp import create_app

app = create_app()
