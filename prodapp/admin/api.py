"""``/api/v1/users``, ``/keys``, ``/sites`` and ``/audit-events``."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from flask_babel import get_locale

from prodapp import audit
from prodapp.admin.schemas import (
    EventQuery,
    EventSchema,
    HandoverSchema,
    KeyInput,
    KeyQuery,
    KeySchema,
    NewKeySchema,
    NewUserSchema,
    SiteChangeInput,
    SiteInput,
    SiteSchema,
    UserChangeInput,
    UserInput,
    UserQuery,
    UserSchema,
)
from prodapp.audit import EventFilter
from prodapp.auth import keys, letters, personal, second_factor, service, sites, users
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.auth.schemas import PersonalDataSchema
from prodapp.auth.users import UserChange
from prodapp.pagination import page_of
from prodapp.rest.answers import cursor_answer, page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.schemas import PageQuery
from prodapp.rest.spec import headers, problems

blp = ApiBlueprint(
    "api_admin",
    __name__,
    title="Administration",
    description="Users, API keys, sites and the audit trail. Administrators of the first site see "
    "the whole installation, others their own site.",
)


@blp.get("/users")
@blp.takes(UserQuery, location="query")
@blp.answers(200, UserSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("admin")
def list_users(query: dict[str, Any]) -> Any:
    """List users"""
    return page_answer(users.list_users(current_caller(), **query))


@blp.post("/users")
@blp.takes(UserInput)
@blp.answers(201, NewUserSchema, headers=headers("Location"))
@blp.describes(responses=problems(404, 409))
@requires("admin")
def create_user(body: dict[str, Any]) -> Any:
    """Make a user and invite them"""
    caller = current_caller()
    site = sites.site_of(caller, body.pop("site_id", caller.site_id))
    user = service.create_user(caller, site=site.name, **body)
    invitation = letters.hand_over(user, kind=letters.INVITATION, locale=str(get_locale()))
    location = url_for("api_admin.read_user", user_id=user.id)
    return {"user": user, "invitation": invitation}, 201, {"Location": location}


@blp.get("/users/<id:user_id>")
@blp.answers(200, UserSchema)
@requires("admin")
def read_user(user_id: int) -> Any:
    """Read a user"""
    return users.user_of(current_caller(), user_id)


@blp.patch("/users/<id:user_id>")
@blp.takes(UserChangeInput)
@blp.answers(200, UserSchema)
@blp.describes(responses=problems(409))
@requires("admin")
def change_user(body: dict[str, Any], user_id: int) -> Any:
    """Change role, e-mail address or site of a user, or lock them out"""
    return users.change_user(current_caller(), user_id, UserChange(**body))


@blp.post("/users/<id:user_id>/password-link")
@blp.answers(200, HandoverSchema)
@requires("admin")
def reset_password(user_id: int) -> Any:
    """Let a user choose another password

    At a one-time address. The present password works until they did.
    """
    caller = current_caller()
    return letters.reset(caller, users.user_of(caller, user_id), locale=str(get_locale()))


@blp.delete("/users/<id:user_id>/second-factor")
@blp.answers(204, description="Forgotten, or there was none")
@requires("admin")
def reset_second_factor(user_id: int) -> Any:
    """Forget a user's second step of signing in

    For who lost telephone and recovery codes. Where their role needs one, they set up another.
    """
    caller = current_caller()
    second_factor.reset(caller, users.user_of(caller, user_id))
    return Response(status=204)


@blp.get("/keys")
@blp.takes(KeyQuery, location="query")
@blp.answers(200, KeySchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("admin")
def list_keys(query: dict[str, Any]) -> Any:
    """List API keys"""
    return page_answer(keys.list_keys(current_caller(), **query))


@blp.post("/keys")
@blp.takes(KeyInput)
@blp.answers(201, NewKeySchema, headers=headers("Location"))
@blp.describes(responses=problems(404))
@requires("admin")
def create_key(body: dict[str, Any]) -> Any:
    """Make an API key"""
    caller = current_caller()
    user = users.user_of(caller, body.pop("user_id"))
    key = service.create_key(caller, username=user.username, **body)
    return key, 201, {"Location": url_for("api_admin.read_key", key_id=key.id)}


@blp.get("/keys/<id:key_id>")
@blp.answers(200, KeySchema)
@requires("admin")
def read_key(key_id: int) -> Any:
    """Read an API key"""
    return keys.key_of(current_caller(), key_id)


@blp.delete("/keys/<id:key_id>")
@blp.answers(204, description="Revoked, or ended before")
@requires("admin")
def revoke_key(key_id: int) -> Any:
    """Revoke an API key"""
    keys.end_key(current_caller(), key_id)
    return Response(status=204)


@blp.get("/sites")
@blp.takes(PageQuery, location="query")
@blp.answers(200, SiteSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("admin")
def list_sites(query: dict[str, int]) -> Any:
    """List sites, by name"""
    return page_answer(page_of(sites.list_sites(current_caller()), **query))


@blp.post("/sites")
@blp.takes(SiteInput)
@blp.answers(201, SiteSchema, headers=headers("Location"))
@blp.describes(responses=problems(409))
@requires("admin")
def create_site(body: dict[str, str]) -> Any:
    """Make a site"""
    caller = current_caller()
    site = sites.create_site(caller, name=body["name"])
    location = url_for("api_admin.read_site", site_id=site.id)
    return sites.site_of(caller, site.id), 201, {"Location": location}


@blp.get("/sites/<id:site_id>")
@blp.answers(200, SiteSchema)
@requires("admin")
def read_site(site_id: int) -> Any:
    """Read a site"""
    return sites.site_of(current_caller(), site_id)


@blp.patch("/sites/<id:site_id>")
@blp.takes(SiteChangeInput)
@blp.answers(200, SiteSchema)
@requires("admin")
def change_site(body: dict[str, int | None], site_id: int) -> Any:
    """Change the room for a site's files"""
    return sites.change_quota(current_caller(), site_id, quota_mb=body["quota_mb"])


@blp.get("/users/<id:user_id>/personal-data")
@blp.answers(200, PersonalDataSchema)
@requires("admin")
def read_personal_data(user_id: int) -> Any:
    """Read all that is stored about a user"""
    return personal.personal_data(users.user_of(current_caller(), user_id))


@blp.delete("/users/<id:user_id>")
@blp.answers(204, description="Erased")
@blp.describes(responses=problems(409))
@requires("admin")
def erase_user(user_id: int) -> Any:
    """Erase the personal data of a user

    There is no way back. What they made stays, in the audit trail under a pseudonym.
    """
    personal.erase(current_caller(), user_id)
    return Response(status=204)


@blp.get("/audit-events")
@blp.takes(EventQuery, location="query")
@blp.answers(200, EventSchema(many=True), headers=headers("Link"))
@requires("admin")
def list_events(query: dict[str, Any]) -> Any:
    """Read the audit trail

    From the newest event on. The history is long and not counted: `Link` leads to older events.
    """
    caller = current_caller()
    cursor, page_size = query.pop("cursor", None), query.pop("page_size")
    site_ids = None if sites.governs_all(caller) else (caller.site_id,)
    page = audit.events(EventFilter(site_ids=site_ids, **query), cursor=cursor, page_size=page_size)
    return cursor_answer(page.items, page.next_cursor)
