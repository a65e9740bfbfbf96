"""``/api/v1/machines/…/schedule``."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.models import Schedule
from prodapp.rest.answers import accepted, page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.retraining import service
from prodapp.retraining.schemas import FileQuery, ScheduledFileSchema, ScheduleSchema
from prodapp.schedules.schemas import PlanInput, plan_in

blp = ApiBlueprint(
    "api_schedules",
    __name__,
    title="Schedules",
    description="Folders that are watched: each new file becomes a data set, is checked against "
    "what is remembered of its machine and trained on as the version in use was; the new version "
    "is compared with it and comes into use by the machine's rule. Webhooks tell how it went "
    "(`run.succeeded`, `run.failed`, `dataset.refused`, `version.promoted`, `file.set_aside`).",
)


@blp.get("/machines/<id:machine_id>/schedule")
@blp.answers(200, ScheduleSchema)
@requires("viewer")
def read(machine_id: int) -> Any:
    """Read which folder is watched for a machine

    404 with the code `no_schedule` where none is.
    """
    return service.schedule_of(current_caller(), machine_id)


@blp.put("/machines/<id:machine_id>/schedule")
@blp.takes(PlanInput)
@blp.answers(200, ScheduleSchema)
@requires("analyst")
def replace(body: dict[str, Any], machine_id: int) -> Any:
    """Watch a folder for a machine, in place of what was"""
    return service.set_schedule(current_caller(), machine_id, plan_in(body))


@blp.delete("/machines/<id:machine_id>/schedule")
@blp.answers(204, description="Removed")
@requires("analyst")
def remove(machine_id: int) -> Any:
    """Watch no folder for a machine

    What was made of files stays; which files these were is forgotten.
    """
    service.remove_schedule(current_caller(), machine_id)
    return Response(status=204)


@blp.post("/machines/<id:machine_id>/schedule/look")
@blp.answers(202, ScheduleSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def look(machine_id: int) -> Any:
    """Look into the folder now"""
    return _accepted(service.look_now(current_caller(), machine_id))


@blp.get("/machines/<id:machine_id>/schedule/files")
@blp.takes(FileQuery, location="query")
@blp.answers(200, ScheduledFileSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def list_files(query: dict[str, Any], machine_id: int) -> Any:
    """List the files that were found, the newest first"""
    return page_answer(service.list_files(current_caller(), machine_id, **query))


@blp.get("/machines/<id:machine_id>/schedule/files/<id:file_id>")
@blp.answers(200, ScheduledFileSchema)
@requires("viewer")
def read_file(machine_id: int, file_id: int) -> Any:
    """Read what became of a file"""
    return service.file_of(current_caller(), machine_id, file_id)


@blp.post("/machines/<id:machine_id>/schedule/files/<id:file_id>/again")
@blp.answers(202, ScheduleSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def take_again(machine_id: int, file_id: int) -> Any:
    """Take a file again that was set aside"""
    return _accepted(service.take_again(current_caller(), machine_id, file_id))


def _accepted(schedule: Schedule) -> Any:
    return accepted(schedule, url_for("api_schedules.read", machine_id=schedule.machine_id))
