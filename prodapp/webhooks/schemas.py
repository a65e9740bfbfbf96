"""Webhooks and their log as the REST API takes and gives them."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.happenings import SUBSCRIBABLE, Happening
from prodapp.names import MAX_NAME
from prodapp.outgoing.destinations import MAX_URL
from prodapp.rest.schemas import AnswerSchema, Instant, ListQuery, RequestSchema, sort_field
from prodapp.rest.schemas import id_field as query_id
from prodapp.rest.schemas import json_id_field as body_id
from prodapp.webhooks import deliveries, service
from prodapp.webhooks.deliveries import STATES, state_of

_SUBJECT = {"description": "What it happened to.", "examples": ["run:12"]}


def _name(**options: object) -> fields.String:
    return fields.String(
        validate=validate.Length(min=1, max=MAX_NAME),
        metadata={"description": "For people.", "examples": ["Plant dashboard"]},
        **options,  # type: ignore[arg-type]
    )


def _url(**options: object) -> fields.String:
    return fields.String(
        validate=validate.Length(min=1, max=MAX_URL),
        metadata={
            "description": "Where messages are posted. Its host must be listed in "
            "CALLBACK_ALLOWED_HOSTS by an administrator; redirects are not followed.",
            "examples": ["https://dashboard.example/hooks/prodapp"],
        },
        **options,  # type: ignore[arg-type]
    )


def _events(**options: object) -> fields.List[str]:
    return fields.List(
        fields.String(validate=validate.OneOf(SUBSCRIBABLE)),
        validate=validate.Length(min=1, max=len(SUBSCRIBABLE)),
        metadata={"description": "Which happenings are told.", "examples": [["run.succeeded"]]},
        **options,  # type: ignore[arg-type]
    )


class WebhookQuery(ListQuery):
    """Which webhooks."""

    machine_id = query_id("Only those of this machine.")
    sort = sort_field(service.SORTS, "name")


class WebhookCreateInput(RequestSchema):
    """A new webhook."""

    name = _name(required=True)
    url = _url(required=True)
    events = _events(required=True)
    machine_id = body_id("Only of this machine; of all of the site where it is left out.")


class WebhookChangeInput(RequestSchema):
    """What is to change; what is left out stays."""

    name = _name()
    url = _url()
    events = _events()
    is_active = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether it is told; true also takes back that it was disabled."},
    )


class WebhookSchema(AnswerSchema):
    """Who is told of what. The secret is shown when it is made, and never again."""

    id = fields.Integer(required=True, metadata={"examples": [1]})
    name = _name(required=True)
    url = _url(required=True)
    events = _events(required=True)
    machine_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "`null`: all of the site."}
    )
    is_active = fields.Boolean(required=True)
    disabled_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "When it was given up on, where it was."},
    )
    disabled_code = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why: `gone` (it answered 410) or `kept_failing`."},
    )
    secret_before_until = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Until when messages are signed with the secret before too."},
    )
    created_at = Instant(required=True)


class NewWebhookSchema(AnswerSchema):
    """A webhook with its secret, which is told this once."""

    webhook = fields.Nested(WebhookSchema, required=True)
    secret = fields.String(
        required=True,
        metadata={
            "description": "Verify with it the header `webhook-signature` of what comes "
            "(Standard Webhooks).",
            "examples": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwzMn0VlHo2JE="],
        },
    )


class DeliveryQuery(ListQuery):
    """Which messages."""

    state = fields.String(validate=validate.OneOf(STATES), metadata={"description": "Only these."})
    sort = sort_field(deliveries.SORTS, "-created_at")


class DeliverySchema(AnswerSchema):
    """A message to a webhook, and how far it got."""

    id = fields.Integer(required=True, metadata={"examples": [1]})
    webhook_id = fields.Integer(required=True)
    message_id = fields.String(
        required=True,
        metadata={"description": "The header `webhook-id`, the same in all tries and replays."},
    )
    event = fields.String(required=True, validate=validate.OneOf([str(kind) for kind in Happening]))
    subject = fields.String(required=True, metadata=_SUBJECT)
    state = fields.Function(
        state_of,
        required=True,
        metadata={"type": "string", "enum": list(STATES)},
    )
    n_attempts = fields.Integer(required=True)
    next_attempt_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)
    settled_at = Instant(required=True, allow_none=True)


class AttemptSchema(AnswerSchema):
    """One try."""

    number = fields.Integer(required=True)
    status = fields.Integer(
        required=True, allow_none=True, metadata={"description": "What the host answered."}
    )
    excerpt = fields.String(
        required=True, allow_none=True, metadata={"description": "The beginning of its answer."}
    )
    error_code = fields.String(
        required=True, allow_none=True, metadata={"description": "Why there was no answer."}
    )
    seconds = fields.Float(required=True)
    created_at = Instant(required=True)


class DeliveryDetailSchema(DeliverySchema):
    """A message whole, with each try to deliver it."""

    payload = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "What is posted."}
    )
    attempts = fields.List(fields.Nested(AttemptSchema), required=True)
