"""Users, keys, sites and events as the REST API takes and gives them."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp import audit
from prodapp.auth import keys, users
from prodapp.auth.emails import MAX_EMAIL
from prodapp.auth.keys import STATES, key_state
from prodapp.auth.service import MAX_KEY_DAYS
from prodapp.auth.sites import MAX_QUOTA_MB
from prodapp.caller import RANKS
from prodapp.names import MAX_NAME
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.rest.schemas import (
    AnswerSchema,
    Instant,
    JsonInteger,
    ListQuery,
    RequestSchema,
    id_field,
    json_id_field,
    sort_field,
)

ROLES = tuple(RANKS)


def _name(description: str, **kwargs: object) -> fields.String:
    return fields.String(
        validate=validate.Length(min=1, max=MAX_NAME),
        metadata={"description": description},
        **kwargs,  # type: ignore[arg-type]
    )


def _role(description: str, **kwargs: object) -> fields.String:
    return fields.String(
        validate=validate.OneOf(ROLES),
        metadata={"description": description},
        **kwargs,  # type: ignore[arg-type]
    )


def _email(description: str, **kwargs: object) -> fields.String:
    return fields.String(
        validate=validate.Length(max=MAX_EMAIL),
        metadata={"description": description, "examples": ["maria@example.com"]},
        **kwargs,  # type: ignore[arg-type]
    )


class UserQuery(ListQuery):
    """Which users."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "Part of the name or the e-mail address."},
    )
    role = _role("Only users of this role.")
    is_active = fields.Boolean(metadata={"description": "Only those who may sign in, or may not."})
    site_id = id_field("Only users of this site.")
    sort = sort_field(users.SORTS, "username")


class UserInput(RequestSchema):
    """A new user; they choose their password at a one-time address."""

    username = _name("Unique in the installation; case does not count.", required=True)
    role = _role("What the user may do.", required=True)
    email = _email("Where the invitation goes, if this installation sends mail.")
    site_id = json_id_field("The site; the caller's own by default.")


class UserChangeInput(RequestSchema):
    """What is to become different about a user; the rest stays."""

    role = _role("Counts at once, also for keys and running sessions.")
    email = _email("An empty text removes it.")
    site_id = json_id_field("Another site.")
    is_active = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Who is not is out everywhere at once; their keys rest."},
    )


class UserSchema(AnswerSchema):
    """A user."""

    id = fields.Integer(required=True, metadata={"examples": [1]})
    username = fields.String(required=True, metadata={"examples": ["maria"]})
    email = fields.String(required=True, allow_none=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    site_id = fields.Integer(required=True)
    is_active = fields.Boolean(required=True)
    created_at = Instant(required=True)
    last_sign_in_at = Instant(required=True, allow_none=True)
    erased_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Since when nothing but a pseudonym is left."},
    )
    second_factor_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Since when signing in also takes a code."},
    )


class HandoverSchema(AnswerSchema):
    """How a one-time link reaches its user: by mail, or you hand the address over."""

    email = fields.String(
        required=True, allow_none=True, metadata={"description": "Where it was mailed to."}
    )
    address = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Works once, within a day. Shown here alone."},
    )


class NewUserSchema(AnswerSchema):
    """A user who was just made, and how they get in."""

    user = fields.Nested(UserSchema, required=True)
    invitation = fields.Nested(HandoverSchema, required=True)


class KeyQuery(ListQuery):
    """Which keys."""

    user_id = id_field("Only keys of this user.")
    state = fields.String(
        validate=validate.OneOf(STATES), metadata={"description": "Only keys of this state."}
    )
    sort = sort_field(keys.SORTS, "-created_at")


class KeyInput(RequestSchema):
    """A new key."""

    user_id = json_id_field("In whose name the key acts.", required=True)
    name = _name("What the key is for.", required=True)
    role = _role("At most the user's own, which is the default.")
    days = JsonInteger(
        validate=validate.Range(min=1, max=MAX_KEY_DAYS),
        metadata={"description": "Ends after so many days; never by default."},
    )


class KeySchema(AnswerSchema):
    """A key, without what proves it."""

    id = fields.Integer(required=True, metadata={"examples": [1]})
    user_id = fields.Integer(required=True)
    name = fields.String(required=True)
    prefix = fields.String(required=True, metadata={"examples": ["pa_1a2b3c4d"]})
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    state = fields.Function(
        key_state,
        required=True,
        metadata={
            "type": "string",
            "enum": list(STATES),
            "description": "`suspended` while its user is deactivated.",
        },
    )
    created_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)
    last_used_at = Instant(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)


class NewKeySchema(AnswerSchema):
    """A key that was just made."""

    id = fields.Integer(required=True)
    prefix = fields.String(required=True)
    key = fields.String(
        required=True, attribute="secret", metadata={"description": "Shown here alone."}
    )


class SiteInput(RequestSchema):
    """What a site is called."""

    name = _name("Unique; case does not count.", required=True)


class SiteSchema(AnswerSchema):
    """A site."""

    id = fields.Integer(required=True, metadata={"examples": [1]})
    name = fields.String(required=True)
    created_at = Instant(required=True)
    n_users = fields.Integer(required=True, metadata={"description": "Users who may sign in."})
    n_machines = fields.Integer(required=True)
    used_bytes = fields.Integer(
        required=True, metadata={"description": "What uploads and models take."}
    )
    quota_bytes = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "What they may take; null: as much as there is room for."},
    )


class SiteChangeInput(RequestSchema):
    """What is to become different about a site."""

    quota_mb = JsonInteger(
        required=True,
        allow_none=True,
        validate=validate.Range(min=0, max=MAX_QUOTA_MB),
        metadata={"description": "Room for its files; null: as much as is set for all sites."},
    )


class EventQuery(RequestSchema):
    """Which events."""

    actor = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "Who did it, by name."},
    )
    action = fields.String(
        load_default="",
        validate=validate.Length(max=60),
        metadata={"description": "`user.created`, or `user` for all that begin with it."},
    )
    subject = fields.String(
        load_default="",
        validate=validate.Length(max=100),
        metadata={"description": "What it was done to.", "examples": ["machine:3"]},
    )
    since = Instant(metadata={"description": "From then on."})
    until = Instant(metadata={"description": "Before then."})
    cursor = fields.String(
        validate=validate.Length(max=200),
        metadata={"description": "From the `Link` of the page before."},
    )
    page_size = fields.Integer(
        load_default=audit.PAGE_SIZE,
        validate=validate.Range(min=1, max=MAX_PAGE_SIZE),
        metadata={"description": "Events on a page."},
    )


class EventSchema(AnswerSchema):
    """Who did what, when and from where."""

    id = fields.UUID(required=True)
    occurred_at = Instant(required=True)
    site_id = fields.Integer(required=True, allow_none=True)
    user_id = fields.Integer(required=True, allow_none=True)
    actor = fields.String(required=True)
    action = fields.String(required=True, metadata={"examples": ["machine.created"]})
    subject = fields.String(required=True, metadata={"examples": ["machine:3"]})
    before = fields.Dict(required=True, allow_none=True)
    after = fields.Dict(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
