"""``/api/v1/machines``."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import machine_of
from prodapp.auth.permissions import requires
from prodapp.machines import overviews, service, setups, variables
from prodapp.machines.schemas import (
    MachineInput,
    MachineQuery,
    MachineSchema,
    VariablesSchema,
    variables_document,
)
from prodapp.machines.setup_schemas import SetupInput, SetupSchema, setup_document, setup_of
from prodapp.rest.answers import page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.variables.schemas import TableSettingsInput, settings_of

blp = ApiBlueprint(
    "api_machines",
    __name__,
    title="Machines",
    description="The machines of the plant, whose production is to be understood.",
)


@blp.get("/machines", is_kept=True)
@blp.takes(MachineQuery, location="query")
@blp.answers(200, MachineSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index(query: dict[str, Any]) -> Any:
    """List machines"""
    sort = query.pop("sort")
    page = overviews.list_machines(
        current_caller(), sort=sort.removeprefix("-"), descending=sort.startswith("-"), **query
    )
    return page_answer(page)


@blp.post("/machines")
@blp.takes(MachineInput)
@blp.answers(201, MachineSchema, headers=headers("Location"))
@blp.describes(responses=problems(409))
@requires("operator")
def create(body: dict[str, str]) -> Any:
    """Register a machine"""
    machine = service.create_machine(current_caller(), name=body["name"])
    location = url_for("api_machines.read", machine_id=machine.id)
    return overviews.overview(current_caller(), machine.id), 201, {"Location": location}


@blp.get("/machines/<id:machine_id>")
@blp.answers(200, MachineSchema)
@requires("viewer")
def read(machine_id: int) -> Any:
    """Read a machine"""
    return overviews.overview(current_caller(), machine_id)


@blp.patch("/machines/<id:machine_id>")
@blp.takes(MachineInput)
@blp.answers(200, MachineSchema)
@blp.describes(responses=problems(409))
@requires("operator")
def rename(body: dict[str, str], machine_id: int) -> Any:
    """Rename a machine"""
    service.rename_machine(current_caller(), machine_id, name=body["name"])
    return overviews.overview(current_caller(), machine_id)


@blp.delete("/machines/<id:machine_id>")
@blp.answers(204, description="Deleted")
@requires("analyst")
def delete(machine_id: int) -> Any:
    """Delete a machine

    With its data sets, runs and versions. Active runs are canceled first.
    """
    service.delete_machine(current_caller(), machine_id)
    return Response(status=204)


@blp.get("/machines/<id:machine_id>/variables")
@blp.answers(200, VariablesSchema)
@requires("viewer")
def read_variables(machine_id: int) -> Any:
    """Read what is remembered of the columns of a machine's files"""
    caller = current_caller()
    found = variables.variables_of(caller, machine_id)
    return variables_document(machine_of(caller, machine_id), found)


@blp.put("/machines/<id:machine_id>/variables")
@blp.takes(TableSettingsInput)
@blp.answers(200, VariablesSchema)
@requires("operator")
def replace_variables(body: dict[str, Any], machine_id: int) -> Any:
    """Say what the columns of a machine's files are

    In place of all that was said before; it holds for files that come from now on.
    """
    caller = current_caller()
    found = variables.save_variables(caller, machine_id, settings=settings_of(body))
    return variables_document(machine_of(caller, machine_id), found)


@blp.get("/machines/<id:machine_id>/setup")
@blp.answers(200, SetupSchema)
@requires("viewer")
def read_setup(machine_id: int) -> Any:
    """Export how a machine is set up

    For copying it to another machine or installation: no data, runs, versions or webhooks.
    """
    return setup_document(setups.setup_of_machine(current_caller(), machine_id))


@blp.post("/machines/import")
@blp.takes(SetupInput)
@blp.answers(201, MachineSchema, headers=headers("Location"))
@blp.describes(responses=problems(409))
@requires("analyst")
def import_setup(body: dict[str, Any]) -> Any:
    """Register a machine from an export"""
    machine = setups.import_machine(current_caller(), setup_of(body))
    location = url_for("api_machines.read", machine_id=machine.id)
    return overviews.overview(current_caller(), machine.id), 201, {"Location": location}


@blp.put("/machines/<id:machine_id>/setup")
@blp.takes(SetupInput)
@blp.answers(200, SetupSchema)
@blp.describes(responses=problems(409))
@requires("analyst")
def replace_setup(body: dict[str, Any], machine_id: int) -> Any:
    """Set a machine up as an export says, its name included"""
    caller = current_caller()
    setups.replace_setup(caller, machine_id, setup_of(body))
    return setup_document(setups.setup_of_machine(caller, machine_id))
