"""``flask webhook …``."""

from __future__ import annotations

import click

from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.told import Told, tells
from prodapp.happenings import SUBSCRIBABLE
from prodapp.models import WebhookDelivery
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.webhooks import deliveries, service

webhook = DomainGroup("webhook", help="Other systems that are told what happens here.")
COLUMNS = ("id", "name", "url", "machine_id", "is_active", "disabled_code", "events")
DELIVERY_COLUMNS = ("id", "event", "subject", "n_attempts", "created_at", "settled_at")


@webhook.command("create")
@click.argument("name")
@click.argument("url")
@click.option(
    "--event",
    "events",
    type=click.Choice(SUBSCRIBABLE),
    multiple=True,
    required=True,
    help="What to tell (repeat).",
)
@click.option("--machine", "machine_id", type=int, help="Only of this machine.")
@tells
def create_webhook(name: str, url: str, events: tuple[str, ...], machine_id: int | None) -> Told:
    """Let URL be told of events and print the secret that signs the messages, once."""
    made = service.create_webhook(
        cli_caller(), name=name, url=url, events=events, machine_id=machine_id
    )
    aside = f"Webhook {made.webhook.id}. The secret is not shown again."
    return Told(made.secret, {"id": made.webhook.id, "secret": made.secret}, asides=(aside,))


@webhook.command("list")
@json_option
def list_webhooks(as_json: bool) -> None:
    """List webhooks."""
    found = service.list_webhooks(cli_caller(), page_size=MAX_PAGE_SIZE)
    rows = [columns_of(row, COLUMNS) for row in found.items]
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, [[*list(row.values())[:-1], " ".join(row["events"])] for row in rows])


@webhook.command("turn")
@click.argument("webhook_id", type=int)
@click.argument("state", type=click.Choice(["on", "off"]))
@tells
def turn_webhook(webhook_id: int, state: str) -> Told:
    """Turn a webhook on or off."""
    found = service.change_webhook(cli_caller(), webhook_id, is_active=state == "on")
    document = {"id": found.id, "is_active": found.is_active}
    return Told(f"Webhook {found.id} is {state}.", document)


@webhook.command("rotate")
@click.argument("webhook_id", type=int)
@tells
def rotate_secret(webhook_id: int) -> Told:
    """Print another secret, once; the one before signs too for a day."""
    made = service.rotate_secret(cli_caller(), webhook_id)
    return Told(made.secret, {"id": made.webhook.id, "secret": made.secret})


@webhook.command("delete")
@click.argument("webhook_id", type=int)
@tells
def delete_webhook(webhook_id: int) -> Told:
    """Delete a webhook with its log."""
    service.delete_webhook(cli_caller(), webhook_id)
    return Told(f"Deleted webhook {webhook_id}.", {"id": webhook_id})


@webhook.command("test")
@click.argument("webhook_id", type=int)
@tells
def test_webhook(webhook_id: int) -> Told:
    """Put a test message into the outbox; the dispatcher sends it."""
    return _waits(deliveries.send_test(cli_caller(), webhook_id))


@webhook.command("deliveries")
@click.argument("webhook_id", type=int)
@click.option("--state", type=click.Choice(deliveries.STATES), help="Only these.")
@json_option
def list_deliveries(webhook_id: int, state: str | None, as_json: bool) -> None:
    """List the hundred newest messages to a webhook."""
    found = deliveries.list_deliveries(
        cli_caller(), webhook_id, state=state, page_size=MAX_PAGE_SIZE
    )
    rows = [
        {**columns_of(row, DELIVERY_COLUMNS), "state": deliveries.state_of(row)}
        for row in found.items
    ]
    if as_json:
        print_json(rows)
    else:
        print_table([*DELIVERY_COLUMNS, "state"], [list(row.values()) for row in rows])


@webhook.command("replay")
@click.argument("delivery_id", type=int)
@tells
def replay_delivery(delivery_id: int) -> Told:
    """Send a message again, under the same id."""
    return _waits(deliveries.replay(cli_caller(), delivery_id))


def _waits(found: WebhookDelivery) -> Told:
    document = {"id": found.id, "message_id": found.message_id}
    return Told(f"Delivery {found.id} waits to be sent.", document)
