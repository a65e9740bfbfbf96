"""``/api/v1/versions`` and rankings."""

from __future__ import annotations

from typing import Any

from flask import Response

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.ranking import acceptances, effects, lags, levers, service
from prodapp.ranking.alarm_schemas import AcceptanceInput, AlarmSchema
from prodapp.ranking.alarms import alarms
from prodapp.ranking.finding_schemas import EffectSchema, LagSchema, LeverSchema
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


@blp.get("/versions", is_kept=True)
@blp.takes(VersionQuery, location="query")
@blp.answers(200, VersionSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index(query: dict[str, Any]) -> Any:
    """List model versions, newest first"""
    query["archived"] = ARCHIVED[query["archived"]]
    return page_answer(service.list_versions(current_caller(), **query))


@blp.get("/versions/<id:version_id>", is_kept=True)
@blp.answers(200, VersionSchema)
@requires("viewer")
def read(version_id: int) -> Any:
    """Read a model version"""
    return service.get_version(current_caller(), version_id)


@blp.get("/versions/<id:version_id>/ranking", is_kept=True)
@blp.answers(200, RankingSchema)
@requires("viewer")
def ranking(version_id: int) -> Any:
    """Read the ranking of a version"""
    return service.get_version(current_caller(), version_id)


@blp.get("/machines/<id:machine_id>/ranking", is_kept=True)
@blp.answers(200, RankingSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def ranking_of_machine(machine_id: int) -> Any:
    """Read the ranking of a machine's version in use

    409 with the code `not_trained` before there is one.
    """
    return service.champion(current_caller(), machine_id)


@blp.get("/versions/<id:version_id>/alarms")
@blp.answers(200, AlarmSchema(many=True))
@requires("viewer")
def list_alarms(version_id: int) -> Any:
    """List the alarms of a version

    Those that nobody accepted first, of them the gravest.
    """
    return alarms(service.get_version(current_caller(), version_id))


@blp.put("/versions/<id:version_id>/alarms/<string:key>/acceptance")
@blp.takes(AcceptanceInput)
@blp.answers(200, AlarmSchema(many=True))
@requires("analyst")
def accept_alarm(body: dict[str, str], version_id: int, key: str) -> Any:
    """Accept an alarm

    With the reason why it may stand. It holds for every version of the machine that raises it.
    """
    caller = current_caller()
    return alarms(acceptances.accept_alarm(caller, version_id, key, reason=body["reason"]))


@blp.delete("/versions/<id:version_id>/alarms/<string:key>/acceptance")
@blp.answers(204, description="Taken back")
@requires("analyst")
def take_back(version_id: int, key: str) -> Any:
    """Let an accepted alarm count again"""
    acceptances.take_back(current_caller(), version_id, key)
    return Response(status=204)


@blp.get("/versions/<id:version_id>/effects")
@blp.answers(200, EffectSchema(many=True))
@requires("viewer")
def list_effects(version_id: int) -> Any:
    """List the curves of effect of a version

    Of its strongest variables; none for versions of earlier releases.
    """
    return effects.effects(service.get_version(current_caller(), version_id))


@blp.get("/versions/<id:version_id>/levers")
@blp.answers(200, LeverSchema(many=True))
@requires("viewer")
def list_levers(version_id: int) -> Any:
    """List the windows of operation of a version

    Of variables that were said to be levers, where it was said what is wanted of the target;
    never of those that are noise. Association, not cause.
    """
    return levers.levers(service.get_version(current_caller(), version_id))


@blp.get("/versions/<id:version_id>/lags")
@blp.answers(200, LagSchema(many=True))
@requires("viewer")
def list_lags(version_id: int) -> Any:
    """List the dead times that a version found

    Where rows follow each other in time: how many rows later a variable goes along with the target.
    `POST /api/v1/versions/{id}/lagged-runs` trains with them.
    """
    return lags.lags(service.get_version(current_caller(), version_id))
