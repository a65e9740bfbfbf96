"""Tokens as the REST API takes and gives them."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.auth.passwords import MAX_PASSWORD
from prodapp.auth.second_factor import MAX_CODE
from prodapp.rest.schemas import AnswerSchema, RequestSchema

MAX_TOKEN = 500


class CredentialsInput(RequestSchema):
    """What proves who somebody is."""

    username = fields.String(
        required=True,
        validate=validate.Length(min=1, max=200),
        metadata={"examples": ["maria"]},
    )
    password = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_PASSWORD),
        metadata={"format": "password"},
    )
    code = fields.String(
        validate=validate.Length(min=1, max=MAX_CODE),
        metadata={"description": "Of the second step, where the user has one. Works once."},
    )


class RefreshInput(RequestSchema):
    """A refresh token."""

    refresh_token = fields.String(required=True, validate=validate.Length(min=1, max=MAX_TOKEN))


class TokenPairSchema(AnswerSchema):
    """An access token, and the refresh token that gets the next pair."""

    access_token = fields.String(required=True, metadata={"description": "A JWT."})
    refresh_token = fields.String(
        required=True,
        metadata={
            "description": "Works once. Using it again ends every token that descends from it."
        },
    )
    token_type = fields.Constant("Bearer", required=True)
    expires_in = fields.Integer(
        required=True,
        metadata={"description": "Life of the access token in seconds.", "examples": [600]},
    )


class CallerSchema(AnswerSchema):
    """Who is calling, as the service sees it."""

    username = fields.String(required=True, attribute="name", metadata={"examples": ["maria"]})
    user_id = fields.Integer(required=True, allow_none=True)
    role = fields.String(
        required=True, validate=validate.OneOf(("viewer", "operator", "analyst", "admin"))
    )
    kind = fields.String(
        required=True,
        validate=validate.OneOf(("session", "token", "key")),
        metadata={"description": "What proved it."},
    )


class PersonalDataSchema(AnswerSchema):
    """All that is stored about a user, but for what proves who they are."""

    made_at = fields.String(required=True, metadata={"format": "date-time"})
    account = fields.Dict(required=True)
    sessions = fields.List(fields.Dict(), required=True)
    api_keys = fields.List(fields.Dict(), required=True)
    identities = fields.List(
        fields.Dict(), required=True, metadata={"description": "Who vouches for them."}
    )
    letters = fields.List(fields.Dict(), required=True)
    acts = fields.List(
        fields.Dict(), required=True, metadata={"description": "What the audit trail knows."}
    )
    predictions = fields.List(
        fields.Dict(), required=True, metadata={"description": "When they asked which version."}
    )
    prediction_batches = fields.List(fields.Dict(), required=True)
    other_rows = fields.List(
        fields.Dict(),
        required=True,
        metadata={"description": "What else bears their number: table, id and time."},
    )
