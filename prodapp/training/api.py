"""``/api/v1/runs``: follow training runs. ``submissions`` starts them."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import url_for

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import run_of
from prodapp.auth.permissions import requires
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.features.catalogue import STEPS
from prodapp.rest.answers import accepted, page_answer
from prodapp.rest.blueprint import ApiBlueprint
from prodapp.rest.spec import headers, problems
from prodapp.rest.waiting import WaitQuery, ended
from prodapp.training import service
from prodapp.training.catalogue_schemas import (
    AlgorithmSchema,
    StepSchema,
    describe_algorithm,
    describe_step,
)
from prodapp.training.schemas import RunQuery, RunSchema

blp = ApiBlueprint(
    "api_runs",
    __name__,
    title="Training runs",
    description="Requests to train: they wait, are worked on in the background, and end "
    "`succeeded`, `failed` or `canceled`. None gets lost.",
)


@blp.get("/algorithms")
@blp.answers(200, AlgorithmSchema(many=True))
@requires("viewer")
def algorithms() -> Any:
    """List the algorithms and their hyperparameters"""
    return [describe_algorithm(name, algorithm) for name, algorithm in ALGORITHMS.items()]


@blp.get("/engineering-steps")
@blp.answers(200, StepSchema(many=True))
@requires("viewer")
def engineering_steps() -> Any:
    """List the steps of feature engineering"""
    return [describe_step(name, step) for name, step in STEPS.items()]


@blp.get("/runs")
@blp.takes(RunQuery, location="query")
@blp.answers(200, RunSchema(many=True), headers=headers("Link", "X-Pagination"))
@requires("viewer")
def index(query: dict[str, Any]) -> Any:
    """List runs, newest first"""
    return page_answer(service.list_runs(current_caller(), **query))


@blp.get("/runs/<id:run_id>")
@blp.takes(WaitQuery, location="query")
@blp.answers(200, RunSchema)
@requires("viewer")
def read(query: dict[str, float], run_id: int) -> Any:
    """Read a run: its state, stage, progress and result"""
    look = partial(run_of, current_caller(), run_id)
    return ended(look, lambda run: not run.is_active, seconds=query["wait"])


@blp.post("/runs/<id:run_id>/cancel")
@blp.answers(202, RunSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def cancel(run_id: int) -> Any:
    """Ask a run to stop

    One that waits ends at once, one that is worked on within seconds.
    """
    return _accepted(service.cancel_run(current_caller(), run_id))


@blp.post("/runs/<id:run_id>/retry")
@blp.answers(202, RunSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def retry(run_id: int) -> Any:
    """Start a new run like one that has ended"""
    return _accepted(service.retry_run(current_caller(), run_id))


@blp.post("/versions/<id:version_id>/lagged-runs")
@blp.answers(202, RunSchema, headers=headers("Location", "Retry-After"))
@blp.describes(responses=problems(409))
@requires("operator")
def create_lagged(version_id: int) -> Any:
    """Train again with the dead times that a version found

    As it was trained, with lags of these variables; 409 with the code `no_lags` where it found
    none.
    """
    return _accepted(service.start_lagged_run(current_caller(), version_id))


def _accepted(run: Any) -> Any:
    return accepted(run, url_for("api_runs.read", run_id=run.id))
