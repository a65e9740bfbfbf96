"""Guards over the whole of the source: what no single module's tests would notice."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect

from prodapp import create_app
from prodapp.auth.permissions import check_policies, policy_of, requires
from prodapp.exceptions import ConfigurationError
from prodapp.extensions import db
from tests.conftest import ROOT, make_settings

MIGRATIONS = str(ROOT / "migrations")
MAX_LINES = 400
# What S3's driver reads by itself; tests/functional/test_many_hosts.py lets it.
DRIVERS = "AWS_"


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    check_policies(app)
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"OPTIONS"}:
            assert policy_of(app, rule.endpoint, method) is not None, f"{method} {rule.rule}"


def test_an_application_with_a_silent_route_is_refused(app: Flask) -> None:
    app.add_url_rule("/silent", "silent", lambda: "ok", methods=["GET", "POST"])
    with pytest.raises(ConfigurationError, match=r"without an access policy: GET /silent, POST"):
        check_policies(app)


def test_a_policy_names_a_role_that_exists() -> None:
    with pytest.raises(ValueError, match="unknown role 'boss'"):
        requires("boss")


def test_every_template_compiles(app: Flask) -> None:
    names = app.jinja_env.list_templates(extensions=["html"])
    assert names
    for name in names:
        app.jinja_env.get_template(name)


def test_imports_hold_to_their_layers() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _shape() -> dict[str, set[str]]:
    inspector = inspect(db.engine)
    return {
        name: {column["name"] for column in inspector.get_columns(name)}
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def _assert_migrations_equal_models(app: Flask) -> None:
    with app.app_context():
        try:
            upgrade(directory=MIGRATIONS)
            assert _shape() == {
                table.name: {column.name for column in table.columns}
                for table in db.metadata.sorted_tables
            }
            check(directory=MIGRATIONS)  # ends the process where a migration is missing
            downgrade(directory=MIGRATIONS, revision="base")
            assert _shape() == {}
            upgrade(directory=MIGRATIONS)
        finally:
            db.session.remove()
            db.engine.dispose()


def test_migrations_equal_the_models_on_sqlite_and_can_be_undone(tmp_path: Path) -> None:
    _assert_migrations_equal_models(create_app(make_settings(tmp_path)))


@pytest.mark.postgres
def test_migrations_equal_the_models_on_postgresql_and_can_be_undone(
    tmp_path: Path, postgres_database: Callable[[], str]
) -> None:
    _assert_migrations_equal_models(
        create_app(make_settings(tmp_path, DATABASE_URL=postgres_database()))
    )


def _own_modules() -> list[Path]:
    return [*sorted((ROOT / "prodapp").rglob("*.py")), ROOT / "wsgi.py"]


def test_modules_are_short_enough_to_be_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _own_modules()}
    assert [path for path, length in lengths.items() if length > MAX_LINES] == []


def test_no_module_opens_pickles() -> None:
    unsafe = re.compile(r"^\s*(?:import|from) (?:pickle|joblib|dill|cloudpickle|shelve)\b", re.M)
    found = [path for path in _own_modules() if unsafe.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_readme_names_only_targets_that_make_knows() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z]+)|^\s*(?:\$ )?make ([a-z]+)", readme, re.MULTILINE))
    wanted = {name for pair in named for name in pair if name}
    assert wanted >= {"run", "test"}
    assert wanted <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_readme_names_only_commands_that_flask_knows(app: Flask) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bflask ([a-z]+)", readme))
    assert named <= {*app.cli.commands, "run", "shell", "routes", "db"}


def test_env_example_lists_every_setting() -> None:
    modules = ("config.py", "environment.py", "identity_settings.py")
    source = "".join((ROOT / "prodapp" / name).read_text(encoding="utf-8") for name in modules)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    read = set(re.findall(r'env(?:\.get\(|, )"([A-Z_]+)"', source))
    listed = set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE))
    assert read <= listed
    assert {name for name in listed if not name.startswith(DRIVERS)} <= read


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_no_file_of_a_running_installation_is_tracked() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "instance", ".env"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(tracked.stdout.split()) <= {"instance/README.md"}
