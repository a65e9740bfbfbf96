"""``flask dataset …``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from prodapp.auth.objects import dataset_of
from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    overrides_of,
    pairs_of,
    print_json,
    print_table,
    reading_options,
)
from prodapp.cli.told import Told, ask, tells
from prodapp.datasets import drafts, service
from prodapp.datasets.assembly import APPEND, JOIN, Assembly
from prodapp.datasets.documents import preview_document
from prodapp.datasets.exclusions import set_exclusions
from prodapp.datasets.memory import Memory, look_at
from prodapp.exceptions import in_english
from prodapp.ml.assembly import DIRECTIONS, OPERATORS
from prodapp.models import Dataset
from prodapp.variables import SENSES, ColumnSettings, TableSettings

dataset = DomainGroup("dataset", help="Uploaded data.")
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataset.command("preview")
@click.argument("file", type=_FILE)
@click.option("--target", help="Look for columns that state this one.")
@reading_options
@json_option
def preview(file: Path, target: str | None, as_json: bool, **reading: Any) -> None:
    """Show how FILE would be read; nothing is stored."""
    memory = Memory()
    with file.open("rb") as source:
        look = look_at(source, filename=file.name, overrides=overrides_of(reading), memory=memory)
    document = preview_document(look, memory, target=target)
    if as_json:
        print_json(document)
    else:
        print_preview(document)


@dataset.command("import")
@click.argument("machine_id", type=int)
@click.argument("file", type=_FILE)
@click.option("--draft", is_flag=True, help="Only store it; it waits for: flask dataset confirm.")
@reading_options
@json_option
def import_dataset(machine_id: int, file: Path, draft: bool, as_json: bool, **reading: Any) -> None:
    """Upload FILE for a machine and show how it will be read.

    Without choices of its own it is read as the machine's last confirmed file.
    """
    with file.open("rb") as source:
        row = service.register_dataset(
            cli_caller(),
            machine_id=machine_id,
            source=source,
            filename=file.name,
            overrides=overrides_of(reading),
            is_draft=draft,
        )
    _show(row, as_json=as_json)


@dataset.command("reread")
@click.argument("dataset_id", type=int)
@reading_options
@json_option
def reread(dataset_id: int, as_json: bool, **reading: Any) -> None:
    """Read a draft anew, by these choices in place of those it had."""
    row = drafts.reread(cli_caller(), dataset_id, overrides=overrides_of(reading))
    _show(row, as_json=as_json)


@dataset.command("confirm")
@click.argument("dataset_id", type=int)
@click.option("--target", help="The column that says how well the machine produced.")
@click.option("--sense", type=click.Choice(SENSES), help="What is wanted of the target.")
@click.option("--goal", type=float, help="The value to hold it at.")
@click.option("--role", "roles", multiple=True, metavar="COLUMN=ROLE", help="As lever (repeat).")
@click.option("--label", "labels", multiple=True, metavar="COLUMN=TEXT", help="Its friendly name.")
@click.option("--unit", "units", multiple=True, metavar="COLUMN=UNIT", help="Its unit.")
@click.option("--append-to", type=int, metavar="ID", help="Put its rows below another data set.")
@click.option("--join-to", type=int, metavar="ID", help="Join laboratory results by time.")
@click.option("--time", help="The column of times of that data set; found by default.")
@click.option("--laboratory-time", help="The file's own column of times; found by default.")
@click.option("--tolerance", type=float, default=60.0, show_default=True, help="In minutes.")
@click.option("--delay", type=float, default=0.0, help="From machine to sample, in minutes.")
@click.option(
    "--direction",
    type=click.Choice(DIRECTIONS),
    default=DIRECTIONS[0],
    help="Whether more of the target is better.",
)
@json_option
def confirm(
    dataset_id: int,
    target: str | None,
    sense: str | None,
    goal: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Import a draft, with what there is to say of its columns."""
    said = {name: pairs_of(options[f"{name}s"]) for name in ("label", "unit", "role")}
    names = dict.fromkeys(name for pairs in said.values() for name in pairs)
    columns = tuple(
        ColumnSettings(name, **{key: pairs.get(name) for key, pairs in said.items()})
        for name in names
    )
    settings = TableSettings(columns, target, sense, goal)
    row = drafts.confirm(
        cli_caller(), dataset_id, settings=settings, assembly=_assembly_of(options)
    )
    _show(row, as_json=as_json)


