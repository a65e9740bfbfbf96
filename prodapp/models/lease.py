"""Work that a worker owns for a while: the columns, and the transitions that only the owner makes.

Each transition is one ``UPDATE`` that names the state, attempt and lease token which it expects,
by the database's clock. Touching no row means: somebody else has it, stop (``runs.md``).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, String, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from prodapp import metrics, tracing
from prodapp.exceptions import DomainError, LeaseLost
from prodapp.extensions import after_commit
from prodapp.models.types import Json, Timestamp, db_now

LEASE_SECONDS = 20.0
# The newest way of writing work down that this release can carry out. Raise it when a row gets
# something to say that a worker of the release before would not heed, or would refuse as unknown:
# such workers then leave the rows to those who can (see docs/development.md).
FORMAT = 2
# What figures call the work of a table; the states of work that waits for another try, that ended.
WORK_KINDS = {"training_runs": "run", "datasets": "import"}
RETURNED = ("queued", "retry_wait")
ENDED = ("succeeded", "failed", "canceled", "ready", "refused")


class Leased:
    """Columns of a row that carries work: a training run, the import of a data set.

    ``format`` is how the row's documents were written: workers take no row of a newer one than
    they know, and rows that a release without this column wrote are of the first.
    ``attempt`` counts claims, ``n_failures`` the work's own failures, ``n_lost`` the workers that
    vanished with it in a row. ``trace_parent`` is the span that asked for the work (W3C Trace
    Context), where traces are kept. ``error_message`` is a template (see ``DomainError``).
    """

    format: Mapped[int] = mapped_column(default=FORMAT, server_default="1")
    state: Mapped[str] = mapped_column(String(20), index=True)
    stage: Mapped[str | None] = mapped_column(String(40))
    progress: Mapped[float] = mapped_column(default=0.0)
    trace_parent: Mapped[str | None] = mapped_column(String(55), default=tracing.traceparent)
    attempt: Mapped[int] = mapped_column(default=0)
    n_failures: Mapped[int] = mapped_column(default=0)
    n_lost: Mapped[int] = mapped_column(default=0)
    worker_name: Mapped[str | None] = mapped_column(String(100))
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[Timestamp | None]
    dispatched_at: Mapped[Timestamp | None]
    retry_at: Mapped[Timestamp | None]
    started_at: Mapped[Timestamp | None]
    finished_at: Mapped[Timestamp | None]
    error_code: Mapped[str | None] = mapped_column(String(40))
    error_message: Mapped[str | None] = mapped_column(String(2000))
    error_params: Mapped[dict[str, Any] | None] = mapped_column(Json)


LeasedModel = TypeVar("LeasedModel", bound=Leased)


class Wish(Enum):
    """What a worker should do with the work that its child is at."""

    CONTINUE = "continue"
    CANCEL = "cancel"
    LET_GO = "let go"  # it ended, or another worker has it


class HorseDeath(Enum):
    """Why a worker's child ended without saying how its work went."""

    CANCELED = "canceled"  # stopped because its work was not wanted any more
    HANDED_BACK = "handed back"  # stopped because its worker was asked to stop
    OUT_OF_MEMORY = "out of memory"
    TIMEOUT = "timeout"  # stopped because it took longer than it may and did not notice itself
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Failure:
    """Why work ended badly; ``message`` is a template for ``params`` (see ``DomainError``)."""

    code: str
    message: str
    params: dict[str, Any]

    @classmethod
    def of(cls, error: DomainError) -> Failure:
        """The failure that a domain error means, its params as JSON; numbers stay numbers."""
        params = {
            name: value if isinstance(value, int | float | str) else str(value)
            for name, value in error.params.items()
        }
        return cls(error.error_code, error.message, params)


@dataclass(frozen=True)
class Lease:
    """Proof of ownership: which row, which attempt, under which token."""

    row_id: int
    attempt: int
    token: str


def claim_row(
    session: Session,
    model: type[Any],
    row_id: int,
    *,
    worker_name: str,
    queued: str,
    running: str,
    where: tuple[ColumnElement[bool], ...] = (),
) -> Lease | None:
    """Take a ``queued`` row for ``worker_name``; ``None`` when it is not there to take.

    Somebody else was faster, or a newer release wrote it in a format that this one does not know:
    it stays in the line then, and the dispatcher offers it again.
    """
    token = secrets.token_hex(16)
    attempt = session.scalar(
        update(model)
        .where(model.id == row_id, model.state == queued, model.format <= FORMAT, *where)
        .values(
            state=running,
            stage=None,
            progress=0.0,
            attempt=model.attempt + 1,
            worker_name=worker_name,
            lease_token=token,
            lease_until=db_now(LEASE_SECONDS),
            retry_at=None,
            started_at=db_now(),
            finished_at=None,
        )
        .returning(model.attempt)
    )
    return None if attempt is None else Lease(row_id, attempt, token)


def advance(
    session: Session,
    model: type[Any],
    lease: Lease,
    *,
    expect: tuple[str, ...],
    where: tuple[ColumnElement[bool], ...] = (),
    **values: Any,
) -> None:
    """Change a row that ``lease`` owns and that is in one of the ``expect`` states.

    Raises :class:`LeaseLost` when the row is not there any more: nothing was changed. What ends
    the work, or sends it back into the line, is counted once it is committed.
    """
    changed = session.execute(
        update(model)
        .where(
            model.id == lease.row_id,
            model.state.in_(expect),
            model.attempt == lease.attempt,
            model.lease_token == lease.token,
            *where,
        )
        .values(**values)
        .returning(model.started_at, model.finished_at)
    ).all()
    if len(changed) != 1:
        raise LeaseLost(f"{model.__tablename__} {lease.row_id}, attempt {lease.attempt}")
    if "state" in values:
        started_at, finished_at = changed[0]
        seconds = (finished_at - started_at).total_seconds() if finished_at and started_at else None
        error = values.get("error_code") if finished_at else None
        count_end(session, model, values["state"], error=error, seconds=seconds)


def work_kind(model: type[Any]) -> str:
    """What figures and traces call the work that rows of ``model`` carry."""
    return WORK_KINDS.get(model.__tablename__, str(model.__tablename__))


def count_end(
    session: Session,
    model: type[Any],
    state: str,
    *,
    error: str | None = None,
    seconds: float | None = None,
) -> None:
    """Count that a row of ``model`` came to ``state`` after so many ``seconds`` of its attempt.

    Once that is committed, and where ``state`` is an end or waits for another try.
    """
    kind = work_kind(model)
    if state in RETURNED:
        after_commit(session, metrics.WORK_RETURNED.labels(kind).inc)
    elif state in ENDED:
        after_commit(session, metrics.WORK_FINISHED.labels(kind, state, error or "").inc)
        if seconds is not None:
            observed = max(0.0, seconds)
            after_commit(session, lambda: metrics.WORK_SECONDS.labels(kind).observe(observed))


def settled(**values: Any) -> dict[str, Any]:
    """Values of a row that nobody owns any more, with ``values`` on top."""
    return {"lease_token": None, "lease_until": None, "dispatched_at": None, **values}
