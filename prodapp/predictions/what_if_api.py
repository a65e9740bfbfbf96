"""``/api/v1/…/what-if``: answers to suppositions."""

from __future__ import annotations

from typing import Any

from flask import jsonify, make_response

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.predictions import what_if
from prodapp.predictions.versions import ServedVersion, named_version, version_in_use
from prodapp.predictions.what_if_documents import what_if_document
from prodapp.predictions.what_if_schemas import WhatIfInput, WhatIfSchema
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import problems

blp = ApiBlueprint("api_what_if", __name__, title="Predictions", description="")


@blp.post("/machines/<id:machine_id>/what-if")
@blp.takes(WhatIfInput)
@blp.answers(200, WhatIfSchema)
@blp.describes(responses=problems(409))
@requires("operator")
def of_machine(body: dict[str, Any], machine_id: int) -> Any:
    """Suppose other settings, with the version in use of a machine

    Nothing is kept: a prediction that shall be is one of `predictions`.
    """
    return _answer(version_in_use(current_caller(), machine_id), body)


@blp.post("/versions/<id:version_id>/what-if")
@blp.takes(WhatIfInput)
@blp.answers(200, WhatIfSchema)
@blp.describes(responses=problems(409))
@requires("operator")
def of_version(body: dict[str, Any], version_id: int) -> Any:
    """Suppose other settings, with a version that is named

    Nothing is kept: a prediction that shall be is one of `predictions`.
    """
    return _answer(named_version(current_caller(), version_id), body)


def _answer(version: ServedVersion, body: dict[str, Any]) -> Any:
    found = what_if.ask(current_caller(), version, what_if.Question(**body))
    return make_response(jsonify(what_if_document(found)))
