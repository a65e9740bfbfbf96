"""Files and the rows that speak of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import IO

from prodapp import dispatcher
from prodapp.backup.archive import Tally, chunks, file_path, find_backups
from prodapp.doctor.findings import Finding, Severity
from prodapp.exceptions import N_, NotFound
from prodapp.extensions import db
from prodapp.models.file_references import FileReference, file_references
from prodapp.storage import storage

Progress = Callable[[str, int, int], None]
# The dispatcher sweeps what is five minutes old, once a minute.
ORPHAN_SECONDS = 2 * dispatcher.ORPHAN_SECONDS

AGAIN = {
    "result_key": N_("Copy it from a backup (%(place)s in it), or send the batch again."),
    "source_key": N_("Copy it from a backup (%(place)s in it), or upload the file again."),
    "table_key": N_("Copy it from a backup (%(place)s in it), or upload the file again."),
    "held_out_key": N_("Copy it from a backup (%(place)s in it), or train the machine again."),
    "artifact_key": N_("Copy it from a backup (%(place)s in it), or train the machine again."),
}


@dataclass(frozen=True)
class FileChecks:
    """``progress`` follows the reading of contents; ``is_quick`` leaves that out.

    ``backups`` is the folder from whose backups lost files are brought back.
    """

    progress: Progress
    is_quick: bool
    backups: Path

    def __call__(self) -> Iterator[Finding]:
        """Missing and damaged files, and files that nobody speaks of."""
        # In this order: a file is stored before any row speaks of it.
        grown_up = datetime.now(UTC) - timedelta(seconds=ORPHAN_SECONDS)
        old = set(storage().keys(unchanged_since=grown_up))
        spoken_of = _references()
        stored = set(storage().keys(unchanged_since=datetime.max.replace(tzinfo=UTC)))
        missing = spoken_of.keys() - stored
        still = _references().keys() if missing else set()  # purged meanwhile?
        for key in sorted(missing & still):
            yield self._lost("file_missing", spoken_of[key], N_("%(row)s: the file is missing."))
        if not self.is_quick:
            yield from self._damaged({key: spoken_of[key] for key in spoken_of.keys() & stored})
        orphans = sorted(old - spoken_of.keys())
        if orphans:
            yield Finding(
                "file_orphan",
                Severity.WARNING,
                place_of(orphans[0]),
                N_("%(n)s stored files belong to no row, as %(place)s."),
                N_("A dispatcher that is running removes them."),
                {"n": len(orphans), "place": place_of(orphans[0])},
                mend=dispatcher.sweep,
            )

    def _damaged(self, spoken_of: dict[str, FileReference]) -> Iterator[Finding]:
        for n, key in enumerate(sorted(spoken_of)):
            self.progress("files", n, len(spoken_of))
            if _is_damaged(key):
                yield self._lost(
                    "file_damaged",
                    spoken_of[key],
                    N_("%(row)s: the file is not what it was when it was stored."),
                )

    def _lost(self, code: str, reference: FileReference, message: str) -> Finding:
        row = f"{reference.table}:{reference.row_id} ({reference.column})"
        place = place_of(reference.key)
        copies = self._copies.get(reference.key)
        return Finding(
            code,
            Severity.ERROR,
            place,
            message,
            AGAIN[reference.column],
            {"row": row, "place": place},
            mend=None if copies is None else partial(_bring_back, reference.key, copies),
        )

    @cached_property
    def _copies(self) -> dict[str, list[Path]]:
        """By key the copies of it that backups hold, newest first."""
        found: dict[str, list[Path]] = {}
        for backup, manifest in reversed(find_backups(self.backups)):
            for key in manifest.files:
                found.setdefault(key, []).append(file_path(backup, key))
        return found


def place_of(key: str) -> str:
    """Where a file is, in the storage and in a backup alike."""
    return f"files/{key[:2]}/{key}"


def _references() -> dict[str, FileReference]:
    with db.engine.connect() as connection:
        return {found.key: found for found in file_references(connection, db.metadata)}


def _is_damaged(key: str) -> bool:
    try:
        with storage().open(key) as file:
            return _sha256(file) != key
    except NotFound:  # gone since it was listed, with its machine
        return False
    except OSError:  # it is there and cannot be read
        return True


def _sha256(file: IO[bytes]) -> str:
    tally = Tally()
    for chunk in chunks(file):
        tally.add(chunk)
    return tally.sha256


def _bring_back(key: str, copies: list[Path]) -> None:
    """Store the first copy that is sound; a file's name says what its content has to be."""
    for copy in copies:
        with suppress(OSError), copy.open("rb") as source:
            if _sha256(source) == key:
                source.seek(0)
                storage().put(source)
                return
