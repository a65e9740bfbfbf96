"""``flask backup …``: everything of the installation in a folder, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from prodapp.backup import archive, creation, restoration, verification
from prodapp.backup.archive import Manifest
from prodapp.backup.verification import Problem
from prodapp.cli.base import (
    EXIT_REFUSED,
    DomainGroup,
    cli_caller,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.progress import progress_bars
from prodapp.exceptions import N_, NotFound, in_english
from prodapp.formatting import filesize

backup = DomainGroup(
    "backup",
    help="""Backups of everything: the rows of the database and the files they speak of.

    A backup holds all data, results and accounts (passwords, keys and links as hashes); keep it
    as safe as the installation, and not on the same disk. SECRET_KEY and other settings are not in
    it. docs/operations.md tells more.
    """,
)
folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where backups are kept. Default: backups/ in the instance folder.",
)


@backup.command("create")
@folder_option
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="Afterwards remove all but the newest so many backups of the folder.",
)
@json_option
def create_backup(folder: Path | None, keep: int | None, as_json: bool) -> None:
    """Write a backup, while prodapp runs.

    It is one moment of the installation. Ends with code 1 where a file is missing from the
    installation itself: the backup is made all the same, without it, and replaces no older one.
    """
    with progress_bars() as progress:
        made = creation.create(cli_caller(), _folder(folder), keep=keep, progress=progress)
    if as_json:
        removed = [str(path) for path in made.removed]
        print_json({**_document(made.path, made.manifest), "removed": removed})
    else:
        click.echo(f"{made.path}: {_contents(made.manifest)}.")
        for path in made.removed:
            click.echo(f"Removed {path}.")
    if made.manifest.missing:
        _warn(
            f"{len(made.manifest.missing)} files of the installation are missing or damaged, so "
            "they are not in the backup. Run: flask doctor"
        )
        raise SystemExit(EXIT_REFUSED)


@backup.command("list")
@folder_option
@json_option
def list_backups(folder: Path | None, as_json: bool) -> None:
    """List the whole backups of the folder, oldest first."""
    found = archive.find_backups(_folder(folder))
    if as_json:
        print_json([_document(path, manifest) for path, manifest in found])
        return
    headers = ("name", "made", "prodapp", "database", "rows", "files", "size", "missing")
    print_table(
        headers,
        [
            (
                path.name,
                manifest.created_at,
                manifest.prodapp,
                manifest.engine,
                manifest.n_rows,
                len(manifest.files),
                filesize(manifest.size),
                len(manifest.missing),
            )
            for path, manifest in found
        ],
    )


@backup.command("verify")
@click.argument("name", required=False)
@folder_option
@json_option
def verify_backup(name: str | None, folder: Path | None, as_json: bool) -> None:
    """Read a backup whole: is everything there, and as it was?

    NAME is a backup of the folder or a path; without it the newest one is read. Ends with code 1
    where something is wrong.
    """
    path = _path(name, folder)
    with progress_bars() as progress:
        result = verification.verify(path, progress=progress)
    problems = [_told(problem) for problem in result.problems]
    if as_json:
        print_json({**_document(path, result.manifest), "problems": problems})
    else:
        click.echo(f"{path}: {_contents(result.manifest)}.")
        for problem in problems:
            _warn(problem)
        if not problems:
            click.echo("Everything is there, and as it was.")
    if problems:
        raise SystemExit(EXIT_REFUSED)


@backup.command("restore")
@click.argument("name")
@folder_option
@click.option("--replace", is_flag=True, help="Replace what the installation holds.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def restore_backup(name: str, folder: Path | None, replace: bool, yes: bool, as_json: bool) -> None:
    """Make this installation what the backup NAME (or path) holds.

    Stop prodapp first; the backup is verified before anything is touched. The tables are made as
    they were and brought up to this prodapp's. A backup of SQLite can be restored to PostgreSQL
    and the other way round. Everybody has to sign in again.
    """
    path = _path(name, folder)
    if replace and not yes and not restoration.is_empty():
        if not sys.stdin.isatty():
            raise click.UsageError("--replace asks first; without a terminal add --yes.")
        click.confirm("Replace everything that this installation holds?", abort=True)
    with progress_bars() as progress:
        done = restoration.restore(path, is_replacing=replace, progress=progress)
    if as_json:
        print_json(_document(path, done.manifest))
    else:
        click.echo(f"Restored {_contents(done.manifest)} from {path}.")
    if done.missing:
        _warn(
            f"{len(done.missing)} files were missing already when the backup was made. "
            "Run: flask doctor"
        )


def _folder(given: Path | None) -> Path:
    return (given or archive.default_folder()).absolute()


def _path(name: str | None, folder: Path | None) -> Path:
    """The backup that a person means: one of the folder, or one anywhere."""
    home = _folder(folder)
    if name is not None:
        inside = home / name
        return inside if inside.is_dir() else Path(name).absolute()
    found = archive.find_backups(home)
    if not found:
        raise NotFound(N_("There is no backup in %(folder)s."), folder=str(home))
    return found[-1][0]


def _document(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "name": path.name,
        "path": str(path),
        "created_at": manifest.created_at,
        "prodapp": manifest.prodapp,
        "revision": manifest.revision,
        "engine": manifest.engine,
        "n_rows": manifest.n_rows,
        "n_files": len(manifest.files),
        "size_bytes": manifest.size,
        "missing": list(manifest.missing),
    }


def _contents(manifest: Manifest) -> str:
    size = filesize(manifest.size)
    return f"{manifest.n_rows} rows and {len(manifest.files)} files ({size})"


def _told(problem: Problem) -> str:
    return in_english(problem.message, problem.params)


def _warn(words: str) -> None:
    click.secho(words, fg="yellow", err=True)