@dataset.command("exclude")
@click.argument("dataset_id", type=int)
@click.option("--label", default="", help="A word for these rows, as start-up.")
@click.option(
    "--where",
    type=(str, click.Choice(OPERATORS), str),
    multiple=True,
    metavar="COLUMN OPERATOR VALUE",
    help='Rows for which this holds (repeat: all of it). For "in", commas between values; for '
    '"missing" and "present" an empty value.',
)
@click.option("--time", help="The column that --start and --end are of.")
@click.option("--start", help="From this time on, as 2026-03-01T06:00.")
@click.option("--end", help="Up to this time.")
@click.option("--first-row", type=click.IntRange(1), help="From this row of the table on.")
@click.option("--last-row", type=click.IntRange(1), help="Up to this row.")
@click.option("--clear", is_flag=True, help="First take back all that was left out before.")
@json_option
def exclude(
    dataset_id: int,
    where: tuple[tuple[str, str, str], ...],
    clear: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Leave rows out of the runs on a data set that start from now on.

    Those left out before stay so unless --clear is given, which alone takes all of them back.
    """
    conditions = [
        {"column": column, "operator": operator, "value": _value(operator, text)}
        for column, operator, text in where
    ]
    given = {name: value for name, value in options.items() if value is not None}
    kept = [] if clear else _exclusions_of(dataset_of(cli_caller(), dataset_id))
    added = [{**given, "conditions": conditions}] if conditions or set(given) > {"label"} else []
    if not added and not clear:
        raise click.UsageError("Say which rows: --where, --start, --end, --first-row, --last-row.")
    row = set_exclusions(cli_caller(), dataset_id, exclusions=[*kept, *added])
    if as_json:
        print_json(row.exclusions or [])
        return
    print_table(
        ("label", "rows"), [[one["label"] or "–", one["n_rows"]] for one in row.exclusions or []]
    )


@dataset.command("delete")
@click.argument("dataset_id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@tells
def delete(dataset_id: int, yes: bool) -> Told:
    """Delete a data set; versions that were trained on it stay."""
    caller = cli_caller()
    found = dataset_of(caller, dataset_id)
    filename = found.filename
    ask(f"Delete {filename}?", is_sure=yes)
    service.discard(caller, dataset_id)
    return Told(f"Deleted {filename}.", {"id": dataset_id, "filename": filename})


@dataset.command("show")
@click.argument("dataset_id", type=int)
@json_option
def show_dataset(dataset_id: int, as_json: bool) -> None:
    """Show how a data set is read: decisions, remarks, columns."""
    _show(dataset_of(cli_caller(), dataset_id), as_json=as_json)


@dataset.command("list")
@click.argument("machine_id", type=int)
@json_option
def list_datasets(machine_id: int, as_json: bool) -> None:
    """List the latest data sets of a machine."""
    names = ("id", "filename", "state", "n_rows", "n_columns", "size_bytes", "created_at")
    page = service.list_datasets(cli_caller(), machine_id=machine_id, page_size=100)
    rows = [columns_of(row, names) for row in page.items]
    if as_json:
        print_json(rows)
    else:
        print_table(names, [list(row.values()) for row in rows])


def _show(row: Dataset, *, as_json: bool) -> None:
    if as_json:
        names = ("id", "machine_id", "filename", "state", "n_rows", "n_columns", "overrides")
        error = in_english(row.error_message, row.error_params or {}) if row.error_message else None
        more = ("settings", "exclusions", "preview", "error_code")
        print_json({**columns_of(row, (*names, *more)), "error": error})
        return
    click.echo(f"Data set {row.id} of machine {row.machine_id}: {row.filename} ({row.state})")
    if row.error_message:
        click.secho(in_english(row.error_message, row.error_params or {}), fg="red")
    for one in row.exclusions or []:
        click.echo(f"  left out: {one['n_rows']} rows {one['label']}".rstrip())
    print_preview(row.preview)


def print_preview(document: Mapping[str, Any]) -> None:
    """Decisions, remarks, differences and columns as text."""
    for decision in document["decisions"]:
        reason = decision["reason"] % decision["params"]
        of = f" of {decision['column']}" if decision.get("column") else ""
        click.echo(f"  {decision['name']}{of}: {decision['value']} – {reason}")
    for remark in (*document["remarks"], *document.get("differences", ())):
        click.echo(f"  {remark['severity']}: {in_english(remark['message'], remark['params'])}")
        if remark.get("remedy"):
            options = (f"--override '{key}={value}'" for key, value in remark["remedy"].items())
            click.echo(f"    to mend it: {' '.join(options)}")
    profile = document.get("profile") or {}
    for suspect in profile.get("suspects", ()):
        reason = suspect["reason"] % suspect["params"]
        click.echo(f"  may state the target: {suspect['name']} – {reason}")
    roles = {column["name"]: column["role"] for column in profile.get("columns", ())}
    headers = ("name", "kind", "role", "n_missing", "n_distinct", "minimum", "maximum")
    rows = [{**c, "role": roles.get(c["name"], c["role"])} for c in document["columns"]]
    print_table(headers, [[row[name] for name in headers] for row in rows])


def _assembly_of(options: Mapping[str, Any]) -> Assembly | None:
    append, join = options["append_to"], options["join_to"]
    if append is not None and join is not None:
        raise click.UsageError("Give --append-to or --join-to, not both.")
    if append is not None:
        return Assembly(APPEND, append, time=options["time"])
    if join is None:
        return None
    return Assembly(
        JOIN,
        join,
        time=options["time"],
        laboratory_time=options["laboratory_time"],
        tolerance_minutes=options["tolerance"],
        direction=options["direction"],
        delay_minutes=options["delay"],
    )


def _exclusions_of(row: Dataset) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in one.items() if key != "n_rows"}
        for one in row.exclusions or ()
    ]


def _value(operator: str, text: str) -> str | list[str] | None:
    if operator in ("missing", "present"):
        return None
    return [part.strip() for part in text.split(",")] if operator == "in" else text
