"""All checks in their order, and the mending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prodapp.doctor import database, host, processes, rows
from prodapp.doctor.files import FileChecks, Progress
from prodapp.doctor.findings import Check, Finding

HOST: tuple[Check, ...] = (host.disks, host.storage_takes_files, host.scratch, host.secret_key)
QUEUE: tuple[Check, ...] = (processes.queue_answers,)
# Each of these is of use only where the one before found nothing.
FOUNDATION: tuple[Check, ...] = (database.answers, database.schema, database.soundness)
ROWS: tuple[Check, ...] = (
    database.drift,
    database.clock,
    processes.somebody_works,
    processes.their_clocks,
    rows.stuck_work,
    rows.contradictions,
)


@dataclass(frozen=True)
class Diagnosis:
    """A finding, and whether it is gone now."""

    finding: Finding
    is_mended: bool


def examine(
    *, is_fixing: bool, is_quick: bool, backups: Path, progress: Progress
) -> list[Diagnosis]:
    """Run every check that makes sense; with ``is_fixing`` mend what is safe to mend.

    ``is_quick`` does not read the contents of files; ``backups`` is the folder from whose backups
    lost files are brought back.
    """
    found = [item for check in (*HOST, *QUEUE) for item in _run(check, is_fixing=is_fixing)]
    for check in FOUNDATION:
        trouble = _run(check, is_fixing=is_fixing)
        found += trouble
        if trouble:
            return found
    checks: tuple[Check, ...] = (*ROWS, FileChecks(progress, is_quick, backups))
    return found + [item for check in checks for item in _run(check, is_fixing=is_fixing)]


def _run(check: Check, *, is_fixing: bool) -> list[Diagnosis]:
    findings = list(check())
    mends = {finding.mend for finding in findings if finding.mend is not None}
    if not is_fixing or not mends:
        return [Diagnosis(finding, is_mended=False) for finding in findings]
    for mend in mends:
        mend()
    remaining = _names(check())
    return [
        Diagnosis(finding, is_mended=(finding.code, finding.where) not in remaining)
        for finding in findings
    ]


def _names(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(finding.code, finding.where) for finding in findings}
