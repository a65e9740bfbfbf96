"""What all commands share: errors as messages with exit codes, tables, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import click
from flask.cli import AppGroup, with_appcontext

from prodapp.auth.service import system_caller
from prodapp.caller import Caller
from prodapp.exceptions import DomainError, NotFound

EXIT_REFUSED = 1
EXIT_NOT_FOUND = 3
EXIT_RUN_FAILED = 4

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def fail(error: DomainError) -> NoReturn:
    """End the command with the error's message on standard error and a code scripts can read."""
    click.secho(f"Error: {error}", fg="red", err=True)
    for field in error.fields:
        detail = field.message % field.params if field.params else field.message
        if detail != str(error):
            click.echo(f"  {field.pointer.strip('/')}: {detail}", err=True)
    raise SystemExit(EXIT_NOT_FOUND if isinstance(error, NotFound) else EXIT_REFUSED)


class DomainGroup(AppGroup):
    """A group of commands that run in the application and turn domain errors into messages."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DomainError as error:
            fail(error)


class DomainCommand(click.Command):
    """A single command of the same manners."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DomainError as error:
            fail(error)


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a top-level command that runs in the application."""

    def declare(function: Callable[..., Any]) -> click.Command:
        return click.command(name, cls=DomainCommand)(with_appcontext(function))

    return declare


def cli_caller() -> Caller:
    """Who acts at the command line: whoever may run it owns the installation."""
    return system_caller(name="cli", kind="cli")


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns that line up; numbers to the right."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [
        max(len(text) for text in column) for column in zip(list(headers), *cells, strict=True)
    ]
    are_numbers = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        for i in range(len(headers))
    ]

    def line(texts: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(texts, widths, are_numbers, strict=True)
        )
        return "  ".join(padded).rstrip()

    click.secho(line(headers), bold=True)
    for row in cells:
        click.echo(line(row))


def columns_of(row: Any, names: Sequence[str]) -> Mapping[str, Any]:
    """Some attributes of an object as a plain mapping."""
    return {name: getattr(row, name) for name in names}


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
