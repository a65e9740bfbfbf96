"""``Idempotency-Key``: a POST that comes again under the same key is answered, not done again.

One mechanism for all of ``/api/v1``, but for predictions, whose answers are in their history.
A row of its own is claimed before the request is worked on. The first transaction of that work
marks the row, so that after a crash it is known whether anything happened: nothing, then the
request may be done by who comes next; something, then nobody does it again, and the answer says so.
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import marshmallow as ma
from flask import Flask, Response, current_app, g, request
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from prodapp.auth.guard import Surface, surface_of
from prodapp.auth.secrets import seal, unseal
from prodapp.exceptions import Conflict, InvalidInput, N_
from prodapp.extensions import at_each_command, command, db, settings_of
from prodapp.models import RequestKey
from prodapp.models.types import db_now
from prodapp.outages import outage_of
from prodapp.rest.arguments import StrictParser
from prodapp.rest.repeats import HEADER, MAX_KEY, REPLAYED, heeds_keys
from prodapp.rest.uploads import is_multipart

#: How long an answer is kept; how long whoever claimed a key may take before they count as gone.
KEPT: Final = timedelta(hours=24)
CLAIM_SECONDS: Final = 600
FORGET_AT_ONCE: Final = 500
PURPOSE: Final = "answers of idempotency keys"
_KEPT_HEADERS: Final = ("Content-Type", "Location", "Retry-After")
_CHUNK_BYTES: Final = 1024 * 1024

log = logging.getLogger(__name__)
_parser = StrictParser()


def init_app(app: Flask) -> None:
    """Heed ``Idempotency-Key`` at every POST of the REST API. Comes after guard and limits."""
    app.before_request(_claim_or_replay)
    app.after_request(_keep)


def forget_old() -> int:
    """Let go of answers that are older than they are kept; returns how many went."""
    old = (
        select(RequestKey.id)
        .where(RequestKey.created_at < db_now(-KEPT.total_seconds()))
        .limit(FORGET_AT_ONCE)
    )
    with command() as session:
        gone = session.execute(
            delete(RequestKey).where(RequestKey.id.in_(old)).returning(RequestKey.id)
        ).all()
    return len(gone)


def forget_of(session: Session, user_id: int) -> None:
    """Let go of what is kept for a user."""
    session.execute(delete(RequestKey).where(RequestKey.user_id == user_id))


def _claim_or_replay() -> Response | None:
    key = request.headers.get(HEADER)
    caller = g.get("caller")
    if key is None or request.method != "POST" or surface_of(request.path) is not Surface.API:
        return None
    if caller is None or caller.user_id is None or request.endpoint is None:
        return None
    if not heeds_keys(current_app.view_functions[request.endpoint]):
        return None
    if not key.isprintable() or not 1 <= len(key) <= MAX_KEY:
        message = N_("An Idempotency-Key has from 1 to %(max)s printable characters.")
        raise InvalidInput(message, max=MAX_KEY)
    fingerprint = _fingerprint()
    row_id = _claim(caller.user_id, key, fingerprint)
    if row_id is None:
        row_id = _take_over(caller.user_id, key, fingerprint)
    if row_id is None:
        return _replay(caller.user_id, key, fingerprint)
    g.request_key_id = row_id
    mark = update(RequestKey).where(RequestKey.id == row_id, ~RequestKey.has_effect)
    at_each_command(db.session(), lambda session: session.execute(mark.values(has_effect=True)))
    return None


def _claim(user_id: int, key: str, fingerprint: str) -> int | None:
    """The id of a new row, ``None`` where there is one already."""
    row = RequestKey(user_id=user_id, key=key, fingerprint=fingerprint, claimed_at=db_now())
    try:
        with command() as session:
            session.add(row)
    except IntegrityError:
        return None
    return row.id


def _take_over(user_id: int, key: str, fingerprint: str) -> int | None:
    """The id of a row whose first sender's work died before it changed anything, else ``None``."""
    with command() as session:
        return session.scalar(
            update(RequestKey)
            .where(
                RequestKey.user_id == user_id,
                RequestKey.key == key,
                RequestKey.status.is_(None),
                ~RequestKey.has_effect,
                RequestKey.claimed_at < db_now(-CLAIM_SECONDS),
            )
            .values(fingerprint=fingerprint, claimed_at=db_now())
            .returning(RequestKey.id)
        )


def _replay(user_id: int, key: str, fingerprint: str) -> Response:
    """What was answered before. Raises :class:`Conflict` where there is no such answer."""
    row = db.session.scalar(
        select(RequestKey)
        .where(RequestKey.user_id == user_id, RequestKey.key == key)
        .execution_options(populate_existing=True)
    )
    if row is None or (row.status is None and not _is_over(row)):
        raise Conflict(
            N_("The first request under this Idempotency-Key is still being worked on."),
            code="idempotency_in_progress",
        )
    if row.fingerprint != fingerprint:
        raise Conflict(
            N_("This Idempotency-Key was used for another request."), code="idempotency_conflict"
        )
    body = _unsealed(row.body)
    if row.status is None or body is None:
        raise Conflict(
            N_(
                "The first request under this Idempotency-Key was cut off after it had changed "
                "something. Look at what is there, and use another key for what is missing."
            ),
            code="idempotency_unknown",
        )
    answer = Response(body, status=row.status, headers=row.headers)
    answer.headers[REPLAYED] = "true"
    return answer


def _is_over(row: RequestKey) -> bool:
    """Whether whoever began with ``row`` has had the time to end."""
    begun = RequestKey.claimed_at < db_now(-CLAIM_SECONDS)
    return bool(db.session.scalar(select(begun).where(RequestKey.id == row.id)))


def _keep(response: Response) -> Response:
    """Keep the answer; where nothing was changed and it was refused, let the key be used again."""
    row_id = g.pop("request_key_id", None)
    if row_id is None:
        return response
    own = RequestKey.id == row_id
    is_done = response.status_code < 400
    db.session().info.pop("at_each_command", None)
    try:
        with command() as session:
            if not is_done:
                session.execute(delete(RequestKey).where(own, ~RequestKey.has_effect))
            if response.status_code < 500:  # of what was cut off by a failure nothing is known
                session.execute(update(RequestKey).where(own).values(**_kept(response)))
    except SQLAlchemyError as error:
        if outage_of(error) is None:
            raise
        log.warning("the answer under an Idempotency-Key could not be kept")
    return response


def _kept(response: Response) -> dict[str, Any]:
    secret_key = settings_of(current_app).secret_key
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = seal(response.get_data(as_text=True), secret_key=secret_key, purpose=PURPOSE)
    return {"status": response.status_code, "headers": headers, "body": body}


def _unsealed(body: str | None) -> str | None:
    settings = settings_of(current_app)
    return body and unseal(body, secret_key=settings.secret_key, purpose=PURPOSE)


def _fingerprint() -> str:
    digest = sha256(f"{request.method} {request.full_path}\n".encode())
    if is_multipart(request):
        for name, value in sorted(request.form.items(multi=True)):
            digest.update(json.dumps([name, value]).encode())
        for name, file in sorted(request.files.items(multi=True), key=lambda item: item[0]):
            digest.update(json.dumps([name, file.filename]).encode())
            while chunk := file.stream.read(_CHUNK_BYTES):
                digest.update(chunk)
            file.stream.seek(0)
    else:
        document = _parser.load_json(request, ma.Schema())
        text = json.dumps(document, sort_keys=True, default=str)
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
