"""``/api/v1/…/goal``: which settings the data support for what is wanted."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.models import ModelVersion
from prodapp.ranking import goals, service
from prodapp.ranking.goal_schemas import GoalQuery, GoalSchema
from prodapp.ranking.goal_sentences import goal_sentence
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import problems

blp = ApiBlueprint("api_goals", __name__, title="Versions and rankings", description="")


@blp.get("/machines/<id:machine_id>/goal")
@blp.takes(GoalQuery, location="query")
@blp.answers(200, GoalSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def of_machine(query: dict[str, Any], machine_id: int) -> Any:
    """Seek settings of the levers, by the version in use of a machine

    Nothing is computed again: the training compared all settings that were run often enough.
    """
    return _answer(service.champion(current_caller(), machine_id), query)


@blp.get("/versions/<id:version_id>/goal")
@blp.takes(GoalQuery, location="query")
@blp.answers(200, GoalSchema)
@requires("viewer")
def of_version(query: dict[str, Any], version_id: int) -> Any:
    """Seek settings of the levers for a target value, or for as good as possible

    Nothing is computed again: the training compared all settings that were run often enough.
    """
    return _answer(service.get_version(current_caller(), version_id), query)


def _answer(version: ModelVersion, query: dict[str, Any]) -> dict[str, Any]:
    answer = goals.seek(version, goals.Wanted(**query))
    return {**asdict(answer), "sentence": goal_sentence(version, answer)}
