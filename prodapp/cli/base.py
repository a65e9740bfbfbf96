"""What all commands share: errors as messages with exit codes, tables, JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError, ProgrammingError

from prodapp.auth.service import system_caller
from prodapp.caller import Caller
from prodapp.cli.examples import EXAMPLES
from prodapp.exceptions import DomainError, N_, NotFound, Unavailable
from prodapp.extensions import db
from prodapp.ml.intake.choices import COLUMN_CHOICES, FILE_CHOICES
from prodapp.models import User

EXIT_REFUSED = 1
EXIT_NOT_FOUND = 3
EXIT_RUN_FAILED = 4
EXIT_UNAVAILABLE = 5

#: Below the help of every command.
EXIT_CODES = (
    "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not found, 4 the run failed, 5 the database "
    "is away or has no tables."
)

Function = TypeVar("Function", bound=Callable[..., Any])
log = logging.getLogger(__name__)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


READING = ("encoding", "delimiter", "decimal", "header")


def reading_options(function: Function) -> Function:
    """Options that decide instead of intake how a file is read; see :func:`overrides_of`."""
    known = ", ".join((*FILE_CHOICES, *(f"{name}:COLUMN" for name in COLUMN_CHOICES)))
    for option in (
        click.option(
            "--override",
            "overrides",
            multiple=True,
            metavar="NAME=VALUE",
            help=f"Any other choice (repeat): {known}.",
        ),
        click.option("--header", type=click.Choice(["yes", "no"]), help="Has the file a header?"),
        click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark."),
        click.option("--delimiter", help="What parts the columns; detected by default."),
        click.option("--encoding", help="As utf-8 or cp1252; detected by default."),
    ):
        function = option(function)
    return function


def overrides_of(options: Mapping[str, Any]) -> dict[str, str]:
    """What the reading options say, without those that were left to intake."""
    named = {name: value for name in READING if (value := options[name]) is not None}
    return named | pairs_of(options["overrides"])


def pairs_of(texts: Iterable[str]) -> dict[str, str]:
    """Options of the form NAME=VALUE; the first equals sign parts them."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.UsageError(f"Write NAME=VALUE, not {text!r}.")
        pairs[name] = value
    return pairs


def fail(error: DomainError) -> NoReturn:
    """End the command with the error's message on standard error and a code scripts can read."""
    click.secho(f"Error: {error}", fg="red", err=True)
    for field in error.fields:
        detail = field.message % field.params if field.params else field.message
        if detail != str(error):
            click.echo(f"  {field.pointer.strip('/')}: {detail}", err=True)
    codes = {NotFound: EXIT_NOT_FOUND, Unavailable: EXIT_UNAVAILABLE}
    raise SystemExit(codes.get(type(error), EXIT_REFUSED))


@contextmanager
def manners() -> Iterator[None]:
    """Errors that a person can mend end the command with a message; others keep their trace."""
    try:
        yield
    except DomainError as error:
        fail(error)
    except (OperationalError, ProgrammingError) as error:
        trouble = _database_trouble()
        if trouble is None:
            raise
        log.debug("database trouble", exc_info=error)
        fail(trouble)


def _database_trouble() -> DomainError | None:
    """What keeps the database from working at all, if something does."""
    db.session.rollback()
    try:
        has_tables = inspect(db.engine).has_table(User.__tablename__)
    except OperationalError:
        return Unavailable(N_("The database does not answer. Check DATABASE_URL."))
    if not has_tables:
        return Unavailable(N_("The database has no tables yet. Run: flask db upgrade"))
    return None


class DomainGroup(AppGroup):
    """A group of commands that run in the application, with :func:`manners`."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        super().add_command(_teaching(cmd, f"{self.name} {name or cmd.name}"), name)

    def invoke(self, ctx: click.Context) -> Any:
        with manners():
            return super().invoke(ctx)


class DomainCommand(click.Command):
    """A single command of the same manners."""

    def invoke(self, ctx: click.Context) -> Any:
        with manners():
            return super().invoke(ctx)


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a top-level command that runs in the application."""

    def declare(function: Callable[..., Any]) -> click.Command:
        return _teaching(click.command(name, cls=DomainCommand)(with_appcontext(function)), name)

    return declare


def _teaching(made: click.Command, words: str) -> click.Command:
    """Have examples and exit codes stand below the help, unless it tells codes of its own."""
    examples = EXAMPLES.get(words, ())
    parts = (
        ["\n".join(["\b", "Examples:", *(f"  {line}" for line in examples)])] if examples else []
    )
    if "Exit codes" not in (made.help or ""):
        parts.append(EXIT_CODES)
    made.epilog = "\n\n".join(parts)
    return made


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
