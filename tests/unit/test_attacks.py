"""Attacks on the whole application that no single module's tests would show.

``docs/security/attacks.md`` lists all attacks, each with the tests that make it.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.auth import passwords, sessions, tokens
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.exceptions import NotSignedIn
from prodapp.extensions import db
from prodapp.machines import service as machines
from prodapp.models import Dataset, Machine, User
from prodapp.outgoing import destinations
from prodapp.outgoing.destinations import DestinationRefused, parse_destination, resolve
from tests.conftest import SECRET
from tests.factories import make_csv, make_machine, make_version
from tests.pages import csrf_token, post_form

MakeApp = Callable[..., Flask]
Headers = dict[str, str]
PASSWORD = "correct horse battery"
ROOT = Path(__file__).resolve().parents[2]


# --- path traversal ------------------------------------------------------------------------------

UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "%252e%252e%252f", "..\\", "..%5c", ".../")


@pytest.mark.parametrize("up", UP)
@pytest.mark.parametrize("target", ["etc/passwd", "config.py", "instance/prodapp.db"])
def test_no_path_leads_out_of_the_static_folder(client: FlaskClient, up: str, target: str) -> None:
    for n in (1, 3, 12):
        answer = client.get("/static/" + up * n + target)
        assert answer.status_code in (302, 404)
        assert b"root:" not in answer.data
        assert b"Settings" not in answer.data


def test_a_link_inside_the_static_folder_is_none_of_ours() -> None:
    assert [path for path in (ROOT / "prodapp").rglob("*") if path.is_symlink()] == []


@pytest.mark.parametrize("name", ["../../wsgi.py", "/etc/passwd", "..\\..\\x.csv", "\x00.csv", "."])
def test_an_uploads_name_is_never_a_path(
    app: Flask, client: FlaskClient, bearer: Callable[..., Headers], caller: Caller, name: str
) -> None:
    instance = Path(app.instance_path)
    before = {path for path in instance.parent.rglob("*") if path.is_file()}
    machine = make_machine(caller)
    answer = client.post(
        f"/api/v1/machines/{machine.id}/datasets",
        data={"file": (io.BytesIO(make_csv()), name)},
        headers=bearer("operator"),
    )
    after = {path for path in instance.parent.rglob("*") if path.is_file()}
    new = {path.name for path in after - before if not path.name.startswith("prodapp.db")}
    assert all(re.fullmatch(r"[0-9a-f]{64}", found) for found in new), new
    if answer.status_code < 300:
        where = answer.headers["Location"] + "/source"
        shown = client.get(where, headers=bearer("admin")).headers["Content-Disposition"]
        assert "/" not in shown.replace("UTF-8''", "")
        assert "\\\\" not in shown


# --- bodies --------------------------------------------------------------------------------------


class Endless(io.RawIOBase):
    """A body that never ends, as a chunked upload may; counts what was taken of it."""

    def __init__(self, start: bytes = b"") -> None:
        self.start, self.n_read = start, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = (self.start + b"1,2\n" * (len(buffer) // 4 + 1))[: len(buffer)]
        buffer[: len(chunk)] = chunk
        self.start = b""
        self.n_read += len(chunk)
        return len(chunk)


def test_an_endless_body_is_cut_off_wherever_it_is_sent(make_app: MakeApp) -> None:
    """Refused, and nothing of what came is kept: a file cut at the limit is not the file."""
    app = make_app(MAX_UPLOAD_MB="1")
    with app.app_context():
        caller = auth.system_caller()
        machine = make_machine(caller).id
        auth.create_user(caller, username="op", role="operator")
        headers = {"X-API-Key": auth.create_key(caller, username="op", name="x").secret}
    boundary = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    for path, start, kind, limit in (
        ("/api/v1/auth/token", b'{"username": "', "application/json", 2),
        (f"/api/v1/machines/{machine}/datasets", boundary, "multipart/form-data; boundary=x", 3),
        (
            f"/train/?machine_id={machine}&target_column=1",
            boundary,
            "multipart/form-data; boundary=x",
            3,
        ),
        ("/app/sign-in", b"username=", "application/x-www-form-urlencoded", 2),
    ):
        body = Endless(start)
        answer = app.test_client().post(
            path,
            content_type=kind,
            headers={**headers, "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True},
        )
        assert answer.status_code in (400, 413, 422), (path, answer.text)
        assert body.n_read <= limit * 1024**2, path
    with app.app_context():
        assert db.session.query(Dataset).count() == 0


def test_packed_requests_are_not_unpacked(client: FlaskClient) -> None:
    bomb = gzip.compress(b'{"username": "' + b" " * 50_000_000 + b'"}')
    assert len(bomb) < 100_000
    answer = client.post(
        "/api/v1/auth/token",
        data=bomb,
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999", "0x10", " "])
def test_a_length_that_is_none_hurts_nobody(client: FlaskClient, length: str) -> None:
    answer = client.post(
        "/api/v1/auth/token",
        data=b"{}",
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": length},
    )
    assert answer.status_code in (400, 413, 422)


# --- headers and logs ----------------------------------------------------------------------------

BREAKS = ("\r\nSet-Cookie: a=b", "\nX-Evil: 1", "\r\n\r\n<script>", "\u2028X: y", "%0d%0aX-Evil:1")


@pytest.mark.parametrize("text", BREAKS)
def test_no_input_adds_a_header(client: FlaskClient, caller: Caller, text: str) -> None:
    asked = (
        client.get("/app/machines/", query_string={"q": text}),
        client.get("/app/sign-in", query_string={"next": "/app/machines/" + text}),
        post_form(client, "/app/language", locale="en", next="/app/machines/" + text),
        post_form(client, "/app/language", locale="en" + text),
        client.get("/api/v1/machines", headers={"Accept-Language": "en" + text.strip("\r\n")[:4]}),
    )
    for answer in asked:
        for name, value in answer.headers:
            assert "evil" not in name.lower()
            assert "\n" not in value
            assert "\r" not in value
        assert "a=b" not in str(answer.headers.getlist("Set-Cookie"))


def test_no_input_adds_a_line_to_the_log(client: FlaskClient) -> None:
    handler = next(h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler)
    log = io.StringIO()
    before = handler.setStream(log)
    fake = '\n{"event": "request", "user_id": 1, "status": 200, "forged": true}\n'
    client.get("/app/machines/", query_string={"q": fake})
    client.post("/api/v1/auth/token", json={"username": fake, "password": fake})
    client.get("/" + fake.replace("\n", "%0a"))
    handler.setStream(before)
    lines = log.getvalue().splitlines()
    assert len(lines) >= 3
    assert not any(json.loads(line).get("forged") for line in lines)


# --- signing in ----------------------------------------------------------------------------------


@pytest.fixture
def maria(caller: Caller) -> User:
    return auth.create_user(caller, username="maria", role="operator", password=PASSWORD)


def test_unknown_locked_out_and_passwordless_names_cost_the_same_work(
    app: Flask, caller: Caller, maria: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time tells nothing where each name costs one verification of the same parameters."""
    auth.create_user(caller, username="link only", role="viewer")
    checked: list[str] = []
    real = passwords._hasher

    class Counting:
        @staticmethod
        def verify(stored: str, password: bytes) -> bool:
            checked.append(stored.rpartition("$")[0].rpartition("$")[0])
            return bool(real.verify(stored, password))

    monkeypatch.setattr(passwords, "_hasher", Counting)
    for name in ("maria", "nobody", "link only", "", "x" * 5000):
        with pytest.raises(NotSignedIn) as caught:
            auth.authenticate(name, "not the password")
        assert caught.value.error_code == "bad_credentials"
    assert checked == ["$argon2id$v=19$m=19456,t=2,p=1"] * 5


