"""Files and the rows that speak of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prodapp import dispatcher
from prodapp.doctor.findings import Finding, Severity
from prodapp.exceptions import N_, NotFound
from prodapp.extensions import db
from prodapp.models.file_references import FileReference, file_references
from prodapp.storage import CHUNK, storage

Progress = Callable[[str, int, int], None]
# The dispatcher sweeps what is five minutes old, once a minute.
ORPHAN_SECONDS = 2 * dispatcher.ORPHAN_SECONDS

KINDS = {"source_key": "upload", "table_key": "table", "artifact_key": "model"}
AGAIN = {
    "source_key": N_("Copy it from a backup (%(place)s in it), or upload the file again."),
    "table_key": N_("Copy it from a backup (%(place)s in it), or upload the file again."),
    "artifact_key": N_("Copy it from a backup (%(place)s in it), or train the machine again."),
}


@dataclass(frozen=True)
class FileChecks:
    """``progress`` follows the reading of contents; ``is_quick`` leaves that out."""

    progress: Progress
    is_quick: bool

    def __call__(self) -> Iterator[Finding]:
        """Missing and damaged files, and files that nobody speaks of."""
        # In this order: a file is stored before any row speaks of it.
        old = storage().keys(unchanged_since=datetime.now(UTC) - timedelta(seconds=ORPHAN_SECONDS))
        spoken_of = _references()
        stored = set(storage().keys(unchanged_since=datetime.max.replace(tzinfo=UTC)))
        missing = spoken_of.keys() - stored
        still = _references().keys() if missing else set()  # purged meanwhile?
        for key in sorted(missing & still):
            yield _finding("file_missing", spoken_of[key], N_("%(row)s: the file is missing."))
        if not self.is_quick:
            yield from self._damaged({key: spoken_of[key] for key in spoken_of.keys() & stored})
        orphans = sorted(set(old) - spoken_of.keys())
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
                yield _finding(
                    "file_damaged",
                    spoken_of[key],
                    N_("%(row)s: the file is not what it was when it was stored."),
                )


def place_of(key: str) -> str:
    """Where a file is, in the storage and in a backup alike."""
    return f"files/{key[:2]}/{key}"


def _references() -> dict[str, FileReference]:
    with db.engine.connect() as connection:
        return {found.key: found for found in file_references(connection, db.metadata)}


def _is_damaged(key: str) -> bool:
    sha = hashlib.sha256()
    try:
        with storage().open(key) as file:
            while chunk := file.read(CHUNK):
                sha.update(chunk)
    except NotFound:  # gone since it was listed, with its machine
        return False
    except OSError:  # it is there and cannot be read
        return True
    return sha.hexdigest() != key


def _finding(code: str, reference: FileReference, message: str) -> Finding:
    row = f"{reference.table}:{reference.row_id} ({reference.column})"
    place = place_of(reference.key)
    told = {"row": row, "place": place}
    return Finding(code, Severity.ERROR, place, message, AGAIN[reference.column], told)
