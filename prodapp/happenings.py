"""What other systems can be told of, and the one way to tell it.

:func:`tell` belongs into the transaction of what it tells: both are kept, or neither is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid6 import uuid7

from prodapp.exceptions import N_, in_english
from prodapp.models import Machine, Webhook, WebhookDelivery
from prodapp.models.types import db_now


class Happening(StrEnum):
    """The kinds; other systems rely on their names."""

    RUN_SUCCEEDED = "run.succeeded"
    RUN_FAILED = "run.failed"
    RUN_CANCELED = "run.canceled"
    DATASET_READY = "dataset.ready"
    DATASET_REFUSED = "dataset.refused"
    VERSION_PROMOTED = "version.promoted"
    FILE_SET_ASIDE = "file.set_aside"
    BATCH_SUCCEEDED = "batch.succeeded"
    BATCH_FAILED = "batch.failed"
    TEST = "webhook.test"  # asked for by a person, wanted by every webhook


WORDS: Mapping[str, str] = {
    Happening.RUN_SUCCEEDED: N_("A training succeeded"),
    Happening.RUN_FAILED: N_("A training failed"),
    Happening.RUN_CANCELED: N_("A training was canceled"),
    Happening.DATASET_READY: N_("A data set is ready"),
    Happening.DATASET_REFUSED: N_("A data set was refused"),
    Happening.VERSION_PROMOTED: N_("A version came into use"),
    Happening.FILE_SET_ASIDE: N_("A file of a watched folder was set aside"),
    Happening.BATCH_SUCCEEDED: N_("A file of predictions is answered"),
    Happening.BATCH_FAILED: N_("A file of predictions failed"),
    Happening.TEST: N_("A test message"),
}
#: What a webhook can ask for.
SUBSCRIBABLE = tuple(str(kind) for kind in Happening if kind is not Happening.TEST)


def tell(
    session: Session, kind: Happening, *, machine_id: int, subject: str, data: Mapping[str, Any]
) -> None:
    """Put a message into the outbox of each webhook that wants to know.

    ``subject`` is what it happened to (``run:12``); ``data`` are its plain facts. Machine and
    subject are added to them.
    """
    machine = session.get_one(Machine, machine_id)
    wanting = select(Webhook).where(
        Webhook.site_id == machine.site_id,
        Webhook.is_active.is_(True),
        Webhook.machine_id.is_(None) | (Webhook.machine_id == machine_id),
    )
    facts = {"machine_id": machine.id, "machine_name": machine.name, **data}
    for webhook in session.scalars(wanting):
        if kind in webhook.events:
            session.add(delivery(webhook.id, kind, subject, facts))


def telling_ends(
    model: type[Any],
    kinds: Mapping[str, Happening],
    *,
    facts: Callable[[Session, Any], Mapping[str, Any]],
) -> Callable[[Session, int], None]:
    """The ``on_end`` of a workflow: tells ``facts`` of the row, and why its work failed, as the
    kind that its state means; states that ``kinds`` does not name are told to nobody."""

    def tell_end(session: Session, row_id: int) -> None:
        row = session.get_one(model, row_id, populate_existing=True)
        if row.state not in kinds:
            return
        kind = kinds[row.state]
        error = None
        if row.error_code is not None:
            detail = in_english(row.error_message or "", row.error_params or {})
            error = {"code": row.error_code, "detail": detail}
        subject = f"{kind.partition('.')[0]}:{row_id}"
        data = {**facts(session, row), "error": error}
        tell(session, kind, machine_id=row.machine_id, subject=subject, data=data)

    return tell_end


def delivery(
    webhook_id: int, kind: Happening, subject: str, data: Mapping[str, Any]
) -> WebhookDelivery:
    """A message of now, in the form that Standard Webhooks recommends."""
    return WebhookDelivery(
        webhook_id=webhook_id,
        message_id=f"msg_{uuid7().hex}",
        event=kind,
        subject=subject,
        payload={"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": dict(data)},
        next_attempt_at=db_now(),
    )
