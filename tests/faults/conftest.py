"""Installations of real processes over both databases, and the table of what was reached."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.durable import DurablePostgres, durable
from tests.faults.figures import IS_LONG, Figure, Figures, table, write_json
from tests.faults.installation import Installation
from tests.services import private_folder

MakeInstallation = Callable[..., Installation]
MakeFigures = Callable[[str], Figures]

_INSTALLATIONS = pytest.StashKey[list[Installation]]()
_lines: list[Figure] = []


DATABASES = {
    "sqlite": pytest.param("sqlite"),
    "postgres": pytest.param("postgres", marks=pytest.mark.postgres),
}


@pytest.fixture(params=DATABASES.values())
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: a test that asks for it runs once over each. See :func:`over`."""
    return str(request.param)


def over(*short: str) -> pytest.MarkDecorator:
    """Give a test its ``database``: in the long form each of them, in the short one ``short``."""
    names = DATABASES if IS_LONG else short
    return pytest.mark.parametrize("database", [DATABASES[name] for name in names])


@pytest.fixture
def make_installation(
    request: pytest.FixtureRequest, sqlite_template: Path
) -> Iterator[MakeInstallation]:
    """A function that makes an installation over ``"sqlite"`` or ``"postgres"``, not started.

    ``database_url`` names a migrated database of the test's own instead. Other keywords are
    settings in the environment. When the test fails, the logs of all processes are shown.
    """
    made: list[Installation] = []
    request.node.stash[_INSTALLATIONS] = made
    with private_folder() as folder:

        def make(kind: str = "sqlite", *, database_url: str = "", **environ: str) -> Installation:
            place = folder / str(len(made) + 1)
            place.mkdir()
            url = database_url or _database(request, kind, place, sqlite_template)
            made.append(Installation(place, database_url=url, **environ))
            return made[-1]

        yield make
        for installation in made:
            installation.end()


@pytest.fixture
def make_figures() -> Iterator[MakeFigures]:
    """A function that makes the figures of one fault; they enter the table at the end."""
    made: list[Figures] = []

    def make(fault: str) -> Figures:
        made.append(Figures(fault))
        return made[-1]

    yield make
    _lines.extend(line for figures in made for line in figures.lines)


@pytest.fixture
def durable_postgres(tmp_path: Path) -> Iterator[DurablePostgres]:
    with private_folder() as folder, durable(folder, tmp_path / "template") as postgres:
        yield postgres


def _database(request: pytest.FixtureRequest, kind: str, place: Path, sqlite_template: Path) -> str:
    if kind == "sqlite":
        shutil.copy(sqlite_template, place / "prodapp.db")
        return f"sqlite:///{place / 'prodapp.db'}"
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_template")
    return str(server.create_database(template=template))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes of a test that failed have said."""
    report = yield
    if report.failed and report.when == "call":
        for installation in item.stash.get(_INSTALLATIONS, []):
            report.sections.append(("processes", installation.logs()))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _lines:
        return
    terminalreporter.section("faults: targets and what was reached")
    terminalreporter.write_line(table(_lines))
    path = os.environ.get("FAULTS_REPORT")
    if path:
        write_json(_lines, Path(path))
