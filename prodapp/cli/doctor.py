"""``flask doctor``: what is wrong here, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from prodapp.backup import archive
from prodapp.cli.base import (
    EXIT_REFUSED,
    EXIT_UNAVAILABLE,
    command,
    json_option,
    print_json,
)
from prodapp.cli.progress import progress_bars
from prodapp.doctor.examination import Diagnosis, examine
from prodapp.doctor.findings import Severity
from prodapp.exceptions import in_english

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@command("doctor")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend.")
@click.option("--quick", is_flag=True, help="Do not read the contents of all files.")
@click.option(
    "--backups",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where --fix finds lost files again. Default: backups/ in the instance folder.",
)
@json_option
def doctor(fix: bool, quick: bool, backups: Path | None, as_json: bool) -> None:
    """Look for what is wrong with this installation, and say what to do about it.

    Run it where prodapp runs: it looks at this host's disks, folders and clock, at the database,
    the queue, the other processes, at rows that contradict each other, and at every stored file.
    docs/operations.md lists all findings.

    Exit codes: 0 all is well (or is again, with --fix), 1 something is wrong, 5 the database does
    not answer or has no tables, so that most could not be looked at.
    """
    with progress_bars() as progress:
        found = examine(
            is_fixing=fix,
            is_quick=quick,
            backups=backups or archive.default_folder(),
            progress=progress,
        )
    if as_json:
        print_json([_document(item) for item in found])
    else:
        for item in found:
            _print(item, is_fixing=fix)
        n_mended = sum(item.is_mended for item in found)
        said = f"{len(found)} findings, {n_mended} of them mended." if found else "All is well."
        click.echo(said)
    remaining = {item.finding.code for item in found if not item.is_mended}
    if remaining & {"database_away", "schema_missing"}:
        raise SystemExit(EXIT_UNAVAILABLE)
    if remaining:
        raise SystemExit(EXIT_REFUSED)


def _print(item: Diagnosis, *, is_fixing: bool) -> None:
    finding = item.finding
    head = f"{finding.severity:<8} {finding.code:<26} {finding.where}"
    click.secho(head, fg="green" if item.is_mended else COLOURS[finding.severity])
    click.echo(f"  {in_english(finding.message, finding.params)}")
    if item.is_mended:
        click.echo("  Mended.")
        return
    click.echo(f"  {in_english(finding.advice, finding.params)}")
    if finding.mend is not None:
        click.echo("  It could not be mended." if is_fixing else "  Or: flask doctor --fix")


def _document(item: Diagnosis) -> dict[str, Any]:
    finding = item.finding
    return {
        "code": finding.code,
        "severity": finding.severity,
        "where": finding.where,
        "message": in_english(finding.message, finding.params),
        "advice": in_english(finding.advice, finding.params),
        "is_mendable": finding.mend is not None,
        "is_mended": item.is_mended,
    }
