"""``/api/v1/versions/…``: which version is in use, and what is said of each."""

from __future__ import annotations

from typing import Any

from flask import url_for

from prodapp.artifacts import library_changes
from prodapp.auth.guard import current_caller
from prodapp.auth.objects import machine_of, version_of
from prodapp.auth.permissions import requires
from prodapp.ranking import service as rankings
from prodapp.ranking.schemas import VersionSchema
from prodapp.rest.answers import accepted
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.training.schemas import RunSchema
from prodapp.versions import comparison, service
from prodapp.versions import pictures as drawn
from prodapp.versions.report_files import MIMETYPES, report_answer
from prodapp.versions.schemas import (
    ArtifactSchema,
    ChampionChangeSchema,
    NotesInput,
    PictureSchema,
    ReasonInput,
    ReportQuery,
    RuleInput,
    RuleSchema,
    VersionComparisonSchema,
)

blp = ApiBlueprint(
    "api_champions",
    __name__,
    title="Versions and rankings",
    description="Which version of a machine is in use.",
)


@blp.get("/machines/<id:machine_id>/champion")
@blp.answers(200, VersionSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def champion(machine_id: int) -> Any:
    """Read a machine's version in use

    409 with the code `not_trained` before there is one.
    """
    return rankings.champion(current_caller(), machine_id)


@blp.get("/machines/<id:machine_id>/champion/history")
@blp.answers(200, ChampionChangeSchema(many=True))
@requires("viewer")
def history(machine_id: int) -> Any:
    """List the changes of a machine's version in use, the latest first"""
    return service.history(current_caller(), machine_id)


@blp.post("/machines/<id:machine_id>/champion/rollback")
@blp.takes(ReasonInput)
@blp.answers(200, VersionSchema)
@blp.describes(responses=problems(409))
@requires("analyst")
def roll_back(body: dict[str, str], machine_id: int) -> Any:
    """Go back to the version that was in use before

    `If-Match` takes the ETag of the machine's `champion`. 409 with the code `no_former` where there
    is no earlier one.
    """
    return service.roll_back(current_caller(), machine_id, reason=body["reason"])


@blp.get("/machines/<id:machine_id>/promotion")
@blp.answers(200, RuleSchema)
@requires("viewer")
def read_rule(machine_id: int) -> Any:
    """Read when a machine's new versions come into use by themselves"""
    return machine_of(current_caller(), machine_id)


@blp.put("/machines/<id:machine_id>/promotion")
@blp.takes(RuleInput)
@blp.answers(200, RuleSchema)
@requires("analyst")
def change_rule(body: dict[str, str | None], machine_id: int) -> Any:
    """Say when a machine's new versions come into use by themselves"""
    return service.set_rule(current_caller(), machine_id, rule=body["rule"])


@blp.post("/versions/<id:version_id>/promote")
@blp.takes(ReasonInput)
@blp.answers(200, VersionSchema)
@blp.describes(responses=problems(409))
@requires("analyst")
def promote(body: dict[str, str], version_id: int) -> Any:
    """Bring a version into use"""
    return service.promote(current_caller(), version_id, reason=body["reason"])


@blp.post("/versions/<id:version_id>/retrain")
@blp.answers(202, RunSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def retrain(version_id: int) -> Any:
    """Start a run with the data and specification of a version

    For one whose model file cannot be opened any more.
    """
    run = service.train_again(current_caller(), version_id)
    return accepted(run, url_for("api_runs.read", run_id=run.id))


@blp.get("/versions/<id:version_id>/comparison/<id:other_id>")
@blp.answers(200, VersionComparisonSchema)
@blp.describes(responses=problems(409))
@requires("viewer")
def compare(version_id: int, other_id: int) -> Any:
    """Set two versions of a machine side by side

    409 with the code `other_machine` where they are of different machines.
    """
    return comparison.compare(current_caller(), version_id, other_id)


@blp.get("/versions/<id:version_id>/pictures")
@blp.answers(200, PictureSchema(many=True))
@requires("viewer")
def pictures(version_id: int) -> Any:
    """Read the pictures of a version, each with its finding and its data"""
    return drawn.pictures(version_of(current_caller(), version_id))


@blp.get("/versions/<id:version_id>/report")
@blp.takes(ReportQuery, location="query")
@blp.describes(
    responses={
        "200": {
            "description": "The report, in the language of Accept-Language.",
            "content": {kind: {"schema": {"type": "string"}} for kind in MIMETYPES.values()},
            "headers": headers("Content-Disposition"),
        }
    }
)
@requires("viewer")
def report(query: dict[str, str], version_id: int) -> Any:
    """Download the report of a version, for people without the application"""
    return report_answer(version_of(current_caller(), version_id), query["format"])


@blp.get("/versions/<id:version_id>/artifact")
@blp.answers(200, ArtifactSchema)
@requires("viewer")
def check_artifact(version_id: int) -> Any:
    """Check the model file of a version

    It is opened as a prediction would open it. 422 with a code where it is refused:
    `artifact_changed`, `artifact_unsigned`, `artifact_forged`, `artifact_refused`,
    `artifact_outdated`; 404 where it is missing.
    """
    version = service.check_artifact(current_caller(), version_id)
    then, now = library_changes(version)
    return {"version": version, "made_with": then, "opened_with": now}


@blp.post("/versions/<id:version_id>/archive")
@blp.answers(200, VersionSchema)
@blp.describes(responses=problems(409))
@requires("analyst")
def archive(version_id: int) -> Any:
    """Take a version out of sight

    Lists leave it out unless asked; it stays readable and can be taken back.
    """
    return service.set_archived(current_caller(), version_id, is_archived=True)


@blp.post("/versions/<id:version_id>/unarchive")
@blp.answers(200, VersionSchema)
@requires("analyst")
def unarchive(version_id: int) -> Any:
    """Take a version out of the archive"""
    return service.set_archived(current_caller(), version_id, is_archived=False)


@blp.patch("/versions/<id:version_id>")
@blp.takes(NotesInput)
@blp.answers(200, VersionSchema)
@requires("operator")
def note(body: dict[str, str], version_id: int) -> Any:
    """Say something of a version"""
    return service.set_notes(current_caller(), version_id, notes=body["notes"])
