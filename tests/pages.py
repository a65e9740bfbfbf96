"""How tests use pages: as a browser does, with the form's own token."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def csrf_token(client: FlaskClient, path: str = "/app/sign-in") -> str:
    """The token in the forms of the page at ``path``."""
    found = TOKEN.search(client.get(path, follow_redirects=True).text)
    assert found, f"no form with a token at {path}"
    return found[1]


def post_form(client: FlaskClient, path: str, /, **form: Any) -> TestResponse:
    """Send a form as a page would; the fields are ``form``."""
    return client.post(path, data={"csrf_token": csrf_token(client), **form})
