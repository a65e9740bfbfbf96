"""``/api/v1/webhooks`` and ``/api/v1/webhook-deliveries``."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.models import WebhookDelivery
from prodapp.rest.answers import accepted, page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.webhooks import deliveries, service
from prodapp.webhooks.schemas import (
    DeliveryDetailSchema,
    DeliveryQuery,
    DeliverySchema,
    NewWebhookSchema,
    WebhookChangeInput,
    WebhookCreateInput,
    WebhookQuery,
    WebhookSchema,
)

blp = ApiBlueprint(
    "api_webhooks",
    __name__,
    title="Webhooks",
    description="Other systems are told what happens here: a POST for each happening, signed after "
    "the Standard Webhooks scheme (`webhook-id`, `webhook-timestamp`, `webhook-signature`), again "
    "for more than a day until it is answered with 2xx. The same message has the same `webhook-id` "
    "in all tries: take it once.",
)


@blp.get("/webhooks")
@blp.takes(WebhookQuery, location="query")
@blp.answers(200, WebhookSchema(many=True), headers=headers("Link", "X-Pagination"))
@blp.describes(responses=problems(404))
@requires("analyst")
def index(query: dict[str, Any]) -> Any:
    """List webhooks"""
    return page_answer(service.list_webhooks(current_caller(), **query))


@blp.post("/webhooks")
@blp.takes(WebhookCreateInput)
@blp.answers(201, NewWebhookSchema, headers=headers("Location"))
@blp.describes(responses=problems(404, 409))
@requires("analyst")
def create(body: dict[str, Any]) -> Any:
    """Make a webhook"""
    made = service.create_webhook(current_caller(), **body)
    return made, 201, {"Location": url_for("api_webhooks.read", webhook_id=made.webhook.id)}


@blp.get("/webhooks/<id:webhook_id>")
@blp.answers(200, WebhookSchema)
@requires("analyst")
def read(webhook_id: int) -> Any:
    """Read a webhook"""
    return service.webhook_of(current_caller(), webhook_id)


@blp.patch("/webhooks/<id:webhook_id>")
@blp.takes(WebhookChangeInput)
@blp.answers(200, WebhookSchema)
@requires("analyst")
def change(body: dict[str, Any], webhook_id: int) -> Any:
    """Change a webhook, or turn it off and on"""
    return service.change_webhook(current_caller(), webhook_id, **body)


@blp.delete("/webhooks/<id:webhook_id>")
@blp.answers(204, description="Deleted")
@requires("analyst")
def delete(webhook_id: int) -> Any:
    """Delete a webhook with its log"""
    service.delete_webhook(current_caller(), webhook_id)
    return Response(status=204)


@blp.post("/webhooks/<id:webhook_id>/secret")
@blp.answers(200, NewWebhookSchema)
@requires("analyst")
def rotate(webhook_id: int) -> Any:
    """Give a webhook another secret

    For a day, messages carry a signature by the secret before as well.
    """
    return service.rotate_secret(current_caller(), webhook_id)


@blp.post("/webhooks/<id:webhook_id>/test")
@blp.answers(202, DeliverySchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("analyst")
def test(webhook_id: int) -> Any:
    """Send a test message"""
    return _accepted(deliveries.send_test(current_caller(), webhook_id))


@blp.get("/webhooks/<id:webhook_id>/deliveries")
@blp.takes(DeliveryQuery, location="query")
@blp.answers(200, DeliverySchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("analyst")
def list_deliveries(query: dict[str, Any], webhook_id: int) -> Any:
    """List the messages to a webhook

    The newest first; those of the last thirty days are kept.
    """
    return page_answer(deliveries.list_deliveries(current_caller(), webhook_id, **query))


@blp.get("/webhook-deliveries/<id:delivery_id>")
@blp.answers(200, DeliveryDetailSchema)
@requires("analyst")
def read_delivery(delivery_id: int) -> Any:
    """Read a message and each try to deliver it"""
    return deliveries.delivery_of(current_caller(), delivery_id)


@blp.post("/webhook-deliveries/<id:delivery_id>/replay")
@blp.answers(202, DeliverySchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("analyst")
def replay(delivery_id: int) -> Any:
    """Send a message again, under the same id"""
    return _accepted(deliveries.replay(current_caller(), delivery_id))


def _accepted(found: WebhookDelivery) -> Any:
    return accepted(found, url_for("api_webhooks.read_delivery", delivery_id=found.id))
