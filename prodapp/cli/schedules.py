"""``flask schedule …``."""

from __future__ import annotations

from typing import Any

import click

from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.told import Told, ask, tells
from prodapp.models import Schedule, ScheduledFile
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.retraining import service
from prodapp.retraining.outcome import outcome_of, problem_of
from prodapp.schedules import DEFAULT_PATTERN, DEFAULT_TIMEZONE, Plan, plan_of

schedule = DomainGroup("schedule", help="Folders whose new files are trained on by themselves.")
FILE_COLUMNS = ("id", "name", "size_bytes", "dataset_id", "run_id", "created_at")


@schedule.command("set")
@click.argument("machine_id", type=int)
@click.argument("folder")
@click.argument("cron")
@click.option("--pattern", default=DEFAULT_PATTERN, show_default=True, help="Names of files.")
@click.option("--timezone", default=DEFAULT_TIMEZONE, show_default=True, help="CRON's time zone.")
@click.option("--off", is_flag=True, help="Keep it, but look at nothing.")
@tells
def set_schedule(
    machine_id: int, folder: str, cron: str, pattern: str, timezone: str, off: bool
) -> Told:
    """Watch FOLDER for a machine, at the times of CRON (five fields, in quotes)."""
    plan = Plan(folder, cron, pattern, timezone, is_active=not off)
    return _told(service.set_schedule(cli_caller(), machine_id, plan))


@schedule.command("show")
@click.argument("machine_id", type=int)
@tells
def show_schedule(machine_id: int) -> Told:
    """Show which folder is watched for a machine, and how the last look went."""
    return _told(service.schedule_of(cli_caller(), machine_id))


@schedule.command("look")
@click.argument("machine_id", type=int)
@tells
def look(machine_id: int) -> Told:
    """Have the dispatcher look into the folder now."""
    return _told(service.look_now(cli_caller(), machine_id))


@schedule.command("files")
@click.argument("machine_id", type=int)
@click.option("--state", type=click.Choice(service.STATES), help="Only these.")
@json_option
def list_files(machine_id: int, state: str | None, as_json: bool) -> None:
    """List the hundred files that were found last, and what became of them."""
    found = service.list_files(cli_caller(), machine_id, state=state, page_size=MAX_PAGE_SIZE)
    rows = [_file(file) for file in found.items]
    if as_json:
        print_json(rows)
    else:
        print_table([*FILE_COLUMNS, "outcome", "error"], [list(row.values()) for row in rows])


@schedule.command("again")
@click.argument("machine_id", type=int)
@click.argument("file_id", type=int)
@tells
def take_again(machine_id: int, file_id: int) -> Told:
    """Take a file again that was set aside."""
    return _told(service.take_again(cli_caller(), machine_id, file_id))


@schedule.command("remove")
@click.argument("machine_id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@tells
def remove_schedule(machine_id: int, yes: bool) -> Told:
    """Watch no folder for a machine; what was made of files stays."""
    found = service.schedule_of(cli_caller(), machine_id)
    ask(f"Watch {found.folder} no more?", is_sure=yes)
    service.remove_schedule(cli_caller(), machine_id)
    return Told(f"{found.folder} is not watched any more.", {"machine_id": machine_id})


def _told(found: Schedule) -> Told:
    moment = found.next_attempt_at
    document: dict[str, Any] = {
        "machine_id": found.machine_id,
        **plan_of(found).to_json(),
        "next_look_at": moment,
        "looked_at": found.looked_at,
        "problem": problem_of(found),
    }
    when = "off" if moment is None else f"looked into next at {moment:%Y-%m-%d %H:%M} UTC"
    text = f"{found.folder} ({found.pattern}): {when}"
    problem = document["problem"]
    return Told(text, document, asides=() if problem is None else (problem["detail"],))


def _file(file: ScheduledFile) -> dict[str, Any]:
    return {
        **columns_of(file, FILE_COLUMNS),
        "outcome": outcome_of(file),
        "error": file.error_code,
    }
