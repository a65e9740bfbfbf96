"""The audit trail: one row for each act, in the act's own transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from prodapp.caller import Caller
from prodapp.models import AuditEvent


def record(
    session: Session,
    caller: Caller,
    action: str,
    subject: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Note that ``caller`` did ``action`` (``machine.renamed``) to ``subject`` (``machine:3``)."""
    session.add(
        AuditEvent(
            site_id=caller.site_id,
            user_id=caller.user_id,
            actor=caller.name,
            action=action,
            subject=subject,
            before=before,
            after=after,
            address=caller.address,
            request_id=caller.request_id,
        )
    )
