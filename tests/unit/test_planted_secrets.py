"""Secrets are planted in every setting that may hold one, then looked for in all that is shown."""

from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Callable

import pytest
from flask import Flask

from prodapp.config import load_settings
from prodapp.exceptions import ConfigurationError

MARK = "planted-secret"
SECRETS = {
    "SECRET_KEY": f"{MARK}-key-that-is-long-enough-to-be-taken",
    "REDIS_URL": f"redis://:{MARK}-queue@127.0.0.1:1/0",
    "SMTP_URL": f"smtps://post:{MARK}-mail@127.0.0.1:1",
    "OIDC_ISSUER": "http://127.0.0.1:1",
    "OIDC_CLIENT_ID": "prodapp",
    "OIDC_CLIENT_SECRET": f"{MARK}-provider",
    "LDAP_URL": "ldap://127.0.0.1:1",
    "LDAP_BASE_DN": "dc=x",
    "LDAP_BIND_DN": "cn=prodapp,dc=x",
    "LDAP_BIND_PASSWORD": f"{MARK}-directory",
}
DATABASE = f"postgresql://prodapp:{MARK}-database@127.0.0.1:1/prodapp"


def test_nothing_that_is_shown_or_logged_holds_a_setting_that_is_secret(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(**SECRETS, DATABASE_URL=DATABASE)
    handler = next(h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler)
    log = io.StringIO()
    before = handler.setStream(log)
    client = app.test_client()
    pages = ("/", "/app/sign-in", "/app/machines/", "/healthz", "/readyz", "/nowhere")
    pages += ("/app/sign-in/provider", "/app/sign-in/provider/back?code=x&state=y")
    calls = ("/api/openapi.json", "/api/v1/machines", "/machines/", "/api/docs")
    key = {"X-API-Key": "pa_00000000_x"}
    shown = [client.get(path, headers=key).text for path in (*pages, *calls)]
    run = app.test_cli_runner().invoke
    for command in (["config", "check"], ["config", "check", "--json"], ["user", "list"]):
        result = run(args=command)
        shown += [result.output, "".join(traceback.format_exception(result.exception))]
    logging.getLogger("prodapp").error("settings: %s", app.extensions["prodapp.settings"])
    handler.setStream(before)
    assert log.getvalue().count('"status": 503') >= 2
    shown.append(log.getvalue())
    found = [text[max(0, text.find(MARK) - 80) :][:200] for text in shown if MARK in text]
    assert found == []
    told = json.loads(run(args=["config", "check", "--json"]).stdout)
    for name in ("SECRET_KEY", "OIDC_CLIENT_SECRET", "LDAP_BIND_PASSWORD"):
        assert told[name] == {"value": "***", "source": "environment"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"mysql://u:{MARK}@host/x"),
        ("REDIS_URL", f"http://:{MARK}@host"),
        ("SMTP_URL", f"smtp://u:{MARK}@host"),
        ("SECRET_KEY", f"{MARK}"),
    ],
)
def test_a_setting_that_is_refused_is_not_repeated(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(
            {"PRODAPP_PROFILE": "production", "SECRET_KEY": "k" * 9 + "e" * 40, name: value}
        )
    assert MARK not in str(caught.value)
