"""Everything that an installation without a network needs, as one archive in dist/.

The sources that the image has, the documentation, every package as a wheel for this machine's kind
and Python (``--python-version 3.12`` for another), checksums of all of it, and ``install.sh``.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from image_context import ROOT, copy_context

BESIDE = ("README.md", "CHANGELOG.md", "SECURITY.md", ".env.example", "docs", "deploy")


def version() -> str:
    source = (ROOT / "prodapp" / "version.py").read_text(encoding="utf-8")
    return re.findall(r'^VERSION = "(.+)"$', source, re.MULTILINE)[0]


def download(wheels: Path, requirements: Path, python: str) -> None:
    """Every package of ``requirements``, and pip itself, as wheels."""
    args = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check"]
    args += ["--only-binary", ":all:", "--python-version", python, "--dest", str(wheels)]
    subprocess.run([*args, "-r", str(requirements), "pip"], check=True)


def write_sums(folder: Path) -> None:
    """``SHA256SUMS`` of all files below ``folder``, as ``sha256sum --check`` reads it."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def fill(folder: Path, requirements: Path, python: str) -> None:
    """Lay out the bundle in the empty ``folder``."""
    app = folder / "app"
    app.mkdir()
    copy_context(app)
    for name in BESIDE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, app / name, ignore=shutil.ignore_patterns("*.env", "*.image"))
        else:
            shutil.copyfile(source, app / name)
    shutil.copyfile(requirements, app / "requirements.txt")
    (folder / "wheels").mkdir()
    download(folder / "wheels", requirements, python)
    (folder / "PYTHON").write_text(python + "\n", encoding="ascii")
    shutil.copy(ROOT / "scripts" / "install.sh", folder)
    write_sums(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    here = "{}.{}".format(*sys.version_info[:2])
    parser.add_argument("--python-version", default=here, help="Python of the target (%(default)s)")
    parser.add_argument("--requirements", type=Path, default=ROOT / "requirements.txt")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    name = f"prodapp-{version()}-python{options.python_version}"
    options.dist.mkdir(exist_ok=True)
    target = options.dist / f"{name}.tar.gz"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / name
        folder.mkdir()
        fill(folder, options.requirements, options.python_version)
        with tarfile.open(target, "w:gz", compresslevel=1) as archive:
            archive.add(folder, name)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_name(target.name + ".sha256").write_text(f"{digest}  {target.name}\n")
    sys.stdout.write(f"{target} ({target.stat().st_size / 1e6:.0f} MB)\n")


if __name__ == "__main__":
    main()
