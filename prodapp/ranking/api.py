"""``/api/v1/versions`` and rankings."""

from __future__ import annotations

from typing import Any

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.ranking import service
from prodapp.ranking.schemas import ARCHIVED, RankingSchema, VersionQuery, VersionSchema
from prodapp.rest.answers import page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems

blp = ApiBlueprint(
    "api_versions",
    __name__,
    title="Versions and rankings",
    description="What runs published: a model's metrics, and the variables in order of what they "
    "do to the target.",
)


@blp.get("/versions")
@blp.takes(VersionQuery, location="query")
@blp.answers(200, VersionSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index(query: dict[str, Any]) -> Any:
    """List model versions, newest first"""
    query["archived"] = ARCHIVED[query["archived"]]
    return page_answer(service.list_versions(current_caller(), **query))


@blp.get("/versions/<id:version_id>")
@blp.answers(200, VersionSchema)
@requires("viewer")
def read(version_id: int) -> Any:
    """Read a model version"""
    return service.get_version(current_caller(), version_id)


@blp.get("/versions/<id:version_id>/ranking")
@blp.answers(200, RankingSchema)
@requires("viewer")
def ranking(version_id: int) -> Any:
    """Read the ranking of a version"""
    return service.get_version(current_caller(), version_id)


@blp.get("/machines/<id:machine_id>/ranking")
@blp.answers(200, RankingSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def ranking_of_machine(machine_id: int) -> Any:
    """Read the ranking of a machine's version in use

    409 with the code `not_trained` before there is one.
    """
    return service.champion(current_caller(), machine_id)
