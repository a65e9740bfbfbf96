"""Backups of the filled installation, and its rows for comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from prodapp.backup import creation
from prodapp.backup.creation import Creation
from prodapp.caller import Caller
from prodapp.extensions import db

Rows = dict[str, list[dict[str, Any]]]
Make = Callable[..., Creation]
# What a restore ends on purpose, and what belongs to the moment.
ENDED = {"user_sessions": "revoked_at", "refresh_tokens": "revoked_at", "sign_in_links": "used_at"}


def quiet(stage: str, done: int, whole: int) -> None:
    """Nobody looks at the progress."""


def rows_now() -> Rows:
    """Every row of every table, as the models give them."""
    db.session.rollback()
    found = {}
    for table in db.metadata.sorted_tables:
        if table.name == "process_presences":
            continue
        rows = db.session.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        hidden = ENDED.get(table.name)
        found[table.name] = [
            {name: value for name, value in row.items() if name != hidden} for row in rows
        ]
    db.session.rollback()
    return found


def without_backup_notes(rows: Rows) -> Rows:
    """Without what backup and restore wrote into the audit trail themselves."""
    kept = [row for row in rows["audit_events"] if not row["action"].startswith("backup.")]
    return {**rows, "audit_events": kept}


@pytest.fixture
def make_backup(owner: Caller, tmp_path: Path) -> Make:
    """A function that backs the installation up."""

    def make(*, folder: Path | None = None, keep: int | None = None) -> Creation:
        target = folder or tmp_path / "backups"
        return creation.create(owner, target, keep=keep, progress=quiet)

    return make
