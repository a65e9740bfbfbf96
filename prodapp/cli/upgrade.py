"""``flask upgrade``: backup, migrations, examination; or everything as it was."""

from __future__ import annotations

from pathlib import Path

import click

from prodapp import upgrade as upgrades
from prodapp.backup import archive
from prodapp.cli.base import cli_caller, command, json_option, print_json
from prodapp.cli.progress import progress_bars


@command("upgrade")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the backup goes. Default: backups/ in the instance folder.",
)
@click.option("--no-backup", is_flag=True, help="Make none: one was made just now.")
@json_option
def upgrade(folder: Path | None, no_backup: bool, as_json: bool) -> None:
    """Bring the tables up to this version of prodapp.

    Makes a backup and reads it back, runs all migrations as one step, and examines the tables
    before that counts. Whatever fails, the tables and rows are as they were and the command ends
    with 1; run it again once the reason is mended. Where the tables are the newest already, nothing
    is done. prodapp may go on running meanwhile: see docs/operations.md.

    \b
    Examples:
      flask upgrade
      flask upgrade --folder /mnt/backups/prodapp --json
    """
    place = None if no_backup else (folder or archive.default_folder()).absolute()
    with progress_bars() as progress:
        done = upgrades.upgrade(cli_caller, place, progress=progress)
    if as_json:
        backup = None if done.backup is None else str(done.backup)
        told = {"before": done.before, "after": done.after, "backup": backup}
        print_json({**told, "has_changed": done.has_changed})
        return
    if not done.has_changed:
        click.echo(f"The tables are the newest already ({done.after}).")
        return
    if done.backup is not None:
        click.echo(f"Backup: {done.backup}")
    click.echo(f"Upgraded from {done.before or 'nothing'} to {done.after}.")
