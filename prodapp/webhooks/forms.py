"""What the pages of webhooks send and ask for."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from prodapp.models import Webhook
from prodapp.outgoing.destinations import MAX_URL
from prodapp.webhooks.deliveries import STATES


@dataclass(frozen=True)
class WebhookForm:
    """A webhook as its form sends it."""

    name: str = ""
    url: str = ""
    events: tuple[str, ...] = ()
    machine_id: int | None = None

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> WebhookForm:
        return cls(
            name=form.get("name", ""),
            url=form.get("url", "").strip()[: MAX_URL + 1],
            events=tuple(form.getlist("events")),
            machine_id=form.get("machine_id", type=int),
        )

    @classmethod
    def of(cls, webhook: Webhook) -> WebhookForm:
        return cls(webhook.name, webhook.url, tuple(webhook.events), webhook.machine_id)


@dataclass(frozen=True)
class LogQuery:
    """Which messages of a webhook."""

    state: str
    page: int

    @classmethod
    def parse(cls, args: MultiDict[str, str]) -> LogQuery:
        state = args.get("state", "")
        return cls(
            state=state if state in STATES else "", page=max(1, args.get("page", 1, type=int))
        )
