"""How a row that carries work moves: ``queued → running → succeeded``, failed, canceled, or again.

One :class:`Workflow` describes each kind of work; what its rows may do is the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from prodapp.models.transitions import Transitions, settled
from prodapp.models.types import db_now

REDISPATCH_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Workflow(Transitions):
    """The state machine of one kind of work, and the line that its rows wait in.

    What is for a whole table reports what it moved.
    """

    def expired(self, session: Session) -> list[int]:
        """Rows whose lease ran out: their worker is gone, paused or cut off."""
        model = self.model
        statement = select(model.id).where(model.state.in_(self.owned))
        return list(session.scalars(statement.where(model.lease_until < db_now())))

    def abandoned(self, session: Session, *, seconds: float) -> list[int]:
        """Rows that somebody should have taken back, or sent again, so many seconds ago."""
        model = self.model
        is_over = (model.lease_until < db_now(-seconds)) | model.lease_until.is_(None)
        is_late = (model.state == self.waiting) & (model.retry_at < db_now(-seconds))
        is_stuck = model.state.in_(self.owned) & is_over
        if self.waiting != self.queued:  # in the line, it may just be a long one
            is_stuck |= is_late
        statement = select(model.id).where(is_stuck)
        return list(session.scalars(statement.order_by(model.id)))

    def expire_endless(self, session: Session) -> None:
        """End the leases that have no end, which would never be over."""
        model = self.model
        session.execute(
            update(model)
            .where(model.state.in_(self.owned), model.lease_until.is_(None))
            .values(lease_until=db_now(-1))
        )

    def owned_rows(self, session: Session, *, worker_name: str) -> list[int]:
        """The rows that a worker has."""
        model = self.model
        statement = select(model.id).where(model.worker_name == worker_name)
        return list(session.scalars(statement.where(model.state.in_(self.owned))))

    def due(self, session: Session) -> list[tuple[int, int]]:
        """``(id, attempt)`` of queued rows that may start, no dispatch on its way for them."""
        model = self.model
        sent = model.dispatched_at
        where = () if self.may_start is None else (self.may_start(),)
        rows = session.execute(
            select(model.id, model.attempt)
            .where(
                model.state == self.queued,
                self.wanted,
                model.retry_at.is_(None) | (model.retry_at <= db_now()),
                sent.is_(None) | (sent < db_now(-REDISPATCH_SECONDS)),
                *where,
            )
            .order_by(model.id)
        )
        return [(row[0], row[1]) for row in rows]

    def mark_dispatched(self, session: Session, row_id: int) -> None:
        session.execute(
            update(self.model)
            .where(self.model.id == row_id, self.model.state == self.queued)
            .values(dispatched_at=db_now())
        )

    def settle_waiting(self, session: Session) -> None:
        """Move the rows that nobody works on to where they belong now."""
        if self.canceled is not None:
            self.cancel_waiting(session)
        if self.waiting != self.queued:
            self.requeue_due(session)
        if self.end_vain is not None:
            self.end_vain(session)

    def requeue_due(self, session: Session) -> int:
        """Rows that have waited long enough for another try go back into the line."""
        model = self.model
        moved = session.scalars(
            update(model)
            .where(model.state == self.waiting, model.retry_at <= db_now())
            .values(**settled(state=self.queued))
            .returning(model.id)
            .execution_options(synchronize_session=False)
        ).all()
        return len(moved)

    def cancel_waiting(self, session: Session) -> int:
        """Rows that nobody works on end as soon as nobody wants them."""
        ids = session.scalars(
            update(self.model)
            .where(self.model.state.in_((self.queued, self.waiting)), ~self.wanted)
            .values(**self._unwanted_values())
            .returning(self.model.id)
            .execution_options(synchronize_session=False)
        ).all()
        for row_id in ids:
            self.note_end(session, row_id, str(self.canceled))
        return len(ids)
