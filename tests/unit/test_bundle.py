"""The bundle for a machine without a network: what is in it, and what its installer refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bundle, image_context
from tests.conftest import ROOT

HERE = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of the sources without packages, as it is before it is packed."""
    monkeypatch.setattr(bundle, "download", lambda *_: None)
    folder = tmp_path / "prodapp"
    folder.mkdir()
    bundle.fill(folder, ROOT / "requirements.txt", HERE)
    return folder


def install(folder: Path, target: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": sys.executable, **environ}
    args = [str(folder / "install.sh"), str(target)]
    return subprocess.run(args, env=env, capture_output=True, text=True)


def test_everything_that_runs_is_in_it_and_nothing_private(laid_out: Path) -> None:
    names = {path.relative_to(laid_out).as_posix() for path in laid_out.rglob("*")}
    assert {
        "app/wsgi.py",
        "app/prodapp/server.py",
        "app/migrations/env.py",
        "app/requirements.txt",
        "app/docs/administration.md",
        "app/LICENSE",
        "install.sh",
        "SHA256SUMS",
    } <= names
    assert any(name.startswith("app/prodapp/static/") for name in names)
    assert not any(part in name for name in names for part in (".git", "tests/", "__pycache__"))
    assert not any(name.endswith(".env") for name in names)


def test_the_image_and_the_bundle_have_the_same_sources(laid_out: Path) -> None:
    for name in image_context.context():
        if name.name != "requirements.txt":
            assert (laid_out / "app" / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize("spoiled", ["app/prodapp/app.py", "app/requirements.txt"])
def test_a_file_that_changed_on_its_way_is_refused(
    laid_out: Path, tmp_path: Path, spoiled: str
) -> None:
    with (laid_out / spoiled).open("a") as file:
        file.write("#\n")
    result = install(laid_out, tmp_path / "target")
    assert result.returncode == 1
    assert "nothing was installed" in result.stderr
    assert spoiled in result.stdout + result.stderr
    assert not (tmp_path / "target").exists()


def test_another_python_than_the_packages_are_for_is_refused(
    laid_out: Path, tmp_path: Path
) -> None:
    (laid_out / "PYTHON").write_text("3.9\n")
    result = install(laid_out, tmp_path / "target")
    assert result.returncode == 2
    assert "is for Python 3.9" in result.stderr


def test_sums_are_read_by_the_usual_program(laid_out: Path) -> None:
    args = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert shutil.which("sha256sum")
    assert subprocess.run(args, cwd=laid_out, check=False).returncode == 0
