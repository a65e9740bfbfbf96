from __future__ import annotations

import os
from pathlib import Path

import pytest

from prodapp.supervisor.sources import Sources


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("prodapp/app.py", "prodapp/templates/page.html", "migrations/env.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_nothing_changed(root: Path) -> None:
    sources = Sources(root)
    assert sources.changed_file() is None


def test_a_change_is_told_once(root: Path) -> None:
    sources = Sources(root)
    os.utime(root / "prodapp" / "templates" / "page.html", (1, 1))
    assert sources.changed_file() == "prodapp/templates/page.html"
    assert sources.changed_file() is None


def test_new_and_removed_files_are_changes(root: Path) -> None:
    sources = Sources(root)
    (root / "prodapp" / "new.py").touch()
    assert sources.changed_file() == "prodapp/new.py"
    (root / "prodapp" / "new.py").unlink()
    assert sources.changed_file() == "prodapp/new.py"


def test_files_that_are_no_sources_do_not_count(root: Path) -> None:
    sources = Sources(root)
    (root / "prodapp" / "app.pyc").touch()
    (root / "README.md").touch()
    assert sources.changed_file() is None
