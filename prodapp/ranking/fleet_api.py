"""``/api/v1/variables``: one variable over sister machines."""

from __future__ import annotations

from typing import Any

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.ranking import fleet
from prodapp.ranking.fleet_schemas import FleetQuery, FleetSchema, KnownSchema
from prodapp.rest.blueprint import ApiBlueprint

blp = ApiBlueprint(
    "api_fleet",
    __name__,
    title="Sister machines",
    description="What the versions in use of all machines say of one variable.",
)


@blp.get("/variables")
@blp.answers(200, KnownSchema(many=True))
@requires("viewer")
def index() -> Any:
    """List the variables of all machines' versions in use, those of most machines first"""
    return fleet.known_variables(current_caller())


@blp.get("/variables/comparison")
@blp.takes(FleetQuery, location="query")
@blp.answers(200, FleetSchema)
@requires("viewer")
def compare(query: dict[str, str]) -> Any:
    """Compare a variable over the machines that have it

    None are listed where no version in use has a variable of this name.
    """
    return fleet.compare_machines(current_caller(), query["name"])