def test_a_session_that_was_planted_does_not_become_the_victims(
    app: Flask, maria: User, caller: Caller
) -> None:
    attacker = auth.create_user(caller, username="eve", role="viewer", password=PASSWORD)
    planted = sessions.open_session(attacker, address=None, user_agent=None)
    victim = app.test_client()
    with victim.session_transaction() as cookie:
        cookie["token"] = planted
    token = csrf_token(victim, "/app/account/")
    form = {"csrf_token": token, "username": "maria", "password": PASSWORD}
    assert victim.post("/app/sign-in", data=form).status_code == 302
    with victim.session_transaction() as cookie:
        assert cookie["token"] != planted
    assert sessions.session_of_token(planted, renew=False) is None


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS384"},
        {"alg": "RS256"},
        {"alg": "HS256", "kid": "../../dev/null"},
        {"alg": "HS256", "jku": "http://evil.example/keys"},
        {"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}},
        {"alg": "HS256", "crit": ["b64"], "b64": False},
    ],
    ids=str,
)
def test_a_tokens_header_does_not_choose_how_it_is_checked(
    client: FlaskClient, maria: User, header: dict[str, Any]
) -> None:
    pair = tokens.sign_in("maria", PASSWORD, secret_key=SECRET)
    claims = jwt.decode(pair.access_token, options={"verify_signature": False})
    part = [jwt.utils.base64url_encode(json.dumps(x).encode()) for x in (header, claims)]
    guess = jwt.utils.base64url_encode(
        jwt.get_algorithm_by_name("HS256").sign(b".".join(part), b"x" * 32)
    )
    for signature in (b"", guess):
        forged = b".".join((*part, signature)).decode()
        answer = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {forged}"})
        assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/app/sign-in/{}", "/app/password/{}"])
def test_links_are_not_found_by_trying(app: Flask, path: str) -> None:
    client = app.test_client()
    codes = [client.get(path.format(f"guess{n}")).status_code for n in range(31)]
    assert codes == [401] * 30 + [429]


# --- mass assignment -----------------------------------------------------------------------------


