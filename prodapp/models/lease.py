"""Work that a worker owns for a while: the columns of its row, and the words of those who do it.

How such a row moves from state to state is :mod:`prodapp.models.workflow`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from prodapp import tracing
from prodapp.exceptions import DomainError
from prodapp.models.types import Json, Timestamp

LEASE_SECONDS = 20.0
# The newest way of writing work down that this release can carry out. Raise it when a row gets
# something to say that a worker of the release before would not heed, or would refuse as unknown:
# such workers then leave the rows to those who can (see docs/development.md).
FORMAT = 3


class Leased:
    """Columns of a row that carries work: a training run, an import, a batch of predictions.

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
