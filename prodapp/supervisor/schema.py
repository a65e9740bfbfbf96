"""Whether the database has the newest tables, told without loading the application."""

from __future__ import annotations

import ast
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def is_up_to_date(database_url: str, versions: Path) -> bool:
    """Whether a SQLite database stands at the newest of the migrations in the folder ``versions``.

    False where that cannot be told, as for every other kind of database: then the migration
    itself, which takes seconds to load, has to find out.
    """
    prefix = "sqlite:///"
    if not database_url.startswith(prefix):
        return False
    path = quote(database_url.removeprefix(prefix))
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error:
        return False
    return {name for (name,) in rows} == _newest(versions)


def _newest(versions: Path) -> set[str]:
    """The revisions that no other one builds on."""
    revisions: set[str] = set()
    built_on: set[str] = set()
    for file in versions.glob("*.py"):
        names = _constants(file)
        revisions.add(str(names.get("revision")))
        below = names.get("down_revision")
        built_on.update(below if isinstance(below, tuple) else (str(below),))
    return revisions - built_on


def _constants(file: Path) -> dict[str, object]:
    """The plain values that the module assigns to names."""
    found: dict[str, object] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() | ast.Tuple() as value)
                | ast.AnnAssign(
                    target=ast.Name(id=name), value=ast.Constant() | ast.Tuple() as value
                )
            ):
                found[name] = ast.literal_eval(value)
    return found
