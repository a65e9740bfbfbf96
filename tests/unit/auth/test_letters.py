"""Letters through a real SMTP server; what goes out is what a mail program would show."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from sqlalchemy import update

from prodapp.auth import letters
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.config import load_settings
from prodapp.exceptions import ConfigurationError
from prodapp.extensions import command, db
from prodapp.models import MailRequest, User
from prodapp.models.types import db_now
from tests.pages import post_form

MakeApp = Callable[..., Flask]


class Postbox:
    """Keeps what comes in; refuses while ``is_full``."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.is_full = False

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.is_full:
            return "452 no room: " + envelope.content.decode()[-80:].replace("\r\n", " ")
        self.recipients.append(envelope.rcpt_tos)
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.url = f"smtp://127.0.0.1:{port}"  # type: ignore[attr-defined]
    yield box
    controller.stop()


@pytest.fixture
def app(make_app: MakeApp, postbox: Postbox) -> Iterator[Flask]:
    application = make_app(SMTP_URL=postbox.url, MAIL_FROM="prodapp@plant.example")  # type: ignore[attr-defined]
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def maria(caller: Caller) -> User:
    return auth.create_user(caller, username="María", role="viewer", email="maria@plant.example")


def link_in(letter: EmailMessage) -> str:
    found = re.search(r"http://127\.0\.0\.1:8001(/app/password/\S+)", letter.get_content())
    assert found, letter.get_content()
    return found[1]


def test_an_invitation_is_mailed_and_its_link_works(
    app: Flask, maria: User, postbox: Postbox
) -> None:
    handover = letters.hand_over(maria, kind=letters.INVITATION, locale="pt_BR")
    assert (handover.email, handover.address) == ("maria@plant.example", None)
    assert letters.deliver_due(wait=True) == 1
    (letter,) = postbox.letters
    assert postbox.recipients == [["maria@plant.example"]]
    assert (letter["From"], letter["To"]) == ("prodapp@plant.example", "maria@plant.example")
    assert letter["Subject"] == "Seu acesso ao prodapp"
    assert "María" in letter.get_content()
    assert app.test_client().get(link_in(letter)).status_code == 200
    assert letters.deliver_due(wait=True) == 0


def test_who_has_no_address_gets_the_link_from_the_administrator(
    app: Flask, caller: Caller
) -> None:
    row = auth.create_user(caller, username="x", role="viewer")
    handover = letters.hand_over(row, kind=letters.INVITATION, locale="en")
    assert handover.address.startswith("http://127.0.0.1:8001/app/password/")
    assert letters.deliver_due(wait=True) == 0


@pytest.mark.parametrize("named", ["maría", "MARIA@plant.example"])
def test_a_forgotten_password_is_mended_by_name_or_address(
    app: Flask, maria: User, postbox: Postbox, named: str
) -> None:
    client = app.test_client()
    assert "a letter is on its way" in post_form(client, "/app/forgot", named=named).text
    letters.deliver_due(wait=True)
    assert postbox.letters[0]["Subject"] == "Your password for prodapp"
    assert client.get(link_in(postbox.letters[0])).status_code == 200


def test_asking_tells_nobody_who_has_an_account(app: Flask, maria: User, postbox: Postbox) -> None:
    client = app.test_client()
    pages = {
        re.sub(r'(nonce|value|content)="[^"]*"|\{"X-CSRFToken[^}]*\}', "", text)
        for text in (
            post_form(client, "/app/forgot", named=named).text
            for named in ("María", "nobody", "a password typed by mistake")
        )
    }
    assert len({re.sub(r'data-now="[^"]*"', "", page) for page in pages}) == 1
    rows = db.session.query(MailRequest).all()
    assert len(rows) == 3  # the same work for each, whoever they name
    letters.deliver_due(wait=True)
    db.session.expire_all()
    assert [row.outcome for row in rows] == ["sent", "unknown", "unknown"]
    assert [row.addressee for row in rows] == ["maría", "", ""]
    assert len(postbox.letters) == 1


def test_a_server_that_refuses_is_tried_again_and_no_link_is_kept(
    app: Flask, maria: User, postbox: Postbox
) -> None:
    postbox.is_full = True
    letters.hand_over(maria, kind=letters.RESET, locale="en")
    row = db.session.query(MailRequest).one()
    for attempt in range(1, len(letters.BACKOFF_SECONDS) + 2):
        assert letters.deliver_due(wait=True) == 1
        assert letters.deliver_due(wait=True) == 0  # not before its time
        db.session.expire_all()
        assert (row.n_attempts, row.last_error) == (attempt, "SMTPDataError")
        with command() as session:
            session.execute(
                update(MailRequest)
                .where(MailRequest.outcome.is_(None))
                .values(next_attempt_at=db_now())
            )
    assert row.outcome == "failed"


def test_a_locked_out_user_gets_no_letter(app: Flask, maria: User, postbox: Postbox) -> None:
    letters.request_reset("María", locale="en")
    with command() as session:
        session.execute(update(User).values(is_active=False))
    letters.deliver_due(wait=True)
    assert postbox.letters == []


def test_without_a_server_nobody_is_promised_a_letter(make_app: MakeApp) -> None:
    client = make_app().test_client()
    assert "/app/forgot" not in client.get("/app/sign-in").text
    assert "Ask an administrator" in client.get("/app/forgot").text
    assert post_form(client, "/app/forgot", named="x").status_code == 422


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "smtp://user:password@host"),
        ("SMTP_URL", "http://host"),
        ("MAIL_FROM", "no address"),
        ("MAIL_FROM", "a@b\nBcc: c@d"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        load_settings({"PRODAPP_PROFILE": "testing", "SECRET_KEY": "x" * 5, name: value})
    assert "password@" not in str(caught.value)
