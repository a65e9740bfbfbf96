"""What commands that act say when they are done: a sentence to people, a document to programs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from prodapp.cli.base import json_option, print_json


@dataclass(frozen=True)
class Told:
    """The end of a command: ``words`` on standard output, or ``document`` there as JSON.

    ``asides`` go to standard error either way; ``code`` is what the command ends with.
    """

    words: str
    document: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    asides: Sequence[str] = ()
    code: int = 0


def tells(function: Callable[..., Told]) -> Callable[..., None]:
    """Give a command ``--json``: it returns what it has done, and does not print it.

    Stands next to the function, below the other decorators.
    """

    @functools.wraps(function)
    def command(*, as_json: bool, **options: Any) -> None:
        tell(function(**options), as_json=as_json)

    return json_option(command)


def tell(done: Told, *, as_json: bool) -> None:
    """Print it, and end the command where its code is not 0."""
    if as_json:
        print_json(done.document)
    else:
        click.echo(done.words)
    for words in done.asides:
        click.echo(words, err=True)
    if done.code:
        raise SystemExit(done.code)


def ask(question: str, *, is_sure: bool) -> None:
    """Ask a person, on standard error, unless ``is_sure``; "no" ends the command."""
    if not is_sure:
        click.confirm(question, abort=True, err=True)