def test_forms_and_bodies_set_nothing_that_they_do_not_show(
    app: Flask, caller: Caller, maria: User, bearer: Callable[..., Headers]
) -> None:
    page = app.test_client()
    page.get(f"/app/sign-in/{auth.create_sign_in_link(maria)}")
    extra = {
        "role": "admin",
        "is_active": "no",
        "site_id": "99",
        "username": "root",
        "user_id": "9",
    }
    token = csrf_token(page, "/app/account/")
    new = "seven blue turbines hum"
    form = {"csrf_token": token, "current": PASSWORD, "new": new, "again": new}
    assert page.post("/app/account/password", data=form | extra).status_code == 302
    page.post("/app/language", data={"csrf_token": token, "locale": "pt_BR"} | extra)
    page.post("/app/machines/", data={"csrf_token": token, "name": "m1", "id": "77"} | extra)
    headers = bearer("operator")
    wide = {"machine_name": "m2", "id": 77, "site_id": 99, "is_local": True, "deleted_at": "now"}
    assert (
        page.application.test_client().post("/machines/", json=wide, headers=headers).json["id"]
        != 77
    )
    refused = app.test_client().post(
        "/api/v1/machines", json={"name": "m3", "site_id": 99}, headers=headers
    )
    assert refused.status_code == 422
    db.session.expire_all()
    row = auth.user_by_name("maria")
    assert (row.role, row.is_active, row.site_id) == ("operator", True, caller.site_id)
    rows = db.session.query(Machine).all()
    assert {(m.name, m.site_id) for m in rows} == {("m1", caller.site_id), ("m2", caller.site_id)}


# --- calls to other hosts ------------------------------------------------------------------------

PRIVATE_SPELLINGS = (
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/",
    "http://[fe80::1%25lo]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fec0::1]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:6379/",
    "http://LOCALHOST./",
    "http://①②⑦.0.0.1/",
)


@pytest.mark.parametrize("url", PRIVATE_SPELLINGS)
def test_no_spelling_of_a_private_address_is_called(url: str) -> None:
    """Even where the administrator listed every host."""
    with pytest.raises((DestinationRefused, OSError)):
        resolve(parse_destination(url, ("*",)))


@pytest.mark.parametrize(
    "url",
    [
        "http://backend@evil.example/",
        "http://backend:80@evil.example/",
        "http://evil.example#backend",
        "http://evil.example/?backend",
        "http://evil.example\\@backend/",
        "http://backend%2eevil.example/",
        "http://backend.evil.example/",
        "gopher://backend/",
        "//backend/",
        "http://backend:99999/",
        "http://[backend/",
    ],
)
def test_no_address_pretends_to_be_a_listed_host(url: str) -> None:
    try:
        found = parse_destination(url, ("backend",))
    except DestinationRefused:
        return
    assert found.host == "backend", found


def test_a_name_that_changes_its_address_is_called_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: one look-up, all of its answers checked, and never looked up again."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]])

    def look_up(*_args: Any, **_kwargs: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in next(answers)
        ]

    monkeypatch.setattr(destinations.socket, "getaddrinfo", look_up)
    destination = parse_destination("http://rebinds.example/", ("*",))
    assert resolve(destination) == "93.184.216.34"
    for _ in range(2):
        with pytest.raises(DestinationRefused):
            resolve(destination)


# --- exports and stored text ---------------------------------------------------------------------

FORMULAS = ('=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0")


def test_every_export_for_spreadsheets_is_known_and_neutral(
    app: Flask, caller: Caller, maria: User
) -> None:
    exports = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.endswith((".csv", ".xlsx", ".ods", "/source", "/file", "kind>"))
    }
    assert exports == {
        "/app/audit/audit.csv",  # tests/unit/admin/test_views.py
        "/app/versions/<int:version_id>/ranking.csv",  # tests/unit/ranking/test_exports.py
        "/app/predictions.csv",  # tests/unit/predictions/test_views.py
        "/api/v1/predictions.csv",  # tests/unit/predictions/test_api.py
        "/app/prediction-batches/<int:batch_id>/results.<any(csv, xlsx, parquet):kind>",  # the same
        "/app/versions/<int:version_id>/report.<kind>",  # tests/unit/versions/test_report.py
        # Drawings: no spreadsheet opens them.
        "/app/versions/<int:version_id>/pictures/<key>.<any(svg, png):kind>",
        # What somebody uploaded, byte for byte, as an attachment.
        "/app/datasets/<int:dataset_id>/file",
        "/api/v1/datasets/<id:dataset_id>/source",
    }
    auth.create_user(caller, username="boss", role="admin")
    page = app.test_client()
    page.get(f"/app/sign-in/{auth.create_sign_in_link(auth.user_by_name('boss'))}")
    for formula in FORMULAS:
        machines.create_machine(
            Caller(caller.site_id, "admin", formula, "cli"), name=f"m {FORMULAS.index(formula)}"
        )
    text = page.get("/app/audit/audit.csv", buffered=True).text
    cells = re.findall(r'(?:^|,)"?([=+\-@\t][^,"]*)', text, re.MULTILINE)
    assert cells == []


def test_downloads_are_never_shown_as_pages(app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    auth.create_user(caller, username="v", role="viewer")
    page = app.test_client()
    page.get(f"/app/sign-in/{auth.create_sign_in_link(auth.user_by_name('v'))}")
    for path in (f"/app/versions/{version.id}/ranking.csv", "/app/datasets/1/file"):
        answer = page.get(path, buffered=True)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "html" not in answer.content_type
