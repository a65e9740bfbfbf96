"""Machines as lists and pages show them, each with its latest run and its champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased, defer, selectinload

from prodapp.auth.objects import machine_of
from prodapp.caller import Caller
from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.extensions import db
from prodapp.models import Dataset, Machine, ModelVersion, RunState, TrainingRun, VariableRanking
from prodapp.models.training_run import ACTIVE
from prodapp.names import folded
from prodapp.pagination import DEFAULT_PAGE_SIZE, Page, clamp

STORY_LENGTH = 50
STATUSES = ("created", "queued", "training", "completed", "failed")
SORTS = ("name", "created_at", "trained_at", "r2")


@dataclass(frozen=True)
class MachineOverview:
    """A machine as lists show it.

    ``status`` is one of ``STATUSES``;
    ``r2``, ``top_variable`` and ``trained_at`` are the champion's, ``None`` before there is one.
    """

    id: int
    name: str
    status: str
    created_at: datetime
    latest_run_id: int | None
    champion_id: int | None
    target: str | None
    r2: float | None
    explains: bool | None
    top_variable: str | None
    trained_at: datetime | None


@dataclass(frozen=True)
class MachineStory:
    """What a machine's page tells; lists are newest first and bounded."""

    machine: MachineOverview
    champion: ModelVersion | None
    datasets: Sequence[Dataset]
    runs: Sequence[TrainingRun]
    versions: Sequence[ModelVersion]


def machine_status(run_state: str | None, *, has_champion: bool) -> str:
    """The status that the latest run's state means (``api.md`` §2)."""
    if run_state is None:
        return "created"
    if run_state in (RunState.QUEUED, RunState.RETRY_WAIT):
        return "queued"
    if run_state in ACTIVE:
        return "training"
    if run_state == RunState.SUCCEEDED or has_champion:
        return "completed"
    return "failed" if run_state == RunState.FAILED else "created"


def overview(caller: Caller, machine_id: int) -> MachineOverview:
    """One machine as lists show it. Raises :class:`NotFound`."""
    machine_of(caller, machine_id)
    return _to_overview(
        db.session.execute(_overviews(caller).where(Machine.id == machine_id)).one()
    )


def story(caller: Caller, machine_id: int) -> MachineStory:
    """Everything that happened to a machine lately. Raises :class:`NotFound`."""
    machine = overview(caller, machine_id)

    def latest(
        model: type[Any],
        *unread: InstrumentedAttribute[Any],
        where: Sequence[ColumnElement[bool]] = (),
    ) -> Sequence[Any]:
        return db.session.scalars(
            select(model)
            .where(model.machine_id == machine_id, *where)
            .order_by(model.id.desc())
            .limit(STORY_LENGTH)
            .options(*map(defer, unread))
        ).all()

    champion = None
    if machine.champion_id is not None:
        champion = db.session.get(
            ModelVersion, machine.champion_id, options=[selectinload(ModelVersion.ranking)]
        )
    # The documents of fifty rows take most of a page's time, and the story shows none of them.
    return MachineStory(
        machine,
        champion,
        latest(Dataset, Dataset.preview),
        latest(TrainingRun, TrainingRun.specification),
        latest(
            ModelVersion,
            ModelVersion.specification,
            ModelVersion.evidence,
            where=(ModelVersion.archived_at.is_(None),),
        ),
    )


def list_machines(
    caller: Caller,
    *,
    q: str = "",
    status: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort: str = "name",
    descending: bool = False,
    page: int = 1,
    page_size: int = DEFAULT_PAGE_SIZE,
) -> Page[MachineOverview]:
    """The machines whose name contains ``q``, a page at a time.

    Raises :class:`InvalidInput` for an unknown ``sort``.
    """
    number, size = clamp(page, page_size)
    statement = _overviews(caller)
    if q.strip():
        statement = statement.where(Machine.name_key.contains(folded(q), autoescape=True))
    if created_after is not None:
        statement = statement.where(Machine.created_at >= created_after)
    if created_before is not None:
        statement = statement.where(Machine.created_at < created_before)
    if status:
        statement = statement.where(_status_is(statement, status))
    total = db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    order = _sort_column(statement, sort)
    order = order.desc().nulls_last() if descending else order.asc().nulls_last()
    rows = db.session.execute(
        statement.order_by(order, Machine.id).limit(size).offset((number - 1) * size)
    )
    return Page([_to_overview(row) for row in rows], number, size, total)


def all_machines(caller: Caller) -> Sequence[MachineOverview]:
    """Every machine of the site in order of id, for clients that read the list whole."""
    rows = db.session.execute(_overviews(caller).order_by(Machine.id))
    return [_to_overview(row) for row in rows]


def _overviews(caller: Caller) -> Select[Any]:
    latest = (
        select(TrainingRun.machine_id, func.max(TrainingRun.id).label("run_id"))
        .group_by(TrainingRun.machine_id)
        .subquery()
    )
    run = aliased(TrainingRun)
    return (
        select(
            Machine.id,
            Machine.name,
            Machine.created_at,
            run.id.label("latest_run_id"),
            run.state.label("run_state"),
            ModelVersion.id.label("champion_id"),
            ModelVersion.target,
            ModelVersion.metrics["r2"].as_float().label("r2"),
            ModelVersion.metrics["explains"].as_boolean().label("explains"),
            ModelVersion.created_at.label("trained_at"),
            VariableRanking.feature.label("top_variable"),
        )
        .outerjoin(latest, latest.c.machine_id == Machine.id)
        .outerjoin(run, run.id == latest.c.run_id)
        .outerjoin(
            ModelVersion,
            (ModelVersion.machine_id == Machine.id) & ModelVersion.is_champion.is_(True),
        )
        .outerjoin(
            VariableRanking,
            (VariableRanking.version_id == ModelVersion.id) & (VariableRanking.rank == 1),
        )
        .where(Machine.site_id == caller.site_id, Machine.deleted_at.is_(None))
    )


def _to_overview(row: Row[Any]) -> MachineOverview:
    values = row._asdict()
    state = values.pop("run_state")
    return MachineOverview(
        status=machine_status(state, has_champion=values["champion_id"] is not None), **values
    )


def _status_is(statement: Select[Any], status: str) -> ColumnElement[bool]:
    columns = statement.selected_columns
    matching = {
        has_champion: [
            state
            for state in (None, *RunState)
            if machine_status(state, has_champion=has_champion) == status
        ]
        for has_champion in (False, True)
    }
    champion, state = columns["champion_id"], columns["run_state"]

    def among(states: list[Any]) -> ColumnElement[bool]:
        inside: ColumnElement[bool] = state.in_([s for s in states if s is not None])
        return inside | state.is_(None) if None in states else inside

    result: ColumnElement[bool] = (champion.is_(None) & among(matching[False])) | (
        champion.is_not(None) & among(matching[True])
    )
    return result


def _sort_column(statement: Select[Any], sort: str) -> ColumnElement[Any]:
    if sort not in SORTS:
        message = N_("Unknown sort %(sort)s. Use one of %(allowed)s.")
        params: dict[str, Any] = {"sort": sort, "allowed": ", ".join(SORTS)}
        raise InvalidInput(message, fields=(FieldError("/sort", message, params),), **params)
    if sort == "name":
        return Machine.name_key.expression
    column: ColumnElement[Any] = statement.selected_columns[sort]
    return column
