"""What becomes of one row of work: claimed, done, failed, given back; by its owner alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from prodapp import metrics
from prodapp.exceptions import LeaseLost
from prodapp.extensions import after_commit, before_commit
from prodapp.models.lease import FORMAT, LEASE_SECONDS, Failure, Lease, Wish
from prodapp.models.types import db_now

MAX_FAILURES = 3
MAX_LOST = 5
MAX_OUT_OF_MEMORY = 2


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """The transitions of one kind of leased row, statement by statement (``runs.md``).

    Each is one ``UPDATE`` inside the caller's transaction that names the state, attempt and lease
    token which it expects, by the database's clock. Those that take a lease raise
    :class:`LeaseLost` when they touch no row: somebody else has it, and nothing was changed.

    ``name`` is what log and failpoints call a row, ``kind`` what figures call its work, ``job``
    the function that the queue names. ``ending`` is the state out of which work succeeds.
    ``unwanted_since`` names the column with the time at which people stopped to want the work, and
    ``canceled`` the state that such work ends in; ``None`` leaves it in the line, where nobody
    takes it. Work that is to be tried again is ``waiting`` until its time has come.
    ``lost_message`` is for work whose workers keep vanishing: a template with ``times``.
    ``may_start`` says what must be true before a queued row is sent, ``end_vain`` ends those for
    which it never will be.
    ``on_end`` is called with the id of a row that ended, in the transaction that ends it and after
    all else of it is written.
    """

    name: str
    kind: str
    job: str
    model: type[Any]
    running: str
    ending: str
    succeeded: str
    failed: str
    canceled: str | None
    unwanted_since: str
    lost_message: str
    on_end: Callable[[Session, int], None]
    may_start: Callable[[], ColumnElement[bool]] | None = None
    end_vain: Callable[[Session], object] | None = None
    queued: str = "queued"
    waiting: str = "queued"
    backoff_seconds: tuple[float, ...] = (5.0,)

    @property
    def owned(self) -> tuple[str, ...]:
        """The states in which a worker has the row."""
        return (self.running, self.ending)

    @property
    def wanted(self) -> ColumnElement[bool]:
        """That somebody still wants the work."""
        column: ColumnElement[Any] = getattr(self.model, self.unwanted_since)
        return column.is_(None)

    def claim(self, session: Session, row_id: int, *, worker_name: str) -> Lease | None:
        """Take a queued row for ``worker_name``; ``None`` when it is not there to take.

        Somebody else was faster, nobody wants it any more, or a newer release wrote it in a format
        that this one does not know: it stays in the line then, and is offered again.
        """
        model, token = self.model, secrets.token_hex(16)
        attempt = session.scalar(
            update(model)
            .where(
                model.id == row_id,
                model.state == self.queued,
                model.format <= FORMAT,
                self.wanted,
            )
            .values(
                state=self.running,
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

    def note_progress(self, session: Session, lease: Lease, *, stage: str, progress: float) -> None:
        """Say where the work is; refused once nobody wants it any more."""
        self.advance(session, lease, where=(self.wanted,), stage=stage, progress=progress)

    def succeed(self, session: Session, lease: Lease, **content: Any) -> None:
        """The work is done: ``content`` goes into its row.

        A cancel that was accepted until now counts: nothing of it may be published after that.
        """
        values = settled(
            state=self.succeeded,
            progress=1.0,
            finished_at=db_now(),
            error_code=None,
            error_message=None,
            error_params=None,
            **content,
        )
        self.advance(session, lease, expect=(self.ending,), where=(self.wanted,), **values)

    def fail(self, session: Session, lease: Lease, failure: Failure) -> None:
        """End the work for good: trying again would not help."""
        self.advance(session, lease, **self.failure_values(failure))

    def fail_or_retry(self, session: Session, lease: Lease, row: Any, failure: Failure) -> None:
        """Count a failure that another try may not meet; the last one ends the work."""
        n_failures = row.n_failures + 1
        limit = MAX_OUT_OF_MEMORY if failure.code == "out_of_memory" else MAX_FAILURES
        values = self.failure_values(failure)
        if n_failures < limit:
            seconds = self.backoff_seconds[min(n_failures, len(self.backoff_seconds)) - 1]
            values |= {"state": self.waiting, "retry_at": db_now(seconds), "finished_at": None}
        self.advance(session, lease, **values, n_failures=n_failures, n_lost=0)

    def end_unwanted(self, session: Session, lease: Lease) -> None:
        """Let go of the work that ``lease`` owns, if nobody wants it any more."""
        self.advance(session, lease, where=(~self.wanted,), **self._unwanted_values())

    def lose(
        self,
        session: Session,
        row: Any,
        *,
        is_expired: bool = False,
        is_handed_back: bool = False,
    ) -> None:
        """A worker vanished with the row: no attempt is spent, unless it keeps happening.

        ``is_expired`` takes the row only while its lease is over: it may have been renewed just
        now. ``is_handed_back`` is a worker that was asked to stop: that says nothing of the work.
        """
        n_lost = row.n_lost + (0 if is_handed_back else 1)
        if getattr(row, self.unwanted_since) is not None:
            values = self._unwanted_values()
        elif n_lost >= MAX_LOST:
            failure = Failure("worker_lost", self.lost_message, {"times": n_lost})
            values = self.failure_values(failure)
        else:
            values = settled(state=self.waiting, retry_at=db_now(), worker_name=None)
        where = (self.model.lease_until < db_now(),) if is_expired else ()
        lease = Lease(row.id, row.attempt, row.lease_token or "")
        self.advance(session, lease, where=where, **values, n_lost=n_lost)

    def advance(
        self,
        session: Session,
        lease: Lease,
        *,
        expect: tuple[str, ...] = (),
        where: tuple[ColumnElement[bool], ...] = (),
        **values: Any,
    ) -> None:
        """Change a row that ``lease`` owns and that is in one of the ``expect`` states, or any.

        What ends the work, or sends it back into the line, is counted once it is committed.
        """
        model = self.model
        changed = session.execute(
            update(model)
            .where(
                model.id == lease.row_id,
                model.state.in_(expect or self.owned),
                model.attempt == lease.attempt,
                model.lease_token == lease.token,
                *where,
            )
            .values(**values)
            .returning(model.started_at, model.finished_at)
        ).all()
        if len(changed) != 1:
            raise LeaseLost(f"{self.name} {lease.row_id}, attempt {lease.attempt}")
        if "state" in values:
            began, ended = changed[0]
            seconds = (ended - began).total_seconds() if ended and began else None
            error = values.get("error_code") if ended else None
            self.note_end(session, lease.row_id, values["state"], error=error, seconds=seconds)

    def renew_lease(self, session: Session, row_id: int, *, worker_name: str) -> None:
        """Prolong the lease of the worker whose child has the row; what is lost stays lost."""
        session.execute(
            update(self.model)
            .where(*self._owned_by(row_id, worker_name))
            .values(lease_until=db_now(LEASE_SECONDS))
        )

    def wish(self, session: Session, row_id: int, *, worker_name: str) -> Wish:
        """What the worker whose child has the row should do with it."""
        is_wanted = session.scalar(select(self.wanted).where(*self._owned_by(row_id, worker_name)))
        if is_wanted is None:
            return Wish.LET_GO
        return Wish.CONTINUE if is_wanted else Wish.CANCEL

    def note_end(
        self,
        session: Session,
        row_id: int,
        state: str,
        *,
        error: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """Count that a row came to ``state`` after so many ``seconds`` of its attempt, once that is
        committed; where it is an end and not another wait, tell it too."""
        if state in (self.queued, self.waiting):
            after_commit(session, metrics.WORK_RETURNED.labels(self.kind).inc)
        elif state in (self.succeeded, self.failed, self.canceled):
            before_commit(session, lambda: self.on_end(session, row_id))
            finished = metrics.WORK_FINISHED.labels(self.kind, state, error or "")
            after_commit(session, finished.inc)
            if seconds is not None:
                observe = metrics.WORK_SECONDS.labels(self.kind).observe
                after_commit(session, lambda: observe(max(0.0, seconds)))

    def failure_values(self, failure: Failure) -> dict[str, Any]:
        """The values of a row that ended with ``failure``."""
        return settled(
            state=self.failed,
            finished_at=db_now(),
            error_code=failure.code,
            error_message=failure.message,
            error_params=failure.params,
        )

    def _unwanted_values(self) -> dict[str, Any]:
        if self.canceled is None:
            return settled(state=self.queued, worker_name=None)
        return settled(state=self.canceled, finished_at=db_now())

    def _owned_by(self, row_id: int, worker_name: str) -> tuple[ColumnElement[bool], ...]:
        model = self.model
        return (
            model.id == row_id,
            model.state.in_(self.owned),
            model.worker_name == worker_name,
        )


def settled(**values: Any) -> dict[str, Any]:
    """Values of a row that nobody owns any more, with ``values`` on top."""
    return {"lease_token": None, "lease_until": None, "dispatched_at": None, **values}
